//! Tables as values: what a designer asked for, what a backend has, and the DDL between the two.
//!
//! The way of a design: JSON → [`spec::parse`] (every fault, with its path) → [`spec::TableSpec`] → [`ddl`] (statements
//! up and down, with [`policy`]s and grants). What a tenant writes as an expression passes [`expr`]: parsed,
//! allow-listed, and rendered from our own tree. A spec keeps such an expression as canonical text, and rendering
//! parses that text again, so that no stored text ever reaches a database unread.

pub mod catalog;
pub mod data_type;
pub mod ddl;
pub mod details;
pub mod expr;
pub mod fault;
pub mod hidden;
pub mod known;
mod literal;
pub mod policy;
pub mod spec;
pub mod starter;
