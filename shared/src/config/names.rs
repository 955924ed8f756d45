//! How host names that users name become addresses: an argument, so that a test can answer in the resolver's place.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// The addresses of a name, or none.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names.
pub trait Lookup: Send + Sync {
    /// The addresses of `host`, in the order in which they are tried.
    fn lookup<'a>(&'a self, host: &'a str, port: u16) -> Found<'a>;
}

/// What names are resolved by: the system, unless somebody else was named.
#[derive(Clone, Default)]
pub struct Names(Option<Arc<dyn Lookup>>);

impl Names {
    /// By this.
    pub fn by(lookup: Arc<dyn Lookup>) -> Self {
        Self(Some(lookup))
    }

    /// Asks once.
    ///
    /// # Errors
    /// When the name cannot be resolved.
    pub async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        match &self.0 {
            Some(lookup) => lookup.lookup(host, port).await,
            None => {
                let found = tokio::net::lookup_host((host, port)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "given" } else { "system" })
    }
}

/// The same resolver answers.
impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Names {}
