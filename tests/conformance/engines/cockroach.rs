//! CockroachDB, acted by a PostgreSQL that calls itself one.

use plinth::backend::Fut;
use serde_json::Value;

use super::{Server, postgres};
use crate::handmade::superuser;

struct Cockroach(Box<dyn Server>);

pub(super) async fn made() -> Box<dyn Server> {
    let acting = postgres::made().await;
    let url = acting.provision()["config"]["credentials"]["connectionString"].to_string();
    let name = url.trim_matches('"').rsplit('/').next().unwrap().to_owned();
    let sql = format!(
        "create schema shim; grant usage on schema shim to {name};
         create function shim.version() returns text language sql as $$ select 'CockroachDB CCL v24.1.0' $$;
         alter role {name} in database {name} set search_path to shim, pg_catalog, public;
         alter role {name} in database {name} set default_transaction_isolation to serializable"
    );
    superuser(&name).await.batch_execute(&sql).await.unwrap();
    Box::new(Cockroach(acting))
}

impl Server for Cockroach {
    fn provider(&self) -> &'static str {
        "cockroachdb"
    }

    fn provision(&self) -> Value {
        let mut body = self.0.provision();
        body["config"]["externalProvider"] = "cockroachdb".into();
        body
    }

    fn knows_sql(&self) -> bool {
        true
    }

    fn restore(&self) -> Fut<'_, ()> {
        self.0.restore()
    }
}
