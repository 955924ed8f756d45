//! A real Postgres of our own: found or downloaded, initialised, started, stopped.
//!
//! A *cluster folder* holds `data/` (the server's), `run/` (its socket), `postgres.log`, `superuser` (the password) and
//! `lock` (held while a process of ours uses it).

mod account;
mod cluster;
#[cfg(feature = "download")]
mod download;
mod find;
mod guard;
mod options;
mod place;
mod process;
mod server;
pub mod template;

pub use find::Binaries;
pub use options::{Options, Progress};
pub use server::Server;
