//! Signing in with mail address and password.

use super::refusal::{email_not_confirmed, invalid_credentials, user_banned};
use super::store::{Store, User};
use super::tokens::{grant, key, open_session};
use super::{Audience, Credentials, Origin, SessionView};
use crate::app::App;
use crate::error::Result;
use crate::token::Verdict;

/// How often a password is checked anew when its hash was changed in between: two sign-ins at once may both hash an
/// imported password anew.
const ATTEMPTS: usize = 3;

/// Opens a session. An imported bcrypt hash is replaced by an argon2id one on the way.
///
/// # Errors
/// 400 `invalid_credentials` for an unknown address and a wrong password alike, in words and in time;
/// `email_not_confirmed` and `user_banned` only to who knows the password.
pub async fn sign_in(app: &App, audience: &Audience, credentials: Credentials, origin: &Origin) -> Result<SessionView> {
    let key = key(app, audience).await?;
    for _ in 0..ATTEMPTS {
        let (user, rehashed) = check(app, audience, &credentials).await?;
        let mut client = audience.connect(app).await?;
        let store = Store::begin(audience, &mut client).await?;
        let Some(user) = store.note_sign_in(&user, rehashed, app.clock.now()).await? else {
            continue;
        };
        let identities = store.identities(user.id).await?;
        let (session, refresh) = open_session(app, &store, &user, origin).await?;
        store.commit().await?;
        return grant(app, audience, &key, user, identities, (&session, &refresh));
    }
    Err(invalid_credentials())
}

/// The user, if the password is theirs, and its new hash, if the old one is of an old kind.
async fn check(app: &App, audience: &Audience, credentials: &Credentials) -> Result<(User, Option<String>)> {
    let user = match &credentials.email {
        Some(email) => find(app, audience, email.as_str()).await?,
        None => None,
    };
    let stored = user.as_ref().and_then(|user| user.encrypted_password.as_deref());
    let verdict = app.passwords.verify(&credentials.password, stored).await?;
    let (Some(user), true) = (user, verdict != Verdict::Wrong) else {
        return Err(invalid_credentials());
    };
    if user.is_banned(app.clock.now()) {
        return Err(user_banned());
    }
    if user.email_confirmed_at.is_none() {
        return Err(email_not_confirmed());
    }
    let rehashed = match verdict {
        Verdict::RightButOld => Some(app.passwords.hash(&app.random, &credentials.password).await?),
        _ => None,
    };
    Ok((user, rehashed))
}

async fn find(app: &App, audience: &Audience, email: &str) -> Result<Option<User>> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let user = store.user_by_email(email).await?;
    store.commit().await?;
    Ok(user)
}
