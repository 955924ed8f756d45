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

use std::time::Duration;

use facts::Facts;
use tokio::time::Instant;

use super::connect::Pool;
use super::pipeline::{Query, Transaction, exchange};
use super::{error, settings};
use crate::backend::{Indexes, Place, Snapshot};
use crate::error::{Error, Result};

/// What is there now.
pub(super) async fn catalog(pool: &Pool, place: &Place, deadline: Duration) -> Result<Snapshot> {
    let (sql, params) = if place.versioned {
        (VERSIONED, vec![place.schema.to_string(), place.reference.to_string()])
    } else {
        (PLAIN, vec![place.schema.to_string()])
    };
    let row = ask(pool, place, deadline, sql, params).await?;
    let json: &str = row.try_get(0).map_err(Error::internal)?;
    let facts: Facts = serde_json::from_str(json).map_err(Error::internal)?;
    let session: Option<&str> = row.try_get(2).map_err(Error::internal)?;
    let mut catalog = tables::catalog(facts);
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
        settings: settings::values_for_catalog(place.reader.as_ref(), deadline),
        query: Some(Query {
            sql,
            params: &params,
            estimate: None,
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
