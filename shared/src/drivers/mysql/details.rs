//! What the catalog leaves out: checks, indexes, what a deletion does. Who may do what, our own rules say.

use std::collections::BTreeMap;
use std::time::Duration;

use mysql_async::Conn;
use tokio::time::Instant;

use super::connect::Pool;
use super::introspect::{ask, unreadable};
use crate::backend::Place;
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::query::mysql::Flavour;
use crate::schema::details::{Check, Details, Index};

const INDEXES: &str = "
    select table_name as a, index_name as b, coalesce(column_name, '(an expression)') as c,
      cast(non_unique as signed) as d, lower(index_type) as e
    from information_schema.statistics where table_schema = ? order by table_name, index_name, seq_in_index";
/// MariaDB names the table beside the check; MySQL only where the constraint is.
const CHECKS_OF_MARIADB: &str = "
    select table_name as a, constraint_name as b, check_clause as c
    from information_schema.check_constraints
    where constraint_schema = ? and check_clause not like 'json\\_valid(%' order by 1, 2";
const CHECKS_OF_MYSQL: &str = "
    select t.table_name as a, c.constraint_name as b, c.check_clause as c
    from information_schema.check_constraints c
    join information_schema.table_constraints t on t.constraint_schema = c.constraint_schema
      and t.constraint_name = c.constraint_name and t.constraint_type = 'CHECK'
    where c.constraint_schema = ? order by 1, 2";
const DELETIONS: &str = "
    select table_name as a, constraint_name as b, lower(delete_rule) as c
    from information_schema.referential_constraints where constraint_schema = ? order by 1, 2";

/// All of it, in as many questions.
///
/// # Errors
/// As the catalog.
pub(super) async fn details(pool: &Pool, place: &Place, deadline: Duration) -> Result<Details> {
    let end = Instant::now() + deadline;
    let mut held = pool.connect(end).await?;
    let Some((conn, flavour)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let found = tokio::time::timeout_at(end, read(conn, flavour, &place.schema)).await;
    let found = found.map_err(|_| unreadable("no details before the deadline"))?;
    let found = found.map_err(unreadable)?;
    held.give_back();
    Ok(found)
}

async fn read(conn: &mut Conn, flavour: Flavour, schema: &Ident) -> Result<Details, mysql_async::Error> {
    let mut details = Details::default();
    let checks = match flavour {
        Flavour::MariaDb => CHECKS_OF_MARIADB,
        Flavour::MySql => CHECKS_OF_MYSQL,
    };
    for (table, name, expression) in ask::<(String, String, String)>(conn, checks, schema).await? {
        details
            .tables
            .entry(table)
            .or_default()
            .checks
            .push(Check { name, expression });
    }
    for (table, name, action) in ask::<(String, String, String)>(conn, DELETIONS, schema).await? {
        details.tables.entry(table).or_default().on_delete.insert(name, action);
    }
    let mut indexes: BTreeMap<(String, String), Index> = BTreeMap::new();
    for (table, name, column, shared, method) in
        ask::<(String, String, String, i64, String)>(conn, INDEXES, schema).await?
    {
        let index = indexes.entry((table, name.clone())).or_insert_with(|| Index {
            name,
            columns: Vec::new(),
            unique: shared == 0,
            method,
            predicate: None,
        });
        index.columns.push(column);
    }
    for ((table, _), index) in indexes {
        details.tables.entry(table).or_default().indexes.push(index);
    }
    Ok(details)
}
