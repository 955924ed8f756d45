//! `stack.json`: what a start made, for the person and the tools that come after it. It holds keys and passwords.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The running stack's addresses and credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Base URL of the HTTP server.
    pub url: String,
    /// URL of the control database, password included.
    pub database_url: String,
    /// Process id of the stack.
    pub pid: u32,
    /// The first platform user; absent with an external control database that had users already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
    /// The project made on the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demo: Option<Demo>,
}

/// The first platform user's sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// Email address to sign in with.
    pub email: String,
    /// Password, in the clear: this file is its only copy.
    pub password: String,
}

/// The demo project and its keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demo {
    /// Project id (uuid).
    pub project_id: String,
    /// Project ref, 20 lowercase letters.
    pub r#ref: String,
    /// What `createClient` takes as its first argument.
    pub url: String,
    /// Key for browsers.
    pub publishable_key: String,
    /// Key for servers, in the clear: this file is its only copy.
    pub secret_key: String,
}

impl Stack {
    /// Where the file is, given the folder of the stack's data.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("stack.json")
    }

    /// The file of an earlier start, or `None` on the first.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood.
    pub fn read(data_dir: &Path) -> Result<Option<Self>> {
        let path = Self::path(data_dir);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::new(format!("{} cannot be read", path.display())).caused_by(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            // Line and column only: serde's text may quote a value.
            Error::new(format!(
                "{} is damaged at line {}, column {}",
                path.display(),
                error.line(),
                error.column()
            ))
            .hint("Mend it, or move it away together with the rest of its folder to start afresh.")
        })
    }

    /// Writes the file: readable by its owner only from the first byte on, and whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, data_dir: &Path) -> Result<()> {
        let path = Self::path(data_dir);
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        text.and_then(|text| write_private(data_dir, &path, &text))
            .map_err(|error| Error::new(format!("{} cannot be written", path.display())).caused_by(error))
    }
}

/// Writes a file that only its owner may read, from its first byte on, and whole or not at all.
pub(crate) fn write_private(folder: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    // A `NamedTempFile` has mode 0600 from its creation.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .field("admin", &self.admin)
            .field("demo", &self.demo)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo")
            .field("project_id", &self.project_id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn stack() -> Stack {
        Stack {
            url: "http://127.0.0.1:8787".into(),
            database_url: "postgres://postgres:planted-1@127.0.0.1:5432/plinth".into(),
            pid: 7,
            admin: Some(Admin {
                email: "admin@example.com".into(),
                password: "planted-2".into(),
            }),
            demo: Some(Demo {
                project_id: "4f0c7a9e-0000-4000-8000-000000000000".into(),
                r#ref: "abcdefghijklmnopqrst".into(),
                url: "http://127.0.0.1:8787/p/abcdefghijklmnopqrst".into(),
                publishable_key: "planted-3".into(),
                secret_key: "planted-4".into(),
            }),
        }
    }

    #[test]
    fn written_file_is_private_and_reads_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Stack::read(folder.path()).unwrap(), None);
        stack().write(folder.path()).unwrap();
        let changed = Stack { pid: 8, ..stack() };
        changed.write(folder.path()).unwrap();
        let mode = std::fs::metadata(Stack::path(folder.path()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Stack::read(folder.path()).unwrap(), Some(changed));
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no temporary file stays behind"
        );
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", stack());
        assert!(!shown.contains("planted"), "{shown}");
    }

    #[test]
    fn damaged_file_is_named_without_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(Stack::path(folder.path()), r#"{"url":"planted","pid":"planted"}"#).unwrap();
        let error = Stack::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("stack.json is damaged"), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }
}
