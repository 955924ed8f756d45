//! Copies of rows, which the engine keeps until they are refreshed.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Why a copy of rows was not renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unrenewed {
    /// The login at hand is not its owner.
    NotAllowed,
    /// There was no time left, or it took too long.
    OutOfTime,
    /// Its own query fails, say.
    Failed,
}

impl Unrenewed {
    /// What the database's refusal means.
    pub fn by(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Forbidden | ErrorKind::Unauthorized => Self::NotAllowed,
            ErrorKind::Timeout => Self::OutOfTime,
            _ => Self::Failed,
        }
    }

    /// For the receipt.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotAllowed => "Its owner has to refresh it: the login at hand may not",
            Self::OutOfTime => "Its owner has to refresh it: that took longer than there is time",
            Self::Failed => "Its owner has to refresh it: the database refused to",
        }
    }
}
