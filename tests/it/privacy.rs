//! What is done about a person's data: found, handed over, removed, proved.

mod bench;
mod erase;
mod export;
mod identity;
mod map;
mod own;
mod people;
mod rows;
mod words;

pub use export::{copy, unzipped};
