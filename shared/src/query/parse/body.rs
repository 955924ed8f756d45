//! A write's body: checked and its keys read. JSON is kept as the text it was, anything else becomes JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::request::Body;
use super::super::shown;
use super::depth::too_deep;
use super::{csv, form};
use crate::error::{Error, ErrorKind, Result};

/// The most keys one object may have; a table has no more columns.
const MOST_KEYS: usize = 1_600;

/// What a body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// JSON, or nothing was said.
    Json,
    /// `text/csv`
    Csv,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `text/plain`, `text/xml` or `application/octet-stream`: the value of a function's single argument.
    Raw,
}

impl Content {
    /// Reads `Content-Type`.
    ///
    /// # Errors
    /// 415 `PGRST102` for any other type.
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let value = String::from_utf8_lossy(value.as_bytes());
        let name = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "application/json" | "application/vnd.pgrst.object+json" | "application/vnd.pgrst.array+json" => {
                Ok(Self::Json)
            }
            "text/csv" => Ok(Self::Csv),
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "text/plain" | "text/xml" | "application/octet-stream" => Ok(Self::Raw),
            _ => Err(not_acceptable(&name)),
        }
    }
}

fn not_acceptable(name: &str) -> Error {
    let message = format!("Content-Type not acceptable: {}", shown(name));
    Error::new(ErrorKind::UnsupportedMedia, "PGRST102", message)
}

/// Reads the rows of a write in the form that `Content-Type` names.
///
/// # Errors
/// `PGRST102`: 415 for a type that rows do not come in, 400 for what is not of the type.
pub(super) fn rows(headers: &HeaderMap, bytes: &[u8]) -> Result<Body> {
    match Content::of(headers)? {
        Content::Json => body(bytes),
        Content::Csv => csv::rows(utf8(bytes)?),
        Content::Form => form::row(bytes),
        Content::Raw => {
            let name = headers.get(CONTENT_TYPE).and_then(|name| name.to_str().ok());
            Err(not_acceptable(name.unwrap_or_default()))
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| invalid("not UTF-8".to_owned()))
}

/// Reads a JSON object, or an array of objects.
///
/// # Errors
/// `PGRST102` for anything else.
pub fn body(bytes: &[u8]) -> Result<Body> {
    let json = utf8(bytes)?;
    if too_deep(json) {
        return Err(invalid("nested too deeply".to_owned()));
    }
    let keys: Keys = serde_json::from_str(json)
        .map_err(|error| invalid(format!("{:?} error in column {}", error.classify(), error.column())))?;
    if !keys.objects {
        return Err(keys_differ());
    }
    Ok(Body {
        json: json.into(),
        is_array: keys.is_array,
        rows: keys.rows,
        keys: keys.first,
        uniform: keys.uniform,
    })
}

/// `PGRST102` for what is no JSON. The cause is for the log, where nobody's data belongs.
fn invalid(cause: String) -> Error {
    Error::invalid("PGRST102", "Empty or invalid json").with_source(cause)
}

/// `PGRST102` for rows of which one does not look like the other.
pub(in crate::query) fn keys_differ() -> Error {
    Error::invalid("PGRST102", "All object keys must match")
}

/// What is noted of a JSON body while it is checked.
struct Keys {
    is_array: bool,
    /// Whether all elements are objects.
    objects: bool,
    rows: usize,
    /// The keys of the first object, in order, each once.
    first: Vec<String>,
    /// Whether all objects have these keys.
    uniform: bool,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Outer)
    }
}

struct Outer;

impl<'de> Visitor<'de> for Outer {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Keys, A::Error> {
        let mut keys = Keys {
            is_array: false,
            objects: true,
            rows: 0,
            first: Vec::new(),
            uniform: true,
        };
        Row(&mut keys).visit_map(map)?;
        Ok(keys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Keys, A::Error> {
        let mut keys = Keys {
            is_array: true,
            objects: true,
            rows: 0,
            first: Vec::new(),
            uniform: true,
        };
        while seq.next_element_seed(Row(&mut keys))?.is_some() {}
        Ok(keys)
    }
}

/// Reads one element.
struct Row<'a>(&'a mut Keys);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Whatever is no object is noted and skipped.
macro_rules! no_object {
    ($($visit:ident($($argument:ident: $kind:ty)?);)*) => {
        $(fn $visit<E: serde::de::Error>(self $(, $argument: $kind)?) -> std::result::Result<(), E> {
            $(let _ = $argument;)?
            self.0.objects = false;
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    no_object! {
        visit_unit();
        visit_bool(value: bool);
        visit_i64(value: i64);
        visit_u64(value: u64);
        visit_f64(value: f64);
        visit_str(value: &str);
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        self.0.objects = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<(), A::Error> {
        let keys = self.0;
        keys.rows += 1;
        if keys.rows == 1 {
            keys.first = first_keys(map)?;
        } else {
            keys.uniform &= has_keys(map, &keys.first)?;
        }
        Ok(())
    }
}

/// The keys in order, each once: of two members of one name Postgres takes the last.
fn first_keys<'de, A: MapAccess<'de>>(mut map: A) -> std::result::Result<Vec<String>, A::Error> {
    let mut keys: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some((Key(key), IgnoredAny)) = map.next_entry()? {
        if seen.insert(key.clone().into_owned()) {
            keys.push(key.into_owned());
        }
        if keys.len() > MOST_KEYS {
            return Err(A::Error::custom(format_args!(
                "an object has more than {MOST_KEYS} keys"
            )));
        }
    }
    Ok(keys)
}

/// Whether an object has these keys, and no others. As a rule they come in the same order; then nothing is allocated.
fn has_keys<'de, A: MapAccess<'de>>(mut map: A, first: &[String]) -> std::result::Result<bool, A::Error> {
    let mut in_order = 0;
    let mut mixed: Option<BTreeSet<Cow<'_, str>>> = None;
    while let Some((Key(key), IgnoredAny)) = map.next_entry()? {
        match &mut mixed {
            None if first.get(in_order).is_some_and(|expected| *expected == key) => in_order += 1,
            None => {
                let before = first[..in_order].iter().map(|key| Cow::Owned(key.clone()));
                mixed = Some(before.chain([key]).collect());
            }
            Some(seen) if seen.len() <= first.len() => {
                seen.insert(key);
            }
            Some(_) => {}
        }
    }
    Ok(match mixed {
        None => in_order == first.len(),
        Some(seen) => seen.len() == first.len() && first.iter().all(|key| seen.contains(key.as_str())),
    })
}

/// A key, borrowed from the body unless it is escaped there.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor).map(Key)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
