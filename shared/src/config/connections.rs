//! Limits of connection tests.

use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;

/// How long a user's database may take to show itself.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Longest time of a whole test (`PLINTH_CONNECTION_TEST_TIMEOUT_MS`), from 100 ms to 10 s.
    pub test_deadline: Duration,
}

impl Connections {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let deadline: u64 = env.parse("PLINTH_CONNECTION_TEST_TIMEOUT_MS", 5_000)?;
        if !(100..=10_000).contains(&deadline) {
            return Err(invalid(
                "PLINTH_CONNECTION_TEST_TIMEOUT_MS",
                "must be from 100 to 10000",
            ));
        }
        Ok(Self {
            test_deadline: Duration::from_millis(deadline),
        })
    }
}
