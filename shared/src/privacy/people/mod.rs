//! What the control database holds about a person: shown, counted, removed.
//!
//! Of a platform user everything that is theirs goes: the account with its sessions and identities, memberships, remembered
//! replies, jobs that belong to no project, and their own database with its credentials. What belongs to a project stays
//! with the project and forgets who made it: an author becomes nobody (the nil uuid where there must be one).
//!
//! A project nobody else owns is in the way until it is handed over, or named in the request (`eraseProjects`); then it goes
//! with the next purge, its 30 days already over.

mod erase;
mod facts;
mod plan;
mod scrub;
mod store;
mod who;

pub use erase::erase_user;
pub use facts::{Section, facts_of_user, sections};
pub use plan::{Blocker, BlockerKind, Counted, OwnedProject, Rule, UserPlan, plan_of_user, unblocked};
pub use scrub::{ERASED, JobsOf, scrub_jobs};
pub use who::named_user;
pub(crate) use who::signed_in_lately;

use tokio_postgres::GenericClient;

use crate::error::Result;
use crate::ident::UserId;

/// The platform user with that id, a deleted one included. Somebody of an outside issuer is found once they have made
/// something here.
///
/// # Errors
/// When the database fails.
pub async fn user(executor: &impl GenericClient, id: UserId) -> Result<Option<UserId>> {
    store::user(executor, id).await
}

/// The platform user with that e-mail address: who signs in with it, or else whom exactly one outside issuer knows by it.
///
/// # Errors
/// When the database fails.
pub async fn user_by_address(executor: &impl GenericClient, address: &str) -> Result<Option<UserId>> {
    store::user_by_address(executor, address).await
}
