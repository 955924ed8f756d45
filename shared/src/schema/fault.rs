//! What is wrong with a design: all of it at once, each fault with its path.

use std::fmt;

use serde::Serialize;

use crate::error::Error;

/// One thing wrong with a design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: `columns[2].type`; empty for the whole design.
    pub path: String,
    /// A stable code: `schema/what` or `expression/what`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "schema" } else { &self.path };
        write!(f, "{path}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Every fault of a design, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes one more fault.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Notes the faults of a part, each path behind `prefix`.
    pub fn extend_under(&mut self, prefix: &str, faults: Self) {
        for mut fault in faults.0 {
            fault.path = join(prefix, &fault.path);
            self.0.push(fault);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// `value` if there is no fault.
    ///
    /// # Errors
    /// The faults, if any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl From<Faults> for Error {
    /// `tables/invalid-schema`, 400; the details list one fault a line.
    fn from(faults: Faults) -> Self {
        Self::invalid("tables/invalid-schema", "Invalid schema")
            .with_details(faults.to_string())
            .with_hint("Every line of the details names a path in the schema and what to change there")
    }
}

/// `prefix.path`, with no dot before an index or beside an empty part.
pub(crate) fn join(prefix: &str, path: &str) -> String {
    match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if path.starts_with('[') => format!("{prefix}{path}"),
        _ => format!("{prefix}.{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_as_error_list_every_path() {
        let mut faults = Faults::default();
        faults.push(Fault::new("name", "schema/name", "A name is missing"));
        faults.push(Fault::new("columns[1].type", "schema/type", "Unknown type").hint("Use text"));
        let error = Error::from(faults);
        assert_eq!(
            (error.code(), error.public()),
            ("tables/invalid-schema", "Invalid schema")
        );
        assert_eq!(
            error.details(),
            Some("name: A name is missing\ncolumns[1].type: Unknown type (Use text)")
        );
    }
}
