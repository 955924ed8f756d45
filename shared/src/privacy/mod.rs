//! What the law asks of whoever keeps data about people: find all that belongs to a person, hand it over, remove it, prove it.

pub mod identity;
pub mod own;
pub mod people;
pub mod requests;
