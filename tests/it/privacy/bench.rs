//! A platform on a server of its own: its workers meet no other test's jobs, and all that its control database holds is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use plinth::app::App;
use plinth::backend::{Fut, Sink, TextRow};
use plinth::clock::{SharedRandom, SystemClock, SystemRandom};
use plinth::control::dial::{Trust, dial};
use plinth::error::Result;
use plinth::ident::UserId;
use plinth::jobs::{self, Handler, JobView};
use plinth::privacy::Snapshot;
use plinth::privacy::identity::{self, Person};
use plinth::privacy::people::{Section, facts_of_user};
use plinth_local::platform::{Function, Platform, Secrets};
use plinth_local::postgres::{Options, Server};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::work::work_until;
use crate::world::{BASE_URL, World, files_beside};

/// All kinds of jobs that there are on it.
fn kinds() -> Vec<(&'static str, Handler)> {
    worker::KINDS.iter().chain(super::people::KINDS).copied().collect()
}

pub struct Bench {
    pub server: Server,
    pub world: World,
    /// The control database, as the login that owns it.
    pub control: Client,
}

pub async fn bench() -> &'static Bench {
    static BENCH: OnceCell<Bench> = OnceCell::const_new();
    BENCH.get_or_init(Bench::start).await
}

impl Bench {
    async fn start() -> Self {
        let mut options = Options::new("");
        options.binaries = plinth_local::config::LocalConfig::from_env().unwrap().postgres_bin;
        let server = Server::temporary(options).await.unwrap();
        let random: SharedRandom = Arc::new(SystemRandom);
        let platform = Platform::prepare(&server.url("postgres"), BASE_URL, Secrets::generate(&random))
            .await
            .unwrap();
        let platform = platform
            .with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1")
            .with("PLINTH_FILES_FOLDER", &files_beside(&server));
        Self {
            control: dial(&platform.master, &Trust::new(None).unwrap()).await.unwrap(),
            world: World::of(&platform, Arc::new(SystemClock)),
            server,
        }
    }

    pub fn worker(&self) -> App {
        self.world.app(Function::Worker)
    }

    /// Works until a job has ended.
    pub async fn ended(&self, job: Uuid) -> JobView {
        let app = self.worker();
        let look = async || {
            let seen = jobs::find(&app, job).await.unwrap().view;
            if !["queued", "running"].contains(&seen.job.state.as_str()) {
                return Some(seen);
            }
            assert!(seen.job.error.is_none(), "{:?}", seen.job.error);
            None
        };
        work_until(&app, &kinds(), look).await
    }

    /// Every table of the control database whose rows hold a text, capitals aside, with how many of them do.
    pub async fn holding(&self, text: &str) -> BTreeMap<String, i64> {
        let sql = "select relname::text from pg_class where relnamespace = 'plinth'::regnamespace and relkind = 'r'";
        let tables = self.control.query(sql, &[]).await.unwrap();
        let mut found = BTreeMap::new();
        for table in tables {
            let table: String = table.get(0);
            let sql = format!("select count(*) from plinth.\"{table}\" t where strpos(lower(t::text), lower($1)) > 0");
            let rows: i64 = self.control.query_one(&sql, &[&text]).await.unwrap().get(0);
            if rows > 0 {
                found.insert(table, rows);
            }
        }
        found
    }

    /// A digest of all rows that a condition picks, table by table.
    pub async fn digest(&self, picked: &[(&str, String)]) -> Vec<String> {
        let mut digests = Vec::new();
        for (table, condition) in picked {
            let sql = format!(
                "select coalesce(md5(string_agg(t::text, '|' order by t::text)), 'none') from plinth.{table} t where {condition}"
            );
            let digest: String = self.control.query_one(&sql, &[]).await.unwrap().get(0);
            digests.push(format!("{table} {digest}"));
        }
        digests
    }
}

/// Keeps the rows that it is handed.
#[derive(Default)]
struct Rows(Vec<Value>);

impl Sink for Rows {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        let rows = rows.iter().flatten().flatten();
        self.0
            .extend(rows.map(|row| serde_json::from_str::<Value>(row).unwrap()));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// All rows of a section.
pub async fn facts(snapshot: &Snapshot<'_>, user: UserId, section: &Section) -> Vec<Value> {
    let mut rows = Rows::default();
    let told = facts_of_user(snapshot, user, section, &mut rows).await.unwrap();
    assert_eq!(rows.0.len() as u64, told);
    rows.0
}

/// All entries of the log that somebody made or that are about them.
pub async fn entries(snapshot: &Snapshot<'_>, person: Person) -> Vec<Value> {
    let mut rows = Rows::default();
    let told = identity::entries_of(snapshot, person, &mut rows).await.unwrap();
    assert_eq!(rows.0.len() as u64, told);
    rows.0
}

/// An id that nothing has.
pub fn fresh() -> Uuid {
    let random: SharedRandom = Arc::new(SystemRandom);
    random.uuid()
}
