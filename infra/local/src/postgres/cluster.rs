//! The cluster folder: initialised once, locked while in use, its password kept beside the data.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use plinth::clock::SharedRandom;
use plinth::sensitive::Sensitive;
use rustix::process::{Pid, test_kill_process};
use tempfile::NamedTempFile;
use tokio::time::{Instant, interval};

use super::account::Account;
use super::find::Binaries;
use crate::error::{Error, Result};

/// The superuser's name.
pub(super) const SUPERUSER: &str = "postgres";
/// Character classes, the best first; which of them exist differs between systems. Sorting is by code point everywhere.
const CHARACTER_CLASSES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];
/// How long a server whose owner has died may take to stop.
const PREDECESSOR: Duration = Duration::from_secs(15);

/// A cluster folder that this process has locked.
#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
    /// The lock goes with the file, and so with the process, however it ends.
    _lock: File,
}

impl Cluster {
    /// Locks `folder` for this process.
    ///
    /// # Errors
    /// Another process holds it; the text names its pid.
    pub(super) fn lock(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        let failed =
            |error: std::io::Error| Error::new(format!("{} cannot be locked", path.display())).caused_by(error);
        let mut options = OpenOptions::new();
        let mut lock = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0)
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("superuser")
    }

    /// The major version of the data, if there is any.
    pub(super) fn major(&self) -> Option<u32> {
        std::fs::read_to_string(self.data().join("PG_VERSION"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// The folder of the server's socket, or `None` where its path is longer than a socket's name may be.
    pub(super) fn socket_folder(&self, account: &Account) -> Result<Option<PathBuf>> {
        let folder = self.folder.join("run");
        // 103 bytes on the tightest system, less the name of the socket.
        if folder.as_os_str().len() > 85 {
            return Ok(None);
        }
        private_folder(&folder, account)?;
        Ok(Some(folder))
    }

    /// The superuser's password of data that exists.
    pub(super) fn password(&self) -> Result<Sensitive> {
        let path = self.password_file();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Error::new(format!(
                "{}, the password of the data beside it, cannot be read",
                path.display()
            ))
            .caused_by(error)
            .hint("Put the file back, or move the folder away to start afresh.")
        })?;
        Ok(Sensitive::new(text.trim()))
    }

    /// Initialises the data. It appears under its name only when it is whole: a start that is cut short begins anew.
    pub(super) fn initialise(&self, binaries: &Binaries, account: &Account, random: &SharedRandom) -> Result<()> {
        let password = Sensitive::new(random.token(43));
        self.keep_password(&password)?;
        let unfinished = self.folder.join("data.new");
        for (attempt, class) in CHARACTER_CLASSES.iter().enumerate() {
            let log = self.initdb(binaries, account, &unfinished, &password, class)?;
            let Some(log) = log else { break };
            if attempt + 1 == CHARACTER_CLASSES.len() || !log.contains("locale") {
                return Err(Error::new(format!(
                    "initdb failed in {}:\n{}",
                    self.folder.display(),
                    log.trim()
                )));
            }
        }
        std::fs::rename(&unfinished, self.data())
            .map_err(|error| Error::new(format!("{} cannot be made", self.data().display())).caused_by(error))
    }

    /// Runs initdb; what it said, if it failed.
    fn initdb(
        &self,
        binaries: &Binaries,
        account: &Account,
        data: &Path,
        password: &Sensitive,
        class: &str,
    ) -> Result<Option<String>> {
        if data.exists() {
            std::fs::remove_dir_all(data).map_err(cannot_run)?;
        }
        private_folder(data, account)?;
        let mut password_file = NamedTempFile::new_in(&self.folder).map_err(cannot_run)?;
        writeln!(password_file, "{}", password.expose()).map_err(cannot_run)?;
        account.own(password_file.path()).map_err(cannot_run)?;
        let output = account
            .command(binaries.program("initdb"))
            .args([
                "--encoding=UTF8",
                "--locale=C",
                "--auth=scram-sha-256",
                "--no-instructions",
            ])
            .args([format!("--lc-ctype={class}"), format!("--username={SUPERUSER}")])
            .arg("--pwfile")
            .arg(password_file.path())
            .arg("--pgdata")
            .arg(data)
            .output()
            .map_err(cannot_run)?;
        Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    fn keep_password(&self, password: &Sensitive) -> Result<()> {
        let path = self.password_file();
        let write = || -> std::io::Result<()> {
            let mut file = NamedTempFile::new_in(&self.folder)?; // mode 0600
            writeln!(file, "{}", password.expose())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| Error::new(format!("{} cannot be written", path.display())).caused_by(error))
    }

    /// Waits for a server to end whose owner has died: its guard is stopping it.
    ///
    /// # Errors
    /// It is still there after 15 s, or somebody started it by hand; the text names its pid.
    pub(super) async fn await_predecessor(&self) -> Result<()> {
        let deadline = Instant::now() + PREDECESSOR;
        let mut tick = interval(Duration::from_millis(20));
        while let Some(pid) = self.live_postmaster() {
            if Instant::now() > deadline {
                return Err(Error::new(format!(
                    "Postgres process {pid} already runs on {}",
                    self.data().display()
                ))
                .hint(format!("Stop it with `kill -INT {pid}` and start again.")));
            }
            tick.tick().await;
        }
        Ok(())
    }

    /// The pid of a server that runs on the data now. A stale pid file is Postgres's own business.
    fn live_postmaster(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid: i32 = text.lines().next()?.trim().parse().ok()?;
        let alive = match test_kill_process(Pid::from_raw(pid)?) {
            Ok(()) => true,
            Err(error) => error == rustix::io::Errno::PERM,
        };
        // Where /proc tells, a process elsewhere has merely inherited the number.
        let elsewhere = std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd != self.data());
        (alive && !elsewhere).then_some(pid)
    }
}

fn in_use(folder: &Path, lock: &mut File) -> Error {
    let mut pid = String::new();
    // The owner may be between taking the lock and writing its pid: then there is none to show.
    let _ = lock.read_to_string(&mut pid);
    let owner = if pid.is_empty() {
        String::new()
    } else {
        format!(" by process {pid}")
    };
    Error::new(format!("The data in {} is already in use{owner}", folder.display()))
        .hint("Stop that one first, or choose another folder with PLINTH_DATA_DIR.")
}

/// Makes `folder` for the server alone.
fn private_folder(folder: &Path, account: &Account) -> Result<()> {
    let make = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        account.own(folder)?;
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700))
    };
    make().map_err(|error| Error::new(format!("{} cannot be made", folder.display())).caused_by(error))
}

fn cannot_run(error: std::io::Error) -> Error {
    Error::new("initdb cannot be run").caused_by(error)
}
