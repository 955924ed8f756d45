//! Which class an error of a MySQL connection belongs to. Codes come first, a server's text last.

use crate::connections::Class;
use crate::connections::classify::of_io;
use crate::control::mysql::Failure;

/// Of what a step ended with.
pub(super) fn of(failure: &Failure) -> Class {
    match failure {
        Failure::Io(error) => of_io(error),
        Failure::Said { code, text } => of_code(*code, text),
        Failure::Stranger => Class::Protocol,
        Failure::Method(_) => Class::Misconfigured,
        Failure::NeedsTls => Class::TlsRequired,
        Failure::Token(_) => Class::Misconfigured,
        Failure::Settings(_) => Class::Unknown,
    }
}

/// Of a server's number; the text decides only where one number says several things.
pub fn of_code(code: u16, text: &str) -> Class {
    let says = |part: &str| text.contains(part);
    match code {
        // Who must encrypt and does not is told the same as who is not known.
        1045 | 1251 | 1524 | 1698 => Class::Auth,
        // Locked, or with a password that has expired.
        1820 | 1862 | 3118 | 3955 | 4151 => Class::AccountLocked,
        3159 => Class::TlsRequired,
        // MariaDB has no number of its own for it.
        1835 | 4032 if says("secure transport") || says("secure_transport") => Class::TlsRequired,
        1049 => Class::DbMissing,
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 | 1419 => Class::Permission,
        1129 | 1130 => Class::NetworkBlocked,
        1226 if says("per_hour") => Class::RateLimited,
        1040 | 1203 | 1226 => Class::TooManyConnections,
        1290 if says("insecure transport") || says("require_secure_transport") => Class::TlsRequired,
        1290 | 1792 | 1836 => Class::ReadOnly,
        1317 | 1969 | 3024 => Class::Timeout,
        // Shutting down, killed, out of packets, another transaction first.
        1053 | 1077 | 1079 | 1080 | 1152..=1161 | 1184 | 1205 | 1213 | 1927 | 3169 => Class::Unavailable,
        // Of proxies: nobody behind them answers.
        1105 | 2000..=2999 | 9000..=9999 => match behind(text) {
            Some(number) if !matches!(number, 1105 | 2000..=2999 | 9000..=9999) => of_code(number, ""),
            _ => of_proxy(text),
        },
        1043 | 1047 => Class::Protocol,
        _ => Class::Unknown,
    }
}

/// Proxies have few numbers: their texts tell.
fn of_proxy(text: &str) -> Class {
    let lower = text.to_lowercase();
    let says = |part: &str| lower.contains(part);
    if says("unauthenticated") || says("access denied") {
        Class::Auth
    } else if says("insecure transport") || says("ssl required") || says("must use tls") {
        Class::TlsRequired
    } else if says("database not found") || says("unknown database") || says("vt05003") {
        Class::DbMissing
    } else if says("not allowed") || says("permission") || says("direct ddl is disabled") {
        Class::Permission
    } else if says("too many") || says("resource_exhausted") || says("resourceexhausted") {
        Class::TooManyConnections
    } else {
        Class::Unavailable
    }
}

/// Vitess repeats the number of the server behind it at the end: `(errno 1045) (sqlstate 28000)`.
fn behind(text: &str) -> Option<u16> {
    let (_, rest) = text.rsplit_once("(errno ")?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_number_tells_the_class() {
        for (code, text, class) in [
            (
                1045,
                "Access denied for user 'u'@'h' (using password: YES)",
                Class::Auth,
            ),
            (
                3118,
                "Access denied for user 'u'@'h'. Account is locked.",
                Class::AccountLocked,
            ),
            (4151, "Access denied, this account is locked", Class::AccountLocked),
            (
                1820,
                "You must SET PASSWORD before executing this statement",
                Class::AccountLocked,
            ),
            (1862, "Your password has expired.", Class::AccountLocked),
            (
                3159,
                "Connections using insecure transport are prohibited",
                Class::TlsRequired,
            ),
            (1049, "Unknown database 'd'", Class::DbMissing),
            (
                1044,
                "Access denied for user 'u'@'h' to database 'd'",
                Class::Permission,
            ),
            (1130, "Host '10.0.0.1' is not allowed to connect", Class::NetworkBlocked),
            (
                1129,
                "Host '10.0.0.1' is blocked because of many connection errors",
                Class::NetworkBlocked,
            ),
            (1040, "Too many connections", Class::TooManyConnections),
            (
                1226,
                "User 'u' has exceeded the 'max_user_connections' resource (current value: 1)",
                Class::TooManyConnections,
            ),
            (
                1226,
                "User 'u' has exceeded the 'max_connections_per_hour' resource",
                Class::RateLimited,
            ),
            (
                1290,
                "The server is running with the --read-only option",
                Class::ReadOnly,
            ),
            (1053, "Server shutdown in progress", Class::Unavailable),
            (1105, "unauthenticated: invalid credentials", Class::Auth),
            (1105, "direct DDL is disabled", Class::Permission),
            (
                1105,
                "target: d.-.primary: denied (errno 1142) (sqlstate 42000)",
                Class::Permission,
            ),
            (1105, "odd (errno 1105) (sqlstate HY000)", Class::Unavailable),
            (1105, "vttablet: rpc error: code = Unavailable", Class::Unavailable),
            (
                9001,
                "Max connect timeout reached while reaching hostgroup 1",
                Class::Unavailable,
            ),
            (1064, "You have an error", Class::Unknown),
        ] {
            assert_eq!(of_code(code, text), class, "{code} {text}");
        }
    }
}
