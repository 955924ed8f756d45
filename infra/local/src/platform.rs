//! A Plinth platform on one Postgres: the control database, one cell, and an [`App`] for each function with the very
//! logins it has on AWS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plinth::app::App;
use plinth::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth::config::{Address, Config, Env};
use plinth::control::dial::{Trust, dial};
use plinth::control::{CELL_DATABASE, FunctionLogins, prepare_cell, prepare_control, register_cell, scram_verifier};
use plinth::ident::literal;
use plinth::sensitive::Sensitive;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::stack_file::write_private;

/// The functions, by the names of their crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `/api/projects`, members, keys, audit; `/api/projects?scope=database`.
    Projects,
    /// `…/backend/provision`.
    Provision,
    /// `/api/database/{id}/tables`.
    Tables,
    /// `/p/{ref}/rest/v1` and the JSON façades; `/api/tasks`, `/api/team`.
    Records,
    /// `/api/database/{id}/sql`.
    Sql,
    /// `/auth/v1`, `/p/{ref}/auth/v1`.
    Auth,
    /// `/api/providers`, `/api/user/database-connection`.
    Connections,
    /// `/api/connections/test`, `…/backend/test`.
    ConnectionTest,
    /// `/api/projects/{id}/docs`.
    GenerateDocs,
    /// `/api/gdpr/export`, `/api/gdpr/subject-map`.
    GdprExport,
    /// `/api/gdpr/delete`, `/api/gdpr/receipts`.
    GdprDelete,
    /// The queue.
    Worker,
    /// The schedule.
    Purge,
}

impl Function {
    /// Its logins in the control database and in cells, as the template gives them.
    fn logins(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Projects => ("plinth_control", Some("plinth_control")),
            Self::Worker | Self::GdprExport | Self::GdprDelete => ("plinth_privacy", Some("plinth_privacy")),
            Self::Provision | Self::Tables | Self::Purge => ("plinth_control", Some("plinth_provision")),
            Self::Records => ("plinth_records", Some("plinth_api")),
            Self::Sql => ("plinth_sql", None),
            Self::Auth => ("plinth_auth", Some("plinth_auth")),
            // It makes backends of users' own databases, and has no business in cells.
            Self::Connections => ("plinth_control", None),
            Self::ConnectionTest => ("plinth_connect", None),
            Self::GenerateDocs => ("plinth_control", Some("plinth_api")),
        }
    }
}

/// The passwords of one local platform, drawn once and kept beside its data.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    passwords: BTreeMap<String, String>,
    encryption_key: String,
}

impl Secrets {
    const LOGINS: [&str; 9] = [
        "plinth_admin",
        "plinth_control",
        "plinth_records",
        "plinth_auth",
        "plinth_privacy",
        "plinth_provision",
        "plinth_api",
        "plinth_sql",
        "plinth_connect",
    ];

    /// Draws new ones.
    pub fn generate(random: &SharedRandom) -> Self {
        let passwords = Self::LOGINS.map(|login| (login.to_owned(), random.token(43)));
        Self {
            passwords: passwords.into(),
            encryption_key: random.token(43),
        }
    }

    /// The ones kept in `folder`, drawn and written there (mode 0600) when there are none yet.
    ///
    /// # Errors
    /// The file cannot be read, understood or written.
    pub fn kept_in(folder: &Path, random: &SharedRandom) -> Result<Self> {
        let path = folder.join("secrets.json");
        let wrong = |what: &str| Error::new(format!("{} cannot be {what}", path.display()));
        let kept: Option<Self> = match std::fs::read(&path) {
            Ok(text) => Some(serde_json::from_slice(&text).map_err(|_| {
                wrong("understood").hint("Without it the data beside it cannot be opened; restore it from a copy.")
            })?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong("read").caused_by(error)),
        };
        let mut all = Self::generate(random);
        if let Some(kept) = kept {
            if Self::LOGINS.iter().all(|login| kept.passwords.contains_key(*login)) {
                return Ok(kept);
            }
            // A login that came with this version has no password yet.
            all.passwords.extend(kept.passwords);
            all.encryption_key = kept.encryption_key;
        }
        let text = serde_json::to_vec_pretty(&all).map_err(|error| wrong("made").caused_by(error))?;
        write_private(folder, &path, &text).map_err(|error| wrong("written").caused_by(error))?;
        Ok(all)
    }

