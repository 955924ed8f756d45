//! What a database error means to the client: status, code, and whether its text may be shown.

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};

/// A database error's fields, as the protocol sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbError {
    /// The SQLSTATE.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// The detail, if any.
    pub detail: Option<String>,
    /// The hint, if any.
    pub hint: Option<String>,
}

/// The error a client sees. `anonymous` says that nobody is signed in: then a missing right is 401, not 403.
///
/// Texts are shown for SQLSTATEs that speak of the request or of the tenant's own objects (the allow-list of
/// [`shows_text`]); all others get a fixed sentence, and the text only stays in the source, for the log.
pub fn from_database(error: &DbError, anonymous: bool) -> Error {
    let state = error.sqlstate.as_str();
    if state == "PGRST" {
        return raised_json(error);
    }
    let kind = kind(error, anonymous);
    let mut out = if shows_text(state) && !is_missing_role(error) {
        let mut out = Error::new(kind, state.to_owned(), clipped(&error.message));
        if let Some(detail) = &error.detail {
            out = out.with_details(clipped(detail));
        }
        if let Some(hint) = &error.hint {
            out = out.with_hint(clipped(hint));
        }
        out
    } else {
        Error::new(kind, state.to_owned(), fixed_sentence(kind))
    };
    if let Some(status) = raised_status(state) {
        out = out.with_status(status);
    }
    if kind == ErrorKind::Unavailable {
        out = out.with_retry_after(1);
    }
    out.with_source(format!("{state}: {}", error.message))
}

/// Postgres repeats the offending value in full, however long it is.
fn clipped(text: &str) -> String {
    const MOST: usize = 2_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn kind(error: &DbError, anonymous: bool) -> ErrorKind {
    let state = error.sqlstate.as_str();
    let denied = if anonymous {
        ErrorKind::Unauthorized
    } else {
        ErrorKind::Forbidden
    };
    match state {
        "23503" | "23505" => ErrorKind::Conflict,
        "25006" => ErrorKind::MethodNotAllowed,
        "42501" => denied,
        "42883" | "42P01" => ErrorKind::NotFound,
        "42P17" | "53400" => ErrorKind::Internal,
        "57P01" | "57P02" | "57P03" => ErrorKind::Unavailable,
        "P0001" => ErrorKind::Invalid,
        _ if is_missing_role(error) => ErrorKind::Unauthorized,
        _ => match state.get(..2).unwrap_or_default() {
            "08" | "53" => ErrorKind::Unavailable,
            "28" | "0L" | "0P" => ErrorKind::Forbidden,
            "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0" | "PL"
            | "XX" | "" => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        },
    }
}

/// `set role` to a role that is not there: the project is gone, or a claim named a stranger.
fn is_missing_role(error: &DbError) -> bool {
    error.sqlstate == "22023" && error.message.starts_with("role ") && error.message.ends_with(" does not exist")
}

/// Whether the text of an error with this SQLSTATE may reach a client: what the request itself caused (data, integrity,
/// cardinality, names and rights, unsupported features, a write in a read), and what tenants raise on purpose.
///
/// Not: connections, resources, internals, foreign servers, roles (`28`, `0L`, `0P`, and a `22023` about a role that does not exist).
pub fn shows_text(sqlstate: &str) -> bool {
    match sqlstate {
        "42P17" => false,
        "25006" | "P0001" | "P0002" | "P0003" | "P0004" | "57014" | "40001" | "40P01" | "55P03" => true,
        state if raised_status(state).is_some() => true,
        state => matches!(state.get(..2), Some("0A" | "21" | "22" | "23" | "42" | "44")),
    }
}

fn fixed_sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "The database is not available right now",
        ErrorKind::Unauthorized => "The role of this request does not exist",
        ErrorKind::Forbidden => "The database refused the role of this request",
        ErrorKind::Invalid => "The database refused the request",
        _ => "The database could not answer the request",
    }
}

/// `PT404` asks for status 404.
fn raised_status(state: &str) -> Option<u16> {
    let digits = state.strip_prefix("PT").filter(|digits| digits.len() == 3)?;
    digits.parse().ok().filter(|status| (200..600).contains(status))
}

