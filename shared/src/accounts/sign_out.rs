//! Signing out.

use super::refusal::{session_not_found, user_not_found};
use super::store::Store;
use super::{Audience, Bearer, Origin, Scope};
use crate::app::App;
use crate::audit;
use crate::error::Result;

/// Ends sessions. Access tokens that are out stay good for the records API until they expire, as with GoTrue.
///
/// # Errors
/// 403 `session_not_found`, `user_not_found`.
pub async fn sign_out(app: &App, audience: &Audience, bearer: &Bearer, scope: Scope, origin: &Origin) -> Result<()> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    store.user(bearer.user).await?.ok_or_else(user_not_found)?;
    if !store.has_session(bearer.user, bearer.session).await? {
        return Err(session_not_found());
    }
    match scope {
        Scope::Local => store.end_session(bearer.session).await?,
        Scope::Global => store.end_sessions(bearer.user, None).await?,
        Scope::Others => store.end_sessions(bearer.user, Some(bearer.session)).await?,
    }
    if audience.is_platform() && scope != Scope::Local {
        let entry = super::user::audited("users.sign_out", bearer.user, origin);
        audit::record(app, store.executor(), &entry).await?;
    }
    store.commit().await
}
