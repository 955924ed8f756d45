//! What is asked for: `config` of an external backend, read with a fault for every path that is wrong.

use reqwest::Url;
use serde_json::{Map, Value};

use super::read::{Section, refusal, shown};
use crate::config::Outbound;
use crate::control::outbound;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::fault::Faults;
use crate::tenancy::{Credentials, Family, RestSettings, RoleClaim, Routine};
use crate::token::{Jwk, JwkSet};

/// PostgREST refuses shorter ones too.
const LEAST_SECRET: usize = 32;
const DEFAULT_PORT: u16 = 5432;
const DEFAULT_MYSQL_PORT: u16 = 3306;
/// Where Supabase's transaction pooler listens.
const POOLER_PORT: u16 = 6543;
/// What a connection string may say that changes nothing here.
const IGNORED: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "target_session_attrs",
];

/// A kind of database that this version serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Any PostgreSQL.
    Postgresql,
    /// Supabase's.
    Supabase,
    /// MySQL or MariaDB.
    Mysql,
}

impl Provider {
    /// What it speaks.
    pub fn family(self) -> Family {
        match self {
            Self::Postgresql | Self::Supabase => Family::Postgres,
            Self::Mysql => Family::MySql,
        }
    }

    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Supabase => "supabase",
            Self::Mysql => "mysql",
        }
    }
}

/// What becomes of something that is not shown, and so cannot be sent back unchanged.
#[derive(Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays: the request does not name it.
    Keep,
    /// It is replaced.
    Set(T),
    /// It is removed: the request says null.
    Remove,
}

impl<T> Change<T> {
    pub(super) fn over(self, known: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => *known = Some(value),
            Self::Remove => *known = None,
        }
    }
}

/// The `rest` section.
#[derive(Clone)]
pub struct Rest {
    /// What is not secret; settings that are left out have their defaults.
    pub settings: RestSettings,
    /// What tokens are verified with.
    pub jwt_secret: Change<String>,
    /// Settings for the database's own code.
    pub app_settings: Change<Map<String, Value>>,
}

/// What is asked for. What is left out stays as it is.
#[derive(Clone)]
pub struct Request {
    /// What kind of database.
    pub provider: Provider,
    /// Whether requests need one of the project's keys.
    pub require_api_key: Option<bool>,
    /// How it is reached.
    pub credentials: Option<Credentials>,
    /// How its API behaves.
    pub rest: Option<Rest>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Reads `config`.
    ///
    /// # Errors
    /// `provisioning/config` (400) with a line for every fault; `provisioning/provider-unsupported` (501) for a kind of
    /// database that this version does not serve.
    pub fn parse(config: &Value, allowed: &Outbound) -> Result<Self> {
        let mut faults = Faults::default();
        let known = ["externalProvider", "requireApiKey", "credentials", "rest"];
        let mut section = Section::new("config", config, &known, &mut faults);
        let provider = provider(&mut section)?;
        let require_api_key = section.flag("requireApiKey");
        let (given, rest) = (section.value("credentials"), section.value("rest"));
        let family = provider.map_or(Family::Postgres, Provider::family);
        let credentials = given.and_then(|given| credentials(given, family, allowed, &mut faults));
        let rest = rest.map(|rest| self::rest(rest, family, &mut faults));
        match provider {
            Some(provider) if faults.is_empty() => Ok(Self {
                provider,
                require_api_key,
                credentials,
                rest,
            }),
            _ => Err(refusal(&faults)),
        }
    }
}

fn provider(section: &mut Section<'_, '_>) -> Result<Option<Provider>> {
    if section.value("externalProvider").is_none() {
        section.fault("externalProvider", "it is missing: postgresql, supabase or mysql");
    }
    let Some(name) = section.text("externalProvider") else {
        return Ok(None);
    };
    match name {
        "postgresql" | "postgres" => Ok(Some(Provider::Postgresql)),
        "supabase" => Ok(Some(Provider::Supabase)),
        "mysql" | "mariadb" => Ok(Some(Provider::Mysql)),
        other => Err(Error::new(
            ErrorKind::Unsupported,
            "provisioning/provider-unsupported",
            format!("Databases of the kind \"{}\" are not served yet", shown(other)),
        )
        .with_hint("externalProvider is postgresql, supabase or mysql")),
    }
}

