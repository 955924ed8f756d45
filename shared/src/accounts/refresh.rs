//! A refresh token for a new session: rotation with reuse detection (RFC 9700 section 4.14.2).
//!
//! A session's tokens come in generations. Using any token of the newest generation marks all of that generation used
//! and makes a token of the next. A used token that comes again gets one more token of the newest generation, if the
//! newest descends directly from its own generation and its use was not longer ago than the configured window: a reply
//! was lost, or two requests ran side by side. Any other used token ends the session.
//!
//! So two requests with one token at the same moment both succeed, with sibling tokens; the first sibling to be used
//! retires the other, which is then good for the window and afterwards proof of a copy. Two chains never live on beside
//! each other unnoticed. Refreshes of one session take turns by a lock on its row.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::refusal::{refresh_token_already_used, refresh_token_not_found, user_banned};
use super::store::{Session, Store, Token};
use super::tokens::{Refresh, grant, key};
use super::{Audience, SessionView, input};
use crate::app::App;
use crate::error::{Error, Result};
use crate::token::key_hash;

/// Exchanges `{refresh_token}`.
///
/// # Errors
/// 400 `refresh_token_not_found`, `refresh_token_already_used` (the session is over then), `session_expired`,
/// `user_banned`.
pub async fn refresh(app: &App, audience: &Audience, body: &Value) -> Result<SessionView> {
    let presented = key_hash(input::refresh_token(body)?.expose());
    let key = key(app, audience).await?;
    let now = app.clock.now();
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let session = store.lock_session_of(&presented).await?;
    let session = session.ok_or_else(refresh_token_not_found)?;
    let token = store.token(&presented).await?.ok_or_else(refresh_token_not_found)?;
    if session.not_after.is_some_and(|end| end <= now) {
        return Err(Error::invalid(
            "session_expired",
            "Invalid Refresh Token: Session Expired",
        ));
    }
    let user = store.user(session.user_id).await?.ok_or_else(refresh_token_not_found)?;
    if user.is_banned(now) {
        return Err(user_banned());
    }
    if !may_go_on(app, &store, &session, &token, now).await? {
        store.end_session(session.id).await?;
        store.commit().await?;
        return Err(refresh_token_already_used());
    }
    if token.used_at.is_none() {
        store.use_tokens(session.id, now).await?;
    }
    let next = Refresh::draw(app);
    store.add_token(session.id, next.hash(), Some(&token.hash), now).await?;
    let identities = store.identities(user.id).await?;
    store.commit().await?;
    grant(app, audience, &key, user, identities, (&session, &next))
}

async fn may_go_on(app: &App, store: &Store<'_>, session: &Session, token: &Token, now: Timestamp) -> Result<bool> {
    match token.used_at {
        None => Ok(true),
        Some(used) if !within(app, used, now) => Ok(false),
        Some(_) => store.is_last_used(session.id, token).await,
    }
}

fn within(app: &App, used: Timestamp, now: Timestamp) -> bool {
    let window = SignedDuration::try_from(app.config.accounts.refresh_reuse).unwrap_or(SignedDuration::ZERO);
    now.duration_since(used) <= window
}
