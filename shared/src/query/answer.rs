//! Rows of an engine that does not make the reply itself, on their way into its body; bounded.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::Plan;
use super::postgres::too_large;
use super::request::Format;
use crate::error::{Error, Result};

/// Rows as JSON texts.
#[derive(Default)]
pub struct Answer {
    rows: Vec<Vec<u8>>,
    length: u64,
    most: Option<u64>,
}

impl Answer {
    /// None yet, of that plan's reply.
    pub fn of(plan: &Plan) -> Self {
        Self {
            most: plan.max_reply,
            ..Self::default()
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `records/reply-too-large` as soon as it is; also for one that the server itself could not make.
    pub fn add(&mut self, row: Option<Vec<u8>>) -> Result<()> {
        let row = row.ok_or_else(|| too_large(self.length))?;
        // The gateway takes bodies as JSON strings: a quote takes two bytes there.
        let escaped = row.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        self.length += (row.len() + escaped + 1) as u64;
        self.rows.push(row);
        match self.most {
            Some(most) if self.length > most => Err(too_large(self.length)),
            _ => Ok(()),
        }
    }

    /// Rows so far.
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The reply's body.
    ///
    /// # Errors
    /// When the server made no JSON.
    pub fn body(&self, plan: &Plan) -> Result<Option<Bytes>> {
        if !plan.shows_rows() {
            return Ok(None);
        }
        if plan.accept.format == Format::Csv {
            return self.csv(plan).map(Some);
        }
        if plan.accept.singular {
            return Ok(self.rows.first().cloned().map(Bytes::from));
        }
        let mut body = b"[".to_vec();
        body.extend(self.rows.join(&b','));
        body.push(b']');
        Ok(Some(body.into()))
    }

    fn csv(&self, plan: &Plan) -> Result<Bytes> {
        let names = plan.shown.members();
        let header: Vec<_> = names.iter().map(|name| field(name.as_str())).collect();
        let mut lines = vec![header.join(",")];
        for row in &self.rows {
            let row: HashMap<String, &RawValue> = serde_json::from_slice(row).map_err(Error::internal)?;
            let fields = names
                .iter()
                .map(|name| row.get(name.as_str()).map_or_else(String::new, |json| cell(json)));
            lines.push(fields.collect::<Vec<_>>().join(","));
        }
        // Without rows the line of names ends as any other.
        let mut text = lines.join("\n");
        if self.rows.is_empty() {
            text.push('\n');
        }
        Ok(text.into())
    }
}

fn cell(json: &RawValue) -> String {
    match serde_json::from_str::<String>(json.get()) {
        // An empty text is told from null, as Postgres does it.
        Ok(text) if text.is_empty() => "\"\"".to_owned(),
        Ok(text) => field(&text),
        Err(_) if json.get() == "null" => String::new(),
        Err(_) => field(json.get()),
    }
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
