//! What is done about a person's data: found, handed over, removed, proved.

mod rows;
mod bench;
mod erase;
mod export;
mod people;

pub use export::unzipped;
mod map;
