//! PostgreSQL.

use plinth::backend::Fut;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{DATA, Server};
use crate::handmade::superuser;
use crate::world::{platform, unique};

struct Postgres {
    owner: Client,
    url: String,
}

pub(super) async fn made() -> Box<dyn Server> {
    platform().await;
    let (name, password) = (format!("own_{}", unique()), unique());
    let admin = superuser("postgres").await;
    let sql = format!("create role {name} login password '{password}'");
    admin.batch_execute(&sql).await.unwrap();
    let sql = format!("create database {name} owner {name}");
    admin.batch_execute(&sql).await.unwrap();
    let owner = superuser(&name).await;
    let sql = format!("grant all on schema public to {name}; set role {name}");
    owner.batch_execute(&sql).await.unwrap();
    owner.batch_execute(include_str!("schema.postgres.sql")).await.unwrap();
    let port = plinth_local::testing::server().await.unwrap().port();
    Box::new(Postgres {
        owner,
        url: format!("postgresql://{name}:{password}@127.0.0.1:{port}/{name}"),
    })
}

impl Server for Postgres {
    fn provider(&self) -> &'static str {
        "postgresql"
    }

    fn provision(&self) -> Value {
        json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
            "credentials": { "connectionString": self.url }, "rest": {} } })
    }

    fn knows_sql(&self) -> bool {
        true
    }

    fn restore(&self) -> Fut<'_, ()> {
        Box::pin(async {
            self.owner.batch_execute(DATA).await.unwrap();
            let next = "alter table items alter id restart with 4; alter table tasks alter id restart with 6;
               alter table projects alter id restart with 5";
            self.owner.batch_execute(next).await.unwrap();
        })
    }
}
