//! What is done about a person's data: found, handed over, removed, proved.

mod erase;
mod bench;
mod people;
