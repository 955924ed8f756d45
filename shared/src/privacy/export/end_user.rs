//! What a project has of an end user.

use std::time::Duration;

use uuid::Uuid;

use super::archive::Archive;
use super::index::{Index, Table, in_words};
use super::make::Work;
use super::rows::{AsCsv, AsJson};
use super::{pages, store};
use crate::accounts;
use crate::backend::{Bound, BulkTransaction};
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::privacy::identity::Person;
use crate::privacy::{Ground, ground, map, requests};
use crate::subject::{self, Facts, SubjectMap, sql};

/// Longest time for all reads of the data: they are one transaction.
const LONGEST: Duration = Duration::from_secs(60 * 60);

pub(super) async fn copy(work: &Work<'_>, project: ProjectId, archive: &mut Archive, index: &mut Index) -> Result<()> {
    let app = work.app;
    let named = store::project(&*app.control.get().await?, project).await?;
    let (reference, name) = named.ok_or_else(crate::tenancy::not_found)?;
    let found = app.tenancy.refresh(&reference).await?;
    index.of_project(&reference, &name);
    let mut ground = Box::pin(ground(app, &found)).await?;
    ground.scope.deadline = LONGEST;
    let map = map::in_force(app, &found, &ground).await?;
    index.by_map(map.version, map.is_stale());
    tell_gaps(&ground, &map.map, index);

    let labels = labels(&ground.facts, &map.map);
    let parts = labels.len() + 2;
    let person = requests::person_of(app, &found, work.who).await?;
    let who = requests::subject_of(work.who, person.as_ref());
    let mut rows = ground.begin().await?;
    for (at, label) in labels.iter().enumerate() {
        work.progress(at, parts).await?;
        let read = Read {
            ground: &ground,
            map: &map.map,
            who: &who,
        };
        let table = read.table(&mut *rows, label, archive).await?;
        index.add(table);
    }
    rows.commit().await?;

    work.progress(labels.len(), parts).await?;
    if let Some(id) = work.who.account(&found)
        && let Some(account) = accounts::copy_of_person(app, &found, id).await?
    {
        let text = serde_json::to_string_pretty(&account).map_err(Error::internal)?;
        let file = archive.file("", "account", "json", text.as_bytes()).await?;
        index.file(
            &file,
            "The account: addresses, ways of signing in, sessions. No passwords, no tokens",
        );
    }
    work.progress(labels.len() + 1, parts).await?;
    let Some(id) = who.person().and_then(|id| id.parse::<Uuid>().ok()) else {
        return Ok(());
    };
    pages::audit(app, Person::EndUser { project, id }, archive, index).await
}

/// The tables of people's rows: the root's first, then by name.
fn labels(facts: &Facts, map: &SubjectMap) -> Vec<String> {
    let root = map.root.table.iter().filter(|label| facts.tables.contains_key(*label));
    let others = map
        .tables
        .keys()
        .filter(|label| Some(*label) != map.root.table.as_ref());
    root.chain(others).cloned().collect()
}

fn tell_gaps(ground: &Ground, map: &SubjectMap, index: &mut Index) {
    for gap in ground.gaps(map) {
        index.gap(&gap.table, &gap.column);
    }
    for limit in &ground.limits {
        index.limit(limit);
    }
}

struct Read<'a> {
    ground: &'a Ground,
    map: &'a SubjectMap,
    who: &'a subject::Subject,
}

impl Read<'_> {
    /// Reads a table twice, since a zip's files are written one behind the other: both times it is as it was when the
    /// transaction began.
    async fn table(&self, rows: &mut dyn BulkTransaction, label: &str, archive: &mut Archive) -> Result<Table> {
        let facts = &self.ground.facts;
        let read = sql::read(self.ground.dialect, facts, self.map, self.who, label)?;
        let read = Bound {
            sql: read.sql,
            params: read.params,
        };
        let json = archive.begin("tables/", label, "json")?;
        let mut sink = AsJson::new(archive);
        rows.stream(&read, &mut sink).await?;
        let count = sink.end().await?;
        let csv = archive.begin("tables/", label, "csv")?;
        let names = facts.tables.get(label).map(sql::columns);
        let mut sink = AsCsv::new(archive, names);
        if count > 0 {
            rows.stream(&read, &mut sink).await?;
        }
        sink.end().await?;
        let paths = self.map.tables.get(label).map(|entry| entry.paths.as_slice());
        Ok(Table {
            table: label.to_owned(),
            paths: in_words(paths.unwrap_or_default()),
            rows: count,
            files: vec![json, csv],
            in_trash: facts.tables.get(label).is_some_and(|table| table.trashed),
        })
    }
}
