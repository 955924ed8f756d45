//! The HTTP server's port.

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use crate::error::{Error, Result};

/// Listens on 127.0.0.1:`port`; 0 takes any free port.
///
/// # Errors
/// The port is in use, or not ours to open: the text names it and says how to choose another.
pub async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let text = match error.kind() {
            ErrorKind::AddrInUse => format!("Port {port} is already in use"),
            ErrorKind::PermissionDenied => format!("Port {port} may not be opened by this user"),
            _ => format!("Port {port} cannot be opened"),
        };
        Error::new(text)
            .caused_by(error)
            .hint("Stop what uses it, or choose another port with PLINTH_PORT.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn port_in_use_is_named_with_the_way_out() {
        let first = listen(0).await.unwrap();
        let taken = first.local_addr().unwrap().port();
        let error = listen(taken).await.unwrap_err().to_string();
        assert!(error.contains(&format!("Port {taken} is already in use")), "{error}");
        assert!(error.contains("PLINTH_PORT"), "{error}");
    }
}
