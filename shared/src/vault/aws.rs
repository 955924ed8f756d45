//! Secrets Manager.

use crate::control::aws::sdk;
use crate::error::{Error, ErrorKind, Result};
use crate::sensitive::Sensitive;

/// The text of a Secrets Manager secret.
///
/// # Errors
/// 503 when Secrets Manager throttles or cannot be reached, otherwise our fault (a missing secret, missing rights).
pub async fn secret(id: &str) -> Result<Sensitive> {
    let client = aws_sdk_secretsmanager::Client::new(sdk().await?);
    let reply = client.get_secret_value().secret_id(id).send().await.map_err(|error| {
        if error.as_service_error().is_some() {
            Error::internal(error)
        } else {
            Error::new(
                ErrorKind::Unavailable,
                "vault/unavailable",
                "The secret store cannot be reached right now",
            )
            .with_retry_after(1)
            .with_source(error)
        }
    })?;
    let text = reply
        .secret_string()
        .ok_or_else(|| Error::internal("the secret holds no text"))?;
    Ok(Sensitive::new(text))
}
