//! Which class a failure of an API belongs to.

use std::io;

use crate::connections::Class;
use crate::connections::classify::{of_guard, of_socket, of_tls};
use crate::control::api::Failure;

/// Of a request.
pub fn of_failure(failed: &Failure) -> Class {
    match failed {
        Failure::Refused(refused) => of_guard(*refused),
        Failure::Connect(kind) => of_socket(&(*kind).into()),
        Failure::Tls(error) => of_tls(error),
        Failure::Timeout => Class::Timeout,
        Failure::Broken => Class::Unavailable,
        Failure::Status { status, .. } => of_status(*status),
        Failure::Redirected | Failure::TooLarge => Class::Misconfigured,
        Failure::NotJson => Class::Protocol,
        Failure::Token(inner) => match of_failure(inner) {
            // What the endpoint refuses is the client, or what it asks for.
            Class::Unknown | Class::Permission => Class::Auth,
            other => other,
        },
        Failure::Settings(_) => Class::Unknown,
    }
}

fn of_status(status: u16) -> Class {
    match status {
        401 => Class::Auth,
        403 => Class::Permission,
        404 | 405 | 410 => Class::Misconfigured,
        408 => Class::Timeout,
        429 => Class::RateLimited,
        500..=599 => Class::Unavailable,
        _ => Class::Unknown,
    }
}

/// Of a TLS handshake.
pub(super) fn of_handshake(error: &io::Error) -> Class {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    tls.map_or_else(|| of_socket(error), of_tls)
}

/// Cause and fix, where they say more than the class.
pub(super) fn said(failed: &Failure) -> Option<(String, String)> {
    let both = |cause: &str, fix: &str| Some((cause.to_owned(), fix.to_owned()));
    match failed {
        Failure::Status { status: 401, .. } => both(
            "The API refuses the credentials",
            "Check auth and what belongs to it in the credentials",
        ),
        Failure::Status { status: 403, .. } => both(
            "The API does not allow these credentials to read",
            "Give them the right to read what healthPath and the resource map name",
        ),
        Failure::Status {
            status: status @ (404 | 405 | 410),
            ..
        } => both(
            &format!("The path is not there: status {status}"),
            "Check baseUrl, healthPath and the paths of the resource map",
        ),
        Failure::Status {
            status: 429,
            retry_after: Some(seconds),
        } => both(
            "The API has seen too many requests",
            &format!("Wait {seconds} seconds and try again"),
        ),
        Failure::Status {
            status: status @ 500..=599,
            ..
        } => both(
            &format!("The API fails: status {status}"),
            "Look into the API's own log, then try again",
        ),
        Failure::Status { status, .. } => both(
            &format!("The API refuses the request: status {status}"),
            "Check baseUrl, headers and the paths of the resource map",
        ),
        Failure::Redirected => both(
            "The API redirects to another place, which is not followed",
            "Name the place itself in baseUrl or tokenUrl",
        ),
        Failure::TooLarge => both(
            "The API answers more than is read",
            "Say in pagination how it is read in parts",
        ),
        Failure::Token(inner) => match &**inner {
            Failure::Status { status, .. } => both(
                &format!("The token endpoint gives no token: status {status}"),
                "Check tokenUrl, clientId, clientSecret and scope",
            ),
            Failure::NotJson => both(
                "The token endpoint does not answer as OAuth 2 asks for",
                "Check tokenUrl: it answers JSON with an access_token",
            ),
            inner => said(inner),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_the_class() {
        for (status, class) in [
            (401, Class::Auth),
            (403, Class::Permission),
            (404, Class::Misconfigured),
            (429, Class::RateLimited),
            (500, Class::Unavailable),
            (503, Class::Unavailable),
            (400, Class::Unknown),
        ] {
            let failed = Failure::Status {
                status,
                retry_after: None,
            };
            assert_eq!(of_failure(&failed), class, "{status}");
            let refused = of_failure(&Failure::Token(Box::new(failed)));
            let of_token = match class {
                Class::Unknown | Class::Permission => Class::Auth,
                other => other,
            };
            assert_eq!(refused, of_token, "{status}");
        }
    }
}
