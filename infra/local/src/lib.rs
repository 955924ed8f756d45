//! The local stack's parts: a real Postgres of its own, its settings, and the file that remembers a start.
//!
//! The binary and the integration tests use the same [`postgres::Server`].

mod background;
pub mod config;
pub mod error;
mod first_start;
pub mod openapi;
pub mod platform;
pub mod port;
pub mod postgres;
pub mod router;
pub mod stack;
pub mod stack_file;
pub mod testing;
