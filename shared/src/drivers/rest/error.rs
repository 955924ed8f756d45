//! What a failure of an API, or of the way to it, means.

use super::connect::Unknown;
use crate::backend::api::Failure;
use crate::backend::failure::login_refused;
pub(super) use crate::backend::failure::{busy, outcome_unknown, too_late, unreachable};
use crate::error::{Error, ErrorKind};
use crate::query::rest::too_large;

/// Of a read.
pub(super) fn read(failed: Failure) -> Error {
    let (status, retry_after) = match &failed {
        Failure::Status { status, retry_after } => (*status, *retry_after),
        Failure::TooLarge => return too_large(crate::backend::api::LARGEST as u64).with_source(failed),
        Failure::Timeout => return too_late(true).with_source(failed),
        Failure::NotJson => {
            let message = "What answers there is no JSON API";
            return Error::new(ErrorKind::Upstream, "records/api-protocol", message)
                .with_hint("Check baseUrl and the paths of the resource map")
                .with_source(failed);
        }
        Failure::Redirected => {
            let message = "The API redirects to another place";
            return Error::new(ErrorKind::Upstream, "records/api-redirect", message)
                .with_hint("Name the place itself in baseUrl: nothing is followed out of the API")
                .with_source(failed);
        }
        Failure::Token(inner) if matches!(inner.status(), Some(400 | 401 | 403)) => return login_refused(failed),
        _ => return unreachable(failed),
    };
    let error = match status {
        401 => login_refused("status 401"),
        403 => Error::new(ErrorKind::Forbidden, "42501", "The API does not allow this"),
        404 | 405 | 410 => Error::new(
            ErrorKind::Upstream,
            "records/api-path",
            "A path of the resource map is not there",
        )
        .with_hint("Check baseUrl and the paths of the resource map"),
        409 | 412 => Error::new(
            ErrorKind::Conflict,
            "23505",
            "The API says that this clashes with what is there",
        ),
        413 => Error::new(
            ErrorKind::TooLarge,
            "records/api-too-large",
            "The API does not take so much",
        ),
        429 => {
            let error = Error::new(
                ErrorKind::RateLimited,
                "records/api-rate",
                "The API has seen too many requests",
            );
            error.with_retry_after(retry_after.unwrap_or(1))
        }
        400..=499 => Error::invalid("records/api-refused", "The API refuses the request")
            .with_details(format!("It answers with status {status}")),
        _ => unreachable(format!("status {status}")).with_retry_after(retry_after.unwrap_or(1)),
    };
    error.with_source(failed)
}

/// Of a write. Whatever may have happened is said to be unknown.
pub(super) fn write(failed: Failure) -> Error {
    let unknown = match &failed {
        Failure::Status { status, .. } => *status >= 500,
        // A reply came with a status of success, or nobody knows.
        Failure::NotJson | Failure::TooLarge | Failure::Timeout | Failure::Broken => true,
        _ => false,
    };
    if unknown && !failed.was_not_sent() {
        return outcome_unknown().with_source(failed);
    }
    read(failed)
}

/// Of the map.
pub(super) fn unknown(failed: Unknown) -> Error {
    match failed {
        Unknown::Call(failed) => read(failed),
        Unknown::Document(why) => Error::new(
            ErrorKind::Upstream,
            "records/api-document",
            "The API's OpenAPI document describes no resources",
        )
        .with_details(why),
    }
}

/// What is wrong with an API that somebody is about to give us.
pub(super) fn refused_probe(failed: Failure) -> Error {
    let failed = match failed {
        Failure::Refused(refused) => return refused.into(),
        Failure::Settings(error) => return error,
        failed => failed,
    };
    let new = Error::new;
    let unusable = |code, message| new(ErrorKind::Unprocessable, code, message);
    let told = match &failed {
        Failure::Token(inner) => match &**inner {
            Failure::Refused(refused) => return (*refused).into(),
            _ => unusable("external/credentials", "The token endpoint gives no token")
                .with_hint("Check tokenUrl, clientId, clientSecret and scope in config.credentials"),
        },
        Failure::Status { status: 401, .. } => unusable("external/credentials", "The API refuses the credentials")
            .with_hint("Check auth and what belongs to it in config.credentials"),
        Failure::Status { status: 403, .. } => unusable(
            "external/permission",
            "The API does not allow these credentials to read",
        )
        .with_hint("Give them the right to read what the resource map names"),
        Failure::Status { status: 404, .. } => unusable("external/api-path", "A path is not there")
            .with_hint("Check baseUrl, healthPath and the paths of the resource map"),
        Failure::Status {
            status: 429,
            retry_after,
        } => new(
            ErrorKind::RateLimited,
            "external/rate-limited",
            "The API has seen too many requests",
        )
        .with_retry_after(retry_after.unwrap_or(1)),
        Failure::Status { status, .. } => new(
            ErrorKind::Upstream,
            "external/unavailable",
            "The API does not answer as it should",
        )
        .with_details(format!("It answers with status {status}")),
        Failure::Tls(_) => crate::backend::failure::no_tls(),
        Failure::Timeout => return late(),
        Failure::NotJson => new(
            ErrorKind::Upstream,
            "external/protocol",
            "What answers there is no JSON API",
        )
        .with_hint("Check baseUrl: a page for people answers there"),
        Failure::Redirected => new(
            ErrorKind::Upstream,
            "external/redirect",
            "The API redirects to another place",
        )
        .with_hint("Name the place itself in baseUrl: nothing is followed out of the API"),
        Failure::TooLarge => new(
            ErrorKind::Upstream,
            "external/too-large",
            "The API answers more than is read",
        )
        .with_hint("Describe in pagination how it is read in parts"),
        Failure::Connect(_) | Failure::Broken | Failure::Refused(_) | Failure::Settings(_) => {
            new(ErrorKind::Upstream, "external/unreachable", "The API cannot be reached")
                .with_hint("Check baseUrl, and that the server takes connections from here")
        }
    };
    told.with_source(failed)
}

/// The deadline of a trial passed.
pub(super) fn late() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "external/timeout",
        "The API does not answer in time",
    )
    .with_hint("Check baseUrl, and that no firewall is in between")
}
