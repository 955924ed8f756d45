//! What the law asks of whoever keeps data about people: find all that belongs to a person, hand it over, remove it, prove it.

mod ground;
pub mod map;

pub(crate) use ground::{Ground, ground};
