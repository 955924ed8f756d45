//! Where a cluster can live: in the folder asked for, unless the account that runs the server cannot get there.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::account::Account;
use super::options::Options;
use crate::error::{Error, Result};

/// Where root puts what another account must reach. Only root writes here, so nobody can lay out a trap.
pub(super) const SHARED: &str = "/var/lib/plinth";

/// The cluster folder for `options`, made if it is missing.
///
/// A checkout below a closed home folder cannot be entered by the account root runs the server as. The cluster then
/// lives under [`SHARED`], and a file `<folder>.path` remembers where.
pub(super) fn settle(options: &Options, account: &Account) -> Result<PathBuf> {
    let asked = &options.folder;
    let failed = |error: io::Error| Error::new(format!("{} cannot be made", asked.display())).caused_by(error);
    create(asked).map_err(failed)?;
    let asked = asked.canonicalize().map_err(failed)?;
    if account.reaches(&asked) {
        return Ok(asked);
    }
    elsewhere(&asked, options).map_err(|error| {
        Error::new(format!(
            "{} cannot be entered by the account that runs Postgres",
            asked.display()
        ))
        .caused_by(error)
        .hint("Choose a folder that every user may enter with PLINTH_DATA_DIR, or do not run as root.")
    })
}

fn elsewhere(asked: &Path, options: &Options) -> io::Result<PathBuf> {
    let pointer = asked.with_added_extension("path");
    if let Ok(text) = std::fs::read_to_string(&pointer) {
        let folder = PathBuf::from(text.trim());
        if folder.is_dir() {
            return Ok(folder);
        }
    }
    let folder = Path::new(SHARED).join(options.random.token(16));
    create(&folder)?;
    std::fs::write(&pointer, folder.as_os_str().as_encoded_bytes())?;
    (options.progress)(&format!(
        "Postgres keeps its data in {}: the account that runs it cannot enter {}.",
        folder.display(),
        asked.display()
    ));
    Ok(folder)
}

/// Makes `folder` and its parents. Others may pass through, as the server's account must, but not look around.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    let mode = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

/// An empty folder of a temporary cluster, which the server's account can reach.
pub(super) fn temporary(account: &Account) -> Result<TempDir> {
    let mut last = None;
    for parent in [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into(), SHARED.into()] {
        match tempfile::Builder::new()
            .prefix("plinth-")
            .permissions(traversable())
            .tempdir_in(&parent)
        {
            Ok(folder) if account.reaches(folder.path()) => return Ok(folder),
            Ok(_) => {}
            Err(error) => last = Some(error),
        }
    }
    let error = last.unwrap_or_else(|| io::Error::other("the account that runs Postgres cannot enter any"));
    Err(Error::new("There is no temporary folder for a Postgres").caused_by(error))
}

fn traversable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o711)
}