fn credentials(given: &Value, family: Family, allowed: &Outbound, faults: &mut Faults) -> Option<Credentials> {
    let known = [
        "connectionString",
        "host",
        "port",
        "database",
        "username",
        "password",
        "sslMode",
        "caCertificate",
        "pooler",
    ];
    let mut section = Section::new("config.credentials", given, &known, faults);
    let mut parts = Parts::default();
    if let Some(text) = section.text("connectionString") {
        match Parts::of_url(text, family) {
            Ok(read) => parts = read,
            Err(why) => section.fault("connectionString", why),
        }
        for name in ["host", "port", "database", "username", "password", "sslMode"] {
            if section.has(name) {
                section.fault(name, "the connection string says it already");
            }
        }
    } else {
        parts.host = section.parsed("host", host);
        parts.port = section
            .number("port", 1, 65_535)
            .and_then(|port| u16::try_from(port).ok());
        parts.database = section.text("database").map(str::to_owned);
        parts.username = section.text("username").map(str::to_owned);
        parts.password = section.text("password").map(str::to_owned);
        parts.ssl_mode = section.text("sslMode").map(str::to_owned);
        for (name, value) in [
            ("host", &parts.host),
            ("database", &parts.database),
            ("username", &parts.username),
            ("password", &parts.password),
        ] {
            if value.is_none() && section.value(name).is_none() {
                section.fault(name, "it is missing");
            }
        }
    }
    let plain = plain(&mut section, &parts, allowed);
    let port = parts.port.unwrap_or(match family {
        Family::Postgres => DEFAULT_PORT,
        Family::MySql => DEFAULT_MYSQL_PORT,
    });
    let by_port = family == Family::Postgres && port == POOLER_PORT;
    let pooler = section.flag("pooler").or(parts.pooler).unwrap_or(by_port);
    let ca_certificate = section.text("caCertificate").map(str::to_owned);
    Some(Credentials {
        host: parts.host?,
        port,
        database: parts.database?,
        username: parts.username?,
        password: parts.password?,
        plain,
        ca_certificate,
        pooler,
    })
}

/// Whether no encryption is asked for. Only where the operator trusts the way: a password goes over it.
fn plain(section: &mut Section<'_, '_>, parts: &Parts, allowed: &Outbound) -> bool {
    let host = parts.host.as_deref().unwrap_or_default();
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match parts.ssl_mode.as_deref() {
        Some("disable") if outbound::is_allowed(allowed, host) => true,
        Some("disable") => {
            let message = "only a host that the operator allows may be reached without encryption";
            section.fault("sslMode", message);
            true
        }
        None => loopback,
        Some("prefer" | "require" | "verify-ca" | "verify-full") => false,
        Some(_) => {
            section.fault(
                "sslMode",
                "disable, prefer, require, verify-ca or verify-full is expected",
            );
            false
        }
    }
}

/// A connection's parts as they are given.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
    username: Option<String>,
    password: Option<String>,
    ssl_mode: Option<String>,
    pooler: Option<bool>,
}

impl Parts {
    /// Of `postgresql://user:password@host:port/database?sslmode=…`. The reason never quotes it.
    fn of_url(text: &str, family: Family) -> Result<Self, String> {
        let (shape, schemes): (_, &[&str]) = match family {
            Family::Postgres => (
                "postgresql://user:password@host:5432/database",
                &["postgres", "postgresql"],
            ),
            Family::MySql => ("mysql://user:password@host:3306/database", &["mysql", "mariadb"]),
        };
        let shape = || format!("it must look like {shape}");
        let url = Url::parse(text).map_err(|_| shape())?;
        if !schemes.contains(&url.scheme()) {
            return Err(shape());
        }
        let mut parts = Self {
            host: Some(host(&decoded(url.host_str().unwrap_or_default())?)?),
            port: url.port(),
            database: Some(decoded(url.path().trim_start_matches('/'))?).filter(|name| !name.is_empty()),
            username: Some(decoded(url.username())?).filter(|name| !name.is_empty()),
            password: url.password().map(decoded).transpose()?,
            ..Self::default()
        };
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => parts.ssl_mode = Some(value.into_owned()),
                "ssl-mode" | "sslMode" => parts.ssl_mode = Some(ssl_mode_of_mysql(&value)),
                "pgbouncer" => parts.pooler = Some(value == "true"),
                ignored if IGNORED.contains(&ignored) => {}
                other => return Err(format!("its parameter {} is not supported", shown(other))),
            }
        }
        let named = parts.database.is_some() && parts.username.is_some() && parts.password.is_some();
        if named { Ok(parts) } else { Err(shape()) }
    }
}

/// MySQL's own words for the modes.
fn ssl_mode_of_mysql(word: &str) -> String {
    match word.to_ascii_uppercase().as_str() {
        "DISABLED" => "disable".to_owned(),
        "PREFERRED" => "prefer".to_owned(),
        "REQUIRED" => "require".to_owned(),
        "VERIFY_CA" => "verify-ca".to_owned(),
        "VERIFY_IDENTITY" => "verify-full".to_owned(),
        _ => word.to_owned(),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    let text = text.ok().filter(|text| !text.contains('\0'));
    text.map(String::from)
        .ok_or_else(|| "a part of it is not valid UTF-8 text".to_owned())
}

/// A host name or address; a folder is none.
fn host(text: &str) -> Result<String, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_:".contains(&b);
    if bare.is_empty() || bare.len() > 253 || !bare.bytes().all(fits) {
        return Err("one host name or address is expected".to_owned());
    }
    Ok(bare.to_owned())
}

