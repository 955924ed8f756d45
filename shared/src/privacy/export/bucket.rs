//! A bucket of S3, with the credentials that the function's environment has.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::config::ProvideCredentials as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer as _};
use object_store::{Certificate, ClientOptions, StaticCredentialProvider};

use crate::control::aws::{AMAZON_ROOTS, sdk};
use crate::error::{Error, ErrorKind, Result};

/// Opens it, without a network call. The credentials are those of now: a function's outlive what it does.
///
/// # Errors
/// `files/unavailable` when the function has no credentials.
pub(super) async fn open(bucket: &str) -> Result<AmazonS3> {
    // The client asks for the process's TLS provider. One that is installed stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sdk = sdk().await?;
    let roots = Certificate::from_pem_bundle(AMAZON_ROOTS.as_bytes()).map_err(Error::internal)?;
    let options = roots.into_iter().fold(
        ClientOptions::new().with_no_system_certificates(true),
        |options, root| options.with_root_certificate(root),
    );
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_client_options(options)
        .with_credentials(Arc::new(StaticCredentialProvider::new(credential(sdk).await?)));
    if let Some(region) = sdk.region() {
        builder = builder.with_region(region.as_ref());
    }
    builder = match sdk.endpoint_url() {
        // A stand-in of S3's.
        Some(url) => builder.with_endpoint(url).with_allow_http(true),
        None => builder.with_virtual_hosted_style_request(true),
    };
    builder.build().map_err(Error::internal)
}

/// An address from which anybody may fetch a file so long, under the name `shown`.
pub(super) async fn address(
    bucket: &AmazonS3,
    path: &Path,
    within: Duration,
    shown: &str,
) -> object_store::Result<String> {
    let disposition = format!("attachment; filename=\"{shown}\"");
    let options = SignedUrlOptions::new().with_query([
        ("response-cache-control", "no-store"),
        ("response-content-disposition", disposition.as_str()),
        ("response-content-type", "application/zip"),
    ]);
    let url = bucket.signed_url_opts(Method::GET, path, within, &options).await?;
    Ok(url.to_string())
}

async fn credential(sdk: &aws_config::SdkConfig) -> Result<AwsCredential> {
    let away = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(
            ErrorKind::Unavailable,
            "files/unavailable",
            "The place where files are kept cannot be reached right now",
        )
        .with_retry_after(1)
        .with_source(source)
    };
    let provider = sdk
        .credentials_provider()
        .ok_or_else(|| away("there are no credentials".into()))?;
    let found = provider
        .provide_credentials()
        .await
        .map_err(|error| away(error.into()))?;
    Ok(AwsCredential {
        key_id: found.access_key_id().to_owned(),
        secret_key: found.secret_access_key().to_owned(),
        token: found.session_token().map(str::to_owned),
    })
}
