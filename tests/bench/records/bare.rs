//! The same statements through tokio-postgres and nothing else.

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row, Statement};

use crate::capture::Step;
use crate::handmade::{Handmade, superuser};

/// How the statements are sent.
#[derive(Clone, Copy)]
pub enum Order {
    /// (a) All at once.
    Together,
    /// (b) Each when the one before has been answered.
    OneByOne,
}

/// A set of connections with the statements prepared on each.
#[derive(Clone)]
pub struct Bare(Arc<Parts>);

struct Parts {
    free: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    client: Client,
    steps: Vec<Prepared>,
}

enum Prepared {
    Simple(String),
    Query(Statement, Vec<Option<String>>),
}

impl Bare {
    /// With so many connections to the project's database.
    pub async fn new(project: &Handmade, login: &str, steps: &[Step], connections: usize) -> Self {
        let mut idle = Vec::new();
        for _ in 0..connections {
            idle.push(Connection::new(project, login, steps).await);
        }
        Self(Arc::new(Parts {
            free: Semaphore::new(connections),
            idle: Mutex::new(idle),
        }))
    }

    /// What calls it.
    pub fn caller(
        &self,
        order: Order,
    ) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Clone + Send + 'static {
        let this = self.clone();
        move || {
            let this = this.clone();
            Box::pin(async move {
                let _free = this.0.free.acquire().await.unwrap();
                let connection = this.0.idle.lock().unwrap().pop().unwrap();
                connection.run(order).await;
                this.0.idle.lock().unwrap().push(connection);
            })
        }
    }
}

impl Connection {
    /// Of the login that our function has: Postgres checks less of what a superuser does.
    async fn new(project: &Handmade, login: &str, steps: &[Step]) -> Self {
        let client = superuser(&project.database()).await;
        let sign_in = format!("set session authorization {login}");
        client.batch_execute(&sign_in).await.unwrap();
        let mut made = Self {
            client,
            steps: Vec::new(),
        };
        // Names are looked up as they are in a request: in the transaction, as the role.
        for step in steps {
            let prepared = match step {
                Step::Simple(sql) => Prepared::Simple(sql.clone()),
                Step::Query(sql, params) => Prepared::Query(made.client.prepare(sql).await.unwrap(), params.clone()),
            };
            made.one(&prepared).await;
            made.steps.push(prepared);
        }
        made
    }

    async fn run(&self, order: Order) {
        match order {
            Order::Together => drop(join_all(self.steps.iter().map(|step| self.one(step))).await),
            Order::OneByOne => {
                for step in &self.steps {
                    self.one(step).await;
                }
            }
        }
    }

    /// The first column of the last row.
    async fn one(&self, step: &Prepared) -> Option<Bytes> {
        match step {
            Prepared::Simple(sql) => {
                self.client.batch_execute(sql).await.unwrap();
                None
            }
            Prepared::Query(statement, params) => {
                let params = params.iter().map(|param| Text(param.as_deref()));
                let rows = self.client.query_raw(statement, params).await.unwrap();
                let rows: Vec<Row> = rows.try_collect().await.unwrap();
                rows.last().map(|row| Bytes::from(vec![row.len() as u8]))
            }
        }
    }
}

/// A parameter in text format.
struct Text<'a>(Option<&'a str>);

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let Some(text) = self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
}
