//! Those who run the platform.

use super::{Caller, PlatformRole};
use crate::error::{Error, ErrorKind, Result};

/// Proof that a caller has the platform's role Admin.
#[derive(Debug, Clone)]
pub struct Operator(Caller);

impl Operator {
    /// The proof, from a caller whose token held.
    ///
    /// # Errors
    /// 403 `platform/role`.
    pub fn of(caller: Caller) -> Result<Self> {
        if caller.user.role == PlatformRole::Admin {
            return Ok(Self(caller));
        }
        let message = "This is for those who run the platform";
        Err(Error::new(ErrorKind::Forbidden, "platform/role", message)
            .with_hint("It needs the platform role Admin; projects have their own under /api/projects/{id}"))
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.0
    }
}
