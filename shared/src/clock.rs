//! Time and chance as arguments, so that "day 30 and one second" and "this id" are ordinary tests.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, Unit};
use rand::TryRng as _;
use uuid::Uuid;

use crate::ident::Ref;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // As fine as Postgres keeps it: what a reply shows is what the next read shows.
        now.round(Unit::Microsecond).unwrap_or(now)
    }
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// Days that something deleted can be restored.
pub const RESTORE_WINDOW: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes random bytes; everything random in Plinth is drawn from here.
pub trait Random: Send + Sync {
    /// Fills `bytes` with cryptographically strong randomness.
    fn fill(&self, bytes: &mut [u8]);
}

/// A shared source of randomness.
pub type SharedRandom = Arc<dyn Random>;

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::expect_used,
        reason = "without the operating system's randomness no key is safe: stop"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rngs::SysRng
            .try_fill_bytes(bytes)
            .expect("the operating system has no randomness");
    }
}

impl dyn Random {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// `length` letters and digits, evenly distributed: about 5.95 bits each.
    pub fn token(&self, length: usize) -> String {
        self.pick(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            length,
        )
    }

    /// A new project ref: 20 lowercase letters.
    pub fn project_ref(&self) -> Ref {
        Ref::generated(self.pick(b"abcdefghijklmnopqrstuvwxyz", Ref::LENGTH))
    }

    fn pick(&self, alphabet: &[u8], length: usize) -> String {
        // Bytes behind the last whole multiple of the alphabet are drawn again: no letter is more likely.
        let fair = 256 - 256 % alphabet.len();
        let mut text = String::with_capacity(length);
        while text.len() < length {
            for byte in self.bytes::<32>() {
                if usize::from(byte) < fair && text.len() < length {
                    text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_ref_is_twenty_lowercase_letters() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let made = random.project_ref();
        assert_eq!(made.as_str().len(), 20);
        assert!(made.as_str().bytes().all(|b| b.is_ascii_lowercase()));
    }

    #[test]
    fn token_draws_from_the_whole_alphabet() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let text = random.token(4000);
        assert!(text.contains('A') && text.contains('z') && text.contains('9'));
        assert_eq!(text.len(), 4000);
    }
}
