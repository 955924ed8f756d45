//! Repeatable requests: `Idempotency-Key`; conditional ones are [`plinth::web`]'s.

use axum::extract::FromRequestParts;
use http::request::Parts;
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::projects::IdempotencyKey;
pub use plinth::web::{IfMatch, Tagged};

/// `Idempotency-Key`, if one was sent.
pub struct Idempotency(pub Option<IdempotencyKey>);

impl FromRequestParts<App> for Idempotency {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        IdempotencyKey::of(&parts.headers).map(Self)
    }
}
