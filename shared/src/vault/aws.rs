//! AWS: Secrets Manager and RDS IAM tokens. Clients are built on first use, with pinned roots.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result};
use crate::sensitive::Sensitive;

static SDK: OnceCell<SdkConfig> = OnceCell::const_new();

/// The SDK's configuration: region and credentials from the function's environment, one HTTP client with ring.
pub async fn sdk() -> &'static SdkConfig {
    SDK.get_or_init(|| async {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .load()
            .await
    })
    .await
}

/// The text of a Secrets Manager secret.
///
/// # Errors
/// 503 when Secrets Manager throttles or cannot be reached, otherwise our fault (a missing secret, missing rights).
pub async fn secret(id: &str) -> Result<Sensitive> {
    let client = aws_sdk_secretsmanager::Client::new(sdk().await);
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

/// A token that signs `login` in at an RDS server for the next 15 minutes; made without a network call.
///
/// # Errors
/// When the function has no credentials or region.
pub async fn database_token(host: &str, port: u16, login: &str) -> Result<Sensitive> {
    let config = Config::builder()
        .hostname(host)
        .port(u64::from(port))
        .username(login)
        .build()
        .map_err(|error| Error::internal(error.to_string()))?;
    let token = AuthTokenGenerator::new(config).auth_token(sdk().await).await;
    token
        .map(|token| Sensitive::new(token.as_str()))
        .map_err(|error| Error::internal(error.to_string()))
}
