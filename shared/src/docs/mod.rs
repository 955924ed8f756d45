//! A project's documentation: every generation and every edit of it is a version.

mod change;
mod diff;
mod facts;
mod generate;
mod html;
pub mod prose;
mod sections;
mod show;
mod store;
mod summary;
mod versions;

pub use change::{DeletedVersion, Edit, delete, restore, revert, write};
pub use diff::{ChangeKind, Lines, SectionChange};
pub use facts::gather;
pub use generate::{GENERATE, NewDocumentation, ask, generate};
pub use show::{Comparison, Page, Pair, page, pair};
pub use versions::{
    LONGEST, MOST, NewVersion, Origin, Version, VersionView, latest, list, not_found, read, read_latest, save,
};
