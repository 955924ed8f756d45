//! The environment as a value.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::sensitive::Sensitive;

/// A set of environment variables, read once.
#[derive(Clone, Default)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// The process's own environment. Names and values that are not UTF-8 are left out.
    pub fn process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Given variables.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The variable, unless unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variable as a secret.
    pub fn secret(&self, name: &str) -> Option<Sensitive> {
        self.get(name).map(Sensitive::new)
    }

    /// The variable parsed, or `default` when it is unset.
    ///
    /// # Errors
    /// `config/invalid` when it is set and does not parse.
    pub fn parse<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|error| invalid(name, error)),
        }
    }
}

/// The error for a variable that is missing or wrong.
pub(super) fn invalid(name: &str, why: impl Display) -> Error {
    Error::new(ErrorKind::Internal, "config/invalid", "The service is not configured")
        .with_details(format!("{name}: {why}"))
}
