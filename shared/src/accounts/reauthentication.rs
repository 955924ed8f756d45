//! Somebody proves once more who they are, before what cannot be taken back.

use serde_json::Value;
use uuid::Uuid;

use super::input::password_of;
use super::refusal::{forbidden, invalid_credentials};
use super::store::{Store, User};
use super::user::present;
use super::{Audience, Bearer, Origin};
use crate::app::App;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;
use crate::tenancy::{Project, is_recent};
use crate::token::Verdict;
use std::sync::Arc;

/// Proof that somebody has just signed in, or knows their password.
#[derive(Debug, Clone)]
pub struct Proven {
    audience: Audience,
    user: Uuid,
    origin: Origin,
}

impl Proven {
    /// Their id.
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// The project whose end user they are; none for a platform user.
    pub fn project(&self) -> Option<&Arc<Project>> {
        self.audience.project()
    }

    /// Where the request came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The password that a body may carry.
#[derive(Debug, Clone, Default)]
pub struct GivenPassword(Option<Sensitive>);

impl GivenPassword {
    /// Reads `{password}`; nothing of it need be there.
    ///
    /// # Errors
    /// 400 `bad_json`.
    pub fn parse(body: &Value) -> Result<Self> {
        password_of(body).map(Self)
    }
}

/// Whether the user behind a token has signed in within the last five minutes, or sends their password, which is checked as at
/// a sign-in.
///
/// # Errors
/// 403 `reauthentication_needed`; 400 `invalid_credentials`; 403 `session_not_found`, `user_not_found`, `user_banned`.
pub async fn reauthenticate(
    app: &App,
    audience: Audience,
    bearer: &Bearer,
    password: &GivenPassword,
    origin: Origin,
) -> Result<Proven> {
    let (user, since) = seen(app, &audience, bearer).await?;
    match &password.0 {
        Some(password) => {
            let verdict = app
                .passwords
                .verify(password, user.encrypted_password.as_deref())
                .await?;
            if verdict == Verdict::Wrong {
                return Err(invalid_credentials());
            }
        }
        None if is_recent(since, app.clock.now()) => {}
        None => return Err(needed()),
    }
    Ok(Proven {
        audience,
        user: user.id,
        origin,
    })
}

async fn seen(app: &App, audience: &Audience, bearer: &Bearer) -> Result<(User, jiff::Timestamp)> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let user = store.user(bearer.user).await?;
    let user = present(app, &store, bearer, user).await?;
    let since = store.session_since(bearer.session).await?;
    store.commit().await?;
    Ok((user, since.ok_or_else(super::refusal::session_not_found)?))
}

fn needed() -> Error {
    forbidden(
        "reauthentication_needed",
        "This requires a sign-in within the last five minutes, or the password",
    )
    .with_hint("Send {\"password\": …}, or sign in again and send the new access token")
}
