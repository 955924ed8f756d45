//! Rows as comma-separated values under a line of names, RFC 4180.

use super::super::request::Body;
use crate::error::{Error, Result};

/// Reads the rows; an unquoted or quoted `NULL` is null, everything else a text that Postgres reads as the column's
/// type. Empty lines are skipped.
///
/// # Errors
/// `PGRST102` without a line of names, for a quote that does not end, and for lines of different lengths.
pub(super) fn rows(text: &str) -> Result<Body> {
    let mut lines = Lines(text.strip_prefix('\u{feff}').unwrap_or(text));
    let names = lines.next().transpose()?;
    let names = names.ok_or_else(|| Error::invalid("PGRST102", "Empty or invalid csv"))?;
    let mut json = String::with_capacity(text.len() * 2);
    let mut rows = 0;
    json.push('[');
    for line in lines {
        let fields = line?;
        if fields.len() != names.len() {
            return Err(Error::invalid("PGRST102", "All lines must have same number of fields"));
        }
        json.push_str(if rows == 0 { "{" } else { ",{" });
        for (at, (name, field)) in names.iter().zip(&fields).enumerate() {
            if at > 0 {
                json.push(',');
            }
            push_text(&mut json, name);
            json.push(':');
            match field.as_str() {
                "NULL" => json.push_str("null"),
                text => push_text(&mut json, text),
            }
        }
        json.push('}');
        rows += 1;
    }
    json.push(']');
    Ok(Body {
        json: json.into(),
        is_array: true,
        rows,
        keys: names,
        uniform: true,
    })
}

/// Adds a JSON string.
pub(super) fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

/// What is left to be read, line by line; a line may go on inside of quotes.
struct Lines<'a>(&'a str);

impl Iterator for Lines<'_> {
    type Item = Result<Vec<String>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0 = self.0.trim_start_matches(['\r', '\n']);
        if self.0.is_empty() {
            return None;
        }
        let mut fields = Vec::new();
        loop {
            match self.field() {
                Ok(field) => fields.push(field),
                Err(error) => return Some(Err(error)),
            }
            match self.0.strip_prefix(',') {
                Some(rest) => self.0 = rest,
                None => return Some(Ok(fields)),
            }
        }
    }
}

impl Lines<'_> {
    /// Reads a field, up to the comma or the end of the line.
    fn field(&mut self) -> Result<String> {
        let Some(mut rest) = self.0.strip_prefix('"') else {
            let end = self.0.find([',', '\r', '\n']).unwrap_or(self.0.len());
            let (field, rest) = self.0.split_at(end);
            self.0 = rest;
            return Ok(field.to_owned());
        };
        let mut field = String::new();
        loop {
            let Some((text, behind)) = rest.split_once('"') else {
                return Err(malformed("A quoted field does not end"));
            };
            field.push_str(text);
            match behind.strip_prefix('"') {
                Some(behind) => {
                    field.push('"');
                    rest = behind;
                }
                None if behind.is_empty() || behind.starts_with([',', '\r', '\n']) => {
                    self.0 = behind;
                    return Ok(field);
                }
                None => return Err(malformed("There is text behind a closing quote")),
            }
        }
    }
}

fn malformed(details: &'static str) -> Error {
    Error::invalid("PGRST102", "Empty or invalid csv")
        .with_details(details)
        .with_hint("Double the quotes inside of a quoted field")
}
