//! Platform users whom an outside issuer vouches for.

use serde_json::json;
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::control::{failure, json, text, time, uuid};
use crate::error::Result;
use crate::tenancy::PlatformUser;

/// Gives a platform user of an outside issuer their row, once, in the caller's transaction on the control database;
/// for our own users there is nothing to do.
///
/// Their address goes into the identity only: in `users` it would take the address from whoever signs up with it here,
/// on the word of an issuer that may not have checked it.
///
/// # Errors
/// When the database fails.
pub async fn remember_outside(app: &App, executor: &impl GenericClient, user: &PlatformUser) -> Result<()> {
    let Some((issuer, subject)) = &user.outside else {
        return Ok(());
    };
    let now = app.clock.now();
    let metadata = json!({ "provider": issuer, "providers": [issuer], "role": user.role });
    let sql = "
        insert into plinth.users (id, raw_app_meta_data, created_at, updated_at)
        values ($1, $2, $3, $3) on conflict do nothing";
    let params = [uuid(&user.id.0), json(&metadata), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    let identity = app.random.uuid();
    let data = json!({ "iss": issuer, "sub": subject, "email": user.email });
    let sql = "
        insert into plinth.identities (id, user_id, provider, provider_id, identity_data, email, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing";
    let params = [
        uuid(&identity),
        uuid(&user.id.0),
        text(issuer),
        text(subject),
        json(&data),
        text(&user.email),
        time(&now),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
