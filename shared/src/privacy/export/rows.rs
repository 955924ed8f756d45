//! Rows as JSON, which keeps them as they are, and as CSV, which people open.

use serde::de::IgnoredAny;

use super::archive::Archive;
use crate::audit::inert;
use crate::backend::{Fut, Sink, TextRow};
use crate::error::{Error, Result};
use crate::schema::catalog::Column;

/// What a column's texts stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    Json,
}

impl Kind {
    /// Of a column, by its type's name in any engine.
    pub fn of(column: &Column) -> Self {
        let whole = column.value_type().to_lowercase();
        let name = whole.split('(').next().unwrap_or_default().trim();
        match name {
            _ if whole.ends_with("[]") => Self::Text,
            "smallint" | "integer" | "bigint" | "real" | "double precision" | "numeric" | "decimal" | "int" | "tinyint"
            | "mediumint" | "float" | "double" => Self::Number,
            "boolean" | "bool" => Self::Boolean,
            "json" | "jsonb" => Self::Json,
            _ => Self::Text,
        }
    }

    /// A text as JSON. What is not what its column says (`NaN`, say) stays a text.
    fn write(self, text: &str, out: &mut String) {
        let bare = match self {
            Self::Text => None,
            Self::Number => serde_json::from_str::<serde_json::Number>(text).is_ok().then(|| text.to_owned()),
            Self::Boolean => match text {
                "t" | "true" | "1" => Some("true".to_owned()),
                "f" | "false" | "0" => Some("false".to_owned()),
                _ => None,
            },
            // Within a JSON's strings there are no line breaks: between its parts they mean nothing.
            Self::Json => serde_json::from_str::<IgnoredAny>(text)
                .is_ok()
                .then(|| text.replace(['\n', '\r'], " ")),
        };
        match bare {
            Some(bare) => out.push_str(&bare),
            None => out.push_str(&serde_json::Value::from(text).to_string()),
        }
    }
}

/// The columns of a file.
pub(super) struct Columns(pub Vec<(String, Kind)>);

impl Columns {
    /// Those columns.
    pub fn of<'a>(columns: impl IntoIterator<Item = &'a Column>) -> Self {
        let columns = columns.into_iter();
        Self(columns.map(|column| (column.name.as_str().to_owned(), Kind::of(column))).collect())
    }

    /// Those names, with texts in all of them.
    #[cfg(test)]
    pub fn texts(names: &[&str]) -> Self {
        Self(names.iter().map(|name| ((*name).to_owned(), Kind::Text)).collect())
    }

    fn json(&self, row: &TextRow, out: &mut String) {
        out.push('{');
        for (number, ((name, kind), value)) in self.0.iter().zip(row).enumerate() {
            if number > 0 {
                out.push_str(", ");
            }
            out.push_str(&serde_json::Value::from(name.as_str()).to_string());
            out.push_str(": ");
            match value {
                Some(text) => kind.write(text, out),
                None => out.push_str("null"),
            }
        }
        out.push('}');
    }
}

/// Writes rows into the file that is open in an archive: a JSON array with a row in each line.
pub(super) struct AsJson<'a> {
    archive: &'a mut Archive,
    columns: &'a Columns,
    rows: u64,
}

impl<'a> AsJson<'a> {
    pub fn new(archive: &'a mut Archive, columns: &'a Columns) -> Self {
        Self {
            archive,
            columns,
            rows: 0,
        }
    }

    /// Ends the array; how many rows it has.
    pub async fn end(self) -> Result<u64> {
        let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
        self.archive.write(end).await?;
        Ok(self.rows)
    }

    async fn add(&mut self, rows: Vec<TextRow>) -> Result<()> {
        let mut text = String::new();
        for row in &rows {
            text.push_str(if self.rows == 0 { "[\n" } else { ",\n" });
            self.columns.json(row, &mut text);
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

/// Writes rows into the file that is open in an archive, as RFC 4180 has it, with a line of names before them. What is not
/// there and what is empty look alike.
pub(super) struct AsCsv<'a> {
    archive: &'a mut Archive,
}

impl<'a> AsCsv<'a> {
    /// Begins with the names.
    pub async fn new(archive: &'a mut Archive, columns: &Columns) -> Result<Self> {
        let names = columns.0.iter().map(|(name, _)| Some(name.clone())).collect();
        let mut csv = Self { archive };
        csv.add(vec![names]).await?;
        Ok(csv)
    }

    async fn add(&mut self, rows: Vec<TextRow>) -> Result<()> {
        self.archive.write(&lines(&rows)?).await
    }
}

impl Sink for AsCsv<'_> {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        Box::pin(self.add(rows))
    }
}

fn lines(rows: &[TextRow]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| inert(cell.as_deref().unwrap_or_default()));
        writer.write_record(cells).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[Option<&str>]) -> TextRow {
        cells.iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    #[test]
    fn json_keeps_what_columns_hold() {
        let columns = Columns(vec![
            ("n".to_owned(), Kind::Number),
            ("b\"".to_owned(), Kind::Boolean),
            ("j".to_owned(), Kind::Json),
            ("t".to_owned(), Kind::Text),
        ]);
        let mut out = String::new();
        for cells in [
            [Some("-12345678901234567890.5"), Some("t"), Some("{\n\"a\\n\": 1}"), Some("=1\n\"x\"")],
            [Some("NaN"), Some("f"), Some("not"), None],
            [None, Some("maybe"), None, Some("")],
        ] {
            columns.json(&row(&cells), &mut out);
            out.push('\n');
        }
        insta::assert_snapshot!(out, @r#"
        {"n": -12345678901234567890.5, "b\"": true, "j": { "a\n": 1}, "t": "=1\n\"x\""}
        {"n": "NaN", "b\"": false, "j": "not", "t": null}
        {"n": null, "b\"": "maybe", "j": null, "t": ""}
        "#);
    }

    #[test]
    fn csv_disarms_formulas_and_quotes_what_needs_it() {
        let rows = [
            row(&[Some("=HYPERLINK(\"x\")"), Some("+1"), Some("-2")]),
            row(&[Some("@a"), Some("\tb"), Some("\rc")]),
            row(&[Some("a,b"), Some("c\nd"), None]),
            row(&[Some("x=1"), Some(""), Some("ü")]),
        ];
        let text = String::from_utf8(lines(&rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "\"'=HYPERLINK(\"\"x\"\")\",'+1,'-2\r\n'@a,'\tb,\"'\rc\"\r\n\"a,b\",\"c\nd\",\r\nx=1,,ü\r\n"
        );
    }

    #[test]
    fn types_of_every_engine_are_known() {
        for (name, expected) in [
            ("integer", Kind::Number),
            ("numeric(10,2)", Kind::Number),
            ("int(11) unsigned", Kind::Number),
            ("tinyint(1)", Kind::Number),
            ("integer[]", Kind::Text),
            ("boolean", Kind::Boolean),
            ("jsonb", Kind::Json),
            ("character varying(20)", Kind::Text),
            ("timestamp with time zone", Kind::Text),
        ] {
            let column = Column {
                name: crate::ident::Ident::new("x").unwrap(),
                data_type: name.to_owned(),
                base_type: None,
                nullable: true,
                default: None,
                generated: false,
                comment: None,
            };
            assert_eq!(Kind::of(&column), expected, "{name}");
        }
    }
}
