//! How long the audit log remembers.

use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;

/// Terms of what entries say about people. The entries themselves stay: a chain with a hole proves nothing.
#[derive(Debug, Clone)]
pub struct Audit {
    /// How long an entry keeps the address that its request came from (`PLINTH_AUDIT_ADDRESS_DAYS`, in days; 90 unless
    /// given, at most ten years, 0 forgets at the next purge).
    pub address_term: Duration,
}

impl Audit {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let days: u64 = env.parse("PLINTH_AUDIT_ADDRESS_DAYS", 90)?;
        if days > 3_650 {
            return Err(invalid("PLINTH_AUDIT_ADDRESS_DAYS", "must be from 0 to 3650"));
        }
        Ok(Self {
            address_term: Duration::from_secs(days * 24 * 60 * 60),
        })
    }
}
