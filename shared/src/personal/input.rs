//! What says where a user's own database is: a connection string, or a kind of database and its fields.

use serde_json::{Value, json};

use crate::config::Outbound;
use crate::connections::{Provider, Section};
use crate::error::{Error, Result};
use crate::provisioning::external::Request;
use crate::schema::fault::{Fault, Faults};

const CODE: &str = "connections/invalid-string";
const SHAPE: &str = "postgresql://user:password@host:5432/database?sslmode=require or mysql://user:password@host:3306/database; \
                     percent-encode special characters of the password";

/// A database to connect. It holds a secret: never shown, not even in `Debug`.
#[derive(Clone)]
pub struct NewConnection {
    provider: String,
    credentials: Value,
}

impl std::fmt::Debug for NewConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewConnection")
    }
}

impl NewConnection {
    /// Reads `{"connectionString"}`, or `{"provider", "credentials"}` with the fields that the catalogue has. No value is
    /// quoted.
    ///
    /// # Errors
    /// 400 `connections/invalid-string`.
    pub fn read(body: &Value) -> Result<Self> {
        let mut faults = Faults::default();
        let known = ["connectionString", "provider", "credentials"];
        let mut section = Section::new("body", CODE, body, &known, &mut faults);
        let text = section.text("connectionString").map(str::trim);
        let (provider, credentials) = (section.text("provider"), section.value("credentials"));
        let new = match (text, provider, credentials) {
            (Some(text), None, None) => match provider_of(text) {
                Some(provider) => Some(Self {
                    provider: provider.to_owned(),
                    credentials: json!({ "connectionString": text }),
                }),
                None => {
                    section.fault("connectionString", "it begins with postgresql:// or mysql://");
                    None
                }
            },
            (None, Some(provider), Some(credentials)) => Some(Self {
                provider: provider.to_owned(),
                credentials: credentials.clone(),
            }),
            _ => {
                let message = "connectionString is expected, or provider and credentials";
                faults.push(Fault::new("body", CODE, message));
                None
            }
        };
        new.filter(|_| faults.is_empty())
            .ok_or_else(|| invalid(faults.to_string()))
    }

    /// As a backend takes it.
    ///
    /// # Errors
    /// 400 `connections/invalid-string` with a line for every fault; 501 for a kind of database that is not served.
    pub(super) fn parse(&self, allowed: &Outbound) -> Result<Request> {
        let config = json!({ "externalProvider": self.provider, "credentials": self.credentials });
        Request::parse(&config, allowed).map_err(|error| match error.code() {
            "provisioning/config" => {
                let details = error.details().unwrap_or_default();
                invalid(
                    details
                        .replace("config.externalProvider", "provider")
                        .replace("config.", ""),
                )
            }
            _ => error,
        })
    }

    /// As a connection test takes it.
    pub(super) fn credentials(&self) -> &Value {
        &self.credentials
    }
}

/// The kind of database that a connection string is of.
fn provider_of(text: &str) -> Option<&'static str> {
    let (scheme, _) = text.split_once("://")?;
    let provider = match scheme.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => Provider::Postgresql,
        "mysql" | "mariadb" => Provider::Mysql,
        _ => return None,
    };
    Some(provider.as_str())
}

fn invalid(details: String) -> Error {
    Error::invalid(CODE, "Invalid connection string")
        .with_details(details)
        .with_hint(SHAPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Request> {
        NewConnection::read(body)?.parse(&Outbound::default())
    }

    #[test]
    fn strings_of_both_families_are_taken_and_their_parts_decoded() {
        for (text, provider, host, port, password) in [
            (
                "postgresql://u:p%40ss%2F@db.example.com/d",
                "postgresql",
                "db.example.com",
                5432,
                "p@ss/",
            ),
            (
                " postgres://u:p@[2001:db8::1]:6000/d?sslmode=require\n",
                "postgresql",
                "2001:db8::1",
                6000,
                "p",
            ),
            ("mysql://u:p@db.example.com/d", "mysql", "db.example.com", 3306, "p"),
            (
                "MariaDB://u:p@db.example.com:3307/d?ssl-mode=REQUIRED",
                "mysql",
                "db.example.com",
                3307,
                "p",
            ),
        ] {
            let request = read(&json!({ "connectionString": text })).unwrap();
            let credentials = request.credentials.unwrap();
            assert_eq!(request.provider.as_str(), provider);
            assert_eq!((credentials.host.as_str(), credentials.port), (host, port));
            assert_eq!(credentials.password, password);
        }
    }

    #[test]
    fn fields_are_taken_in_place_of_a_string() {
        let fields = json!({ "host": "db.example.com", "database": "d", "username": "u", "password": "p" });
        let request = read(&json!({ "provider": "mariadb", "credentials": fields })).unwrap();
        assert_eq!(request.credentials.unwrap().port, 3306);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_path_and_never_quoted() {
        for (body, details) in [
            (
                json!("postgresql://planted:planted@h/d"),
                "body: an object is expected\nbody: connectionString is expected",
            ),
            (
                json!({}),
                "body: connectionString is expected, or provider and credentials",
            ),
            (
                json!({ "connectionString": 5 }),
                "body.connectionString: a text is expected",
            ),
            (
                json!({ "connectionString": "" }),
                "body.connectionString: a text is expected",
            ),
            (
                json!({ "connectionString": "https://planted:planted@h/d" }),
                "body.connectionString: it begins with postgresql:// or mysql://",
            ),
            (
                json!({ "connectionString": "planted" }),
                "body.connectionString: it begins with",
            ),
            (
                json!({ "connectionString": "postgresql://planted:planted@/d" }),
                "credentials.connectionString: it must look like",
            ),
            (
                json!({ "connectionString": "postgresql://planted:planted@h" }),
                "credentials.connectionString: it must look like",
            ),
            (
                json!({ "connectionString": "postgresql://u:planted@h/d?color=planted" }),
                "credentials.connectionString: its parameter color is not supported",
            ),
            (
                json!({ "connectionString": "postgresql://u:planted@h/d?sslmode=planted" }),
                "credentials.sslMode: disable, prefer",
            ),
            (
                json!({ "connectionStrin": "postgresql://u:planted@h/d" }),
                "body.connectionStrin",
            ),
            (
                json!({ "connectionString": "mysql://u:planted@h/d", "provider": "mysql" }),
                "body: connectionString is expected",
            ),
        ] {
            let error = read(&body).unwrap_err();
            assert_eq!(
                (error.code(), error.public()),
                (CODE, "Invalid connection string"),
                "{body}"
            );
            let told = error.details().unwrap();
            assert!(told.contains(details), "{body}: {told}");
            assert!(!format!("{error:?} {:?}", error.hint()).contains("planted"), "{body}");
        }
        let error = read(&json!({ "provider": "oracle", "credentials": {} })).unwrap_err();
        assert_eq!(error.code(), "provisioning/provider-unsupported");
    }
}
