//! MariaDB.

use mysql_async::prelude::Queryable as _;
use plinth::backend::Fut;
use serde_json::Value;

use super::{DATA, Server};
use crate::mysql::{body, server};

struct MariaDb {
    server: &'static server::Server,
    database: String,
}

pub(super) async fn made() -> Box<dyn Server> {
    let server = server::server().await;
    let database = server.empty_database().await;
    let mut admin = server.admin(Some(&database)).await.unwrap();
    admin.query_drop(include_str!("schema.mysql.sql")).await.unwrap();
    Box::new(MariaDb { server, database })
}

impl Server for MariaDb {
    fn provider(&self) -> &'static str {
        "mysql"
    }

    fn provision(&self) -> Value {
        body(self.server, &self.database)
    }

    fn knows_sql(&self) -> bool {
        true
    }

    fn restore(&self) -> Fut<'_, ()> {
        Box::pin(async {
            let mut admin = self.server.admin(Some(&self.database)).await.unwrap();
            admin.query_drop(DATA).await.unwrap();
            let next = "alter table items auto_increment = 4; alter table tasks auto_increment = 6";
            admin.query_drop(next).await.unwrap();
        })
    }
}
