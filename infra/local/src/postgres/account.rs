//! Who the server runs as. `initdb` and `postgres` refuse root, so root hands them to an account without rights.

use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The ids of `nobody` where `/etc/passwd` does not name them otherwise.
const NOBODY: (u32, u32) = (65534, 65534);

/// The account that owns the data and runs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// User and group to change to; `None` stays who we are.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// The account for a cluster: ourselves, or as root the owner of `data` if it exists, or else `nobody`.
    pub(super) fn for_data(data: &Path) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self { ids: None };
        }
        let owner = std::fs::metadata(data).ok().map(|found| (found.uid(), found.gid()));
        let ids = owner.filter(|(uid, _)| *uid != 0).or_else(nobody).unwrap_or(NOBODY);
        Self { ids: Some(ids) }
    }

    /// A command that runs as the account, in a process group of its own (a Ctrl-C at the terminal is for us: we stop
    /// the server in order), where every folder may be read, untouched by the caller's `PG*` variables.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.stdin(Stdio::null()).current_dir("/").process_group(0);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Some((uid, gid)) = self.ids {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Hands `path` over to the account.
    pub(super) fn own(&self, path: &Path) -> io::Result<()> {
        match self.ids {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    /// Whether the account can enter `folder`: a parent may be closed to it, as a home folder is. Tried, not computed.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        let Some(_) = self.ids else { return true };
        let mut test = self.command("/bin/sh");
        test.args(["-c", "cd -- \"$1\" 2>/dev/null", "sh"]).arg(folder);
        test.status().is_ok_and(|status| status.success())
    }
}

fn nobody() -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
