//! A project's documentation: every generation and every edit of it is a version.

mod diff;
mod sections;
mod store;
mod summary;
mod versions;

pub use versions::{
    LONGEST, MOST, NewVersion, Origin, Version, VersionView, latest, list, not_found, read, read_latest, save,
};
