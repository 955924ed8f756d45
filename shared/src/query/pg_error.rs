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
        // Said outright, or the details of what is our fault would be kept back.
        if kind == ErrorKind::Internal {
            out = out.with_status(500);
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
        // A write without a filter is the client's mistake; a subquery of too many rows is that of a view or function.
        "21000" if !error.message.ends_with("requires a WHERE clause") => ErrorKind::Internal,
        "25006" => ErrorKind::MethodNotAllowed,
        "42501" => denied,
        // Aggregates to XML what has no such aggregate: the type that the client asked for.
        "42883" if error.message.starts_with("function xmlagg(") => ErrorKind::NotAcceptable,
        "42883" | "42P01" => ErrorKind::NotFound,
        "42P17" | "53400" => ErrorKind::Internal,
        "57P01" | "57P02" | "57P03" => ErrorKind::Unavailable,
        "P0001" => ErrorKind::Invalid,
        _ if is_missing_role(error) => ErrorKind::Unauthorized,
        _ => match state.get(..2).unwrap_or_default() {
            "08" | "53" => ErrorKind::Unavailable,
            "28" | "0L" | "0P" => ErrorKind::Forbidden,
            "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0" | "PL"
            | "PT" | "XX" | "" => ErrorKind::Internal,
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
        "25006" | "P0001" | "P0002" | "P0003" | "P0004" | "57014" | "40001" | "40P01" | "55000" | "55P03" => true,
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

/// `raise sqlstate 'PGRST'`: JSON in the message (`code`, `message`, `details`, `hint`) and in the detail (`status`,
/// `headers`) is the whole reply.
/// See <https://docs.postgrest.org/en/stable/references/errors.html#raise-errors-with-http-status-codes>.
fn raised_json(error: &DbError) -> Error {
    let Some(mut out) = raised_message(&error.message) else {
        return unreadable_raise(format!(
            "Invalid JSON value for MESSAGE: '{}'",
            clipped(&error.message)
        ))
        .with_hint(
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
        );
    };
    const HINT: &str =
        "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
    let Some(detail) = &error.detail else {
        return unreadable_raise("DETAIL is missing in the RAISE statement").with_hint(HINT);
    };
    let Some((status, headers)) = raised_detail(detail) else {
        return unreadable_raise(format!("Invalid JSON value for DETAIL: '{}'", clipped(detail))).with_hint(HINT);
    };
    for (name, value) in headers {
        out = out.with_header(name, value);
    }
    out.with_status(status)
}

/// `PGRST121`. Its status is said outright, so that it reaches the client whole: the tenant's own text is in it.
fn unreadable_raise(details: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    let message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error";
    Error::new(ErrorKind::Internal, "PGRST121", message)
        .with_details(details)
        .with_status(500)
}

fn raised_message(text: &str) -> Option<Error> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let text = |key: &str| object.get(key)?.as_str().map(str::to_owned);
    let mut out = Error::new(ErrorKind::Invalid, text("code")?, text("message")?);
    for key in ["details", "hint"] {
        match object.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(told)) if key == "hint" => out = out.with_hint(told.clone()),
            Some(Value::String(told)) => out = out.with_details(told.clone()),
            Some(_) => return None,
        }
    }
    Some(out)
}

fn raised_detail(text: &str) -> Option<(u16, Vec<(String, String)>)> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let status = u16::try_from(object.get("status")?.as_u64()?).ok()?;
    let header = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let headers: Option<_> = object.get("headers")?.as_object()?.iter().map(header).collect();
    Some(((200..600).contains(&status).then_some(status)?, headers?))
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
            (
                "21000",
                "more than one row returned by a subquery",
                false,
                Internal,
                true,
            ),
            ("42883", "function xmlagg(x) does not exist", false, NotAcceptable, true),
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

    fn raised(message: &str, detail: Option<&str>) -> Error {
        let error = DbError {
            sqlstate: "PGRST".to_owned(),
            message: message.to_owned(),
            detail: detail.map(str::to_owned),
            hint: None,
        };
        from_database(&error, false)
    }

    #[test]
    fn pgrst_raise_controls_the_whole_reply() {
        let error = raised(
            r#"{"code":"123","message":"Payment Required","details":"Quota","hint":"pay"}"#,
            Some(r#"{"status":402,"headers":{"X-Powered-By":"Nerd Rage"}}"#),
        );
        assert_eq!(
            (
                error.status(),
                error.code(),
                error.public(),
                error.details(),
                error.hint()
            ),
            (Some(402), "123", "Payment Required", Some("Quota"), Some("pay"))
        );
        assert_eq!(error.headers(), [("X-Powered-By".to_owned(), "Nerd Rage".to_owned())]);
    }

    #[test]
    fn unreadable_pgrst_raise_says_which_part() {
        let fine = r#"{"code":"123","message":"m"}"#;
        let cases = [
            (
                "not json",
                None,
                "Invalid JSON value for MESSAGE: 'not json'",
                "MESSAGE must",
            ),
            ("{}", None, "Invalid JSON value for MESSAGE: '{}'", "MESSAGE must"),
            (fine, None, "DETAIL is missing in the RAISE statement", "DETAIL must"),
            (fine, Some("x"), "Invalid JSON value for DETAIL: 'x'", "DETAIL must"),
            (
                fine,
                Some(r#"{"status":402}"#),
                r#"Invalid JSON value for DETAIL: '{"status":402}'"#,
                "DETAIL must",
            ),
            (
                fine,
                Some(r#"{"status":99999,"headers":{}}"#),
                r#"Invalid JSON value for DETAIL: '{"status":99999,"headers":{}}'"#,
                "DETAIL must",
            ),
        ];
        for (message, detail, details, hint) in cases {
            let error = raised(message, detail);
            assert_eq!((error.code(), error.details()), ("PGRST121", Some(details)));
            assert!(error.hint().is_some_and(|text| text.starts_with(hint)), "{details}");
        }
    }
}