    fn password(&self, login: &str) -> Sensitive {
        Sensitive::new(self.passwords.get(login).map(String::as_str).unwrap_or_default())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// A prepared platform.
#[derive(Debug, Clone)]
pub struct Platform {
    /// The control database, with the login that owns it.
    pub master: Address,
    secrets: Secrets,
    settings: BTreeMap<String, String>,
}

/// Backends the local cell takes.
const CAPACITY: i32 = 5_000;

impl Platform {
    /// Makes `postgres` (an empty server, or one prepared before) into a platform that serves `base_url`. The superuser
    /// makes one ordinary login with CREATEROLE and CREATEDB, and everything else is done by that one, as on RDS.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn prepare(superuser: &Sensitive, base_url: &str, secrets: Secrets) -> Result<Self> {
        let random: SharedRandom = Arc::new(SystemRandom);
        let server = address(superuser)?;
        let trust = Trust::new(None).map_err(failed("TLS cannot be set up"))?;
        let client = dial(&server, &trust)
            .await
            .map_err(|e| Error::new("Postgres cannot be reached").caused_by(e))?;
        let password = secrets.password("plinth_admin");
        let sql = format!(
            "do $$ begin
               if not exists (select from pg_roles where rolname = 'plinth_admin') then create role plinth_admin; end if;
             end $$;
             alter role plinth_admin with login createrole createdb password {};
             revoke connect, temp on database postgres, template1 from public;
             grant connect on database postgres to plinth_admin with grant option;",
            literal(&scram_verifier(&password, &random.bytes()))
        );
        let refused = |e| Error::new("The platform's owner cannot be created").caused_by(e);
        client.batch_execute(&sql).await.map_err(refused)?;
        let exists = client
            .query_opt("select from pg_database where datname = 'plinth'", &[])
            .await
            .map_err(refused)?;
        if exists.is_none() {
            client
                .batch_execute("create database plinth owner plinth_admin")
                .await
                .map_err(refused)?;
        }
        let master = server.with_login("plinth_admin", Some(&password), "plinth");
        Self::prepare_with(master, base_url, secrets).await
    }

    /// Makes the database of `master` into the control database and its server into the one cell. The login needs
    /// CREATEROLE and CREATEDB, and no more.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn prepare_with(master: Address, base_url: &str, secrets: Secrets) -> Result<Self> {
        let random: SharedRandom = Arc::new(SystemRandom);
        let trust = Trust::new(None).map_err(failed("TLS cannot be set up"))?;
        let login = |name| Some(secrets.password(name));
        let logins = FunctionLogins {
            control: login("plinth_control"),
            records: login("plinth_records"),
            auth: login("plinth_auth"),
            privacy: login("plinth_privacy"),
            provision: login("plinth_provision"),
            api: login("plinth_api"),
            sql: login("plinth_sql"),
            connect: login("plinth_connect"),
        };
        prepare_control(&master, &trust, &logins, &random)
            .await
            .map_err(failed("The control database cannot be prepared"))?;
        let client = dial(&master, &trust)
            .await
            .map_err(|e| Error::new("The control database is away").caused_by(e))?;
        client
            .batch_execute("grant connect on database postgres to plinth_provision")
            .await
            .map_err(|e| Error::new("The provisioning login cannot be let in").caused_by(e))?;
        let provision = master.with_login("plinth_provision", logins.provision.as_ref(), CELL_DATABASE);
        prepare_cell(&provision, &trust)
            .await
            .map_err(failed("The cell cannot be prepared"))?;
        register_cell(&client, 1, &master, CAPACITY)
            .await
            .map_err(failed("The cell cannot be registered"))?;
        let settings = [
            ("PLINTH_BASE_URL", base_url),
            ("PLINTH_ENCRYPTION_KEY", &secrets.encryption_key),
            ("PLINTH_SIGN_UP", "everybody"),
            ("PLINTH_AUTOCONFIRM", "true"),
            ("PLINTH_MAX_PROJECTS", "1000"),
            ("PLINTH_POOL_SIZE", "8"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let platform = Self {
            master,
            secrets,
            settings,
        };
        let app = platform.app(Function::Projects)?;
        plinth::accounts::signing::ensure(&app, &client, None)
            .await
            .map_err(failed("The platform's signing key cannot be made"))?;
        Ok(platform)
    }

    /// The same platform with one setting changed.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.settings.insert(name.to_owned(), value.to_owned());
        changed
    }

    /// The password of one of our logins.
    pub fn password(&self, login: &str) -> Sensitive {
        self.secrets.password(login)
    }

    /// The environment a function's process gets.
    pub fn env(&self, function: Function) -> BTreeMap<String, String> {
        let (control, cell) = function.logins();
        let Address {
            host, port, database, ..
        } = &self.master;
        let mut env = self.settings.clone();
        let mut set = |name: &str, value: &str| env.insert(name.to_owned(), value.to_owned());
        set(
            "PLINTH_CONTROL_URL",
            &format!("postgresql://{control}@{host}:{port}/{database}"),
        );
        // These go into the environment of our own processes, as on Lambda.
        set("PLINTH_CONTROL_PASSWORD", self.secrets.password(control).expose());
        if let Some(cell) = cell {
            set("PLINTH_CELL_LOGIN", cell);
            set("PLINTH_CELL_PASSWORD", self.secrets.password(cell).expose());
        }
        if !matches!(function, Function::Worker | Function::GdprExport) {
            env.remove("PLINTH_FILES_FOLDER");
            env.remove("PLINTH_FILES_BUCKET");
        }
        env
    }

    /// A function's parts, on the machine's clock.
    ///
    /// # Errors
    /// A setting that makes no sense.
    pub fn app(&self, function: Function) -> Result<App> {
        self.app_at(function, Arc::new(SystemClock))
    }

    /// A function's parts, on the given clock.
    ///
    /// # Errors
    /// A setting that makes no sense.
    pub fn app_at(&self, function: Function, clock: SharedClock) -> Result<App> {
        let wrong = failed("A function cannot be configured");
        let config = Config::from_env(&Env::of(self.env(function))).map_err(&wrong)?;
        let drivers = vec![
            plinth::drivers::postgres::driver(),
            plinth::drivers::postgres::cockroach(),
            plinth::drivers::mysql::driver(),
            plinth::drivers::rest::driver(),
        ];
        App::new(config, clock, Arc::new(SystemRandom), drivers).map_err(&wrong)
    }
}

fn failed(what: &'static str) -> impl Fn(plinth::error::Error) -> Error {
    move |error| Error::new(what).caused_by(error)
}

fn address(url: &Sensitive) -> Result<Address> {
    // The reason never quotes the URL.
    Address::from_url(url.expose()).map_err(|why| Error::new(format!("The database URL {why}")))
}
