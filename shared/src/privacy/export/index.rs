//! What is in an export and how it was found, for people and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::archive::Archive;
use crate::error::{Error, Result};
use crate::ident::Ref;
use crate::privacy::requests::{Request, Scope};
use crate::schema::hidden;
use crate::subject::Path;

/// An export's table of contents.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    /// Names the format of this file and of those that it names.
    format: &'static str,
    request_id: String,
    scope: &'static str,
    /// Whether the person asked for it themself; else somebody did who runs the app or the platform.
    asked_by_them: bool,
    requested_at: String,
    /// All data is as it was then.
    as_of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Project>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<Map>,
    tables: Vec<Table>,
    files: Vec<File>,
    /// What may be about the person and is not in here.
    not_included: Vec<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Project {
    #[serde(rename = "ref")]
    reference: String,
    name: String,
}

#[derive(Serialize)]
struct Map {
    /// Of the confirmed one.
    version: Option<i32>,
    note: String,
}

/// A table, or a kind of what is kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub table: String,
    /// How its rows were found.
    pub paths: Vec<String>,
    pub rows: u64,
    pub files: Vec<String>,
    /// Whether it is a deleted table that can still be restored.
    pub in_trash: bool,
}

#[derive(Serialize)]
struct File {
    file: String,
    about: String,
}

impl Index {
    pub fn new(asked: &Request, now: Timestamp) -> Self {
        let notes = [
            "The JSON files have the data exactly as it is kept: each is a list with a row in each line.".to_owned(),
            "The CSV files have the same rows for spreadsheets: in UTF-8, with a line of names first. There, what is null \
             and what is empty look alike, and a cell that begins with =, +, -, @, a tab or a carriage return has an \
             apostrophe before it, so that no spreadsheet takes it for a formula (OWASP, CSV injection)."
                .to_owned(),
        ];
        Self {
            format: "plinth-export/1",
            request_id: asked.id.to_string(),
            scope: asked.scope.as_str(),
            asked_by_them: asked.own,
            requested_at: asked.created_at.to_string(),
            as_of: now.to_string(),
            project: None,
            map: None,
            tables: Vec::new(),
            files: Vec::new(),
            not_included: Vec::new(),
            notes: notes.into(),
        }
    }

    pub fn of_project(&mut self, reference: &Ref, name: &str) {
        self.project = Some(Project {
            reference: reference.to_string(),
            name: name.to_owned(),
        });
        self.notes.push(format!(
            "Rows with a value in {} have been deleted and can still be restored; names that end in (removed) are of columns \
             that have been removed and can be, too.",
            hidden::DELETED_AT
        ));
    }

    /// Which map the rows were found by.
    pub fn by_map(&mut self, version: Option<i32>, stale: bool) {
        let note = match (version, stale) {
            (None, _) => "Found by foreign keys and names; nobody has confirmed that this is all".to_owned(),
            (Some(version), false) => format!("Version {version} of the subject map, as the app's owner confirmed it"),
            (Some(version), true) => format!(
                "Version {version} of the subject map; the tables have changed since it was confirmed, and what is new was \
                 added as it was found"
            ),
        };
        self.map = Some(Map { version, note });
    }

    pub fn add(&mut self, table: Table) {
        self.tables.push(table);
    }

    pub fn file(&mut self, file: &str, about: &str) {
        self.files.push(File {
            file: file.to_owned(),
            about: about.to_owned(),
        });
    }

    /// A column that looks personal and is linked to nobody.
    pub fn gap(&mut self, table: &str, column: &str) {
        self.not_included.push(format!(
            "{table}.{column} looks personal, and nothing says whose its rows are"
        ));
    }

    pub fn limit(&mut self, limit: &str) {
        self.not_included.push(limit.to_owned());
    }

