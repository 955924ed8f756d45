//! A person's data is removed: first a plan, which changes nothing, then what it says, once somebody has confirmed it, and a
//! receipt in the end.
//!
//! The job does it in steps, each of which may be repeated: the person is signed out; rows go or are emptied in one transaction
//! of the data's database; before it is committed, so that a refusal finds them untouched, documents and jobs lose their e-mail
//! address, number and name, and copies that wait to be fetched go; then the account, and whatever was written or copied
//! meanwhile; then who they are in the audit log. The receipt comes last, in the transaction that forgets who all of it was
//! about.
//!
//! It follows the version of the subject map that was confirmed: every try refuses another one, and tables that have changed
//! since, until the rows are gone. How many rows there were is noted before the transaction that removes them is committed: a try that finds nothing left
//! keeps what the one before has noted.

mod ask;
mod confirm;
mod copies;
mod data;
mod drawn;
mod plan;
mod refused;
mod run;
mod scrub;
mod steps;
mod store;
mod user;
mod values;

use std::time::Duration;

use crate::error::{Error, ErrorKind};

pub use ask::{Asked, NewErasure, ask, ask_own, plan};
pub use plan::{Others, Plan, PlannedAccount, PlannedGap, PlannedTable};
pub use run::erase;

/// The kind of its jobs.
pub const ERASE: &str = "privacy.erase";
/// How long a plan may be confirmed.
const TERM: Duration = Duration::from_secs(60 * 60);

fn conflict(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, code, message)
}

fn unconfirmed() -> Error {
    conflict(
        "privacy/map-unconfirmed",
        "Nobody has confirmed which rows belong to a person in this project",
    )
    .with_hint("GET /api/gdpr/subject-map shows what was found; PUT /api/projects/{id}/subject-map confirms it")
}

fn stale() -> Error {
    conflict(
        "privacy/map-stale",
        "The tables have changed since the subject map was confirmed",
    )
    .with_hint("GET /api/gdpr/subject-map shows what is new; PUT /api/projects/{id}/subject-map confirms it")
}

fn plan_changed() -> Error {
    conflict(
        "privacy/plan-changed",
        "What would be erased is not what the plan said any more",
    )
    .with_hint("Ask for the plan again, with dryRun: true")
}
