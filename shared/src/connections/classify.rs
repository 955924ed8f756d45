//! Which class an error of the way to a server belongs to, whatever the server speaks.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::Class;
use crate::control::dial::Refused;

/// Of a way that the guard does not let anybody go.
pub fn of_guard(refused: Refused) -> Class {
    match refused {
        Refused::Unknown => Class::Dns,
        Refused::Forbidden | Refused::Url => Class::NetworkBlocked,
    }
}

/// Of a socket.
pub fn of_socket(error: &io::Error) -> Class {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => Class::Refused,
        Kind::TimedOut => Class::Timeout,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::PermissionDenied => Class::NetworkBlocked,
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => Class::Unavailable,
        Kind::InvalidData => Class::Protocol,
        // The end came within a message: the codec's only error that is of no kind.
        Kind::Other if error.to_string() == "bytes remaining on stream" => Class::Unavailable,
        _ => Class::Unknown,
    }
}

/// Of a stream, with TLS in it or without.
pub fn of_io(error: &io::Error) -> Class {
    // An io::Error's source is its content's source: the content itself is asked for here.
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    tls.map_or_else(|| of_socket(error), of_tls)
}

/// Of TLS.
pub fn of_tls(error: &TlsError) -> Class {
    match error {
        TlsError::InvalidCertificate(why) => of_certificate(why),
        TlsError::InvalidMessage(_)
        | TlsError::InappropriateMessage { .. }
        | TlsError::InappropriateHandshakeMessage { .. } => Class::Protocol,
        TlsError::PeerIncompatible(_)
        | TlsError::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            Class::TlsUnsupported
        }
        TlsError::AlertReceived(_) => Class::Unavailable,
        TlsError::NoCertificatesPresented => Class::TlsUntrusted,
        _ => Class::Unknown,
    }
}

fn of_certificate(error: &CertificateError) -> Class {
    use CertificateError as Why;
    match error {
        Why::NotValidForName | Why::NotValidForNameContext { .. } => Class::TlsHostname,
        Why::Expired | Why::ExpiredContext { .. } | Why::NotValidYet | Why::NotValidYetContext { .. } => {
            Class::TlsExpired
        }
        // One that signed itself, or is an authority's own, is nobody's that we know.
        _ => Class::TlsUntrusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_tells_the_class() {
        use io::ErrorKind as Kind;
        for (kind, class) in [
            (Kind::ConnectionRefused, Class::Refused),
            (Kind::TimedOut, Class::Timeout),
            (Kind::HostUnreachable, Class::NetworkBlocked),
            (Kind::NetworkUnreachable, Class::NetworkBlocked),
            (Kind::ConnectionReset, Class::Unavailable),
            (Kind::UnexpectedEof, Class::Unavailable),
            (Kind::InvalidData, Class::Protocol),
            (Kind::Other, Class::Unknown),
        ] {
            assert_eq!(of_socket(&kind.into()), class, "{kind:?}");
        }
    }

    #[test]
    fn tls_tells_the_class() {
        let certificate = TlsError::InvalidCertificate;
        for (error, class) in [
            (certificate(CertificateError::UnknownIssuer), Class::TlsUntrusted),
            (certificate(CertificateError::BadSignature), Class::TlsUntrusted),
            (certificate(CertificateError::NotValidForName), Class::TlsHostname),
            (certificate(CertificateError::Expired), Class::TlsExpired),
            (certificate(CertificateError::NotValidYet), Class::TlsExpired),
            (
                TlsError::AlertReceived(AlertDescription::ProtocolVersion),
                Class::TlsUnsupported,
            ),
            (
                TlsError::AlertReceived(AlertDescription::InternalError),
                Class::Unavailable,
            ),
            (
                TlsError::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                Class::Protocol,
            ),
        ] {
            assert_eq!(of_tls(&error), class, "{error}");
        }
    }

    #[test]
    fn the_guard_tells_the_class() {
        assert_eq!(of_guard(Refused::Unknown), Class::Dns);
        assert_eq!(of_guard(Refused::Forbidden), Class::NetworkBlocked);
    }
}
