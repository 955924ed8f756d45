//! The HTTP client for URLs that users name: every name goes through the guard, nothing is followed, no proxy is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder};

use super::outbound;
use super::trust::Trust;
use crate::config::Outbound;
use crate::error::{Error, Result};

/// A client that ends each request within `within`. Without `trust` it trusts the public authorities. What stands as an
/// address in a URL is not resolved: [`outbound::check_url`] is asked first.
///
/// # Errors
/// Never in practice.
pub fn client(guard: Option<Arc<Outbound>>, trust: Option<&Trust>, within: Duration) -> Result<Client> {
    builder(guard, trust, within)?.build().map_err(Error::internal)
}

/// The same, for who has resolved `host` already and had it checked: it is dialled there and nowhere else.
///
/// # Errors
/// Never in practice.
pub fn pinned(
    guard: Option<Arc<Outbound>>,
    trust: &Trust,
    within: Duration,
    host: &str,
    at: SocketAddr,
) -> Result<Client> {
    let builder = builder(guard, Some(trust), within)?;
    builder.resolve(host, at).build().map_err(Error::internal)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one client for URLs of users, with its own trust and limits"
)]
fn builder(guard: Option<Arc<Outbound>>, trust: Option<&Trust>, within: Duration) -> Result<ClientBuilder> {
    let tls = match trust {
        Some(trust) => trust.config()?.clone(),
        None => public()?,
    };
    let builder = match guard {
        Some(guard) => Client::builder().dns_resolver(Guarded(guard)),
        None => Client::builder(),
    };
    Ok(builder
        .tls_backend_preconfigured(tls)
        .timeout(within)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy())
}

fn public() -> Result<rustls::ClientConfig> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Resolves a name and answers what of it may be dialled.
#[derive(Debug)]
struct Guarded(Arc<Outbound>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            // The URL's own port takes the place of this one.
            let found = outbound::resolve(&guard, name.as_str(), 0).await?;
            let found: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(found)
        })
    }
}
