//! The first thing every process does.

use super::init_logs;

/// Starts logging and names ring as the process's one TLS provider (with two compiled in, the default one panics).
pub fn start() {
    init_logs(std::io::stdout);
    // It was installed already, by a second start in the same process: the same provider, so nothing to do.
    let _already = rustls::crypto::ring::default_provider().install_default();
}
