//! What the law asks of whoever keeps data about people: find all that belongs to a person, hand it over, remove it, prove it.

pub mod erase;
pub mod export;
pub(crate) mod ground;
pub mod identity;
pub mod map;
pub mod own;
pub mod people;
pub mod receipt;
pub mod requests;
mod snapshot;

pub(crate) use ground::{Ground, ground};
pub use snapshot::Snapshot;
