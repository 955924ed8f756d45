//! AWS: the SDK's configuration with pinned roots, and RDS IAM tokens.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_sdk_rds::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// The roots that AWS APIs chain to: loading the machine's root store would cost a cold start 4 to 6 ms.
const AMAZON_ROOTS: &str = include_str!("../../../infra/trust/amazon-roots.pem");

static SDK: OnceCell<SdkConfig> = OnceCell::const_new();

/// The SDK's configuration: region and credentials from the function's environment, one HTTP client with ring.
///
/// # Errors
/// Never in practice: the certificates it is built with are compiled in.
pub async fn sdk() -> Result<&'static SdkConfig> {
    SDK.get_or_try_init(|| async {
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()?);
        Ok(config.load().await)
    })
    .await
}

/// Lets this process's SDK speak to a stand-in at `endpoint`, with made-up credentials. Before anything else uses the SDK.
///
/// # Errors
/// When the SDK is in use already.
#[cfg(feature = "testing")]
pub async fn stand_in(endpoint: &str) -> Result<()> {
    let credentials = aws_sdk_secretsmanager::config::Credentials::new("test", "test", None, None, "stand-in");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client()?)
        .endpoint_url(endpoint)
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(credentials);
    SDK.set(config.load().await)
        .map_err(|_| Error::internal("the SDK is in use already"))
}

fn http_client() -> Result<SharedHttpClient> {
    let trust = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(Error::internal)?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https())
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
    let token = AuthTokenGenerator::new(config).auth_token(sdk().await?).await;
    token
        .map(|token| Sensitive::new(token.as_str()))
        .map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, TrustAnchor};

    use super::*;

    #[test]
    fn pinned_roots_are_public_ones() {
        let pinned: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(pinned.len(), 5);
        let mut store = rustls::RootCertStore::empty();
        store.add_parsable_certificates(pinned);
        let public = |anchor: &TrustAnchor<'_>| {
            webpki_roots::TLS_SERVER_ROOTS
                .iter()
                .any(|root| root.subject_public_key_info == anchor.subject_public_key_info)
        };
        assert!(store.len() == 5 && store.roots.iter().all(public));
    }

    #[test]
    fn the_client_is_made_from_them() {
        assert!(http_client().is_ok());
    }
}
