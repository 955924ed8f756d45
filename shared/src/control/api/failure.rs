//! Why an API did not answer as it should.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::pki_types::InvalidDnsNameError;

use crate::control::outbound::Refused;
use crate::error::Error;

/// What went wrong. No text of the API, no URL and no credential is in it.
#[derive(Debug)]
pub enum Failure {
    /// A user named a host that is not dialled.
    Refused(Refused),
    /// No connection came about.
    Connect(io::ErrorKind),
    /// No encrypted connection came about.
    Tls(rustls::Error),
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// The API refuses, or fails.
    Status {
        /// How.
        status: u16,
        /// When to try again, in seconds.
        retry_after: Option<u32>,
    },
    /// It sends us elsewhere: out of the API, in circles, or with a write.
    Redirected,
    /// What came is no JSON.
    NotJson,
    /// What came is longer than anybody wants to read.
    TooLarge,
    /// The token endpoint gave no token.
    Token(Box<Failure>),
    /// No request could be made.
    Settings(Error),
}

impl Failure {
    /// Of the client's error.
    pub(super) fn of(error: reqwest::Error) -> Self {
        // The URL may hold a key.
        let error = error.without_url();
        let mut kind = None;
        if let Some(found) = Self::within(error.source(), &mut kind) {
            return found;
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect(kind.unwrap_or(io::ErrorKind::Other))
        } else {
            Self::Broken
        }
    }

    /// What is known among the causes; else the kind of the last socket error. What an `io::Error` holds is not among its
    /// sources: it is looked at too.
    fn within(cause: Option<&(dyn StdError + 'static)>, kind: &mut Option<io::ErrorKind>) -> Option<Self> {
        let mut at = cause;
        while let Some(cause) = at {
            if let Some(refused) = cause.downcast_ref::<Refused>() {
                return Some(Self::Refused(*refused));
            }
            if cause.is::<InvalidDnsNameError>() {
                // No certificate could be for it, and no resolver would know it.
                return Some(Self::Refused(Refused::Unknown));
            }
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Some(Self::Tls(tls.clone()));
            }
            if let Some(socket) = cause.downcast_ref::<io::Error>() {
                *kind = Some(socket.kind());
                let inner = socket.get_ref().map(|inner| inner as &(dyn StdError + 'static));
                if let Some(found) = Self::within(inner, kind) {
                    return Some(found);
                }
            }
            at = cause.source();
        }
        None
    }

    /// Whether nothing can have come of a request.
    pub fn was_not_sent(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Connect(_) | Self::Tls(_) | Self::Token(_) | Self::Settings(_)
        )
    }

    /// Whether a read may be tried again at once.
    pub fn is_fleeting(&self) -> bool {
        match self {
            Self::Broken => true,
            Self::Connect(kind) => *kind != io::ErrorKind::ConnectionRefused,
            Self::Status { status, retry_after } => matches!(status, 502..=504) && retry_after.is_none(),
            _ => false,
        }
    }

    /// The status, if that is what failed.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Connect(kind) => write!(f, "no connection: {kind}"),
            Self::Tls(error) => write!(f, "no encrypted connection: {error}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Broken => f.write_str("the connection broke"),
            Self::Status { status, .. } => write!(f, "status {status}"),
            Self::Redirected => f.write_str("redirected elsewhere"),
            Self::NotJson => f.write_str("no JSON came"),
            Self::TooLarge => f.write_str("too much came"),
            Self::Token(failure) => write!(f, "no token: {failure}"),
            Self::Settings(error) => error.fmt(f),
        }
    }
}

impl StdError for Failure {}
