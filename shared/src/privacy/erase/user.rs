//! A platform user's half of a plan and of a receipt.

use tokio_postgres::GenericClient;

use super::data::of_metadata;
use super::plan::PlannedTable;
use super::store;
use super::values::Values;
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::people::{Counted, Rule};
use crate::privacy::receipt::TableDone;
use crate::subject::Kind;

fn rule(rule: Rule) -> String {
    match rule {
        Rule::Delete => "delete",
        Rule::Anonymise => "anonymise",
    }
    .to_owned()
}

pub(super) fn planned(counted: &Counted) -> PlannedTable {
    PlannedTable {
        table: counted.table.clone(),
        rule: rule(counted.rule),
        rows: counted.rows,
        columns: Vec::new(),
        reason: counted.reason.clone(),
    }
}

pub(super) fn done(counted: &Counted) -> TableDone {
    TableDone {
        table: counted.table.clone(),
        rule: rule(counted.rule),
        rows: counted.rows,
        reason: counted.reason.clone(),
    }
}

/// What a platform user can be recognised by in texts.
///
/// # Errors
/// When the database fails.
pub(super) async fn values_of(executor: &impl GenericClient, user: UserId) -> Result<Values> {
    let mut values = Values::default();
    if let Some(known) = store::user(executor, user).await? {
        values.add(Kind::Email, known.email.as_deref().unwrap_or_default());
        values.add(Kind::Phone, known.phone.as_deref().unwrap_or_default());
        of_metadata(&mut values, &known.metadata);
    }
    Ok(values)
}
