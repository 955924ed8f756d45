//! Who may ask about a platform user: they themselves, right after they signed in, and those who run the platform.

use uuid::Uuid;

use super::{user, user_by_address};
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::UserId;
use crate::privacy::requests::{self, AskedSubject, NamedSubject};
use crate::tenancy::{Caller, Operator};

/// The platform user that somebody names, if they may ask about them.
///
/// Whoever asks about themselves must have signed in within the last five minutes
/// ([`PlatformUser::signed_in_lately`](crate::tenancy::PlatformUser::signed_in_lately)): a token that was left lying about
/// neither takes everything along nor removes it.
///
/// # Errors
/// 403 `privacy/not-yours` for everybody else, whether the other exists or not; 403 `privacy/reauthentication`; 404
/// `privacy/subject-not-found` to those who run the platform; 400 `privacy/subject`.
pub async fn named_user(app: &App, caller: &Caller, asked: &AskedSubject) -> Result<UserId> {
    let found = find(app, caller, &asked.named()?).await?;
    if found == Some(caller.user.id) {
        signed_in_lately(app, caller)?;
        return Ok(caller.user.id);
    }
    let named = asked.named()?;
    if found.is_none() && is_own_id(caller, &named) {
        // A token that outlives its account.
        return Err(requests::not_found());
    }
    Operator::of(caller.clone()).map_err(|_| not_yours())?;
    found.ok_or_else(requests::not_found)
}

/// Refuses whoever is about to take their own data along, or away, and has signed in longer than five minutes ago.
///
/// # Errors
/// 403 `privacy/reauthentication`.
pub(crate) fn signed_in_lately(app: &App, caller: &Caller) -> Result<()> {
    if caller.user.signed_in_lately(app.clock.now()) {
        return Ok(());
    }
    Err(sign_in_again())
}

async fn find(app: &App, caller: &Caller, named: &NamedSubject) -> Result<Option<UserId>> {
    let me = &caller.user;
    let client = app.control.get().await?;
    let id = match named {
        NamedSubject::Id(id) => Some(id),
        NamedSubject::Key(key) if key.len() == 1 => key.get("id"),
        NamedSubject::Key(_) => None,
        NamedSubject::Email(address) => {
            let found = user_by_address(&*client, address).await?;
            // An outside issuer's user who has made nothing here yet has no row.
            let outside = me.outside.as_ref().and(me.email.as_ref());
            let own = outside.filter(|own| own.eq_ignore_ascii_case(address));
            return Ok(found.or(own.map(|_| me.id)));
        }
    };
    let Some(id) = id.and_then(|id| id.parse::<Uuid>().ok()).map(UserId) else {
        return Ok(None);
    };
    if id == me.id && me.outside.is_some() {
        return Ok(Some(id));
    }
    user(&*client, id).await
}

fn is_own_id(caller: &Caller, named: &NamedSubject) -> bool {
    matches!(named, NamedSubject::Id(id) if id.parse() == Ok(caller.user.id.0))
}

fn not_yours() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "privacy/not-yours",
        "You may ask about yourself only",
    )
    .with_hint("Those who run the platform may ask about anybody")
}

fn sign_in_again() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "privacy/reauthentication",
        "For this you must have signed in within the last five minutes",
    )
    .with_hint("Sign in again (POST /auth/v1/token?grant_type=password) and send the new token")
}
