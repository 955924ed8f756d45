//! What the control database holds of a platform user, in one list: counted for a plan, and forgotten by it.

use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{changed, jobs};
use crate::control::{failure, uuid};
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::people::erase::counted;
use crate::privacy::people::plan::{Counted, Rule};

/// Rows of a table that have to do with somebody.
struct Held {
    table: &'static str,
    /// Which ones, as behind `from`; `$1` is the user.
    rows: &'static str,
    /// Those of them that a plan does not count: what else says of them is enough.
    but: Option<&'static str>,
    end: End,
    /// Why they stay, where they do.
    reason: Option<&'static str>,
    /// Whether their number stays the same by asking alone, and a confirmation is bound to it.
    lasts: bool,
}

/// What becomes of rows.
enum End {
    /// They go.
    Removed,
    /// They stay, with this set.
    Set(&'static str),
    /// That, by another step.
    Elsewhere(Rule),
}

impl Held {
    const fn new(table: &'static str, rows: &'static str, end: End) -> Self {
        Self {
            table,
            rows,
            but: None,
            end,
            reason: None,
            lasts: false,
        }
    }

    /// What others see in a project, without who made it.
    const fn of_others(table: &'static str, rows: &'static str, set: &'static str) -> Self {
        Self {
            reason: Some(BY_OTHERS),
            lasts: true,
            ..Self::new(table, rows, End::Set(set))
        }
    }

    fn rule(&self) -> Rule {
        match self.end {
            End::Removed => Rule::Delete,
            End::Set(_) => Rule::Anonymise,
            End::Elsewhere(rule) => rule,
        }
    }

    /// The statement that forgets them, where there is one.
    fn forget(&self) -> Option<String> {
        let Self { rows, .. } = self;
        match self.end {
            End::Removed => Some(format!("delete from {rows} returning 1")),
            // The condition begins behind the table's name.
            End::Set(set) => {
                let (table, which) = rows.split_once(" where ")?;
                Some(format!("update {table} set {set} where {which} returning 1"))
            }
            End::Elsewhere(_) => None,
        }
    }
}

const BY_OTHERS: &str = "It belongs to a project, which forgets who made it";
const NOBODY: &str = "author = '00000000-0000-0000-0000-000000000000'";
/// The account's own function.
const WITH_IT: End = End::Elsewhere(Rule::Delete);

const HELD: &[Held] = &[
    Held::new("users", "plinth.users where id = $1", WITH_IT),
    Held::new("identities", "plinth.identities where user_id = $1", WITH_IT),
    Held::new("sessions", "plinth.sessions where user_id = $1", WITH_IT),
    Held::new(
        "refresh_tokens",
        "plinth.refresh_tokens where session_id in (select id from plinth.sessions where user_id = $1)",
        WITH_IT,
    ),
    Held {
        lasts: true,
        ..Held::new(
            "members",
            "plinth.members where user_id = $1",
            End::Elsewhere(Rule::Delete),
        )
    },
    Held::new(
        "database_setups",
        "plinth.database_setups where user_id = $1",
        End::Removed,
    ),
    Held::new("idempotency", replies!(), End::Removed),
    Held::new(
        "jobs",
        "plinth.jobs where created_by = $1 and project_id is null",
        End::Elsewhere(Rule::Delete),
    ),
    Held {
        reason: Some(BY_OTHERS),
        ..Held::new(
            "jobs",
            "plinth.jobs where created_by = $1 and project_id is not null",
            End::Elsewhere(Rule::Anonymise),
        )
    },
    Held {
        but: Some("personal_of is not null"),
        ..Held::of_others("projects", "plinth.projects where created_by = $1", "created_by = null")
    },
    Held::of_others("keys", "plinth.keys where created_by = $1", "created_by = null"),
    Held::of_others(
        "document_versions",
        "plinth.document_versions where author = $1",
        "author = null",
    ),
    Held::of_others("migrations", "plinth.migrations where author = $1", NOBODY),
    Held::of_others("subject_maps", "plinth.subject_maps where author = $1", NOBODY),
    Held {
        reason: Some("That it was asked for proves what was done"),
        ..Held::new(
            "privacy_requests",
            "plinth.privacy_requests where requested_by = $1",
            End::Set("requested_by = null"),
        )
    },
    Held {
        reason: Some("The entries stay, without who acted and from where"),
        ..Held::new(
            "audit_subjects",
            "plinth.audit_subjects where actor = 'user:' || $1::text",
            End::Elsewhere(Rule::Delete),
        )
    },
];

/// Whether the number of a table's rows is what a confirmation is bound to.
pub(in super::super) fn lasts(table: &str) -> bool {
    HELD.iter().any(|held| held.table == table && held.lasts)
}

pub(in super::super) async fn counts(executor: &impl GenericClient, user: UserId) -> Result<Vec<Counted>> {
    let each: Vec<_> = HELD
        .iter()
        .map(|held| {
            let but = held.but.map(|but| format!(" and not ({but})")).unwrap_or_default();
            format!("(select count(*) from {}{but})", held.rows)
        })
        .collect();
    let sql = format!("select array[{}]", each.join(", "));
    let rows = executor.query_typed(&sql, &[uuid(&user.0)]).await.map_err(failure)?;
    let counts: Vec<i64> = rows.first().map(|row| row.get(0)).unwrap_or_default();
    let counted = HELD.iter().zip(counts).filter(|(_, rows)| *rows > 0);
    Ok(counted
        .map(|(held, rows)| Counted {
            table: held.table.to_owned(),
            rule: held.rule(),
            rows: rows.unsigned_abs(),
            reason: held.reason.map(str::to_owned),
        })
        .collect())
}

/// Removes what nobody else has a use for, and takes them off what stays.
pub(in super::super) async fn forget_references(
    executor: &impl GenericClient,
    user: UserId,
    job: Uuid,
) -> Result<Vec<Counted>> {
    let mut all = Vec::new();
    for held in HELD {
        if let Some(sql) = held.forget() {
            all.push((held.table, held.rule(), changed(executor, &sql, user).await?));
        }
    }
    let (removed, kept) = jobs::forget_asker(executor, user, job).await?;
    all.push(("jobs", Rule::Delete, removed));
    all.push(("jobs", Rule::Anonymise, kept));
    Ok(counted(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_no_step_sees_to() {
        for held in HELD {
            let elsewhere = matches!(held.end, End::Elsewhere(_));
            assert_eq!(held.forget().is_none(), elsewhere, "{}", held.table);
            // Whoever reads that rows stay reads why.
            assert!(held.rule() == Rule::Delete || held.reason.is_some(), "{}", held.table);
        }
    }
}
