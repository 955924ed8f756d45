//! The signed-in user: shown and changed.

use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::{
    forbidden, invalid_credentials, mail_not_configured, session_not_found, unprocessable, user_not_found,
};
use super::store::{Store, User};
use super::{Audience, Bearer, Changes, Email, Origin, UserView, profile};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::error::Result;
use crate::token::Verdict;

/// The user behind a token.
///
/// # Errors
/// 403 `session_not_found`, `user_not_found`, `user_banned`.
pub async fn show_user(app: &App, audience: &Audience, bearer: &Bearer) -> Result<UserView> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let user = store.user(bearer.user).await?;
    let user = present(app, &store, bearer, user).await?;
    let identities = store.identities(user.id).await?;
    store.commit().await?;
    Ok(UserView::new(user, identities))
}

/// Changes address, password and `user_metadata`. A new password ends the user's other sessions.
///
/// # Errors
/// As [`show_user`]; 422 `same_password`, `email_exists`, `email_provider_disabled` (an address must be confirmed), 400
/// `invalid_credentials` for a wrong `current_password`.
pub async fn change_user(
    app: &App,
    audience: &Audience,
    bearer: &Bearer,
    changes: Changes,
    origin: &Origin,
) -> Result<UserView> {
    let seen = {
        let mut client = audience.connect(app).await?;
        let store = Store::begin(audience, &mut client).await?;
        let user = store.user(bearer.user).await?;
        let user = present(app, &store, bearer, user).await?;
        store.commit().await?;
        user
    };
    let hash = new_hash(app, &seen, &changes).await?;
    let now = app.clock.now();

    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let user = store.lock_user(bearer.user).await?;
    let mut user = present(app, &store, bearer, user).await?;
    let checked = user.encrypted_password == seen.encrypted_password;
    if hash.is_some() && !checked {
        // It was changed since the checks above: what they found is void.
        return Err(invalid_credentials());
    }
    let new_email = changes
        .email
        .filter(|email| user.email.as_deref() != Some(email.as_str()));
    if let Some(email) = &new_email {
        check_email(app, audience, email)?;
        user.email = Some(email.as_str().to_owned());
        user.email_confirmed_at = Some(now);
    }
    user.user_metadata = changes.metadata.over(user.user_metadata)?;
    let new_password = hash.is_some();
    user.encrypted_password = hash.or(user.encrypted_password);
    let user = store.change_user(&user, now).await?;
    if let Some(email) = &new_email {
        store.change_email_identity(user.id, email.as_str(), now).await?;
    }
    if new_password {
        store.end_sessions(user.id, Some(bearer.session)).await?;
    }
    if audience.is_platform() {
        let entry = audited("users.change", user.id, origin)
            .with(json!({ "email": new_email.is_some(), "password": new_password }));
        audit::record(app, store.executor(), &entry).await?;
    }
    if new_email.is_some() || user.user_metadata != seen.user_metadata {
        profile::sync(app, audience, &store, &user).await?;
    }
    let identities = store.identities(user.id).await?;
    store.commit().await?;
    Ok(UserView::new(user, identities))
}

/// The hash of the new password, if one is wanted and may be set.
async fn new_hash(app: &App, user: &User, changes: &Changes) -> Result<Option<String>> {
    let Some(password) = &changes.password else {
        return Ok(None);
    };
    let stored = user.encrypted_password.as_deref();
    if let Some(current) = &changes.current_password
        && app.passwords.verify(current, stored).await? == Verdict::Wrong
    {
        return Err(invalid_credentials());
    }
    if app.passwords.verify(&password.0, stored).await? != Verdict::Wrong {
        return Err(unprocessable(
            "same_password",
            "New password should be different from the old password.",
        ));
    }
    app.passwords.hash(&app.random, &password.0).await.map(Some)
}

/// Whether an address may take the place of the present one.
fn check_email(app: &App, audience: &Audience, email: &Email) -> Result<()> {
    let accounts = &app.config.accounts;
    if !accounts.autoconfirm {
        return Err(mail_not_configured());
    }
    // Who may not sign up with an address may not take it later. The first Admin's is for the first Admin.
    if audience.is_platform() && !accounts.sign_up.allows(email.as_str()) {
        return Err(unprocessable(
            "email_address_not_authorized",
            "This email address may not be used on this platform",
        ));
    }
    Ok(())
}

/// The user a token names, if they and the session are still there.
pub(super) async fn present(app: &App, store: &Store<'_>, bearer: &Bearer, user: Option<User>) -> Result<User> {
    let user = user.ok_or_else(user_not_found)?;
    if !store.has_session(bearer.user, bearer.session).await? {
        return Err(session_not_found());
    }
    if user.is_banned(app.clock.now()) {
        return Err(forbidden("user_banned", "User is banned"));
    }
    Ok(user)
}

/// An entry of the platform's own audit chain, by the user it is about.
pub(super) fn audited<'a>(action: &'static str, user: Uuid, origin: &'a Origin) -> Entry<'a> {
    Entry {
        project: None,
        action,
        target: user.to_string(),
        details: Value::Null,
        actor: format!("user:{user}"),
        request: &origin.request,
    }
}