    /// How many rows all tables have.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Writes it, for programs and for people.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn write(&self, archive: &mut Archive) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(Error::internal)?;
        archive.file("", "index", "json", json.as_bytes()).await?;
        let page = self.page().map_err(Error::internal)?;
        archive.file("", "index", "html", page.as_bytes()).await?;
        Ok(())
    }

    fn page(&self) -> Result<String, std::fmt::Error> {
        let mut page = String::from(HEAD);
        let of = self
            .project
            .as_ref()
            .map(|project| format!(" by {}", escaped(&project.name)));
        write!(
            page,
            "<h1>A copy of what is kept about you{}</h1>\n<dl>\n",
            of.unwrap_or_default()
        )?;
        let asked = match (self.asked_by_them, self.scope == Scope::PlatformUser.as_str()) {
            (true, _) => "you yourself",
            (false, true) => "you, or those who run the platform",
            (false, false) => "those who run the app",
        };
        for (name, value) in [
            ("Asked for by", asked),
            ("Asked for at", self.requested_at.as_str()),
            ("As it was at", self.as_of.as_str()),
            ("Request", self.request_id.as_str()),
            (
                "Found by",
                self.map.as_ref().map_or("the account", |map| map.note.as_str()),
            ),
        ] {
            writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(value))?;
        }
        page.push_str("</dl>\n<h2>Tables</h2>\n<table>\n<tr><th>Table</th><th>Rows</th><th>How they are yours</th><th>Files</th></tr>\n");
        for table in &self.tables {
            let trash = if table.in_trash { " (a deleted table)" } else { "" };
            let files: Vec<_> = table.files.iter().map(|file| linked(file)).collect();
            writeln!(
                page,
                "<tr><td>{}{trash}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&table.table),
                table.rows,
                escaped(&table.paths.join("; or ")),
                files.join("<br>")
            )?;
        }
        page.push_str("</table>\n<h2>Other files</h2>\n<ul>\n");
        for file in &self.files {
            writeln!(page, "<li>{}: {}</li>", linked(&file.file), escaped(&file.about))?;
        }
        page.push_str("</ul>\n");
        for (title, texts) in [
            ("What is not in here", &self.not_included),
            ("How to read it", &self.notes),
        ] {
            if texts.is_empty() {
                continue;
            }
            write!(page, "<h2>{title}</h2>\n<ul>\n")?;
            for text in texts {
                writeln!(page, "<li>{}</li>", escaped(text))?;
            }
            page.push_str("</ul>\n");
        }
        page.push_str("</html>\n");
        Ok(page)
    }
}

/// Nothing in it runs, and nothing is fetched.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
    <title>A copy of your data</title>\n\
    <style>body{font-family:sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse}\
    td,th{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}dt{font-weight:bold}</style>\n";

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// The names of files have no characters that mean something in an address, but letters of any alphabet.
fn linked(file: &str) -> String {
    let file = escaped(file);
    format!("<a href=\"{file}\">{file}</a>")
}

/// How rows are found, for people to read.
pub(super) fn in_words(paths: &[Path]) -> Vec<String> {
    if paths.is_empty() {
        return vec!["the person's own row".to_owned()];
    }
    paths.iter().map(way).collect()
}

fn way(path: &Path) -> String {
    if path.0.is_empty() {
        return "the person's own row".to_owned();
    }
    let hops: Vec<_> = path
        .0
        .iter()
        .map(|hop| {
            let columns = hop.columns.join(", ");
            match &hop.references {
                Some(table) => format!("{columns} → {table} ({})", hop.referenced_columns.join(", ")),
                None => format!("{columns} is the person's id"),
            }
        })
        .collect();
    hops.join(", then ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::privacy::requests::Kind;
    use crate::subject::Hop;

    #[test]
    fn ways_are_told_in_words() {
        let hop = |columns: &[&str], references: Option<&str>, there: &[&str]| Hop {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            references: references.map(str::to_owned),
            referenced_columns: there.iter().map(|name| (*name).to_owned()).collect(),
        };
        let paths = [
            Path(vec![]),
            Path(vec![
                hop(&["order_id", "shop"], Some("orders"), &["id", "shop"]),
                hop(&["customer"], None, &[]),
            ]),
        ];
        assert_eq!(
            in_words(&paths),
            [
                "the person's own row",
                "order_id, shop → orders (id, shop), then customer is the person's id"
            ]
        );
    }

    #[test]
    fn a_page_shows_names_and_runs_none_of_them() {
        let at = Timestamp::UNIX_EPOCH;
        let asked = Request {
            id: Uuid::nil(),
            kind: Kind::Export,
            scope: Scope::EndUser,
            project: None,
            subject: None,
            plan: None,
            token_hash: None,
            receipt_hash: None,
            job: None,
            own: false,
            by: None,
            created_at: at,
            expires_at: None,
        };
        let mut index = Index::new(&asked, at);
        index.of_project(&"abcdefghijklmnopqrst".parse().unwrap(), "<script>alert(1)</script>");
        index.by_map(None, false);
        index.add(Table {
            table: "<img src=x onerror=alert(1)>".to_owned(),
            paths: in_words(&[]),
            rows: 3,
            files: vec!["tables/a.json".to_owned()],
            in_trash: true,
        });
        index.gap("notes", "phone");
        index.file("account.json", "The account");
        let page = index.page().unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        for expected in [
            "by &lt;script&gt;alert(1)&lt;/script&gt;</h1>",
            "<td>&lt;img src=x onerror=alert(1)&gt; (a deleted table)</td><td>3</td>",
            "<a href=\"tables/a.json\">tables/a.json</a>",
            "nobody has confirmed that this is all",
            "<li>notes.phone looks personal, and nothing says whose its rows are</li>",
        ] {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
        assert_eq!((index.rows(), index.tables()), (3, 1));
    }
}
