//! Some values of each table, looked at to tell what its columns hold. They stay in memory, and no longer than that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::super::Ground;
use crate::backend::{Bulk, BulkScope, Fut};
use crate::error::Result;
use crate::subject::sql::sample;
use crate::subject::{Marks, Samples, Table};

/// Time for all tables together.
const TIME: Duration = Duration::from_secs(8);
/// Tables that are read at once.
const AT_ONCE: usize = 3;

/// Of a table, by column.
type Values = BTreeMap<String, Vec<String>>;

/// What the columns hold, by their names, types and values, and what was not looked at.
pub(super) async fn marks(ground: &Ground) -> (Marks, Vec<String>) {
    let Some(bulk) = ground.records.bulk() else {
        let unseen = "No values were looked at: names and types alone tell what is personal".to_owned();
        return (Marks::by_name(&ground.facts), vec![unseen]);
    };
    let end = Instant::now() + TIME;
    let mut scope = ground.scope.clone();
    (scope.read_only, scope.deadline) = (true, TIME);
    let mut reads: Vec<Fut<'_, (&String, Result<Values>)>> = Vec::new();
    for (label, table) in &ground.facts.tables {
        let read = of_table(ground, bulk, &scope, table);
        reads.push(Box::pin(async move { (label, read.await) }));
    }
    let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut samples = Samples::new();
    let mut refused = Vec::new();
    let mut unseen: BTreeSet<&String> = ground.facts.tables.keys().collect();
    // What takes longer is given up with its transaction.
    while let Ok(Some((label, found))) = tokio::time::timeout_at(end, reads.next()).await {
        unseen.remove(label);
        match found {
            Ok(values) => drop(samples.insert(label.clone(), values)),
            Err(failed) => {
                tracing::info!(code = %failed.code(), "a table's values could not be looked at");
                refused.push(label.clone());
            }
        }
    }
    refused.extend(unseen.into_iter().cloned());
    refused.sort();
    let told = |tables: Vec<String>| format!("No values were looked at in {}", tables.join(", "));
    let limits = (!refused.is_empty()).then(|| told(refused));
    (Marks::of(&ground.facts, &samples), limits.into_iter().collect())
}

async fn of_table(ground: &Ground, bulk: &dyn Bulk, scope: &BulkScope, table: &Table) -> Result<Values> {
    let Some((columns, statement)) = sample(ground.dialect, table) else {
        return Ok(Values::new());
    };
    let mut transaction = bulk.begin(scope).await?;
    let rows = transaction.rows(&statement).await?;
    transaction.commit().await?;
    let mut values = Values::new();
    for row in rows {
        for (column, value) in columns.iter().zip(row) {
            values.entry(column.name.to_string()).or_default().extend(value);
        }
    }
    Ok(values)
}
