//! Names and ids. A [`Ident`] is any SQL name, quoted in one place; a [`Ref`] names a project everywhere.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// An SQL identifier as the database stores it (unquoted, case kept). [`Ident::quoted`] is the only way into SQL.
///
/// Plans name every column and role they touch, so a clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(Arc<str>);

impl Ident {
    /// Postgres cuts names behind 63 bytes silently; we refuse them instead.
    pub const MAX_BYTES: usize = 63;

    /// Takes any name Postgres could hold: 1-63 bytes, no NUL.
    ///
    /// # Errors
    /// `ident/invalid` for an empty or longer name, or one with a NUL byte.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::MAX_BYTES || name.contains('\0') {
            return Err(
                Error::invalid("ident/invalid", "A name must have 1 to 63 bytes and no NUL byte")
                    .with_details(format!("{} bytes given", name.len())),
            );
        }
        Ok(Self(name.into()))
    }

    /// Takes a name a user gives to something new: `^[a-z][a-z0-9_]*$`, at most 63 bytes.
    ///
    /// # Errors
    /// `ident/invalid` for anything else.
    pub fn snake_case(name: &str) -> Result<Self> {
        let ident = Self::new(name)?;
        let mut bytes = name.bytes();
        let starts_well = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
        if !starts_well || !bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return Err(Error::invalid("ident/invalid", "A name must match ^[a-z][a-z0-9_]*$")
                .with_hint("Use lowercase letters, digits and underscores, beginning with a letter"));
        }
        Ok(ident)
    }

    /// A name that stands in our own source.
    pub(crate) fn fixed(name: &'static str) -> Self {
        debug_assert!(Self::new(name).is_ok());
        Self(name.into())
    }

    /// The bare name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as SQL text: in double quotes, inner ones doubled. Quotes of every SQL text come from here.
    pub fn quoted(&self) -> Quoted<'_> {
        Quoted(&self.0)
    }

    /// The name as SQL text of MySQL: in backticks, inner ones doubled. Backticks of every SQL text come from here.
    pub fn backticked(&self) -> Backticked<'_> {
        Backticked(&self.0)
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Ident {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Displays an identifier in double quotes.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut rest = self.0;
        while let Some((part, behind)) = rest.split_once('"') {
            f.write_str(part)?;
            f.write_str("\"\"")?;
            rest = behind;
        }
        f.write_str(rest)?;
        f.write_str("\"")
    }
}

/// Displays an identifier in backticks.
#[derive(Debug, Clone, Copy)]
pub struct Backticked<'a>(&'a str);

impl fmt::Display for Backticked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        for (at, part) in self.0.split('`').enumerate() {
            f.write_str(if at > 0 { "``" } else { "" })?;
            f.write_str(part)?;
        }
        f.write_str("`")
    }
}

/// A text as an SQL literal, for DDL only (which takes no parameters); data always binds.
///
/// `standard_conforming_strings` may be off in a tenant's session, so a backslash forces the `E''` form.
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// A project's public name: 20 lowercase letters, part of URLs, schema and role names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref(Arc<str>);

impl Ref {
    /// Letters of a ref.
    pub const LENGTH: usize = 20;

    /// Wraps what the random source drew.
    pub(crate) fn generated(text: String) -> Self {
        debug_assert!(Self::from_str(&text).is_ok());
        Self(text.into())
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An identifier made of a fixed prefix, this ref and a fixed suffix.
    pub fn ident(&self, prefix: &'static str, suffix: &'static str) -> Ident {
        Ident(format!("{prefix}{}{suffix}", self.0).into())
    }
}

impl FromStr for Ref {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() == Self::LENGTH && text.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(Self(text.into()))
        } else {
            Err(Error::new(
                crate::error::ErrorKind::NotFound,
                "projects/not-found",
                "Project not found",
            )
            .with_hint("A project's ref is 20 lowercase letters"))
        }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Ref {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ref {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Declares an id type: a UUID that cannot be taken for another kind's.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A project's id.
    ProjectId
);
id!(
    /// A backend's id: the `databaseId` of the paths.
    BackendId
);
id!(
    /// A platform user's or end user's id: the `sub` of their tokens.
    UserId
);
id!(
    /// A designed table's id.
    TableId
);
id!(
    /// A project key's id.
    KeyId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_in_a_name_are_doubled() {
        for (name, quoted) in [
            ("plain", "`plain`"),
            ("a`b", "`a``b`"),
            ("`", "````"),
            ("`; drop table x; -- ", "```; drop table x; -- `"),
            ("a\"b\\", "`a\"b\\`"),
        ] {
            assert_eq!(Ident::new(name).unwrap().backticked().to_string(), quoted);
        }
    }

    #[test]
    fn quoted_doubles_inner_quotes() {
        let hostile = Ident::new(r#"a"; drop table b; --"#).unwrap();
        assert_eq!(hostile.quoted().to_string(), r#""a""; drop table b; --""#);
    }

    #[test]
    fn literal_survives_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
    }

    #[test]
    fn snake_case_refuses_what_would_need_quoting() {
        for bad in ["", "A", "1a", "a-b", "a b", "ä", "a\0", &"a".repeat(64)] {
            assert!(Ident::snake_case(bad).is_err(), "{bad:?}");
        }
        assert!(Ident::snake_case("todo_items2").is_ok());
    }

    #[test]
    fn ref_takes_exactly_twenty_lowercase_letters() {
        assert!("abcdefghijklmnopqrst".parse::<Ref>().is_ok());
        for bad in [
            "abc",
            "abcdefghijklmnopqrsT",
            "abcdefghijklmnopqrs1",
            "abcdefghijklmnopqrstu",
        ] {
            assert!(bad.parse::<Ref>().is_err(), "{bad}");
        }
    }
}
