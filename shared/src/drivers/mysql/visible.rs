//! What the login may use.

use std::collections::BTreeMap;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::connect::Pool;
use super::error;
use super::execute::{Failure, MyFailure, Work, within};
use crate::backend::{Fut, Scope};
use crate::error::Result;
use crate::ident::Ident;
use crate::query::mysql::Flavour;
use crate::query::openapi::{Rights, Visible};

/// `information_schema` shows what the login has any right to; a view that cannot be written to says so.
const SQL: &str = "
    select t.table_name as a, coalesce(v.is_updatable, 'YES') as b
    from information_schema.tables t
    left join information_schema.views v on v.table_schema = t.table_schema and v.table_name = t.table_name
    where t.table_schema = ? order by 1";

struct Tables<'s>(&'s Ident);

impl Work for Tables<'_> {
    type Outcome = Vec<(String, String)>;

    fn work<'a>(&'a self, conn: &'a mut Conn, _: Flavour) -> Fut<'a, Result<Self::Outcome, Failure>> {
        Box::pin(async { Ok(conn.exec(SQL, (self.0.as_str(),)).await?) })
    }
}

/// Asked in a transaction like any other request's.
pub(super) async fn visible(pool: &Pool, scope: &Scope) -> Result<Visible> {
    let found = within(pool, scope, &Tables(&scope.place.schema))
        .await
        .map_err(|failed| match failed {
            MyFailure::Error(error) => error,
            MyFailure::Server(failed) => error::shown(failed, false),
        })?;
    let rights = |(name, updatable): (String, String)| {
        let writes = updatable == "YES";
        let rights = Rights {
            select: true,
            insert: writes,
            update: writes,
            delete: writes,
        };
        (name, rights)
    };
    Ok(Visible {
        tables: found.into_iter().map(rights).collect::<BTreeMap<_, _>>(),
        ..Visible::default()
    })
}
