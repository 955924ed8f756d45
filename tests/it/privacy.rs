//! What is done about a person's data: found, handed over, removed, proved.

mod export;

pub use export::unzipped;
