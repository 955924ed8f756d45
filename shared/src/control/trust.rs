//! What a database server's certificate is verified against.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::{Error, Result};

/// The roots of RDS and Aurora, which are no public ones.
#[cfg(feature = "aws")]
const RDS: &str = include_str!("../../../infra/trust/rds-ca.pem");
#[cfg(not(feature = "aws"))]
const RDS: &str = "";

/// The public roots, those of RDS where such a server may be, and the operator's or user's own beside them.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    own: Vec<CertificateDer<'static>>,
    rds: bool,
    /// Made for the first encrypted connection: a process that needs none does not read eighty certificates.
    config: OnceLock<ClientConfig>,
}

impl Trust {
    /// Adds the given PEM certificates to what is compiled in.
    ///
    /// # Errors
    /// `config/invalid` when the PEM text holds something else.
    pub fn new(ca_pem: Option<&str>) -> Result<Self> {
        Self::with(ca_pem, true)
    }

    /// The same for a server that is none of RDS's: its hundred roots are not read.
    ///
    /// # Errors
    /// As [`Trust::new`].
    pub fn without_rds(ca_pem: Option<&str>) -> Result<Self> {
        Self::with(ca_pem, false)
    }

    fn with(ca_pem: Option<&str>, rds: bool) -> Result<Self> {
        let own = certificates(ca_pem.unwrap_or_default()).map_err(|why| unreadable(&why))?;
        // Looked at now, though used later: a wrong setting is said at start.
        let mut trial = RootCertStore::empty();
        for certificate in &own {
            trial
                .add(certificate.clone())
                .map_err(|why| unreadable(&why.to_string()))?;
        }
        Ok(Self(Arc::new(Inner {
            own,
            rds,
            config: OnceLock::new(),
        })))
    }

    /// Beside the public roots, for a driver that makes settings of its own: DER.
    ///
    /// # Errors
    /// Never in practice: they have been read before.
    pub fn beside_public(&self) -> Result<Vec<Vec<u8>>> {
        let rds = self.rds()?;
        let all = rds.iter().chain(&self.0.own);
        Ok(all.map(|certificate| certificate.to_vec()).collect())
    }

    /// The TLS settings of a connection.
    pub(super) fn config(&self) -> Result<&ClientConfig> {
        if let Some(config) = self.0.config.get() {
            return Ok(config);
        }
        let made = self.make()?;
        Ok(self.0.config.get_or_init(|| made))
    }

    fn make(&self) -> Result<ClientConfig> {
        Ok(builder(&provider())?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth())
    }

    /// The same settings, with every certificate shown to `show` before it is judged.
    pub(super) fn watched(&self, show: impl Fn(Met<'_>) + Send + Sync + 'static) -> Result<ClientConfig> {
        let provider = provider();
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), provider.clone())
            .build()
            .map_err(Error::internal)?;
        Ok(builder(&provider)?
            // Not weaker: the judge behind it is the one that the other settings have.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Watched {
                judge,
                show: Box::new(show),
            }))
            .with_no_client_auth())
    }

    fn rds(&self) -> Result<Vec<CertificateDer<'static>>> {
        let pem = if self.0.rds { RDS } else { "" };
        certificates(pem).map_err(Error::internal)
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        roots.add_parsable_certificates(self.rds()?);
        roots.add_parsable_certificates(self.0.own.iter().cloned());
        Ok(roots)
    }
}

/// The provider is named: with two compiled in, the default one panics.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)
}

/// What a handshake meets.
pub(super) enum Met<'a> {
    /// The server's certificate (DER), not judged yet.
    Certificate(&'a [u8]),
    /// The version that was agreed on.
    Version(&'static str),
}

/// Shows what a handshake meets, and leaves the judgement to `judge`.
struct Watched {
    judge: Arc<WebPkiServerVerifier>,
    show: Box<dyn Fn(Met<'_>) + Send + Sync>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        (self.show)(Met::Certificate(end_entity));
        let judge = &self.judge;
        judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        (self.show)(Met::Version("TLSv1.2"));
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        (self.show)(Met::Version("TLSv1.3"));
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// The same certificates are trusted.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.own == other.0.own && self.0.rds == other.0.rds)
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust")
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn unreadable(why: &str) -> Error {
    Error::internal(format!("PLINTH_DATABASE_CA: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = include_str!("../../../infra/trust/amazon-roots.pem");

    #[test]
    fn what_is_no_certificate_is_refused_at_once() {
        for (pem, fine) in [
            (None, true),
            (Some(""), true),
            (Some(ONE), true),
            (
                Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                false,
            ),
            (
                Some("-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n"),
                false,
            ),
        ] {
            assert_eq!(Trust::new(pem).is_ok(), fine, "{pem:?}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn every_root_of_rds_can_be_read() {
        let roots = certificates(RDS).unwrap();
        assert_eq!(roots.len(), RDS.matches("BEGIN CERTIFICATE").count());
        assert!(roots.len() >= 3 * 25, "three for each region: {}", roots.len());
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root).unwrap();
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn the_roots_of_rds_are_read_where_they_are_needed_only() {
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        let rds = RDS.matches("BEGIN CERTIFICATE").count();
        for (trust, expected) in [
            (Trust::new(Some(ONE)), public + rds + 5),
            (Trust::without_rds(Some(ONE)), public + 5),
        ] {
            assert_eq!(trust.unwrap().roots().unwrap().len(), expected);
        }
    }

    #[test]
    fn settings_are_made_once_and_serve_every_copy() {
        let trust = Trust::new(Some(ONE)).unwrap();
        let copy = trust.clone();
        assert!(std::ptr::eq(trust.config().unwrap(), copy.config().unwrap()));
    }
}
