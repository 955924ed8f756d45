//! The places of what comes later: links and codes by mail, social login, second factors, admin calls. Each answers a
//! clear 501 until it is built.

use plinth::accounts::not_implemented;
use plinth::error::Error;

use crate::request::Named;

/// Their paths.
pub const PATHS: &[&str] = &[
    "/otp",
    "/verify",
    "/recover",
    "/resend",
    "/magiclink",
    "/reauthenticate",
    "/authorize",
    "/callback",
    "/user/identities/{*rest}",
    "/factors",
    "/factors/{*rest}",
    "/invite",
    "/admin/{*rest}",
];

/// Any method.
pub async fn later(_: Named) -> Error {
    not_implemented()
}
