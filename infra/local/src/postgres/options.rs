//! How a server is to be started.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use plinth::clock::{SharedRandom, SystemRandom};

/// Takes one line about something slow, for the person who waits.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// What [`super::Server::start`] needs to know.
#[derive(Clone)]
pub struct Options {
    /// The cluster folder; made if it is missing.
    pub folder: PathBuf,
    /// Folder with `initdb` and `postgres`; `None` searches.
    pub binaries: Option<PathBuf>,
    /// Folder that keeps a downloaded Postgres; `None` never downloads.
    pub download_to: Option<PathBuf>,
    /// TCP port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// Whether data must survive a crash of the machine. Tests do without, and are faster for it.
    pub durable: bool,
    /// Connections that may be open at once.
    pub max_connections: u32,
    /// Where the superuser's password is drawn from.
    pub random: SharedRandom,
    /// Told about anything slow.
    pub progress: Progress,
}

impl Options {
    /// A durable server in `folder` on a free port, with 200 connections, that says nothing and downloads nothing.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            binaries: None,
            download_to: None,
            port: None,
            durable: true,
            max_connections: 200,
            random: Arc::new(SystemRandom),
            progress: Arc::new(|_| ()),
        }
    }

    /// The server's settings, given on its command line so that nothing in the data folder overrides them.
    pub(super) fn settings(&self) -> Vec<String> {
        let on_off = |on| if on { "on" } else { "off" };
        let durable = on_off(self.durable);
        [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("max_connections", self.max_connections.to_string()),
            // A transaction that drops a project's schema locks each of its objects.
            ("max_locks_per_transaction", "256".into()),
            // One tenant's sort must not fill the disk.
            ("temp_file_limit", "1GB".into()),
            ("shared_buffers", "64MB".into()),
            ("password_encryption", "scram-sha-256".into()),
            ("fsync", durable.into()),
            ("synchronous_commit", durable.into()),
            ("full_page_writes", durable.into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
            ("log_destination", "stderr".into()),
            ("logging_collector", "off".into()),
        ]
        .map(|(name, value)| format!("{name}={value}"))
        .into()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("folder", &self.folder)
            .field("binaries", &self.binaries)
            .field("download_to", &self.download_to)
            .field("port", &self.port)
            .field("durable", &self.durable)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}
