//! A process that outlives us, however we end, and takes the server with it.
//!
//! It waits for the end of its standard input, of which we hold the other end: the kernel closes that when we go, by
//! `kill -9` too. Then it stops the server if that still runs, and removes the folder of a temporary one.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::{Error, Result};

/// The pid counts only while the data's own pid file names it: it may have been given to somebody else since.
const SCRIPT: &str = r#"
pid=$1 data=$2 doomed=
while IFS= read -r line; do doomed=$line; done
running() { [ "$(head -n 1 "$data/postmaster.pid" 2>/dev/null)" = "$pid" ] && kill -0 "$pid" 2>/dev/null; }
stop() {
  running && kill -s "$1" "$pid"
  n=0
  while [ $n -lt 100 ] && running; do sleep 0.1; n=$((n + 1)); done
}
stop INT
stop QUIT
[ -z "$doomed" ] || rm -rf -- "$doomed"
"#;

/// The process. Dropping it releases it: it does its work, and is awaited.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Watches over the server `pid` on `data`.
    pub(super) fn set(pid: u32, data: &Path) -> Result<Self> {
        Command::new("/bin/sh")
            .args(["-c", SCRIPT, "plinth-guard"])
            .arg(pid.to_string())
            .arg(data)
            .current_dir("/")
            // Not ours to keep open: a pipe behind our own output must end when we do.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(|error| Error::new("A guard for Postgres cannot be started").caused_by(error))
    }

    /// Has `folder` removed after the server's end.
    pub(super) fn doom(&mut self, folder: &Path) -> Result<()> {
        let mut line = folder.as_os_str().as_encoded_bytes().to_vec();
        line.push(b'\n');
        let told = self.0.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(&line));
        told.map_err(|error| Error::new("The guard of Postgres does not listen").caused_by(error))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // `wait` closes its standard input first.
        let _ = self.0.wait();
    }
}
