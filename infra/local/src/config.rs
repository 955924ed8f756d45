//! The local stack's settings. The environment is read here and nowhere else in this crate.

use std::path::PathBuf;

use plinth::sensitive::Sensitive;

use crate::error::{Error, Result};

/// Port of the HTTP server; default 8787.
const PORT: &str = "PLINTH_PORT";
/// Folder of everything the stack keeps; default `.plinth` in the current folder.
const DATA_DIR: &str = "PLINTH_DATA_DIR";
/// Folder that holds `initdb` and `postgres`; default: searched for, then downloaded.
const POSTGRES_BIN: &str = "PLINTH_POSTGRES_BIN";
/// URL of a control database to use instead of a Postgres of the stack's own.
const DATABASE_URL: &str = "PLINTH_DATABASE_URL";
/// Special addresses that users' own databases may have.
const OUTBOUND_ALLOW: &str = "PLINTH_OUTBOUND_ALLOW";
/// Whether they may have no other addresses.
const OUTBOUND_ONLY: &str = "PLINTH_OUTBOUND_ONLY";
/// The service that writes prose for documents.
const AI: [&str; 4] = [
    "PLINTH_AI_URL",
    "PLINTH_AI_MODEL",
    "PLINTH_AI_KEY",
    "PLINTH_AI_TIMEOUT_MS",
];
/// Where copies of people's data wait, and how long.
const FILES: [&str; 2] = ["PLINTH_FILES_FOLDER", "PLINTH_EXPORT_HOURS"];

/// What the environment says about the local stack. An empty variable counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalConfig {
    /// `PLINTH_PORT`: TCP port of the HTTP server on 127.0.0.1.
    pub port: u16,
    /// `PLINTH_DATA_DIR`, made absolute.
    pub data_dir: PathBuf,
    /// `PLINTH_POSTGRES_BIN`: where the server binaries are, if that is said.
    pub postgres_bin: Option<PathBuf>,
    /// `PLINTH_DATABASE_URL`: an external control database; no Postgres is started then.
    pub database_url: Option<Sensitive>,
    /// `PLINTH_OUTBOUND_…` and `PLINTH_AI_…`, as far as they are set: handed on to the functions as they are; they say
    /// what is wrong with them.
    pub handed_on: Vec<(&'static str, Sensitive)>,
}

impl LocalConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A variable that cannot be understood, by name.
    pub fn from_env() -> Result<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads settings through `variable`, so that tests need no environment.
    ///
    /// # Errors
    /// As [`LocalConfig::from_env`].
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            port: port(set(PORT))?,
            data_dir: absolute(DATA_DIR, set(DATA_DIR).unwrap_or_else(|| ".plinth".into()))?,
            postgres_bin: set(POSTGRES_BIN)
                .map(|folder| absolute(POSTGRES_BIN, folder))
                .transpose()?,
            database_url: set(DATABASE_URL).map(database_url).transpose()?,
            handed_on: [OUTBOUND_ALLOW, OUTBOUND_ONLY]
                .into_iter()
                .chain(FILES)
                .chain(AI)
                .filter_map(|name| Some((name, Sensitive::new(set(name)?))))
                .collect(),
        })
    }
}

fn port(value: Option<String>) -> Result<u16> {
    let Some(value) = value else { return Ok(8787) };
    match value.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Error::new(format!("{PORT} is {value:?}, which is not a port")).hint("Use a number from 1 to 65535.")),
    }
}

fn absolute(name: &str, folder: String) -> Result<PathBuf> {
    std::path::absolute(&folder).map_err(|e| Error::new(format!("{name} ({folder:?}) cannot be used")).caused_by(e))
}

fn database_url(value: String) -> Result<Sensitive> {
    // The parser's own error is left out: it may quote the URL, and with it the password.
    match value.parse::<tokio_postgres::Config>() {
        Ok(_) => Ok(Sensitive::new(value)),
        Err(_) => Err(Error::new(format!("{DATABASE_URL} is not a Postgres URL"))
            .hint("It looks like postgres://user:password@host:5432/database.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<LocalConfig> {
        LocalConfig::read(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn empty_environment_gives_the_defaults() {
        let config = read(&[("PLINTH_PORT", ""), ("PLINTH_POSTGRES_BIN", "")]).unwrap();
        assert_eq!(config.port, 8787);
        assert_eq!(config.data_dir, std::env::current_dir().unwrap().join(".plinth"));
        assert_eq!((config.postgres_bin, config.database_url), (None, None));
    }

    #[test]
    fn bad_values_name_their_variable_and_never_show_a_password() {
        for (name, value) in [
            ("PLINTH_PORT", "0"),
            ("PLINTH_PORT", "65536"),
            ("PLINTH_PORT", "http"),
            ("PLINTH_DATABASE_URL", "mysql://root:hunter2@127.0.0.1/x"),
            ("PLINTH_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:port/x"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.to_string().starts_with(name), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn settings_of_the_functions_are_handed_on_as_they_are() {
        let config = read(&[
            ("PLINTH_AI_KEY", "hunter2"),
            ("PLINTH_AI_URL", ""),
            ("PLINTH_OUTBOUND_ALLOW", "::1"),
        ])
        .unwrap();
        let handed_on: Vec<_> = config
            .handed_on
            .iter()
            .map(|(name, value)| (*name, value.expose()))
            .collect();
        assert_eq!(
            handed_on,
            [("PLINTH_OUTBOUND_ALLOW", "::1"), ("PLINTH_AI_KEY", "hunter2")]
        );
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn database_url_is_kept_out_of_debug_output() {
        let config = read(&[("PLINTH_DATABASE_URL", "postgres://u:hunter2@127.0.0.1/x")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
