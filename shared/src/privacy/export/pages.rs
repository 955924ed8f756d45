//! What the control database has of somebody, as JSON and as CSV.

use super::archive::Archive;
use super::index::{Index, Table};
use super::rows::{AsCsv, AsJson};
use crate::app::App;
use crate::backend::Sink;
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::Snapshot;
use crate::privacy::identity::{Person, entries_of};
use crate::privacy::people::{Section, facts_of_user};

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

/// What is read to its end.
#[derive(Clone, Copy)]
enum Source {
    Section(UserId, &'static Section),
    Audit(Person),
}

impl Source {
    async fn read(self, snapshot: &Snapshot<'_>, sink: &mut dyn Sink) -> Result<u64> {
        match self {
            Self::Section(user, section) => facts_of_user(snapshot, user, section, sink).await,
            Self::Audit(person) => entries_of(snapshot, person, sink).await,
        }
    }

    /// Two files of it, which say the same; how many rows there are.
    async fn write(self, app: &App, folder: &str, title: &str, archive: &mut Archive) -> Result<(u64, Vec<String>)> {
        let mut client = app.control.get().await?;
        let snapshot = Snapshot::of(&mut client).await?;
        let json = archive.begin(folder, title, "json")?;
        let mut sink = AsJson::new(archive);
        self.read(&snapshot, &mut sink).await?;
        let rows = sink.end().await?;
        let csv = archive.begin(folder, title, "csv")?;
        let mut sink = AsCsv::new(archive, None);
        self.read(&snapshot, &mut sink).await?;
        sink.end().await?;
        Ok((rows, vec![json, csv]))
    }
}
