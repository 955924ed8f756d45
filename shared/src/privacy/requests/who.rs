//! How a person is named: by those who ask, and in a request's row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::subject::Subject;
use crate::tenancy::{Project, Tier};

/// Bytes of a name at most.
const LONGEST: usize = 1000;

/// A person, as somebody who asks names them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AskedSubject {
    /// An id, or what has an `@` in it: an e-mail address.
    Text(String),
    /// One of the ways that say which it is.
    Named(NamedSubject),
}

/// A person, named in one way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum NamedSubject {
    /// `{"id"}`: the account's, or the root table's key where that is one column.
    Id(String),
    /// `{"email"}`.
    Email(String),
    /// `{"key": {"<column>": "<value>"}}`: all columns of the root table's key.
    Key(BTreeMap<String, String>),
}

impl AskedSubject {
    /// In which way they are named. What was copied with blanks around it is meant without them; an `id` or `key` is taken as
    /// it is.
    ///
    /// # Errors
    /// 400 `privacy/subject` for an empty name, one of more than 1,000 bytes, or one with a NUL in it.
    pub fn named(&self) -> Result<NamedSubject> {
        let named = match self {
            Self::Text(text) if text.contains('@') => NamedSubject::Email(text.trim().to_owned()),
            Self::Text(text) => NamedSubject::Id(text.trim().to_owned()),
            Self::Named(NamedSubject::Email(text)) => NamedSubject::Email(text.trim().to_owned()),
            Self::Named(named) => named.clone(),
        };
        let good = |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.contains('\0');
        let fine = match &named {
            NamedSubject::Id(text) | NamedSubject::Email(text) => good(text),
            NamedSubject::Key(key) => !key.is_empty() && key.iter().all(|(name, value)| good(name) && good(value)),
        };
        if fine {
            return Ok(named);
        }
        Err(
            Error::invalid("privacy/subject", "The subject does not name a person").with_hint(
                "Send their id or e-mail address, or an object with one of id, email and key; texts of up to 1,000 bytes",
            ),
        )
    }
}

/// A person that was found, in the one way that a request's row names them: `{"id": …}` or `{"key": {…}}`. Whoever is found
/// twice is named alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// An account's id, or a person's where there is no table of people.
    Id(String),
    /// The values of the root table's key, as the database writes them.
    Key(BTreeMap<String, String>),
}

impl Who {
    /// As statements about their rows name them.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Id(id) => Subject::of_id(id.as_str()),
            Self::Key(key) => Subject::of_key(key.clone()),
        }
    }

    /// Their account's id, where the project keeps accounts: beside a database of the owner's own it keeps none.
    pub fn account(&self, project: &Project) -> Option<Uuid> {
        let tier = project.backend.as_ref().map(|backend| backend.tier);
        match self {
            Self::Id(id) if tier == Some(Tier::Managed) => id.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_subject_is_named_in_one_of_four_ways() {
        let key = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            NamedSubject::Key(pairs.collect())
        };
        for (asked, expected) in [
            (json!("42"), Some(NamedSubject::Id("42".to_owned()))),
            (
                json!("a@b.example"),
                Some(NamedSubject::Email("a@b.example".to_owned())),
            ),
            (json!({"id": "a@b"}), Some(NamedSubject::Id("a@b".to_owned()))),
            (json!({"email": "x"}), Some(NamedSubject::Email("x".to_owned()))),
            (
                json!({"key": {"a": "1", "b": "2"}}),
                Some(key(&[("a", "1"), ("b", "2")])),
            ),
            (json!(" 42\n"), Some(NamedSubject::Id("42".to_owned()))),
            (
                json!("\ta@b.example "),
                Some(NamedSubject::Email("a@b.example".to_owned())),
            ),
            (json!({"email": " x "}), Some(NamedSubject::Email("x".to_owned()))),
            (json!({"id": " 42"}), Some(NamedSubject::Id(" 42".to_owned()))),
            (json!("  "), None),
            (json!(""), None),
            (json!({"key": {}}), None),
            (json!({"id": "a\u{0}"}), None),
            (json!("x".repeat(1001)), None),
        ] {
            let read: AskedSubject = serde_json::from_value(asked.clone()).unwrap();
            assert_eq!(read.named().ok(), expected, "{asked}");
        }
        for garbage in [
            json!(3),
            json!({}),
            json!({"name": "x"}),
            json!({"id": "1", "email": "2"}),
            json!(null),
        ] {
            assert!(
                serde_json::from_value::<AskedSubject>(garbage.clone()).is_err(),
                "{garbage}"
            );
        }
    }

    #[test]
    fn who_is_found_is_kept_as_an_id_or_a_key() {
        let id = Who::Id("7".to_owned());
        assert_eq!(serde_json::to_value(&id).unwrap(), json!({"id": "7"}));
        let key = Who::Key(BTreeMap::from([("a".to_owned(), "1".to_owned())]));
        assert_eq!(serde_json::to_value(&key).unwrap(), json!({"key": {"a": "1"}}));
    }
}
