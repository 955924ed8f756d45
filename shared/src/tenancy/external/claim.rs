//! Where in a token the role is: a claim's name, or a path like PostgREST's `jwt-role-claim-key`.
//! See <https://postgrest.org/en/stable/references/auth.html#jwt-role-extraction>.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::token::Claims;

/// A path into the claims: `role`, `.realm.roles[0]`, `$.realm.role`, `."https://example.com/role"`,
/// `.realm.roles[?(@ == "admin")]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleClaim(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// The first text of an array for which that holds. Only the last step may be one.
    First(Comparison, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    Differs,
    StartsWith,
    EndsWith,
    Contains,
}

impl Comparison {
    /// As they are written; one that begins with another comes first.
    const ALL: [(Self, &str); 5] = [
        (Self::EndsWith, "==^"),
        (Self::Equals, "=="),
        (Self::Differs, "!="),
        (Self::StartsWith, "^=="),
        (Self::Contains, "*=="),
    ];

    fn holds(self, text: &str, with: &str) -> bool {
        match self {
            Self::Equals => text == with,
            Self::Differs => text != with,
            Self::StartsWith => text.starts_with(with),
            Self::EndsWith => text.ends_with(with),
            Self::Contains => text.contains(with),
        }
    }

    fn as_str(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(it, _)| *it == self).map_or("", |(_, text)| text)
    }
}

impl Default for RoleClaim {
    fn default() -> Self {
        Self(vec![Step::Key("role".to_owned())])
    }
}

impl RoleClaim {
    /// Takes a path.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix('$').unwrap_or(text);
        if !path.is_empty() && path.bytes().all(is_plain) {
            return Ok(Self(vec![Step::Key(path.to_owned())]));
        }
        let mut steps = Vec::new();
        let mut rest = path;
        while !rest.is_empty() {
            let (step, behind) = step(rest)
                .ok_or_else(|| {
                    format!(
                        "\"{rest}\" is no part of a path: .name, .\"any name\", [number] or, at its end, [?(@ == \"text\")] \
                         with ==, !=, ^==, ==^ or *=="
                    )
                })?;
            steps.push(step);
            rest = behind;
        }
        if steps.is_empty() {
            return Err("the path names nothing".to_owned());
        }
        Ok(Self(steps))
    }

    /// The role that the claims name, if they do. What is no text is taken as its JSON, as upstream.
    pub fn find(&self, claims: &Claims) -> Option<String> {
        let (first, rest) = self.0.split_first()?;
        let Step::Key(first) = first else { return None };
        let found = rest.iter().try_fold(claims.get(first)?, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
            Step::First(comparison, with) => {
                let matches = |item: &&Value| item.as_str().is_some_and(|text| comparison.holds(text, with));
                value.as_array()?.iter().find(matches)
            }
        });
        match found? {
            Value::Null => None,
            Value::String(role) => Some(role.clone()),
            other => Some(other.to_string()),
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@')
}

/// The first step of a path, and what is behind it.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(filter) = text.strip_prefix("[?(@") {
        let filter = filter.trim_start();
        let mut all = Comparison::ALL.iter();
        let (comparison, sign) = all.find(|(_, sign)| filter.starts_with(sign))?;
        let with = filter[sign.len()..].trim_start().strip_prefix('"')?;
        let (with, behind) = with.split_once('"')?;
        // Nothing may follow.
        let at_end = behind.trim_start() == ")]";
        return at_end.then(|| (Step::First(*comparison, with.to_owned()), ""));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (index, behind) = inner.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), behind));
    }
    let name = text.strip_prefix('.')?;
    if let Some(quoted) = name.strip_prefix('"') {
        let (name, behind) = quoted.split_once('"')?;
        return Some((Step::Key(name.to_owned()), behind)).filter(|_| !name.is_empty());
    }
    let end = name.bytes().position(|byte| !is_plain(byte)).unwrap_or(name.len());
    let (name, behind) = name.split_at(end);
    (!name.is_empty()).then(|| (Step::Key(name.to_owned()), behind))
}

impl fmt::Display for RoleClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Step::Key(only)] = self.0.as_slice()
            && only.bytes().all(is_plain)
        {
            return f.write_str(only);
        }
        for step in &self.0 {
            match step {
                Step::Key(key) if key.bytes().all(is_plain) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, ".\"{key}\"")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::First(comparison, with) => write!(f, "[?(@ {} \"{with}\")]", comparison.as_str())?,
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for RoleClaim {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<RoleClaim> for String {
    fn from(path: RoleClaim) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_the_role() {
        let claims = json!({
            "role": "plain", "app-role": "dashed", "number": 5, "nothing": null,
            "realm": {"roles": ["first", "second"], "https://example.com/role": "quoted"},
        });
        for (path, role) in [
            ("role", Some("plain")),
            (".role", Some("plain")),
            ("$.role", Some("plain")),
            ("app-role", Some("dashed")),
            (".realm.roles[1]", Some("second")),
            ("$.realm.roles[0]", Some("first")),
            (".realm.\"https://example.com/role\"", Some("quoted")),
            (".realm.roles[2]", None),
            (".number", Some("5")),
            (".nothing", None),
            (".missing.role", None),
            (".role.deeper", None),
            (".realm.roles[?(@ == \"second\")]", Some("second")),
            ("$.realm.roles[?(@ != \"first\")]", Some("second")),
            (".realm.roles[?(@ ^== \"fi\")]", Some("first")),
            (".realm.roles[?(@ ==^ \"ond\")]", Some("second")),
            (".realm.roles[?(@ *== \"irs\")]", Some("first")),
            (".realm.roles[?(@==\"third\")]", None),
            (".role[?(@ == \"plain\")]", None),
        ] {
            let parsed = RoleClaim::parse(path).unwrap();
            assert_eq!(parsed.find(claims.as_object().unwrap()).as_deref(), role, "{path}");
            assert_eq!(RoleClaim::parse(&parsed.to_string()).unwrap(), parsed, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in [
            "",
            "$",
            ".",
            "a.b",
            ".a..b",
            ".a[",
            ".a[x]",
            ".a[-1]",
            ".\"a",
            ".\"\"",
            ".a[?(@ == 1)]",
            "a b",
        ] {
            assert!(RoleClaim::parse(path).is_err(), "{path}");
        }
    }
}
