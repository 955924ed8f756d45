//! RDS IAM tokens: signed anew for each connection, with the function's own AWS credentials or those of a role that it
//! may assume.

use crate::config::{Address, Iam, Tls};
use crate::error::{Error, ErrorKind, Result};
use crate::sensitive::Sensitive;

/// A token that signs the address's login in for the next 15 minutes.
///
/// # Errors
/// `external/iam-forbidden` (403) when a user asks for a login that the operator does not allow: the functions' own role
/// signs in to our own databases, and must not be lent to whoever names one. `external/iam-unavailable` (422) where the
/// function has no AWS credentials, `external/iam-role` (422) when the role cannot be assumed.
pub async fn token(address: &Address, iam: &Iam) -> Result<Sensitive> {
    if address.tls != Tls::Verify {
        return Err(Error::internal("an IAM token goes over an encrypted connection only"));
    }
    if let Some(guard) = &address.guard
        && iam.role.is_none()
        && !guard.allows_iam_login(&address.login, &address.host)
    {
        return Err(forbidden());
    }
    sign(address, iam).await
}

#[cfg(feature = "aws")]
async fn sign(address: &Address, iam: &Iam) -> Result<Sensitive> {
    super::aws::database_token(&address.host, address.port, &address.login, iam).await
}

#[cfg(not(feature = "aws"))]
async fn sign(_: &Address, _: &Iam) -> Result<Sensitive> {
    Err(unavailable("built without AWS"))
}

fn forbidden() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "external/iam-forbidden",
        "This deployment's own AWS role may not sign in as that user at that host",
    )
    .with_hint("Give a roleArn that it may assume, or ask the operator to add user@host to PLINTH_IAM_LOGINS")
}

/// There is nothing to sign with.
pub(super) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "external/iam-unavailable",
        "This deployment has no AWS credentials to sign an IAM token with",
    )
    .with_hint("Use a password: IAM authentication needs functions that run on AWS")
    .with_source(source)
}

/// The role is not to be had.
#[cfg(feature = "aws")]
pub(super) fn role_refused(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "external/iam-role",
        "The role of roleArn cannot be assumed",
    )
    .with_hint(
        "Its trust policy must name this deployment's functions, with the project's id as sts:ExternalId; and the \
         operator must allow them to assume it",
    )
    .with_source(source)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{AssumedRole, Login, Outbound};

    async fn refused(tls: Tls, guard: Option<&str>, role: bool) -> String {
        let role = role.then(|| AssumedRole {
            arn: "arn:aws:iam::123456789012:role/x".to_owned(),
            external_id: "project".to_owned(),
        });
        let iam = Iam { region: None, role };
        let guard = guard.map(|logins| Arc::new(Outbound::default().with_iam_logins(logins).unwrap()));
        let address = Address {
            host: "db.example.com".to_owned(),
            port: 5432,
            database: "d".to_owned(),
            login: "app".to_owned(),
            auth: Login::Iam(iam.clone()),
            tls,
            guard,
        };
        token(&address, &iam).await.unwrap_err().code().to_owned()
    }

    #[tokio::test]
    async fn no_token_is_signed_for_a_plain_connection_or_a_login_that_is_not_allowed() {
        for (tls, guard, expected) in [
            (Tls::Disable, None, "internal"),
            (Tls::Disable, Some("app@db.example.com"), "internal"),
            (Tls::Verify, Some(""), "external/iam-forbidden"),
            (Tls::Verify, Some("app@other.example.com"), "external/iam-forbidden"),
            (Tls::Verify, Some("other@db.example.com"), "external/iam-forbidden"),
        ] {
            assert_eq!(refused(tls, guard, false).await, expected, "{tls:?} {guard:?}");
        }
    }

    #[cfg(not(feature = "aws"))]
    #[tokio::test]
    async fn without_aws_there_is_nothing_to_sign_with() {
        for (guard, role) in [(Some("app@db.example.com"), false), (Some(""), true), (None, false)] {
            assert_eq!(refused(Tls::Verify, guard, role).await, "external/iam-unavailable");
        }
    }
}
