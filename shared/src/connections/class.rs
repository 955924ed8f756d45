//! Why a connection fails, as a closed set: each class says whether trying again may help, what happened, and what to do.
//! The texts are ours; what a server said is never passed on.

use serde::Serialize;

use super::Provider;
use crate::tenancy::Family;

/// Why a step of a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The host name has no address.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No answer in time.
    Timeout,
    /// The server does not encrypt.
    TlsUnsupported,
    /// The server insists on encryption.
    TlsRequired,
    /// The certificate's authority is not known.
    TlsUntrusted,
    /// The certificate is another host's.
    TlsHostname,
    /// The certificate is too old, or not valid yet.
    TlsExpired,
    /// User name or password is wrong.
    Auth,
    /// The login may not sign in.
    AccountLocked,
    /// There is no such database.
    DbMissing,
    /// The login lacks a right.
    Permission,
    /// Nothing can be written.
    ReadOnly,
    /// A firewall, an address list, or our own guard.
    NetworkBlocked,
    /// All connections are taken.
    TooManyConnections,
    /// Starting, paused, failing over, or gone in between.
    Unavailable,
    /// Too many attempts.
    RateLimited,
    /// Something the connection names is not there.
    Misconfigured,
    /// It is no server of that kind.
    Protocol,
    /// None of these.
    Unknown,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Dns,
        Self::Refused,
        Self::Timeout,
        Self::TlsUnsupported,
        Self::TlsRequired,
        Self::TlsUntrusted,
        Self::TlsHostname,
        Self::TlsExpired,
        Self::Auth,
        Self::AccountLocked,
        Self::DbMissing,
        Self::Permission,
        Self::ReadOnly,
        Self::NetworkBlocked,
        Self::TooManyConnections,
        Self::Unavailable,
        Self::RateLimited,
        Self::Misconfigured,
        Self::Protocol,
        Self::Unknown,
    ];

    /// Its name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::TlsUnsupported => "tls_unsupported",
            Self::TlsRequired => "tls_required",
            Self::TlsUntrusted => "tls_untrusted",
            Self::TlsHostname => "tls_hostname",
            Self::TlsExpired => "tls_expired",
            Self::Auth => "auth",
            Self::AccountLocked => "account_locked",
            Self::DbMissing => "db_missing",
            Self::Permission => "permission",
            Self::ReadOnly => "read_only",
            Self::NetworkBlocked => "network_blocked",
            Self::TooManyConnections => "too_many_connections",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::Misconfigured => "misconfigured",
            Self::Protocol => "protocol",
            Self::Unknown => "unknown",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    /// Whether the same connection may work in a moment.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::TooManyConnections | Self::Unavailable | Self::RateLimited
        )
    }

    /// What happened, in a sentence.
    pub fn cause(self, provider: Provider) -> &'static str {
        self.texts_of(provider.family()).0
    }

    /// What to do about it, in a sentence.
    pub fn fix(self, provider: Provider) -> &'static str {
        match (provider, self) {
            (Provider::Supabase, Self::Dns | Self::Refused) => {
                "Use the pooler's host and port: the direct host has an IPv6 address only"
            }
            (Provider::Supabase, Self::TlsUntrusted) => {
                "Download the certificate under Database settings and give it as caCertificate"
            }
            (Provider::Supabase, Self::Unavailable) => "Restore the project in the dashboard if it is paused",
            (Provider::Supabase, Self::Misconfigured) => {
                "At the pooler the user is postgres.<ref>; check the ref and the region of the host"
            }
            (Provider::AwsRds, Self::Auth) => {
                "Check both; with auth iam the IAM policy must allow rds-db:connect as this user, and the user needs rds_iam"
            }
            (Provider::AwsRds, Self::Timeout | Self::NetworkBlocked) => {
                "Make the instance publicly accessible and let the port in by its security group"
            }
            (Provider::Planetscale, Self::Permission) => {
                "Use a password with the role that is needed; a branch with safe migrations takes no changes of tables"
            }
            (Provider::Planetscale, Self::Unavailable) => "Wake the database up in the dashboard if it sleeps",
            _ => self.texts_of(provider.family()).1,
        }
    }

    /// Where what a family is asked for has words of its own.
    fn texts_of(self, family: Family) -> (&'static str, &'static str) {
        match (family, self) {
            (Family::Rest, Self::Protocol) => (
                "What answers there is no JSON API in the form that the resource map tells",
                "Check baseUrl and the resource map: a page for people may answer there",
            ),
            (Family::Rest, Self::TlsRequired) => (
                "The server admits encrypted connections only",
                "Use an https:// URL as baseUrl",
            ),
            (Family::Rest, Self::Misconfigured) => (
                "Something that the connection names is not there",
                "Check baseUrl and the paths of the resource map",
            ),
            (Family::Postgres, Self::Protocol) => (
                "What answers there is no PostgreSQL server",
                "Check the port; PostgreSQL's is usually 5432",
            ),
            (Family::MySql, class) => class.texts_of_mysql().unwrap_or_else(|| class.texts()),
            (Family::Cockroach, Self::Protocol) => (
                "What answers there is no CockroachDB",
                "Check the port; CockroachDB's is usually 26257",
            ),
            _ => self.texts(),
        }
    }

    fn texts_of_mysql(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Protocol => (
                "What answers there is no MySQL or MariaDB server",
                "Check the port; MySQL's is usually 3306",
            ),
            Self::Timeout => (
                "The server did not answer in time",
                "Check host and port, and that no firewall is in between; a server that waits to be spoken to is no MySQL server",
            ),
            Self::TlsUnsupported => (
                "The server does not offer encryption that we accept",
                "Give it a certificate (ssl_cert, ssl_key) and TLS 1.2 or later",
            ),
            Self::Auth => (
                "The server refuses the user name or the password",
                "Check both, and that the account may come from here; one that must encrypt is refused in the same words",
            ),
            Self::AccountLocked => (
                "The account exists but may not sign in",
                "Let it: alter user … account unlock, and a password that has not expired",
            ),
            Self::Permission => (
                "The account lacks a right",
                "Run the script below as an administrator of the server",
            ),
            Self::ReadOnly => (
                "The server takes no writes",
                "Use the primary's address, not a replica's, and check read_only",
            ),
            Self::NetworkBlocked => (
                "The server, or the way to it, does not admit connections from here",
                "Make the account for this host ('user'@'%'), let it through the firewall, and run flush hosts if it was blocked",
            ),
            Self::TooManyConnections => (
                "All of the server's connections are taken, or all of the account's",
                "Close some, or raise max_connections or the account's max_user_connections",
            ),
            Self::Misconfigured => (
                "The account signs in by a method that is not supported",
                "Give it another one: mysql_native_password, caching_sha2_password or ed25519",
            ),
            _ => return None,
        })
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Dns => (
                "The host name has no address",
                "Check its spelling, and that it can be resolved from the internet",
            ),
            Self::Refused => (
                "Nothing listens at this host and port",
                "Check the port, and that the server listens at its public address",
            ),
            Self::Timeout => (
                "The server did not answer in time",
                "Check host and port, and that no firewall drops connections from here",
            ),
            Self::TlsUnsupported => (
                "The server does not offer encryption that we accept",
                "Turn TLS (version 1.2 or later) on at the server: ssl = on",
            ),
            Self::TlsRequired => (
                "The server admits encrypted connections only",
                "Leave sslMode out, or set it to verify-full",
            ),
            Self::TlsUntrusted => (
                "The server's certificate is signed by an authority that is not trusted",
                "Give the authority's certificate (PEM) as caCertificate",
            ),
            Self::TlsHostname => (
                "The server's certificate is not valid for this host name",
                "Use the host name that the certificate is made for",
            ),
            Self::TlsExpired => (
                "The server's certificate has expired or is not valid yet",
                "Renew the certificate at the server, and check the server's clock",
            ),
            Self::Auth => (
                "The server refuses the user name or the password",
                "Check both; in a connection string special characters are percent-encoded",
            ),
            Self::AccountLocked => (
                "The login exists but may not sign in",
                "Let it: alter role … login, and a password that is still valid",
            ),
            Self::DbMissing => (
                "There is no such database on the server",
                "Check the database's name; upper and lower case differ",
            ),
            Self::Permission => (
                "The login lacks a right",
                "Run the script below as the database's owner",
            ),
            Self::ReadOnly => (
                "The server takes no writes",
                "Use the primary's address, not a replica's, and check default_transaction_read_only",
            ),
            Self::NetworkBlocked => (
                "The server, or the way to it, does not admit connections from here",
                "Allow this connection in the firewall, the address list or pg_hba.conf",
            ),
            Self::TooManyConnections => (
                "All of the server's connections are taken",
                "Close some, raise the limit, or connect through a pooler",
            ),
            Self::Unavailable => (
                "The server ended the connection or is not ready",
                "Check that it has started and is not failing over, then try again",
            ),
            Self::RateLimited => ("The server has seen too many attempts", "Wait a minute and try again"),
            Self::Misconfigured => (
                "Something that the connection names is not there",
                "Check schemas, roles and the user name's form",
            ),
            Self::Protocol => ("What answers there is no server of that kind", "Check host and port"),
            Self::Unknown => (
                "The connection failed for a reason that is not known",
                "Look into the server's own log",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_named_and_says_what_to_do() {
        let names = Class::ALL.map(Class::as_str);
        assert_eq!(
            names.join(" "),
            "dns refused timeout tls_unsupported tls_required tls_untrusted tls_hostname tls_expired auth account_locked \
             db_missing permission read_only network_blocked too_many_connections unavailable rate_limited \
             misconfigured protocol unknown"
        );
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert_eq!(Class::parse(class.as_str()), Some(class));
            for provider in Provider::ALL {
                assert!(
                    class.cause(provider).len() > 10 && class.fix(provider).len() > 10,
                    "{class:?}"
                );
            }
        }
    }
}
