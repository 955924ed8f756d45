#![doc = include_str!("../README.md")]

pub mod clock;
pub mod error;
pub mod ident;
pub mod sensitive;

pub mod docgen;
pub mod query;
pub mod schema;
pub mod subject;

pub mod config;
pub mod control;
pub mod vault;

pub mod app;
pub mod backend;
pub mod tenancy;
pub mod token;

pub mod drivers;

pub mod accounts;
pub mod audit;
pub mod connections;
pub mod designer;
pub mod docs;
pub mod jobs;
pub mod personal;
pub mod privacy;
pub mod projects;
pub mod provisioning;
pub mod purge;
pub mod records;
pub mod sql;
pub mod trash;

#[cfg(feature = "testing")]
pub mod testing;
pub mod web;
