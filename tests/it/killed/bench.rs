//! A platform on a server of its own, so that its workers meet no other test's jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::{Clock, SharedRandom, SystemClock, SystemRandom};
use plinth::ident::{ProjectId, UserId};
use plinth::jobs;
use plinth::testing::FixedClock;
use plinth_local::platform::{Function, Platform, Secrets};
use plinth_local::postgres::{Options, Server};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::cases::{self, Case};
use super::process;
use super::way::{Point, Way};
use crate::world::{BASE_URL, Project, World, files_beside};

/// Between two workers: longer than any lease, and than any pause before another try.
const LATER: Duration = Duration::from_secs(2 * 60 * 60);

pub struct Bench {
    /// Runs for as long as the bench is there.
    _server: Server,
    way: Way,
    clock: Arc<FixedClock>,
    /// The worker in this process: it finishes what killed ones have left.
    pub app: App,
    /// The environment of worker processes.
    environment: BTreeMap<String, String>,
    /// The control database, as the superuser.
    pub control: Client,
    /// The cell's shared database.
    pub cell: Client,
    /// Where files are kept.
    pub files: PathBuf,
    /// With a managed backend at level `schema`.
    pub project: Project,
}

/// How a worker's process ended.
pub struct Ended {
    pub killed: bool,
    /// Messages to its databases.
    pub trips: usize,
}

impl Bench {
    pub async fn new() -> Self {
        let mut options = Options::new("");
        options.binaries = plinth_local::config::LocalConfig::from_env().unwrap().postgres_bin;
        let server = Server::temporary(options).await.unwrap();
        let random: SharedRandom = Arc::new(SystemRandom);
        let platform = Platform::prepare(&server.url("postgres"), BASE_URL, Secrets::generate(&random))
            .await
            .unwrap()
            .with("PLINTH_FILES_FOLDER", &files_beside(&server));
        let way = Way::to(server.port()).await;
        let control = connect(&server, "plinth").await;
        let port = i32::from(way.port);
        control
            .execute("update plinth.cells set port = $1", &[&port])
            .await
            .unwrap();
        let mut watched = platform.clone();
        watched.master.port = way.port;
        let world = World::of(&platform, Arc::new(SystemClock));
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        Self {
            app: platform.app_at(Function::Worker, clock.clone()).unwrap(),
            environment: watched.env(Function::Worker),
            cell: connect(&server, plinth::control::CELL_DATABASE).await,
            project: world.project("schema").await,
            clock,
            control,
            way,
            files: files_beside(&server).into(),
            _server: server,
        }
    }

    /// Asks for a job for the project, by its owner.
    pub async fn enqueue(&self, kind: &str, payload: &Value) -> Uuid {
        let (project, by) = (
            ProjectId(self.project_id()),
            UserId(self.project.owner.id.parse().unwrap()),
        );
        let client = self.app.control.get().await.unwrap();
        jobs::enqueue(&self.app, &*client, kind, Some(project), payload, Some(by))
            .await
            .unwrap()
    }

    pub fn project_id(&self) -> Uuid {
        self.project.id.parse().unwrap()
    }

    /// Has a worker's process do what is due, and kills it at that point, should it come there.
    pub async fn worker(&self, dies: Option<Point>) -> Ended {
        self.way.set_out(dies);
        let mut worker = process::start(&self.environment, self.later());
        let killed = tokio::select! {
            () = self.way.dying() => true,
            _ = worker.wait() => false,
        };
        if killed {
            worker.start_kill().unwrap();
        }
        let output = worker.wait_with_output().await.unwrap();
        let (trips, ports) = self.way.buried();
        if !killed && !output.status.success() {
            let (told, wrong) = (output.stdout, output.stderr);
            panic!(
                "{}\n{}",
                String::from_utf8_lossy(&told),
                String::from_utf8_lossy(&wrong)
            );
        }
        self.missed(&ports).await;
        Ended { killed, trips }
    }

    /// Waits until the server has noticed that those connections are gone: until then they hold their locks.
    async fn missed(&self, ports: &[u16]) {
        let ports: Vec<i32> = ports.iter().copied().map(i32::from).collect();
        let sql = "select count(*) from pg_stat_activity where client_port = any($1)";
        loop {
            let left: i64 = self.control.query_one(sql, &[&ports]).await.unwrap().get(0);
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Has the worker in this process do what is left.
    pub async fn finish(&self, job: Uuid) {
        // The cell is reached by the same way.
        self.way.leave_open();
        self.later();
        Box::pin(worker::run_due(&self.app, &cases::kinds(), None))
            .await
            .unwrap();
        let state = jobs::find(&self.app, job).await.unwrap().view.job.state;
        assert!(
            !["queued", "running"].contains(&state.as_str()),
            "the job was left {state}"
        );
    }

    /// What there is in the end: the job itself, and what its kind is to leave.
    pub async fn end(&self, case: &Case, job: Uuid) -> String {
        let view = jobs::find(&self.app, job).await.unwrap().view;
        let left = (case.end)(self, &view).await;
        format!("state: {}\nerror: {:?}\n{left}", view.job.state, view.job.error)
    }

    /// How often a job was begun.
    pub async fn attempts(&self, job: Uuid) -> i32 {
        jobs::find(&self.app, job).await.unwrap().view.job.attempts
    }

    fn later(&self) -> Timestamp {
        self.clock.advance(LATER);
        self.clock.now()
    }
}

async fn connect(server: &Server, database: &str) -> Client {
    let url = server.url(database);
    let (client, connection) = tokio_postgres::connect(url.expose(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
