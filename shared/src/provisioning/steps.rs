//! The steps, and a way for tests to make each of them fail.

use crate::error::Result;

/// A step that is done and cannot be half done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The row and the cell's counter are committed.
    Reserve,
    /// The schema, its roles and tables are committed; level `schema`.
    Schema,
    /// The roles are committed; level `database`.
    Roles,
    /// The database exists, closed to everybody.
    Database,
    /// Those who may connect can.
    Admit,
    /// What belongs into the database is committed.
    Furnish,
    /// Everything of the control database is written and not yet committed.
    Record,
}

/// Called after each step. Does nothing but in tests.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    #[cfg(feature = "testing")]
    pub(super) disturb: Option<Disturb>,
}

/// What a test does to an attempt.
#[cfg(feature = "testing")]
#[derive(Debug, Clone, Copy)]
pub struct Disturb {
    /// After which step.
    pub after: Step,
    /// How.
    pub how: Disturbance,
}

/// See [`Disturb`].
#[cfg(feature = "testing")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// The next step fails.
    Fail,
    /// Nothing comes any more: the test drops the future, as a process that dies would.
    Hang,
}

impl Steps {
    #[cfg(feature = "testing")]
    pub(super) async fn passed(&self, step: Step) -> Result<()> {
        match self.disturb {
            Some(disturb) if disturb.after == step => match disturb.how {
                Disturbance::Fail => Err(crate::error::Error::internal(format!("disturbed after {step:?}"))),
                Disturbance::Hang => std::future::pending().await,
            },
            _ => Ok(()),
        }
    }

    #[cfg(not(feature = "testing"))]
    #[expect(clippy::unused_async, reason = "tests wait here")]
    pub(super) async fn passed(&self, _: Step) -> Result<()> {
        Ok(())
    }
}

impl Step {
    /// The steps of level `schema`, in order.
    pub const SCHEMA: [Self; 3] = [Self::Reserve, Self::Schema, Self::Record];
    /// The steps of level `database`, in order.
    pub const DATABASE: [Self; 6] = [
        Self::Reserve,
        Self::Roles,
        Self::Database,
        Self::Admit,
        Self::Furnish,
        Self::Record,
    ];
}
