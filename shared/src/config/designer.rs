//! Limits of the table designer.

use super::env::Env;
use crate::error::Result;

/// How much a project may design.
#[derive(Debug, Clone)]
pub struct Designer {
    /// Tables a project may have (`PLINTH_MAX_TABLES`), those it starts with included; as many again may wait for their
    /// restoration.
    pub max_tables: usize,
}

impl Designer {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        Ok(Self {
            max_tables: env.parse("PLINTH_MAX_TABLES", 200)?,
        })
    }
}
