//! What accounts refuse, under GoTrue's names: supabase-js acts on some of them, people search for all of them.

use crate::error::{Error, ErrorKind};

/// 400 `validation_failed`.
pub(super) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid("validation_failed", message)
}

/// 400 `bad_json`.
pub(super) fn bad_json(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid("bad_json", message)
}

/// 400: the same words whether the account exists or not.
pub(super) fn invalid_credentials() -> Error {
    Error::invalid("invalid_credentials", "Invalid login credentials")
}

pub(super) fn email_not_confirmed() -> Error {
    Error::invalid("email_not_confirmed", "Email not confirmed")
}

/// 400 at a sign-in; with a token it is 403.
pub(super) fn user_banned() -> Error {
    Error::invalid("user_banned", "User is banned")
}

/// 422.
pub(super) fn unprocessable(name: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Unprocessable, name, message)
}

/// 422; `reasons` is a comma list.
pub(super) fn weak_password(message: &'static str, reasons: &'static str) -> Error {
    unprocessable("weak_password", message).with_details(reasons)
}

pub(super) fn phone_disabled() -> Error {
    unprocessable("phone_provider_disabled", "Phone sign-ups are disabled")
}

/// Sending links comes later; until then what needs one is refused rather than left waiting for a mail that never comes.
pub(super) fn mail_not_configured() -> Error {
    unprocessable(
        "email_provider_disabled",
        "This needs a confirmation mail, and mail is not configured yet",
    )
    .with_hint("The operator can set PLINTH_AUTOCONFIRM=true to do without")
}

/// 401: no user's token was sent, at most a key.
pub(super) fn no_authorization() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "no_authorization",
        "This endpoint requires a user's access token as Bearer token",
    )
}

/// 403 `bad_jwt`.
pub(super) fn bad_jwt(cause: Error) -> Error {
    forbidden("bad_jwt", format!("invalid JWT: {}", cause.public())).with_source(cause)
}

/// 403.
pub(super) fn forbidden(name: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Forbidden, name, message)
}

/// supabase-js drops its session on this one.
pub(super) fn session_not_found() -> Error {
    forbidden(
        "session_not_found",
        "Session from session_id claim in JWT does not exist",
    )
}

pub(super) fn user_not_found() -> Error {
    forbidden("user_not_found", "User from sub claim in JWT does not exist")
}

/// 404, to administrators.
pub(super) fn no_such_user() -> Error {
    Error::new(ErrorKind::NotFound, "user_not_found", "User not found")
}

pub(super) fn refresh_token_not_found() -> Error {
    Error::invalid(
        "refresh_token_not_found",
        "Invalid Refresh Token: Refresh Token Not Found",
    )
}

pub(super) fn refresh_token_already_used() -> Error {
    Error::invalid("refresh_token_already_used", "Invalid Refresh Token: Already Used")
        .with_hint("The whole session was ended, because one of its tokens may be in other hands")
}

/// What has its place but does not exist yet (501).
pub fn not_implemented() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "not_implemented",
        "This version of Plinth does not offer this yet",
    )
    .with_hint("Sign up and sign in with e-mail address and password")
}
