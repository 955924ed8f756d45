//! Some values of each table, looked at to tell what its columns hold. They stay in memory, and no longer than that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::super::Ground;
use crate::backend::{Bound, Bulk, BulkScope, Fut, TextRow};
use crate::error::Result;
use crate::schema::catalog::Column;
use crate::subject::sql::{self, SAMPLED};
use crate::subject::{Marks, Root, Samples, SubjectMap, Suspects, Table, find};

/// Time for all tables together.
const TIME: Duration = Duration::from_secs(8);
/// Time to tell which of their values are ids of people.
const TIME_FOR_IDS: Duration = Duration::from_secs(2);
/// Tables that are read at once.
const AT_ONCE: usize = 3;
/// Values of a column that are enough to tell what it holds.
const ENOUGH: usize = 20;
/// Ids that are looked up at once, and how often.
const IDS: usize = 200;
const LOOKS: usize = 10;

/// Of a table, by column.
type Values = BTreeMap<String, Vec<String>>;

/// Of a table's column, by their names.
type ReadColumn<'a> = Fut<'a, (&'a String, &'a str, Result<Vec<TextRow>>)>;

/// What the columns hold, by their names, types and values, and what was not looked at. Of `said`, the root counts.
pub(super) async fn marks(ground: &Ground, said: Option<&SubjectMap>) -> (Marks, Vec<String>) {
    let Some(bulk) = ground.records.bulk() else {
        let unseen = "No values were looked at: names and types alone tell what is personal".to_owned();
        return (Marks::by_name(&ground.facts), vec![unseen]);
    };
    let mut scope = ground.scope.clone();
    (scope.read_only, scope.deadline) = (true, TIME);
    let look = Look { ground, bulk, scope };
    let (samples, limits) = look.samples().await;
    let marks = Marks::of(&ground.facts, &samples);
    let root = find(
        ground.dialect,
        &ground.facts,
        &marks,
        &said.cloned().unwrap_or_default(),
    )
    .map
    .root;
    let suspects = Suspects::of(&ground.facts, &samples, &root);
    let marks = match tokio::time::timeout(TIME_FOR_IDS, look.known(&root, &suspects)).await {
        Ok(Ok(known)) => marks.with_ids(suspects.holding(&known)),
        Ok(Err(failed)) => {
            tracing::info!(code = %failed.code(), "ids could not be held against those of people");
            marks
        }
        Err(_) => marks,
    };
    (marks, limits)
}

/// Values are looked at.
struct Look<'a> {
    ground: &'a Ground,
    bulk: &'a dyn Bulk,
    scope: BulkScope,
}

impl Look<'_> {
    /// Some values of each table, and what was not looked at. What takes longer is given up with its transaction.
    async fn samples(&self) -> (Samples, Vec<String>) {
        let end = Instant::now() + TIME;
        let facts = &self.ground.facts;
        let mut samples = Samples::new();
        let mut refused = Vec::new();
        let mut sparse: Vec<(&String, &Table, &Column)> = Vec::new();
        let mut unseen: BTreeSet<&String> = facts.tables.keys().collect();
        let mut reads: Vec<Fut<'_, (&String, Result<Seen<'_>>)>> = Vec::new();
        for (label, table) in &facts.tables {
            reads.push(Box::pin(async move { (label, self.table(table).await) }));
        }
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Ok(Some((label, found))) = tokio::time::timeout_at(end, reads.next()).await {
            unseen.remove(label);
            match found {
                Ok(seen) => {
                    sparse.extend(seen.sparse.into_iter().map(|(table, column)| (label, table, column)));
                    samples.insert(label.clone(), seen.values);
                }
                Err(failed) => {
                    tracing::info!(code = %failed.code(), "a table's values could not be looked at");
                    refused.push(label.clone());
                }
            }
        }
        refused.extend(unseen.into_iter().cloned());
        refused.sort();
        let partly = self.fill(&mut samples, sparse, end).await;
        let told = |what: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")));
        let limits = [
            told("No values were looked at in", refused),
            told(
                "Only the first rows were looked at, with few values or none, of",
                partly,
            ),
        ];
        (samples, limits.into_iter().flatten().collect())
    }

    async fn table<'t>(&self, table: &'t Table) -> Result<Seen<'t>> {
        let mut seen = Seen::default();
        let Some((columns, statement)) = sql::sample(self.ground.dialect, table) else {
            return Ok(seen);
        };
        let rows = self.rows(&statement).await?;
        let is_all = rows.len() < SAMPLED;
        for row in rows {
            for (column, value) in columns.iter().zip(row) {
                seen.values.entry(column.name.to_string()).or_default().extend(value);
            }
        }
        let few = |column: &&Column| {
            let values = seen.values.get(column.name.as_str());
            values.is_none_or(|values| values.len() < ENOUGH)
        };
        if !is_all {
            seen.sparse = columns.into_iter().filter(few).map(|column| (table, column)).collect();
        }
        Ok(seen)
    }

    /// Looks at more values of columns whose first rows have few; the columns whose values it did not get.
    async fn fill(&self, samples: &mut Samples, sparse: Vec<(&String, &Table, &Column)>, end: Instant) -> Vec<String> {
        let mut unseen: BTreeSet<(&String, &str)> = BTreeSet::new();
        let mut reads: Vec<ReadColumn<'_>> = Vec::new();
        for (label, table, column) in sparse {
            let name = column.name.as_str();
            unseen.insert((label, name));
            let statement = sql::sample_column(self.ground.dialect, table, column);
            reads.push(Box::pin(async move { (label, name, self.rows(&statement).await) }));
        }
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Ok(Some((label, name, found))) = tokio::time::timeout_at(end, reads.next()).await {
            let Ok(rows) = found else { continue };
            unseen.remove(&(label, name));
            let values = samples.entry(label.clone()).or_default();
            values.insert(name.to_owned(), rows.into_iter().flatten().flatten().collect());
        }
        unseen
            .into_iter()
            .map(|(label, name)| format!("{label}.{name}"))
            .collect()
    }

    /// Which of the suspects are ids of people.
    async fn known(&self, root: &Root, suspects: &Suspects) -> Result<BTreeSet<String>> {
        let ids: Vec<&str> = suspects.ids().into_iter().collect();
        let mut known = BTreeSet::new();
        for ids in ids.chunks(IDS).take(LOOKS) {
            if let Some(statement) = sql::known(self.ground.dialect, &self.ground.facts, root, ids) {
                known.extend(self.rows(&statement).await?.into_iter().flatten().flatten());
            }
        }
        Ok(known)
    }

    async fn rows(&self, statement: &Bound) -> Result<Vec<TextRow>> {
        let mut transaction = self.bulk.begin(&self.scope).await?;
        let rows = transaction.rows(statement).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

/// What was seen of a table.
#[derive(Default)]
struct Seen<'t> {
    values: Values,
    /// Columns with few values in the first of many rows.
    sparse: Vec<(&'t Table, &'t Column)>,
}
