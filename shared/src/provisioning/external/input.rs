//! What is asked for: `config` of an external backend, read with a fault for every path that is wrong.

use serde_json::{Map, Value};

use super::relationships;
use crate::config::Outbound;
pub use crate::connections::Provider;
use crate::connections::{Section, credentials, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::fault::Faults;
use crate::tenancy::{Credentials, Family, RestSettings, RoleClaim, Routine};
use crate::token::{Jwk, JwkSet};

/// PostgREST refuses shorter ones too.
const LEAST_SECRET: usize = 32;
const CODE: &str = "provisioning/config";

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
    /// Those of its members that only PostgreSQL's family has.
    pub of_postgres: Vec<&'static str>,
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
        let mut section = Section::new("config", CODE, config, &known, &mut faults);
        let provider = provider(&mut section)?;
        let require_api_key = section.flag("requireApiKey");
        let (given, rest) = (section.value("credentials"), section.value("rest"));
        let credentials = given.zip(provider).and_then(|(given, provider)| {
            credentials(provider, "config.credentials", CODE, given, allowed, &mut faults)
        });
        // Of RDS, it may be only known with what is kept already.
        let family = match (provider, &credentials) {
            (Some(provider), Some(credentials)) => credentials.family(provider.as_str()),
            (Some(provider), None) => provider.family(),
            (None, _) => Family::Postgres,
        };
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
        section.fault("externalProvider", format!("it is missing: {}", Provider::served()));
    }
    let Some(name) = section.text("externalProvider") else {
        return Ok(None);
    };
    match Provider::parse(name).filter(|provider| provider.is_served()) {
        Some(provider) => Ok(Some(provider)),
        None => Err(Error::new(
            ErrorKind::Unsupported,
            "provisioning/provider-unsupported",
            format!("Databases of the kind \"{}\" are not served yet", shown(name)),
        )
        .with_hint(format!("externalProvider is {}", Provider::served()))),
    }
}

/// The refusal.
fn refusal(faults: &Faults) -> Error {
    Error::invalid(CODE, "Invalid configuration")
        .with_details(faults.to_string())
        .with_hint("Every line of the details names a path in the body and what to change there")
}

/// What of `rest` has no meaning without Postgres's roles, schemas and settings.
const OF_POSTGRES: &[&str] = &[
    "schemas",
    "extraSearchPath",
    "anonRole",
    "serviceRole",
    "preRequest",
    "plan",
    "appSettings",
];

/// What of it has none without rules for rows, either: nobody with a token comes in; nor without SQL.
const NOT_OF_REST_EITHER: &[&str] = &[
    "jwtSecret",
    "jwksUrl",
    "roleClaim",
    "audience",
    "relationships",
    "tinyint1IsBool",
];

const NOT_OF_MYSQL: &str = "there is no such thing on MySQL and MariaDB";
const NOT_OF_REST: &str = "there is no such thing for a REST API";

/// The refusal of settings that a MySQL database has no meaning for.
pub(super) fn not_of_mysql(names: &[&str]) -> Error {
    let lines: Vec<_> = names
        .iter()
        .map(|name| format!("config.rest.{name}: {NOT_OF_MYSQL}"))
        .collect();
    Error::invalid(CODE, "Invalid configuration").with_details(lines.join("\n"))
}

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
        "relationships",
        "tinyint1IsBool",
    ];
    let mut section = Section::new("config.rest", CODE, given, &known, faults);
    let of_postgres: Vec<_> = OF_POSTGRES
        .iter()
        .copied()
        .filter(|name| section.value(name).is_some())
        .collect();
    let elsewhere = match family {
        Family::Postgres | Family::Cockroach => None,
        Family::MySql => Some(NOT_OF_MYSQL),
        Family::Rest => Some(NOT_OF_REST),
    };
    for (name, why) in of_postgres.iter().filter_map(|name| Some((name, elsewhere?))) {
        section.fault(name, why);
    }
    for name in NOT_OF_REST_EITHER.iter().filter(|_| family == Family::Rest) {
        if section.value(name).is_some() {
            section.fault(name, NOT_OF_REST);
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
        relationships: relationships::read(&mut section),
        tinyint1_is_bool: section.flag("tinyint1IsBool").unwrap_or(defaults.tinyint1_is_bool),
    };
    Rest {
        settings,
        jwt_secret: jwt_secret(&mut section),
        app_settings: app_settings(&mut section),
        of_postgres,
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