/// What of `rest` has no meaning without Postgres's roles, schemas and settings.
const OF_POSTGRES: &[&str] = &[
    "schemas",
    "extraSearchPath",
    "anonRole",
    "serviceRole",
    "jwtSecret",
    "jwksUrl",
    "roleClaim",
    "audience",
    "preRequest",
    "plan",
    "appSettings",
];

fn rest(given: &Value, family: Family, faults: &mut Faults) -> Rest {
    let known = [
        "schemas",
        "extraSearchPath",
        "anonRole",
        "serviceRole",
        "jwtSecret",
        "jwksUrl",
        "roleClaim",
        "audience",
        "preRequest",
        "maxRows",
        "txOverride",
        "aggregates",
        "plan",
        "openapi",
        "appSettings",
    ];
    let mut section = Section::new("config.rest", given, &known, faults);
    for name in OF_POSTGRES.iter().filter(|_| family == Family::MySql) {
        if section.value(name).is_some() {
            section.fault(name, "there is no such thing on MySQL and MariaDB");
        }
    }
    let defaults = RestSettings::default();
    let schemas = section.list("schemas", name).unwrap_or(defaults.schemas);
    if schemas.is_empty() {
        section.fault("schemas", "at least one schema is needed");
    }
    let settings = RestSettings {
        schemas,
        extra_search_path: section
            .list("extraSearchPath", name)
            .unwrap_or(defaults.extra_search_path),
        anon_role: section.parsed("anonRole", role),
        service_role: section.parsed("serviceRole", role),
        jwks_url: section.text("jwksUrl").map(str::to_owned),
        role_claim: section.parsed("roleClaim", RoleClaim::parse).unwrap_or_default(),
        audience: section.text("audience").map(str::to_owned),
        pre_request: section.parsed("preRequest", |text| {
            Routine::parse(text).ok_or_else(|| "function or schema.function is expected".to_owned())
        }),
        max_rows: section.number("maxRows", 1, u64::from(u32::MAX)),
        tx_override: section.flag("txOverride").unwrap_or(defaults.tx_override),
        aggregates: section.flag("aggregates").unwrap_or(defaults.aggregates),
        plan: section.flag("plan").unwrap_or(defaults.plan),
        openapi: section.flag("openapi").unwrap_or(defaults.openapi),
    };
    Rest {
        settings,
        jwt_secret: jwt_secret(&mut section),
        app_settings: app_settings(&mut section),
    }
}

fn name(text: &str) -> Result<Ident, String> {
    Ident::new(text).map_err(|_| "a name of 1 to 63 bytes is expected".to_owned())
}

fn role(text: &str) -> Result<Ident, String> {
    let role = name(text)?;
    if role.as_str() == "none" {
        return Err("no role can have this name".to_owned());
    }
    Ok(role)
}

/// A text of at least 32 bytes, or a key or set of keys, as an object or its text.
fn jwt_secret(section: &mut Section<'_, '_>) -> Change<String> {
    let name = "jwtSecret";
    if !section.has(name) {
        return Change::Keep;
    }
    let text = match section.value(name) {
        None => return Change::Remove,
        Some(Value::Object(key)) => Value::Object(key.clone()).to_string(),
        Some(_) => match section.text(name) {
            Some(text) => text.to_owned(),
            None => return Change::Keep,
        },
    };
    if text.trim_start().starts_with('{') {
        let known = serde_json::from_str::<JwkSet>(&text).is_ok() || serde_json::from_str::<Jwk>(&text).is_ok();
        if !known {
            section.fault(name, "the JSON is neither a key (RFC 7517) nor a set of keys");
        }
    } else if text.len() < LEAST_SECRET {
        section.fault(name, format!("at least {LEAST_SECRET} bytes are needed"));
    }
    Change::Set(text)
}

/// Names below `app.`, but for the one that we set; texts.
fn app_settings(section: &mut Section<'_, '_>) -> Change<Map<String, Value>> {
    let name = "appSettings";
    if !section.has(name) {
        return Change::Keep;
    }
    let Some(value) = section.value(name) else {
        return Change::Remove;
    };
    let Some(given) = value.as_object() else {
        section.fault(name, "an object of texts is expected");
        return Change::Keep;
    };
    for (key, value) in given {
        let path = format!("{name}.{}", shown(key));
        if !is_app_setting(key) {
            section.fault(&path, "a name like app.settings.name is expected");
        } else if value.as_str().is_none_or(|text| text.contains('\0')) {
            section.fault(&path, "a text is expected");
        }
    }
    Change::Set(given.clone())
}

fn is_app_setting(name: &str) -> bool {
    let part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    name.len() <= 200 && name != "app.tenant_id" && name.starts_with("app.") && name.split('.').all(part)
}

#[cfg(test)]
mod tests;
