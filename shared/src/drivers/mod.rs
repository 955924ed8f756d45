//! Drivers: one folder per engine family, each behind a cargo feature, all with the same files. Only a `main.rs` (and the
//! local stack) names one.

#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "rest")]
pub mod rest;
