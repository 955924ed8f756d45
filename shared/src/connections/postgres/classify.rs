//! Which class an error of a PostgreSQL connection belongs to. Codes come first, a server's text last.

use std::error::Error as StdError;
use std::io;

use rustls::Error as TlsError;

use crate::connections::Class;
use crate::connections::classify::{of_guard, of_io, of_tls};
use crate::control::dial::DialError;

/// Of a connection that did not come about.
pub fn of_dial(error: &DialError) -> Class {
    match error {
        DialError::Postgres(error) => of_postgres(error),
        DialError::Refused(refused) => of_guard(*refused),
        DialError::Deadline => Class::Timeout,
        DialError::Token(_) => Class::Misconfigured,
        DialError::Settings(_) => Class::Unknown,
    }
}

/// Of what the server said, or of the way to it.
pub fn of_postgres(error: &tokio_postgres::Error) -> Class {
    if let Some(said) = error.as_db_error() {
        return of_state(said.code().code(), said.message());
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return of_tls(tls);
        }
        if let Some(socket) = error.downcast_ref::<io::Error>() {
            return of_io(socket);
        }
        cause = error.source();
    }
    of_text(&error.to_string())
}

/// The driver's own words for what has no code.
fn of_text(text: &str) -> Class {
    match text {
        "connection closed" => Class::Unavailable,
        "timeout waiting for server" => Class::Timeout,
        _ if text.starts_with("unexpected message") || text.starts_with("error parsing response") => Class::Protocol,
        _ if text.starts_with("authentication error") => Class::Auth,
        _ if text.starts_with("invalid configuration") => Class::Misconfigured,
        _ => Class::Unknown,
    }
}

/// Of an SQLSTATE; the text decides only where servers and poolers use one code for several things.
pub fn of_state(state: &str, text: &str) -> Class {
    let says = |part: &str| text.contains(part);
    match state {
        "28000" if says("no encryption") || says("SSL off") => Class::TlsRequired,
        "28000" if says("pg_hba.conf") => Class::NetworkBlocked,
        "28000" if says("not permitted to log in") => Class::AccountLocked,
        "28P01" | "28000" => Class::Auth,
        "3D000" => Class::DbMissing,
        "42501" => Class::Permission,
        "25006" => Class::ReadOnly,
        "53300" => Class::TooManyConnections,
        "57014" => Class::Timeout,
        // A database that takes no connections for now.
        "55000" => Class::Unavailable,
        "3F000" | "42704" | "26000" | "42P05" => Class::Misconfigured,
        "08P01" | "XX000" | "58000" => of_pooler(text),
        _ => match state.get(..2).unwrap_or_default() {
            "28" => Class::Auth,
            "08" | "53" | "57" | "58" => Class::Unavailable,
            "42" => Class::Permission,
            _ => Class::Unknown,
        },
    }
}

/// Poolers have few codes: their texts tell.
fn of_pooler(text: &str) -> Class {
    let lower = text.to_lowercase();
    let says = |part: &str| lower.contains(part);
    if says("too many authentication") || says("rate limit") || says("circuit") {
        Class::RateLimited
    } else if says("tenant or user not found") {
        Class::Misconfigured
    } else if says("no such database") || (says("database") && says("does not exist")) {
        Class::DbMissing
    } else if says("no such user") || says("authentication failed") || says("password") {
        Class::Auth
    } else if says("ssl required") || says("tls required") {
        Class::TlsRequired
    } else if says("max client") || says("too many") || says("no more connections") {
        Class::TooManyConnections
    } else if says("unsupported frontend protocol") || says("protocol") {
        Class::Protocol
    } else {
        Class::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_code_tells_the_class() {
        for (state, text, class) in [
            ("28P01", "password authentication failed for user \"u\"", Class::Auth),
            ("28000", "role \"u\" is not permitted to log in", Class::AccountLocked),
            (
                "28000",
                "no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", no encryption",
                Class::TlsRequired,
            ),
            (
                "28000",
                "no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", SSL off",
                Class::TlsRequired,
            ),
            (
                "28000",
                "no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", SSL encryption",
                Class::NetworkBlocked,
            ),
            ("28000", "PAM authentication failed for user \"u\"", Class::Auth),
            ("3D000", "database \"d\" does not exist", Class::DbMissing),
            ("42501", "permission denied for database \"d\"", Class::Permission),
            ("53300", "sorry, too many clients already", Class::TooManyConnections),
            ("57P03", "the database system is starting up", Class::Unavailable),
            (
                "55000",
                "database \"d\" is not currently accepting connections",
                Class::Unavailable,
            ),
            (
                "57P01",
                "terminating connection due to administrator command",
                Class::Unavailable,
            ),
            ("57014", "canceling statement due to statement timeout", Class::Timeout),
            (
                "25006",
                "cannot execute UPDATE in a read-only transaction",
                Class::ReadOnly,
            ),
            ("XX000", "Tenant or user not found", Class::Misconfigured),
            ("XX000", "Max client connections reached", Class::TooManyConnections),
            (
                "XX000",
                "Circuit breaker open: too many authentication errors",
                Class::RateLimited,
            ),
            ("08P01", "no such database: d", Class::DbMissing),
            ("08P01", "no such user: u", Class::Auth),
            ("08P01", "server login failed: FATAL something", Class::Unavailable),
            ("08P01", "SSL required", Class::TlsRequired),
            (
                "26000",
                "prepared statement \"s1\" does not exist",
                Class::Misconfigured,
            ),
            ("XXUUU", "?", Class::Unknown),
            ("", "", Class::Unknown),
        ] {
            assert_eq!(of_state(state, text), class, "{state} {text}");
        }
    }

    #[test]
    fn the_drivers_words_tell_the_class() {
        assert_eq!(of_dial(&DialError::Deadline), Class::Timeout);
        for (text, class) in [
            ("connection closed", Class::Unavailable),
            ("unexpected message from server", Class::Protocol),
            ("error parsing response from server", Class::Protocol),
            ("authentication error: unsupported authentication method", Class::Auth),
            ("?", Class::Unknown),
        ] {
            assert_eq!(of_text(text), class, "{text}");
        }
    }
}
