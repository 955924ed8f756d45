//! Secrets Manager for a build without the SDK: every call says what is missing.

use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

fn absent<T>() -> Result<T> {
    Err(Error::internal(
        "secrets in Secrets Manager need a function built with the aws feature",
    ))
}

/// The text of a secret that the operator named.
///
/// # Errors
/// Always.
pub async fn secret(_: &str) -> Result<Sensitive> {
    absent()
}

pub(super) async fn read(_: &str) -> Result<Option<Sensitive>> {
    absent()
}

pub(super) async fn write(_: &str, _: &[(&str, String)], _: &Sensitive) -> Result<String> {
    absent()
}

pub(super) async fn delete(_: &str) -> Result<()> {
    absent()
}

pub(super) async fn restore(_: &str) -> Result<()> {
    absent()
}

pub(super) async fn purge(_: &str) -> Result<()> {
    absent()
}
