//! Where files are kept that are made for somebody: copies of people's data.

use std::path::PathBuf;
use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;

/// A place for files.
#[derive(Debug, Clone)]
pub struct Files {
    /// Where.
    pub at: FilesAt,
    /// How long an export waits to be fetched (`PLINTH_EXPORT_HOURS`; 72 unless given, at most a week).
    pub export_term: Duration,
}

/// A bucket or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesAt {
    /// A bucket of S3 (`PLINTH_FILES_BUCKET`).
    Bucket(String),
    /// A folder of this machine (`PLINTH_FILES_FOLDER`), which is made when it is not there.
    Folder(PathBuf),
}

impl Files {
    pub(super) fn from_env(env: &Env) -> Result<Option<Self>> {
        let at = match (env.get("PLINTH_FILES_BUCKET"), env.get("PLINTH_FILES_FOLDER")) {
            (Some(bucket), _) => FilesAt::Bucket(bucket.to_owned()),
            (None, Some(folder)) => FilesAt::Folder(folder.into()),
            (None, None) => return Ok(None),
        };
        let hours: u64 = env.parse("PLINTH_EXPORT_HOURS", 72)?;
        if !(1..=168).contains(&hours) {
            return Err(invalid("PLINTH_EXPORT_HOURS", "must be from 1 to 168"));
        }
        Ok(Some(Self {
            at,
            export_term: Duration::from_secs(hours * 60 * 60),
        }))
    }
}
