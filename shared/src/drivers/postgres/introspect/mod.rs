//! Reads the catalog of one exposed schema: one statement, so one snapshot for the tables and their version.
//!
//! The statement answers rows of the system tables, hardly changed; what they come to is worked out here: `types` prints
//! them, `tables` and `functions` describe, `keys` traces views to tables and hands over to
//! [`crate::schema::catalog::Keys`].

mod facts;
mod functions;
mod keys;
mod node_tree;
mod tables;
mod types;

use std::sync::LazyLock;
use std::time::Duration;

use facts::Facts;
use tokio::time::Instant;

use super::connect::Pool;
use super::pipeline::{Query, Transaction, exchange};
use super::{Kin, error, settings};
use crate::backend::{Indexes, Place, Roles, Snapshot};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::details::Details;

/// What is there now.
pub(super) async fn catalog(pool: &Pool, place: &Place, deadline: Duration) -> Result<Snapshot> {
    let (sql, params) = if place.versioned {
        (VERSIONED, vec![place.schema.to_string(), place.reference.to_string()])
    } else {
        let plain = match pool.kin {
            Kin::Postgres => PLAIN,
            Kin::Cockroach => &COCKROACHS,
        };
        (plain, vec![place.schema.to_string()])
    };
    let row = ask(pool, place, deadline, sql, params).await?;
    let json: &str = row.try_get(0).map_err(Error::internal)?;
    let facts: Facts = serde_json::from_str(json).map_err(Error::internal)?;
    let session: Option<&str> = row.try_get(2).map_err(Error::internal)?;
    let mut catalog = tables::catalog(facts);
    if place.versioned {
        catalog.hide();
    }
    if let Some(session) = session {
        catalog.session = serde_json::from_str(session).map_err(Error::internal)?;
    }
    Ok(Snapshot {
        catalog,
        version: row.try_get(1).map_err(Error::internal)?,
    })
}

/// The columns of each index.
pub(super) async fn indexes(pool: &Pool, place: &Place, deadline: Duration) -> Result<Indexes> {
    let params = vec![place.schema.to_string()];
    let row = ask(pool, place, deadline, include_str!("indexes.sql"), params).await?;
    let json: &str = row.try_get(0).map_err(Error::internal)?;
    serde_json::from_str(json).map_err(Error::internal)
}

/// What the catalog leaves out, with the rights of those three roles.
pub(super) async fn details(pool: &Pool, place: &Place, roles: &Roles, deadline: Duration) -> Result<Details> {
    let name = |role: &Option<Ident>| role.as_ref().map(Ident::to_string).unwrap_or_default();
    let params = vec![
        place.schema.to_string(),
        name(&roles.anyone),
        name(&roles.signed_in),
        name(&roles.secret),
    ];
    let row = ask(pool, place, deadline, include_str!("details.sql"), params).await?;
    let json: &str = row.try_get(0).map_err(Error::internal)?;
    serde_json::from_str(json).map_err(Error::internal)
}

/// The one row that a question about the place is answered with.
async fn ask(
    pool: &Pool,
    place: &Place,
    deadline: Duration,
    sql: &str,
    params: Vec<String>,
) -> Result<tokio_postgres::Row> {
    let end = Instant::now() + deadline;
    let mut held = pool.connect(end).await?;
    let params: Vec<_> = params.into_iter().map(Some).collect();
    let transaction = Transaction {
        read_only: true,
        rollback: false,
        before: None,
        settings: settings::values_for_catalog(pool.kin, place.reader.as_ref(), deadline),
        query: Some(Query {
            sql,
            params: &params,
            estimate: None,
            before: None,
        }),
        check: None,
    };
    let asked = async {
        match exchange(&mut held, pool.named, &transaction).await {
            // The connection died unheard while it lay idle; another one may live.
            Err((_, failed)) if error::broke(&failed) => {
                held = pool.connect(end).await?;
                exchange(&mut held, pool.named, &transaction)
                    .await
                    .map_err(|(_, failed)| away(failed))
            }
            outcome => outcome.map_err(|(_, failed)| away(failed)),
        }
    };
    let Ok(asked) = tokio::time::timeout_at(end, asked).await else {
        held.cut_off().await;
        return Err(error::too_late(true));
    };
    held.give_back();
    let rows = asked?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| Error::internal("the catalog answered no row"))
}

fn away(failed: tokio_postgres::Error) -> Error {
    if error::broke(&failed) {
        error::unreachable(failed)
    } else {
        error::shown(failed, "", false)
    }
}

/// The statement, with the expressions for the version and for the sessions' settings.
macro_rules! catalog {
    ($version:literal, $session:expr) => {
        concat!(include_str!("catalog.sql"), ", ", $version, ", ", $session)
    };
}

/// On our own databases sessions have no settings that we do not give them.
const VERSIONED: &str = catalog!("coalesce(plinth.schema_version($2), 0)", "null::text");
const PLAIN: &str = catalog!("0::bigint", include_str!("session.sql"));

/// What CockroachDB lacks, and what says the same there: slices of arrays; types of functions that it has none of; the
/// actions of views' rules, without which no key is traced through a view; and views that can be written to.
const INSTEAD: [(&str, &str); 5] = [
    (
        "(i.indkey::int2[])[0:i.indnkeyatts - 1]",
        "(select array_agg(u.number order by u.at) from unnest(i.indkey::int2[]) with ordinality u (number, at)
          where u.at <= i.indnkeyatts)",
    ),
    (
        "in (
      'pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype,
      'pg_catalog.internal'::pg_catalog.regtype, 'pg_catalog.language_handler'::pg_catalog.regtype,
      'pg_catalog.fdw_handler'::pg_catalog.regtype, 'pg_catalog.index_am_handler'::pg_catalog.regtype,
      'pg_catalog.table_am_handler'::pg_catalog.regtype, 'pg_catalog.tsm_handler'::pg_catalog.regtype)",
        "in (select t.oid from pg_catalog.pg_type t where t.typname in ('trigger', 'event_trigger', 'internal'))",
    ),
    (
        "
    and 'pg_catalog.internal'::pg_catalog.regtype <> all (p.proargtypes)",
        "",
    ),
    (
        "on w.ev_class = s.oid and w.rulename = '_RETURN'),",
        "on w.ev_class = s.oid and w.rulename = '_RETURN' and w.ev_action is not null),",
    ),
    ("pg_catalog.pg_relation_is_updatable(r.oid, true)", "0"),
];

static COCKROACHS: LazyLock<String> = LazyLock::new(|| {
    let instead = INSTEAD.iter();
    instead.fold(PLAIN.to_owned(), |sql, (there, here)| sql.replace(there, here))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_cockroach_lacks_is_replaced() {
        for (there, _) in INSTEAD {
            assert_eq!(PLAIN.matches(there).count(), 1, "{there}");
            assert!(!COCKROACHS.contains(there), "{there}");
        }
    }
}
