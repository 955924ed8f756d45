//! How a user's own database fares, as the requests that were sent there found.

use std::error::Error as StdError;
use std::io;

use jiff::Timestamp;
use serde::Serialize;

use super::classify::{of_guard, of_socket, of_tls};
use super::postgres::classify::{of_dial, of_postgres};
use super::rest::of_failure;
use super::{Class, Provider};
use crate::backend::REFUSED;
use crate::control::api::Failure;
use crate::control::dial::{DialError, Refused};
use crate::error::Error;

/// Whether a database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// It answered when it was last asked.
    Ok,
    /// It did not.
    Failing,
    /// Nobody has asked it yet.
    Unknown,
}

/// How a user's own database fares. Successes are noted at most once a minute.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Whether it answers.
    pub status: HealthStatus,
    /// When it last did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_ok_at: Option<Timestamp>,
    /// When it last did not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_error_at: Option<Timestamp>,
    /// Why it did not.
    pub last_error_class: Option<Class>,
    /// The same in a sentence, while it fails.
    pub cause: Option<&'static str>,
    /// What to do about it.
    pub fix: Option<&'static str>,
}

impl Health {
    /// Of such a database, from the times of its last success and failure, and that one's class.
    pub fn new(provider: &str, ok: Option<Timestamp>, failed: Option<Timestamp>, class: Option<Class>) -> Self {
        let status = match (ok, failed) {
            (None, None) => HealthStatus::Unknown,
            (ok, failed) if failed > ok => HealthStatus::Failing,
            _ => HealthStatus::Ok,
        };
        let told = class.zip(Provider::parse(provider));
        let told = told.filter(|_| status == HealthStatus::Failing);
        Self {
            status,
            last_ok_at: ok,
            last_error_at: failed,
            last_error_class: class,
            cause: told.map(|(class, provider)| class.cause(provider)),
            fix: told.map(|(class, provider)| class.fix(provider)),
        }
    }
}

/// The class of a request's failure, if it was the database's or the way's to it rather than the request's own.
pub fn class_of(error: &Error) -> Option<Class> {
    let otherwise = match error.code() {
        "PGRST001" => Class::Unavailable,
        REFUSED => Class::Auth,
        "records/api-path" | "records/api-redirect" | "records/api-document" => Class::Misconfigured,
        "records/api-protocol" | "records/api-shape" => Class::Protocol,
        "records/api-rate" => Class::RateLimited,
        _ => return None,
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(class) = known(error) {
            return Some(class);
        }
        cause = error.source();
    }
    Some(otherwise)
}

fn known(error: &(dyn StdError + 'static)) -> Option<Class> {
    let class = if let Some(dial) = error.downcast_ref::<DialError>() {
        of_dial(dial)
    } else if let Some(postgres) = error.downcast_ref::<tokio_postgres::Error>() {
        of_postgres(postgres)
    } else if let Some(class) = of_mysql(error) {
        class
    } else if let Some(refused) = error.downcast_ref::<Refused>() {
        of_guard(*refused)
    } else if let Some(failure) = error.downcast_ref::<Failure>() {
        of_failure(failure)
    } else if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        of_tls(tls)
    } else {
        of_socket(error.downcast_ref::<io::Error>()?)
    };
    Some(class)
}

/// What a MySQL server said, by its number, as a connection test tells it.
#[cfg(feature = "mysql")]
fn of_mysql(error: &(dyn StdError + 'static)) -> Option<Class> {
    let told = error.downcast_ref::<mysql_async::ServerError>()?;
    Some(super::mysql::of_code(told.code, &told.message))
}

#[cfg(not(feature = "mysql"))]
fn of_mysql(_: &(dyn StdError + 'static)) -> Option<Class> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::failure::{busy, login_refused, outcome_unknown, unreachable};

    #[test]
    fn a_failure_of_the_database_has_a_class_and_others_have_none() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, class) in [
            (unreachable(DialError::Deadline), Some(Class::Timeout)),
            (unreachable(DialError::Refused(Refused::Unknown)), Some(Class::Dns)),
            (unreachable(Refused::Forbidden), Some(Class::NetworkBlocked)),
            (unreachable(refused()), Some(Class::Refused)),
            (unreachable("gone"), Some(Class::Unavailable)),
            (login_refused("no"), Some(Class::Auth)),
            (busy(), None),
            (outcome_unknown(), None),
            (Error::invalid("22P02", "not a number"), None),
        ] {
            assert_eq!(class_of(&error), class, "{error:?}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let at = |second| Timestamp::from_second(second).ok();
        for (ok, failed, status) in [
            (None, None, HealthStatus::Unknown),
            (at(1), None, HealthStatus::Ok),
            (None, at(1), HealthStatus::Failing),
            (at(1), at(2), HealthStatus::Failing),
            (at(2), at(1), HealthStatus::Ok),
        ] {
            let health = Health::new("postgresql", ok, failed, failed.map(|_| Class::Refused));
            assert_eq!(health.status, status, "{ok:?} {failed:?}");
            assert_eq!(health.fix.is_some(), status == HealthStatus::Failing);
        }
    }
}
