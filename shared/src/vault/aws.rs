//! Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::types::Tag;

use crate::control::aws::sdk;
use crate::error::{Error, ErrorKind, Result};
use crate::sensitive::Sensitive;

/// Days that a deleted secret can be restored: as long as a deleted backend.
const RECOVERY_DAYS: i64 = 30;
/// Error codes that come and go.
const PASSING: &[&str] = &[
    "ThrottlingException",
    "Throttling",
    "InternalServiceError",
    "ServiceUnavailable",
];

async fn client() -> Result<Client> {
    Ok(Client::new(sdk().await?))
}

/// The text of a secret that the operator named.
///
/// # Errors
/// `vault/unavailable` (503) when Secrets Manager throttles or cannot be reached, otherwise our fault (a missing secret,
/// missing rights).
pub async fn secret(id: &str) -> Result<Sensitive> {
    let text = read(id).await?;
    text.ok_or_else(|| Error::internal("the secret is not there"))
}

/// The text of a secret, unless it is not there or deleted.
///
/// # Errors
/// As [`secret`].
pub(super) async fn read(name: &str) -> Result<Option<Sensitive>> {
    let reply = match client().await?.get_secret_value().secret_id(name).send().await {
        Ok(reply) => reply,
        Err(error) if is_missing(&error) || is_deleted(&error) => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    let text = reply.secret_string().map(Sensitive::new);
    text.map(Some)
        .ok_or_else(|| Error::internal("the secret holds no text"))
}

/// Makes `text` the secret's current version and returns its id. A secret that is not there is made, with those tags; one
/// that was deleted comes back.
///
/// # Errors
/// As [`secret`].
pub(super) async fn write(name: &str, tags: &[(&str, String)], text: &Sensitive) -> Result<String> {
    let client = client().await?;
    let put = async || {
        let put = client.put_secret_value().secret_id(name).secret_string(text.expose());
        put.send().await
    };
    let mut wrote = put().await;
    if wrote.as_ref().is_err_and(is_deleted) {
        restore(name).await?;
        wrote = put().await;
    }
    let version = match wrote {
        Ok(reply) => reply.version_id,
        Err(error) if is_missing(&error) => {
            let tags = tags
                .iter()
                .map(|(key, value)| Tag::builder().key(*key).value(value).build());
            let create = client.create_secret().name(name).set_tags(Some(tags.collect()));
            let create = create
                .description("Credentials of a connection")
                .secret_string(text.expose());
            create.send().await.map_err(failure)?.version_id
        }
        Err(error) => return Err(failure(error)),
    };
    version.ok_or_else(|| Error::internal("the secret has no version"))
}

/// Deletes a secret, so that it can be restored for 30 days. Repeatable.
///
/// # Errors
/// As [`secret`].
pub(super) async fn delete(name: &str) -> Result<()> {
    let delete = client().await?.delete_secret().secret_id(name);
    match delete.recovery_window_in_days(RECOVERY_DAYS).send().await {
        Err(error) if !is_missing(&error) && !is_deleted(&error) => Err(failure(error)),
        _ => Ok(()),
    }
}

/// Takes [`delete`] back; a secret that is gone for good stays so.
///
/// # Errors
/// As [`secret`].
pub(super) async fn restore(name: &str) -> Result<()> {
    match client().await?.restore_secret().secret_id(name).send().await {
        Err(error) if !is_missing(&error) => Err(failure(error)),
        _ => Ok(()),
    }
}

/// Deletes a secret for good, deleted before or not. Repeatable.
///
/// # Errors
/// As [`secret`].
pub(super) async fn purge(name: &str) -> Result<()> {
    let delete = client().await?.delete_secret().secret_id(name);
    match delete.force_delete_without_recovery(true).send().await {
        Err(error) if !is_missing(&error) => Err(failure(error)),
        _ => Ok(()),
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    code(error) == Some("ResourceNotFoundException")
}

/// What Secrets Manager says of a secret that waits for its end.
fn is_deleted<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    code(error) == Some("InvalidRequestException")
}

/// Only code and message go into the log: the error itself holds the whole exchange.
fn failure<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Error {
    let Some(service) = error.as_service_error() else {
        let what = match error {
            SdkError::TimeoutError(_) => "Secrets Manager did not answer in time",
            SdkError::DispatchFailure(_) => "Secrets Manager could not be reached",
            _ => "Secrets Manager could not be asked",
        };
        return unavailable(what.to_owned());
    };
    let (code, message) = (
        service.code().unwrap_or_default(),
        service.message().unwrap_or_default(),
    );
    let what = format!("Secrets Manager: {code}: {message}");
    if PASSING.contains(&code) {
        return unavailable(what);
    }
    Error::internal(what)
}

fn unavailable(what: String) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "vault/unavailable",
        "The secret store cannot be reached right now",
    )
    .with_retry_after(1)
    .with_source(what)
}
