//! A write's JSON body: checked and its keys read, the text itself kept.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::request::Body;
use super::super::shown;
use crate::error::{Error, Result};

/// Reads a JSON object, or an array of objects.
///
/// # Errors
/// `PGRST102` for anything else.
pub fn body(bytes: &[u8]) -> Result<Body> {
    let json = std::str::from_utf8(bytes)
        .map_err(|_| Error::invalid("PGRST102", "Empty or invalid json").with_details("the body is not UTF-8"))?;
    let keys: Keys = serde_json::from_str(json).map_err(|error| {
        Error::invalid("PGRST102", "Empty or invalid json")
            .with_details(shown(&error.to_string()))
            .with_hint("Send a JSON object, or an array of objects")
    })?;
    let Keys {
        is_array,
        rows,
        keys,
        uniform,
    } = keys;
    Ok(Body {
        json: json.to_owned(),
        is_array,
        rows,
        keys,
        uniform,
    })
}

struct Keys {
    is_array: bool,
    rows: usize,
    keys: Vec<String>,
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
        Ok(Keys {
            is_array: false,
            rows: 1,
            keys: Inner.visit_map(map)?.0,
            uniform: true,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Keys, A::Error> {
        let mut all = Keys {
            is_array: true,
            rows: 0,
            keys: Vec::new(),
            uniform: true,
        };
        let mut first_sorted = Vec::new();
        while let Some(RowKeys(keys)) = seq.next_element()? {
            if all.rows == 0 {
                first_sorted = sorted(&keys);
                all.keys = keys;
            } else if all.uniform {
                all.uniform = keys == all.keys || sorted(&keys) == first_sorted;
            }
            all.rows += 1;
        }
        Ok(all)
    }
}

fn sorted(keys: &[String]) -> Vec<String> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys
}

struct RowKeys(Vec<String>);

impl<'de> Deserialize<'de> for RowKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Inner)
    }
}

struct Inner;

impl<'de> Visitor<'de> for Inner {
    type Value = RowKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<RowKeys, A::Error> {
        const MOST: usize = 1_600;
        let mut keys: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            // Of two members of one name Postgres takes the last.
            if seen.insert(key.clone()) {
                keys.push(key);
            }
            if keys.len() > MOST {
                return Err(A::Error::custom(format_args!("an object has more than {MOST} keys")));
            }
        }
        Ok(RowKeys(keys))
    }
}
