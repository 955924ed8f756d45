//! AWS: the SDK's configuration with pinned roots, and RDS IAM tokens.

use std::num::NonZeroUsize;
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_sdk_rds::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use lru::LruCache;
use tokio::sync::{Mutex, OnceCell};

use super::iam::{role_refused, unavailable};
use crate::config::{AssumedRole, Iam};
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// The roots that AWS APIs chain to: loading the machine's root store would cost a cold start 4 to 6 ms.
pub(crate) const AMAZON_ROOTS: &str = include_str!("../../../infra/trust/amazon-roots.pem");

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

/// Lets this process's SDK speak to a stand-in at `endpoint`, with made-up credentials and a clock that stands still, so that
/// a token is known before it is used. Before anything else uses the SDK.
///
/// # Errors
/// When the SDK is in use already.
#[cfg(feature = "testing")]
pub async fn stand_in(endpoint: &str) -> Result<()> {
    use crate::clock::{Clock as _, SystemClock};
    let credentials = Credentials::new("test", "test", None, None, "stand-in");
    let now = aws_smithy_async::time::StaticTimeSource::new(SystemClock.now().into());
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client()?)
        .endpoint_url(endpoint)
        .time_source(now)
        .region(Region::new("us-east-1"))
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

/// A token that signs `login` in at an RDS server for the next 15 minutes; made without a network call, but for a role
/// that has to be assumed first.
///
/// # Errors
/// `external/iam-unavailable` when the function has no credentials, `external/iam-role` when it may not assume the role.
pub async fn database_token(host: &str, port: u16, login: &str, iam: &Iam) -> Result<Sensitive> {
    signed(sdk().await?, host, port, login, iam).await
}

async fn signed(sdk: &SdkConfig, host: &str, port: u16, login: &str, iam: &Iam) -> Result<Sensitive> {
    let mut config = Config::builder()
        .hostname(host)
        .port(u64::from(port))
        .username(login)
        .expires_in(TOKEN_LASTS.as_secs());
    if let Some(region) = &iam.region {
        config = config.region(Region::new(region.clone()));
    }
    if let Some(role) = &iam.role {
        let credentials = assumed(sdk, role, iam.region.as_deref()).await?;
        config = config.credentials(SharedCredentialsProvider::new(credentials));
    }
    let config = config.build().map_err(|error| Error::internal(error.to_string()))?;
    let token = AuthTokenGenerator::new(config).auth_token(sdk).await;
    token.map(|token| Sensitive::new(token.as_str())).map_err(unavailable)
}

/// The longest that RDS takes.
const TOKEN_LASTS: Duration = Duration::from_secs(15 * 60);
/// Assumed roles remembered per process.
const ROLES: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Their credentials are renewed so long before they end: a token is no longer good than what signed it.
const RENEWED: Duration = Duration::from_secs(20 * 60);

type Roles = LruCache<(AssumedRole, Option<String>), Credentials>;

/// Credentials of a role, remembered until shortly before their end.
async fn assumed(sdk: &SdkConfig, role: &AssumedRole, region: Option<&str>) -> Result<Credentials> {
    static KNOWN: OnceCell<Mutex<Roles>> = OnceCell::const_new();
    let known = KNOWN.get_or_init(|| async { Mutex::new(LruCache::new(ROLES)) }).await;
    let key = (role.clone(), region.map(str::to_owned));
    let now = sdk.time_source().map(|time| time.now());
    let lasts = |known: &Credentials| now.zip(known.expiry()).is_some_and(|(now, end)| now + RENEWED < end);
    if let Some(remembered) = known.lock().await.get(&key).filter(|known| lasts(known)) {
        return Ok(remembered.clone());
    }
    let mut provider = AssumeRoleProvider::builder(role.arn.as_str())
        .external_id(role.external_id.as_str())
        .session_name("plinth")
        .configure(sdk);
    if let Some(region) = region {
        provider = provider.region(Region::new(region.to_owned()));
    }
    let provider = provider.build().await;
    let credentials = provider.provide_credentials().await.map_err(role_refused)?;
    known.lock().await.put(key, credentials.clone());
    Ok(credentials)
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

    /// What the AWS CLI (botocore 1.x, `generate_db_auth_token`) prints for these keys at this time.
    const OF_THE_CLI: [(&str, Option<&str>, &str); 2] = [
        (
            "eu-central-1",
            None,
            "one.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app_user&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261121T120000Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=471705e91d339623f3c20b3fbd1c33dd3749a4d72a96c9b66f9d2f601d345379",
        ),
        (
            "us-east-1",
            Some("session/token+with=signs"),
            "two.abc.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20261121T120000Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=session%2Ftoken%2Bwith%3Dsigns\
             &X-Amz-Signature=b87b98d7acece621943017e9503d707618d44ad332890c0b077d4e56f6f6e905",
        ),
    ];

    #[tokio::test]
    async fn a_token_is_the_one_that_the_aws_cli_makes() {
        let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (region, session, expected) in OF_THE_CLI {
            let keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
            let credentials = Credentials::new(keys.0, keys.1, session.map(str::to_owned), None, "test");
            let sdk = SdkConfig::builder()
                .time_source(aws_smithy_async::time::StaticTimeSource::new(noon.into()))
                .region(Region::new("ap-south-1"))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build();
            let iam = Iam {
                region: Some(region.to_owned()),
                role: None,
            };
            let (host, rest) = expected.split_once(':').unwrap();
            let (port, rest) = rest.split_once('/').unwrap();
            let login = rest.split_once("DBUser=").unwrap().1.split('&').next().unwrap();
            let token = signed(&sdk, host, port.parse().unwrap(), login, &iam).await.unwrap();
            // The order of the parameters is free.
            let parts = |token: &str| {
                let (host, query) = token.split_once('?').unwrap();
                let mut query: Vec<String> = query.split('&').map(str::to_owned).collect();
                query.sort();
                (host.to_owned(), query)
            };
            assert_eq!(parts(token.expose()), parts(expected));
        }
    }

    #[tokio::test]
    async fn without_credentials_there_is_no_token() {
        let sdk = SdkConfig::builder()
            .time_source(aws_smithy_async::time::SystemTimeSource::new())
            .build();
        let refused = signed(&sdk, "db.example.com", 5432, "app", &Iam::default())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "external/iam-unavailable");
    }

    #[test]
    fn the_client_is_made_from_them() {
        assert!(http_client().is_ok());
    }
}
