//! Reads `credentials` of a database that speaks PostgreSQL's or MySQL's protocol: parts, or a connection string. What may be there,
//! must be there and counts otherwise comes from the catalogue.

use reqwest::Url;
use serde_json::Value;

use super::catalogue::{self, Initial};
use super::rest;
use super::section::{Section, shown};
use super::{Provider, rds};
use crate::config::Outbound;
use crate::control::outbound;
use crate::schema::fault::Faults;
use crate::tenancy::{Credentials, Family};

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

/// The credentials at `path`, unless something is wrong with them; each fault has that code and names its path. No value
/// is quoted.
pub fn credentials(
    provider: Provider,
    path: &'static str,
    code: &'static str,
    given: &Value,
    allowed: &Outbound,
    faults: &mut Faults,
) -> Option<Credentials> {
    let fields = catalogue::fields(provider);
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let mut section = Section::new(path, code, given, &known, faults);
    for field in fields {
        let length = section.value(field.name).and_then(Value::as_str).map(str::len);
        if let Some(most) = field.validation.max_length.filter(|most| length > Some(*most)) {
            section.fault(field.name, format!("at most {most} bytes are expected"));
        }
    }
    if provider.family() == Family::Rest {
        return rest::credentials(&mut section, allowed);
    }
    only_what_is_spoken(&mut section);
    let family = rds::family(provider, &mut section);
    let iam = rds::iam(provider, &mut section);
    let mut parts = Parts::default();
    if let Some(text) = section.text("connectionString") {
        match Parts::of_url(text, family, iam.is_none()) {
            Ok(read) => parts = read,
            Err(why) => section.fault("connectionString", why),
        }
        let replaced = fields.iter().filter(|field| field.name == "connectionString");
        for name in replaced.flat_map(|field| field.replaces) {
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
        for field in fields.iter().filter(|field| field.required) {
            if section.value(field.name).is_none() {
                section.fault(field.name, "it is missing");
            }
        }
    }
    if parts.password.is_none() && iam.is_none() && !section.has("connectionString") && provider == Provider::AwsRds {
        section.fault("password", "it is missing");
    }
    let plain = match iam {
        None if provider == Provider::Planetscale => never_plain(&mut section, &parts),
        None => plain(&mut section, &parts, allowed),
        Some(_) => {
            let given = rds::Given {
                password: parts.password.is_some(),
                ssl_mode: parts.ssl_mode.as_deref(),
                username: parts.username.as_deref(),
            };
            rds::without_password(&mut section, &given);
            false
        }
    };
    let port = parts.port.unwrap_or_else(|| default_port(provider, family));
    let by_port = family.is_like_postgres() && port == POOLER_PORT;
    let pooler = section.flag("pooler").or(parts.pooler).unwrap_or(by_port);
    let ca_certificate = section.parsed("caCertificate", certificates);
    Some(Credentials {
        host: parts.host?,
        port,
        database: parts.database?,
        username: parts.username?,
        password: match iam {
            Some(_) => String::new(),
            None => parts.password?,
        },
        iam,
        family: (family != provider.family()).then_some(family),
        plain,
        ca_certificate,
        pooler,
        api: None,
    })
}

fn default_port(provider: Provider, family: Family) -> u16 {
    if provider == Provider::AwsRds {
        return rds::default_port(family);
    }
    let fields = catalogue::fields(provider).iter();
    let default = fields
        .filter(|field| field.name == "port")
        .find_map(|field| field.default);
    match default {
        Some(Initial::Number(port)) => u16::try_from(port).unwrap_or_default(),
        _ => 0,
    }
}

/// Of PlanetScale, MySQL's protocol.
fn only_what_is_spoken(section: &mut Section<'_, '_>) {
    if section.text("transport").is_some_and(|value| value != "mysql") {
        section.fault("transport", "only mysql can be used yet");
    }
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

/// Always encrypted, wherever it is; what a connection string says of it may only say the same.
fn never_plain(section: &mut Section<'_, '_>, parts: &Parts) -> bool {
    if !matches!(
        parts.ssl_mode.as_deref(),
        None | Some("prefer" | "require" | "verify-ca" | "verify-full")
    ) {
        section.fault("connectionString", "such a database is reached with encryption only");
    }
    false
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
    fn of_url(text: &str, family: Family, needs_password: bool) -> Result<Self, String> {
        let (shape, schemes) = match family {
            Family::Postgres => (
                "postgresql://user:password@host:5432/database",
                ["postgres", "postgresql"],
            ),
            Family::Cockroach => (
                "postgresql://user:password@host:26257/database",
                ["postgres", "postgresql"],
            ),
            Family::MySql => ("mysql://user:password@host:3306/database", ["mysql", "mariadb"]),
            Family::Rest => return Err("there is no such thing for a REST API".to_owned()),
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
                "ssl-mode" if family == Family::MySql => parts.ssl_mode = Some(ssl_mode_of_mysql(&value)),
                // How PlanetScale's own strings say that certificates are verified.
                "sslaccept" if value == "strict" => {}
                "ssl" if family == Family::MySql && (value == "true" || value == r#"{"rejectUnauthorized":true}"#) => {}
                "options" if family == Family::Cockroach => {
                    let cluster = value.strip_prefix("--cluster=").filter(|cluster| is_cluster(cluster));
                    cluster.ok_or_else(|| "its parameter options may be --cluster=name only".to_owned())?;
                    parts.route(cluster);
                }
                "pgbouncer" => parts.pooler = Some(value == "true"),
                ignored if IGNORED.contains(&ignored) => {}
                other => return Err(format!("its parameter {} is not supported", shown(other))),
            }
        }
        let passed = parts.password.is_some() || !needs_password;
        let named = parts.database.is_some() && parts.username.is_some() && passed;
        if named { Ok(parts) } else { Err(shape()) }
    }
}

impl Parts {
    /// Names the cluster where several share a host: the form `cluster.database`, which needs nothing of the protocol.
    fn route(&mut self, cluster: Option<&str>) {
        if let (Some(cluster), Some(database)) = (cluster, &mut self.database)
            && !database.starts_with(&format!("{cluster}."))
        {
            *database = format!("{cluster}.{database}");
        }
    }
}

fn is_cluster(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
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

/// Whether it looks like certificates; what is in them is read when they are needed.
pub(super) fn certificates(text: &str) -> Result<String, String> {
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err("it holds no certificate in PEM form".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connections::catalogue::FieldKind;

    fn read(provider: Provider, given: &Value) -> Result<Credentials, String> {
        let allowed = Outbound::parse("10.0.0.5").unwrap_or_default();
        let mut faults = Faults::default();
        let read = credentials(provider, "c", "x", given, &allowed, &mut faults);
        read.filter(|_| faults.is_empty()).ok_or_else(|| faults.to_string())
    }

    const TESTED: [Provider; 6] = [
        Provider::Postgresql,
        Provider::Supabase,
        Provider::Mysql,
        Provider::Planetscale,
        Provider::AwsRds,
        Provider::Cockroachdb,
    ];

    #[test]
    fn defaults_and_needs_are_the_catalogues() {
        for provider in TESTED {
            let mut whole = json!({});
            for field in catalogue::fields(provider).iter().filter(|field| field.required) {
                whole[field.name] = "x".into();
            }
            // Needed unless there is a token.
            whole["password"] = "x".into();
            let read_whole = read(provider, &whole).unwrap();
            let port = match provider {
                Provider::Cockroachdb => 26_257,
                Provider::Mysql | Provider::Planetscale => 3_306,
                _ => 5_432,
            };
            assert_eq!(read_whole.port, port);
            for field in catalogue::fields(provider).iter().filter(|field| field.required) {
                let mut lacking = whole.clone();
                lacking[field.name] = Value::Null;
                let faults = read(provider, &lacking).unwrap_err();
                assert_eq!(faults, format!("c.{}: it is missing", field.name));
            }
        }
    }

    #[test]
    fn planetscale_is_never_reached_without_encryption() {
        let url = |rest: &str| json!({ "connectionString": format!("mysql://u:p@127.0.0.1/d{rest}") });
        for rest in [
            "",
            "?sslaccept=strict",
            "?ssl={\"rejectUnauthorized\":true}",
            "?ssl-mode=VERIFY_IDENTITY",
        ] {
            let credentials = read(Provider::Planetscale, &url(rest)).unwrap();
            assert_eq!((credentials.plain, credentials.port), (false, 3_306), "{rest}");
        }
        for rest in [
            "?ssl-mode=DISABLED",
            "?sslmode=disable",
            "?ssl={\"rejectUnauthorized\":false}",
            "?sslaccept=accept_invalid_certs",
        ] {
            assert!(read(Provider::Planetscale, &url(rest)).is_err(), "{rest}");
        }
        let http = json!({"host": "h", "database": "d", "username": "u", "password": "p", "transport": "http"});
        let faults = read(Provider::Planetscale, &http).unwrap_err();
        assert_eq!(faults, "c.transport: only mysql can be used yet");
    }

    /// The choices, and one that is none.
    fn choices(field: &catalogue::Field) -> Vec<&'static str> {
        let none = (field.kind == FieldKind::Choice).then_some("planted");
        field.choices.iter().copied().chain(none).collect()
    }

    #[test]
    fn every_choice_of_the_catalogue_that_is_spoken_is_taken_and_no_other() {
        let parts = json!({"host": "10.0.0.5", "database": "d", "username": "u", "password": "p"});
        for provider in TESTED {
            for field in catalogue::fields(provider) {
                for choice in choices(field) {
                    let mut whole = parts.clone();
                    whole[field.name] = choice.into();
                    if choice == "iam" {
                        whole["password"] = Value::Null;
                        whole["region"] = "eu-central-1".into();
                    }
                    let refused = ["planted", "http"].contains(&choice);
                    assert_eq!(read(provider, &whole).is_err(), refused, "{provider:?} {choice}");
                }
                if field.kind == FieldKind::Text
                    && let Some(most) = field.validation.max_length
                {
                    let mut whole = parts.clone();
                    whole[field.name] = "x".repeat(most + 1).into();
                    let faults = read(provider, &whole).unwrap_err();
                    assert!(faults.contains(&format!("at most {most} bytes")), "{faults}");
                }
            }
        }
    }
}
