//! The log as a file.

use serde::Serialize;
use serde_json::Value;

use super::{Chain, Filter, store};
use crate::app::App;
use crate::audit::{Entry, record};
use crate::control::page::{decode_cursor, encode_cursor};
use crate::error::{Error, Result};
use crate::tenancy::Caller;

/// Entries of one file at most, and bytes of it: the gateway takes replies up to 6 MB. The next one goes on behind it.
const MOST: i64 = 10_000;
const MOST_BYTES: usize = 5_000_000;

/// How an export is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object in a line, with all that is needed to verify the chain elsewhere.
    #[default]
    Ndjson,
    /// Comma-separated values (RFC 4180), for people.
    Csv,
}

impl Format {
    /// Of the query's `format`.
    ///
    /// # Errors
    /// `audit/format`.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("ndjson") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Error::invalid("audit/format", "An export is ndjson or csv")),
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// What the name of such a file ends with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// An exported entry. `hash` is the SHA-256 of the bytes of `previous`, `actorDigest`, `addressDigest` and `hashed`, one
/// behind the other; `actorDigest` that of `actorSalt` and `actor`, and so for the address. Bytes are hex.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exported {
    pub(super) sequence: i64,
    pub(super) at: String,
    pub(super) action: String,
    pub(super) target: Option<String>,
    pub(super) details: Value,
    pub(super) request_id: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) address: Option<String>,
    pub(super) id: String,
    pub(super) hashed: String,
    pub(super) actor_salt: Option<String>,
    pub(super) address_salt: Option<String>,
    pub(super) actor_digest: String,
    pub(super) address_digest: String,
    pub(super) previous: String,
    pub(super) hash: String,
}

/// A file, and where the next one goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The file.
    pub content: String,
    /// Sent as `cursor`, makes the next file; none when this is the last.
    pub next_cursor: Option<String>,
}

/// Writes a chain's entries that the filter fits into a file, oldest first. That somebody took them along is an entry
/// itself, written before they are read.
///
/// # Errors
/// `http/cursor`.
pub async fn export(
    app: &App,
    caller: &Caller,
    chain: Chain,
    filter: &Filter,
    format: Format,
    cursor: Option<&str>,
) -> Result<Export> {
    let after: i64 = cursor.map(decode_cursor).transpose()?.unwrap_or(0);
    let told = serde_json::to_value(filter).map_err(Error::internal)?;
    let entry = Entry::by(caller, chain.project(), "audit.export", format.extension()).with(fields_of(&told));
    record(app, &*app.control.get().await?, &entry).await?;
    let found = store::export(app, chain, filter, after, MOST + 1).await?;
    written(&found, format)
}

/// Which filters were used; what they were may be personal (an address, say).
fn fields_of(filter: &Value) -> Value {
    let names: Vec<_> = filter.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    if names.is_empty() {
        return Value::Null;
    }
    serde_json::json!({ "filtered": names })
}

fn written(found: &[Exported], format: Format) -> Result<Export> {
    let mut content = match format {
        Format::Ndjson => String::new(),
        Format::Csv => line(HEADINGS.map(str::to_owned))?,
    };
    let mut last = None;
    for (number, entry) in found.iter().enumerate() {
        let text = match format {
            Format::Ndjson => serde_json::to_string(entry).map_err(Error::internal)? + "\n",
            Format::Csv => line(cells(entry))?,
        };
        let full = i64::try_from(number).is_ok_and(|number| number >= MOST) || content.len() + text.len() > MOST_BYTES;
        if let Some(sequence) = last.filter(|_| full) {
            let next_cursor = Some(encode_cursor(&sequence));
            return Ok(Export { content, next_cursor });
        }
        content.push_str(&text);
        last = Some(entry.sequence);
    }
    Ok(Export {
        content,
        next_cursor: None,
    })
}

const HEADINGS: [&str; 9] = [
    "sequence",
    "at",
    "action",
    "target",
    "details",
    "requestId",
    "actor",
    "address",
    "hash",
];

fn cells(entry: &Exported) -> [String; 9] {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        entry.sequence.to_string(),
        entry.at.clone(),
        entry.action.clone(),
        or_empty(&entry.target),
        entry.details.to_string(),
        or_empty(&entry.request_id),
        or_empty(&entry.actor),
        or_empty(&entry.address),
        entry.hash.clone(),
    ]
}

fn line<const N: usize>(cells: [String; N]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let cells = cells.map(|cell| inert(&cell));
    writer.write_record(&cells).map_err(Error::internal)?;
    let bytes = writer.into_inner().map_err(Error::internal)?;
    String::from_utf8(bytes).map_err(Error::internal)
}

/// A cell that no spreadsheet takes for a formula: names of things are their owners' words.
pub(crate) fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: i64, target: &str) -> Exported {
        let text = || "00".to_owned();
        Exported {
            sequence,
            at: "2026-01-02T03:04:05Z".to_owned(),
            action: "keys.create".to_owned(),
            target: Some(target.to_owned()),
            details: serde_json::json!({ "class": "secret" }),
            request_id: None,
            actor: Some("user:1".to_owned()),
            address: None,
            id: text(),
            hashed: text(),
            actor_salt: None,
            address_salt: None,
            actor_digest: text(),
            address_digest: text(),
            previous: text(),
            hash: "ab".to_owned(),
        }
    }

    #[test]
    fn a_csv_quotes_and_disarms_its_cells() {
        let found = [entry(1, "a,\"b\"\nc"), entry(2, "=cmd()")];
        let file = written(&found, Format::Csv).unwrap();
        insta::assert_snapshot!(file.content.replace('\r', ""), @r#"
        sequence,at,action,target,details,requestId,actor,address,hash
        1,2026-01-02T03:04:05Z,keys.create,"a,""b""
        c","{""class"":""secret""}",,user:1,,ab
        2,2026-01-02T03:04:05Z,keys.create,'=cmd(),"{""class"":""secret""}",,user:1,,ab
        "#);
        assert_eq!(file.next_cursor, None);
    }

    #[test]
    fn a_file_that_is_full_says_where_the_next_one_goes_on() {
        let many: Vec<_> = (1..=MOST + 1).map(|sequence| entry(sequence, "t")).collect();
        let file = written(&many, Format::Ndjson).unwrap();
        assert_eq!(file.content.lines().count(), 10_000);
        assert_eq!(decode_cursor::<i64>(&file.next_cursor.unwrap()).unwrap(), MOST);
        let large: Vec<_> = (1..=3)
            .map(|sequence| entry(sequence, &"x".repeat(3_000_000)))
            .collect();
        let file = written(&large, Format::Ndjson).unwrap();
        assert_eq!(file.content.lines().count(), 1);
        assert_eq!(decode_cursor::<i64>(&file.next_cursor.unwrap()).unwrap(), 1);
        let file = written(&many[..10_000], Format::Csv).unwrap();
        assert_eq!((file.content.lines().count(), file.next_cursor), (10_001, None));
    }
}