/// `raise sqlstate 'PGRST'` with JSON in message (`code`, `message`, `details`, `hint`) and detail (`status`).
fn raised_json(error: &DbError) -> Error {
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let detail = error.detail.as_deref().and_then(parse);
    let status = detail
        .as_ref()
        .and_then(|detail| detail.get("status"))
        .and_then(Value::as_u64);
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (200..600).contains(status));
    let (Some(message), Some(status)) = (parse(&error.message), status) else {
        return Error::new(
            ErrorKind::Internal,
            "PGRST121",
            "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
        )
        .with_source(error.message.clone());
    };
    let text = |key: &str| message.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut out = Error::new(
        ErrorKind::Invalid,
        text("code").unwrap_or_default(),
        text("message").unwrap_or_default(),
    );
    if let Some(details) = text("details") {
        out = out.with_details(details);
    }
    if let Some(hint) = text("hint") {
        out = out.with_hint(hint);
    }
    out.with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(state: &str, message: &str, anonymous: bool) -> Error {
        let error = DbError {
            sqlstate: state.to_owned(),
            message: message.to_owned(),
            ..DbError::default()
        };
        from_database(&error, anonymous)
    }

    #[test]
    fn sqlstate_decides_kind_and_text() {
        use ErrorKind::*;
        let cases = [
            ("23505", "duplicate key", false, Conflict, true),
            ("23503", "foreign key", false, Conflict, true),
            ("23502", "null value", false, Invalid, true),
            ("22P02", "invalid input syntax", false, Invalid, true),
            ("21000", "DELETE requires a WHERE clause", false, Invalid, true),
            ("42501", "permission denied for table t", true, Unauthorized, true),
            ("42501", "permission denied for table t", false, Forbidden, true),
            ("42P01", "relation does not exist", false, NotFound, true),
            ("42883", "function does not exist", false, NotFound, true),
            ("42P17", "infinite recursion", false, Internal, false),
            (
                "25006",
                "cannot execute INSERT in a read-only transaction",
                false,
                MethodNotAllowed,
                true,
            ),
            (
                "57014",
                "canceling statement due to statement timeout",
                false,
                Internal,
                true,
            ),
            ("57P01", "terminating connection", false, Unavailable, false),
            (
                "53300",
                "too many connections for role \"p_x\"",
                false,
                Unavailable,
                false,
            ),
            ("08006", "connection failure", false, Unavailable, false),
            (
                "28P01",
                "password authentication failed for user \"p_x\"",
                false,
                Forbidden,
                false,
            ),
            ("22023", "role \"p_x_anon\" does not exist", false, Unauthorized, false),
            (
                "22023",
                "invalid value for parameter \"TimeZone\": \"x\"",
                false,
                Invalid,
                true,
            ),
            ("XX000", "cache lookup failed", false, Internal, false),
            ("P0001", "raised", false, Invalid, true),
            ("58030", "could not read file \"/var/lib\"", false, Internal, false),
        ];
        for (state, message, anonymous, kind, shown) in cases {
            let error = mapped(state, message, anonymous);
            assert_eq!(error.kind(), kind, "{state}");
            assert_eq!(error.code(), state);
            assert_eq!(error.public() == message, shown, "{state}: {}", error.public());
        }
    }

    #[test]
    fn long_texts_are_clipped() {
        let error = mapped("22P02", &"ä".repeat(1 << 20), false);
        assert_eq!(error.public().chars().count(), 2_001);
    }

    #[test]
    fn pt_raise_chooses_the_status() {
        assert_eq!(mapped("PT418", "I am a teapot", false).status(), Some(418));
        assert_eq!(mapped("PT999", "no such status", false).status(), None);
    }

    #[test]
    fn pgrst_raise_controls_the_whole_error() {
        let error = DbError {
            sqlstate: "PGRST".to_owned(),
            message: r#"{"code":"123","message":"Payment Required","hint":"pay"}"#.to_owned(),
            detail: Some(r#"{"status":402,"headers":{}}"#.to_owned()),
            hint: None,
        };
        let mapped = from_database(&error, false);
        assert_eq!(
            (mapped.status(), mapped.code(), mapped.hint()),
            (Some(402), "123", Some("pay"))
        );
        let broken = DbError {
            message: "not json".to_owned(),
            ..error
        };
        assert_eq!(from_database(&broken, false).code(), "PGRST121");
    }
}
