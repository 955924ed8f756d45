//! Signing up with mail address and password.

use serde_json::{Value, json};

use super::refusal::{mail_not_configured, unprocessable};
use super::store::{NewUser, Store};
use super::tokens::{grant, key, open_session};
use super::{Audience, NewAccount, Origin, SessionView, profile};
use crate::app::App;
use crate::audit;
use crate::error::Result;
use crate::tenancy::PlatformRole;

/// Makes an account and signs it in.
///
/// # Errors
/// 422 `signup_disabled` where the platform's setting says so, `email_provider_disabled` while addresses need to be
/// confirmed, `user_already_exists`; for a project's profile row see the errors of its tables' rules.
pub async fn sign_up(app: &App, audience: &Audience, new: NewAccount, origin: &Origin) -> Result<SessionView> {
    let role = platform_role(app, audience, &new)?;
    if !app.config.accounts.autoconfirm {
        return Err(mail_not_configured());
    }
    let key = key(app, audience).await?;
    let hash = app.passwords.hash(&app.random, &new.password.0).await?;
    let row = NewUser {
        id: app.random.uuid(),
        identity: app.random.uuid(),
        email: new.email.as_str(),
        hash: &hash,
        app_metadata: app_metadata(role),
        user_metadata: Value::from(new.metadata.0),
        now: app.clock.now(),
    };
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let user = store.add_user(&row).await?;
    let identities = store.identities(user.id).await?;
    let (session, refresh) = open_session(app, &store, &user, origin).await?;
    if audience.is_platform() {
        let entry = super::user::audited("users.sign_up", user.id, origin);
        audit::record(app, store.executor(), &entry).await?;
    }
    profile::sync(app, audience, &store, &user).await?;
    store.commit().await?;
    grant(app, audience, &key, user, identities, (&session, &refresh))
}

/// What somebody becomes who signs up to the platform; nothing for a project's users.
fn platform_role(app: &App, audience: &Audience, new: &NewAccount) -> Result<Option<PlatformRole>> {
    if !audience.is_platform() {
        return Ok(None);
    }
    let accounts = &app.config.accounts;
    let email = new.email.as_str();
    if accounts.first_admin.as_deref() == Some(email) {
        return Ok(Some(PlatformRole::Admin));
    }
    if accounts.sign_up.allows(email) {
        return Ok(Some(PlatformRole::User));
    }
    Err(unprocessable(
        "signup_disabled",
        "Signups not allowed for this instance",
    ))
}

fn app_metadata(role: Option<PlatformRole>) -> Value {
    match role {
        None => json!({ "provider": "email", "providers": ["email"] }),
        Some(role) => json!({ "provider": "email", "providers": ["email"], "role": role }),
    }
}
