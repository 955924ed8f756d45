//! Helpers for tests, behind the `testing` feature.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it.
    #[expect(
        clippy::unwrap_used,
        reason = "a poisoned test clock means the test has failed already"
    )]
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

impl Clock for FixedClock {
    #[expect(
        clippy::unwrap_used,
        reason = "a poisoned test clock means the test has failed already"
    )]
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
