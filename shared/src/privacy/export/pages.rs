//! What the control database has of somebody, page by page, as JSON and as CSV.

use serde::Serialize;

use super::archive::Archive;
use super::index::{Index, Table};
use super::rows::{AsCsv, AsJson};
use crate::app::App;
use crate::backend::{Sink, TextRow};
use crate::error::{Error, Result};
use crate::ident::UserId;
use crate::privacy::identity::{Person, entries_of};
use crate::privacy::people::{Section, facts_of_user};

/// Rows read at once.
const AT_ONCE: i64 = 200;

/// One of the kinds of what is kept of a platform user.
pub(super) async fn section(
    app: &App,
    user: UserId,
    section: &'static Section,
    archive: &mut Archive,
    index: &mut Index,
) -> Result<()> {
    let source = Source::Section(user, section);
    let (rows, files) = source.write(app, "tables/", section.name, archive).await?;
    index.add(Table {
        table: section.name.to_owned(),
        paths: vec![section.about.to_owned()],
        rows,
        files,
        in_trash: false,
    });
    Ok(())
}

/// Entries of the audit log that somebody made or that are about them.
pub(super) async fn audit(app: &App, person: Person, archive: &mut Archive, index: &mut Index) -> Result<()> {
    let (rows, files) = Source::Audit(person).write(app, "", "audit", archive).await?;
    for file in files {
        index.file(
            &file,
            &format!("What the audit log has of them: {rows} entries that they made or that are about them"),
        );
    }
    Ok(())
}

/// What comes in pages.
#[derive(Clone, Copy)]
enum Source {
    Section(UserId, &'static Section),
    Audit(Person),
}

impl Source {
    async fn page(self, app: &App, after: Option<&str>) -> Result<(Vec<TextRow>, Option<String>)> {
        match self {
            Self::Section(user, section) => {
                let page = facts_of_user(app, user, section, after, AT_ONCE).await?;
                Ok((texts(&page.rows)?, page.next))
            }
            Self::Audit(person) => {
                let (entries, next) = entries_of(app, person, after, AT_ONCE).await?;
                Ok((texts(&entries)?, next))
            }
        }
    }

    async fn stream(self, app: &App, sink: &mut dyn Sink) -> Result<()> {
        let mut after = None;
        loop {
            let (rows, next) = self.page(app, after.as_deref()).await?;
            sink.take(rows).await?;
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    /// Two files of it; how many rows there are.
    async fn write(self, app: &App, folder: &str, title: &str, archive: &mut Archive) -> Result<(u64, Vec<String>)> {
        let json = archive.begin(folder, title, "json")?;
        let mut sink = AsJson::new(archive);
        self.stream(app, &mut sink).await?;
        let rows = sink.end().await?;
        let csv = archive.begin(folder, title, "csv")?;
        let mut sink = AsCsv::new(archive, None);
        self.stream(app, &mut sink).await?;
        sink.end().await?;
        Ok((rows, vec![json, csv]))
    }
}

fn texts(rows: &[impl Serialize]) -> Result<Vec<TextRow>> {
    let text = |row| {
        serde_json::to_string(row)
            .map(|text| vec![Some(text)])
            .map_err(Error::internal)
    };
    rows.iter().map(text).collect()
}
