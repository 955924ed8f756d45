//! One test binary: everything below runs against a real Postgres of its own.
#![recursion_limit = "256"]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod accounts;
mod audit;
mod bad_input;
mod catalog;
mod cockroach;
#[path = "../conformance/mod.rs"]
mod conformance;
mod connections;
mod docs;
mod docs_generate;
mod embeds;
mod escapes_database;
mod escapes_schema;
mod external;
mod facades;
mod faults;
mod handmade;
mod injection;
mod jobs;
mod keys;
mod killed;
mod lambda;
mod layers;
mod load;
mod logs;
mod matrix;
mod members;
mod moto;
mod mysql;
mod openapi;
mod personal;
mod pgbouncer;
mod privacy;
mod projects;
mod provisioning;
mod purging;
mod random_filters;
mod rds;
mod records;
mod rest;
mod rpc;
mod sessions;
mod soft_delete;
mod sql;
mod stale;
mod tables;
mod template;
mod trash;
mod trips;
mod vault;
mod work;
mod world;
