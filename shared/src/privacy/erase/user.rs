//! A platform user's half of a plan and of a receipt.

use tokio_postgres::GenericClient;

use super::data::of_metadata;
use super::plan::PlannedTable;
use super::store;
use super::values::{Known, Values};
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

/// Whose word counts in a platform user's erasure: `by` is whoever had the plan drawn up.
pub(super) fn known(user: UserId, by: Option<UserId>) -> Known {
    match by {
        Some(by) if by != user => Known::Said,
        _ => Known::Confirmed,
    }
}

/// What a platform user can be recognised by in texts.
///
/// # Errors
/// When the database fails.
pub(super) async fn values_of(executor: &impl GenericClient, user: UserId, known: Known) -> Result<Values> {
    let mut values = Values::default();
    for account in store::accounts_of(executor, user).await? {
        let counts = |confirmed| known == Known::Said || confirmed;
        if counts(account.email_confirmed) {
            values.add(Kind::Email, account.email.as_deref().unwrap_or_default());
        }
        if counts(account.phone_confirmed) {
            values.add(Kind::Phone, account.phone.as_deref().unwrap_or_default());
        }
        if known == Known::Said {
            of_metadata(&mut values, &account.metadata);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_somebody_says_of_themselves_counts_where_another_had_the_plan_drawn_up() {
        let (user, other) = (UserId(Uuid::nil()), UserId(Uuid::max()));
        assert_eq!(known(user, Some(user)), Known::Confirmed);
        assert_eq!(known(user, Some(other)), Known::Said);
        assert_eq!(known(user, None), Known::Confirmed);
    }
}
