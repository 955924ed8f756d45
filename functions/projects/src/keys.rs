//! `/api/projects/{id}/keys`.

use axum::extract::State;
use http::StatusCode;
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::ident::KeyId;
use plinth::projects::keys::{self, KeyView, MadeKey, Rotation};
use plinth::projects::versions::Propagation;
use plinth::token::KeyClass;
use plinth::web::least::Admin;
use plinth::web::{Access, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::headers::Idempotency;
use plinth::web::{Paging, Query};

/// A page of keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyList {
    keys: Vec<KeyView>,
    next_cursor: Option<String>,
}

/// Lists a project's keys, newest first; never their texts.
#[utoipa::path(get, path = "/api/projects/{id}/keys", tag = "keys", params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = KeyList), (status = 404)))]
pub async fn list(
    access: Access<Admin>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<KeyList>> {
    let found = keys::list(&app, &access.0, &paging.page()?).await?;
    Ok(Json(KeyList {
        keys: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    /// `publishable` or `secret`.
    #[schema(value_type = String)]
    class: KeyClass,
    /// 1-100 characters.
    name: String,
    /// When it stops working by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<jiff::Timestamp>,
}

/// A key just made: the only reply that ever carries its text.
#[derive(Serialize, ToSchema)]
pub struct KeyReply {
    #[serde(flatten)]
    key: MadeKey,
    #[serde(flatten)]
    propagation: Propagation,
}

fn made((key, propagation): (MadeKey, Propagation)) -> (StatusCode, Json<KeyReply>) {
    (StatusCode::CREATED, Json(KeyReply { key, propagation }))
}

/// Makes a key.
#[utoipa::path(post, path = "/api/projects/{id}/keys", tag = "keys", request_body = NewKey,
    params(("id" = uuid::Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses((status = 201, body = KeyReply), (status = 403), (status = 404)))]
pub async fn create(
    access: Access<Admin>,
    Idempotency(key): Idempotency,
    State(app): State<App>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<KeyReply>)> {
    let new = (new.class, new.name, new.expires_at);
    keys::create_for(&app, &access.0, new, key.as_ref()).await.map(made)
}

/// Makes a key that takes another one's place.
#[utoipa::path(post, path = "/api/projects/{id}/keys/{keyId}/rotate", tag = "keys", request_body = Rotation,
    params(("id" = uuid::Uuid, Path), ("keyId" = uuid::Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses((status = 201, body = KeyReply), (status = 404), (status = 409)))]
pub async fn rotate(
    access: Access<Admin>,
    Path((_, old)): Path<(String, String)>,
    Idempotency(key): Idempotency,
    State(app): State<App>,
    Json(rotation): Json<Rotation>,
) -> Result<(StatusCode, Json<KeyReply>)> {
    keys::rotate(&app, &access.0, named(&old)?, &rotation, key.as_ref())
        .await
        .map(made)
}

/// A key after it was revoked, or that was taken back.
#[derive(Serialize, ToSchema)]
pub struct ChangedKey {
    #[serde(flatten)]
    key: KeyView,
    #[serde(flatten)]
    propagation: Propagation,
}

/// Revokes a key: no request that starts after a reply with `"propagation":"done"` is served with it.
#[utoipa::path(delete, path = "/api/projects/{id}/keys/{keyId}", tag = "keys",
    params(("id" = uuid::Uuid, Path), ("keyId" = uuid::Uuid, Path)),
    responses((status = 200, body = ChangedKey), (status = 404)))]
pub async fn revoke(
    access: Access<Admin>,
    Path((_, key)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<Json<ChangedKey>> {
    let (key, propagation) = keys::revoke(&app, &access.0, named(&key)?).await?;
    Ok(Json(ChangedKey { key, propagation }))
}

/// Takes a revocation back that is not older than 30 days: the key works again, with the text it had. One that was revoked
/// because it had leaked is better replaced by a new one.
#[utoipa::path(post, path = "/api/projects/{id}/keys/{keyId}/restore", tag = "keys",
    params(("id" = uuid::Uuid, Path), ("keyId" = uuid::Uuid, Path)),
    responses((status = 200, body = ChangedKey), (status = 403), (status = 404), (status = 409)))]
pub async fn restore(
    access: Access<Admin>,
    Path((_, key)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<Json<ChangedKey>> {
    let (key, propagation) = keys::restore(&app, &access.0, named(&key)?).await?;
    Ok(Json(ChangedKey { key, propagation }))
}

fn named(key: &str) -> Result<KeyId> {
    let malformed = || Error::new(ErrorKind::NotFound, "keys/not-found", "The project has no such key");
    key.parse().map(KeyId).map_err(|_| malformed())
}
