//! Rows as JSON, which keeps them as they are, and as CSV, which people open.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::archive::Archive;
use crate::audit::inert;
use crate::backend::{Fut, Sink, TextRow};
use crate::error::{Error, Result};

/// Writes rows, each an object's JSON, into the file that is open in an archive: as an array with a row in each line.
pub(super) struct AsJson<'a> {
    archive: &'a mut Archive,
    rows: u64,
}

impl<'a> AsJson<'a> {
    pub fn new(archive: &'a mut Archive) -> Self {
        Self { archive, rows: 0 }
    }

    /// Ends the array; how many rows it has.
    pub async fn end(self) -> Result<u64> {
        let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
        self.archive.write(end).await?;
        Ok(self.rows)
    }

    async fn add(&mut self, rows: Vec<TextRow>) -> Result<()> {
        let mut text = String::new();
        for row in rows.iter().flatten().flatten() {
            text.push_str(if self.rows == 0 { "[\n" } else { ",\n" });
            // Within a JSON's strings there are no line breaks; between its parts they mean nothing.
            text.push_str(&row.replace(['\n', '\r'], " "));
            self.rows += 1;
        }
        self.archive.write(text.as_bytes()).await
    }
}

impl Sink for AsJson<'_> {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        Box::pin(self.add(rows))
    }
}

/// Writes rows, each an object's JSON, into the file that is open in an archive: as RFC 4180 has it, behind a line of names.
/// What is null and what is empty look alike.
pub(super) struct AsCsv<'a> {
    archive: &'a mut Archive,
    /// The names, until they are written.
    names: Option<Vec<String>>,
    begun: bool,
}

impl<'a> AsCsv<'a> {
    /// With those names, or none: the first row's.
    pub fn new(archive: &'a mut Archive, names: Option<Vec<String>>) -> Self {
        Self {
            archive,
            names,
            begun: false,
        }
    }

    /// Ends the file: without rows it has its names.
    pub async fn end(mut self) -> Result<()> {
        self.add(Vec::new()).await
    }

    async fn add(&mut self, rows: Vec<TextRow>) -> Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let mut write = |cells: &[String]| match cells {
            [] => Ok(()),
            cells => writer
                .write_record(cells.iter().map(|cell| inert(cell)))
                .map_err(Error::internal),
        };
        if !self.begun
            && let Some(names) = self.names.take()
        {
            self.begun = true;
            write(&names)?;
        }
        for text in rows.iter().flatten().flatten() {
            let row: Cells = serde_json::from_str(text).map_err(Error::internal)?;
            if !self.begun {
                self.begun = true;
                write(&row.names)?;
            }
            write(&row.values)?;
        }
        let lines = writer.into_inner().map_err(Error::internal)?;
        self.archive.write(&lines).await
    }
}

impl Sink for AsCsv<'_> {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        Box::pin(self.add(rows))
    }
}

/// An object's members in their order: texts bare, the rest as JSON writes it.
struct Cells {
    names: Vec<String>,
    values: Vec<String>,
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Cells;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cells, A::Error> {
        let mut cells = Cells {
            names: Vec::new(),
            values: Vec::new(),
        };
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            cells.names.push(name);
            cells.values.push(bare(value.get()).map_err(serde::de::Error::custom)?);
        }
        Ok(cells)
    }
}

fn bare(json: &str) -> serde_json::Result<String> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json),
        Some(b'n') => serde_json::from_str::<IgnoredAny>(json).map(|_| String::new()),
        _ => Ok(json.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::export::files::in_a_folder;

    fn rows(rows: &[&str]) -> Vec<TextRow> {
        rows.iter().map(|row| vec![Some((*row).to_owned())]).collect()
    }

    #[tokio::test]
    async fn json_keeps_rows_as_they_are_one_in_a_line() {
        let (mut archive, read) = in_a_folder().await;
        archive.begin("", "a", "json").unwrap();
        let mut json = AsJson::new(&mut archive);
        json.take(rows(&["{\"n\":-12345678901234567890.50,\n\"t\":\"a\\nb\"}"]))
            .await
            .unwrap();
        json.take(rows(&["{\"n\":null,\"t\":\"=1\"}"])).await.unwrap();
        assert_eq!(json.end().await.unwrap(), 2);
        archive.begin("", "b", "json").unwrap();
        assert_eq!(AsJson::new(&mut archive).end().await.unwrap(), 0);
        let files = read(archive).await;
        insta::assert_snapshot!(files["a.json"], @r#"
        [
        {"n":-12345678901234567890.50, "t":"a\nb"},
        {"n":null,"t":"=1"}
        ]
        "#);
        assert_eq!(files["b.json"], "[]\n");
    }

    #[tokio::test]
    async fn csv_disarms_formulas_and_quotes_what_needs_it() {
        let (mut archive, read) = in_a_folder().await;
        archive.begin("", "a", "csv").unwrap();
        let mut csv = AsCsv::new(&mut archive, Some(vec!["=x".to_owned(), "y".to_owned()]));
        csv.take(rows(&[
            r#"{"=x":"=HYPERLINK(\"x\")","y":-2.50}"#,
            r#"{"=x":"@a","y":"\tb"}"#,
            r#"{"=x":"+1","y":"\rc"}"#,
            r#"{"=x":"a,b\nc","y":null}"#,
            r#"{"=x":"x=1","y":{"k": [1, "z"]}}"#,
        ]))
        .await
        .unwrap();
        csv.end().await.unwrap();
        archive.begin("", "b", "csv").unwrap();
        AsCsv::new(&mut archive, Some(vec!["n".to_owned()]))
            .end()
            .await
            .unwrap();
        archive.begin("", "c", "csv").unwrap();
        let mut csv = AsCsv::new(&mut archive, None);
        csv.take(rows(&[r#"{"b":true,"a":""}"#])).await.unwrap();
        csv.end().await.unwrap();
        let files = read(archive).await;
        assert_eq!(
            files["a.csv"],
            "'=x,y\r\n\"'=HYPERLINK(\"\"x\"\")\",'-2.50\r\n'@a,'\tb\r\n'+1,\"'\rc\"\r\n\"a,b\nc\",\r\n\
             x=1,\"{\"\"k\"\": [1, \"\"z\"\"]}\"\r\n"
        );
        assert_eq!(files["b.csv"], "n\r\n");
        assert_eq!(files["c.csv"], "b,a\r\ntrue,\"\"\r\n".replace(",\"\"", ","));
    }
}
