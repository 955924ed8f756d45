//! Base URL and limits of requests.

use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;

/// What concerns requests and replies.
#[derive(Debug, Clone)]
pub struct Web {
    /// The public base URL without a trailing slash (`PLINTH_BASE_URL`): issuer names and `apiUrl` are made from it.
    pub base_url: String,
    /// Deadline of one request's database work (`PLINTH_REQUEST_TIMEOUT_MS`), below the gateway's 30 s.
    pub request_timeout: Duration,
    /// Rows a read returns at most (`PLINTH_MAX_ROWS`); keeps replies below Lambda's 6 MB in ordinary cases.
    pub max_rows: u64,
    /// Bytes a reply's body may take inside the gateway's JSON envelope (`PLINTH_MAX_REPLY_BYTES`): Lambda takes 6 MB, and
    /// the headers need some of it.
    pub max_reply: u64,
    /// The queue that wakes the worker (`PLINTH_QUEUE_URL`), if there is one.
    pub queue_url: Option<String>,
}

impl Web {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let base_url = env
            .get("PLINTH_BASE_URL")
            .unwrap_or("http://127.0.0.1:8787")
            .trim_end_matches('/')
            .to_owned();
        let parsed = base_url
            .parse::<http::Uri>()
            .ok()
            .filter(|uri| uri.scheme().is_some() && uri.host().is_some());
        if parsed.is_none() {
            return Err(invalid("PLINTH_BASE_URL", "must be an absolute http or https URL"));
        }
        Ok(Self {
            base_url,
            request_timeout: Duration::from_millis(env.parse("PLINTH_REQUEST_TIMEOUT_MS", 20_000)?),
            max_rows: env.parse("PLINTH_MAX_ROWS", 10_000)?,
            max_reply: env.parse("PLINTH_MAX_REPLY_BYTES", (6 << 20) - (64 << 10))?,
            queue_url: env.get("PLINTH_QUEUE_URL").map(str::to_owned),
        })
    }

    /// The issuer of the platform's own tokens.
    pub fn platform_issuer(&self) -> String {
        format!("{}/auth/v1", self.base_url)
    }

    /// The base of a project's data APIs: what `createClient` takes.
    pub fn project_url(&self, reference: &crate::ident::Ref) -> String {
        format!("{}/p/{reference}", self.base_url)
    }

    /// The issuer of a project's tokens.
    pub fn project_issuer(&self, reference: &crate::ident::Ref) -> String {
        format!("{}/auth/v1", self.project_url(reference))
    }
}
