//! Limits of scripts that developers run.

use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;

/// How long a script may take and how much it may answer.
#[derive(Debug, Clone)]
pub struct Sql {
    /// Longest time of a script (`PLINTH_SQL_TIMEOUT_MS`), at most 25 s: the gateway waits 30.
    pub timeout: Duration,
    /// Rows a script answers at most (`PLINTH_SQL_MAX_ROWS`).
    pub max_rows: usize,
    /// Bytes of JSON that those rows may take (`PLINTH_SQL_MAX_BYTES`), at most 5,500,000: Lambda replies with 6 MB.
    pub max_bytes: usize,
}

impl Sql {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let timeout: u64 = env.parse("PLINTH_SQL_TIMEOUT_MS", 15_000)?;
        if !(100..=25_000).contains(&timeout) {
            return Err(invalid("PLINTH_SQL_TIMEOUT_MS", "must be from 100 to 25000"));
        }
        let max_bytes = env.parse("PLINTH_SQL_MAX_BYTES", 5_000_000)?;
        if max_bytes > 5_500_000 {
            return Err(invalid("PLINTH_SQL_MAX_BYTES", "must be at most 5500000"));
        }
        Ok(Self {
            timeout: Duration::from_millis(timeout),
            max_rows: env.parse("PLINTH_SQL_MAX_ROWS", 1_000)?,
            max_bytes,
        })
    }
}
