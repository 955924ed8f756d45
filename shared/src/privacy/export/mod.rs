//! A copy of a person's data: asked for, made by a job, and fetched once by a link.

mod archive;
mod ask;
#[cfg(feature = "aws")]
mod bucket;
mod end_user;
mod expire;
mod files;
mod index;
mod link;
mod make;
mod pages;
mod platform_user;
mod rows;
mod store;

pub use ask::{Asked, ExportState, NewExport, ask, ask_own, link, own_link, own_state, state};
pub use expire::expire;
pub(crate) use expire::withdraw;
pub use link::{Fetched, Link, SHOWN_AS, fetch, look};
pub use make::make;

use jiff::Timestamp;

use crate::app::App;
use crate::error::{Error, Result};

/// The kind of the jobs that make exports.
pub const EXPORT: &str = "privacy.export";

/// When the term of an export that is there now is over.
fn ends(app: &App, now: Timestamp) -> Result<Timestamp> {
    let term = app.config.files.as_ref().map(|files| files.export_term);
    // Who has no place for files only asks.
    let term = term.unwrap_or(std::time::Duration::from_secs(72 * 60 * 60));
    now.checked_add(term).map_err(Error::internal)
}
