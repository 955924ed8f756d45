//! The running server: started, watched, stopped.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use plinth::sensitive::Sensitive;
use rustix::process::Signal;
use tokio_postgres::NoTls;

use super::account::Account;
use super::cluster::{Cluster, SUPERUSER};
use super::find::{self, Binaries, Need};
use super::guard::Guard;
use super::options::Options;
use super::place;
use super::process::{Process, ticks};
use crate::error::{Error, Result};

/// How long a start may take, recovery after a crash included.
const START: Duration = Duration::from_secs(60);
/// Lines of the log an error shows.
const TAIL: usize = 15;

/// A Postgres of our own. It stops with this value, and with this process however that ends.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the server, then its guard (which removes a temporary folder), then the lock.
    process: Process,
    guard: Guard,
    cluster: Arc<Cluster>,
    binaries: Binaries,
    port: u16,
    password: Sensitive,
}

impl Server {
    /// Starts a server and waits until it accepts connections. The first start initialises its data, later ones find it.
    ///
    /// # Errors
    /// No usable Postgres; data in use by another process; a server that ends at once, with the end of its log.
    pub async fn start(options: Options) -> Result<Self> {
        let account = Account::for_data(&options.folder.join("data"));
        let folder = place::settle(&options, &account)?;
        let account = Account::for_data(&folder.join("data"));
        let cluster = Arc::new(Cluster::lock(&folder)?);
        let binaries = binaries(
            &options,
            Need {
                account: &account,
                major: cluster.major(),
            },
        )
        .await?;
        cluster.await_predecessor().await?;
        if !cluster.data().exists() {
            (options.progress)(&format!(
                "Preparing a Postgres {} in {} …",
                binaries.major(),
                folder.display()
            ));
            let (cluster, binaries, random) = (cluster.clone(), binaries.clone(), options.random.clone());
            let work = tokio::task::spawn_blocking(move || cluster.initialise(&binaries, &account, &random));
            work.await
                .map_err(|error| Error::new("initdb was cut short").caused_by(error))??;
        }
        let launch = Launch {
            options: &options,
            account,
            cluster,
            binaries,
        };
        launch.run().await
    }

    /// Starts a server without durability in a folder of its own, which goes when it stops: for tests.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn temporary(mut options: Options) -> Result<Self> {
        let folder = place::temporary(&Account::for_data(Path::new("")))?;
        options.folder = folder.path().to_owned();
        options.durable = false;
        let mut server = Self::start(options).await?;
        // From here on the guard removes it: that happens even where no destructor runs.
        server.guard.doom(&folder.keep())?;
        Ok(server)
    }

    /// URL of `database` as the superuser, password included.
    pub fn url(&self, database: &str) -> Sensitive {
        self.url_as(SUPERUSER, &self.password, database)
    }

    /// URL of `database` as another login. Name, password and database go in as they are: letters and digits.
    pub fn url_as(&self, login: &str, password: &Sensitive, database: &str) -> Sensitive {
        Sensitive::new(format!(
            "postgres://{login}:{}@127.0.0.1:{}/{database}",
            password.expose(),
            self.port
        ))
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the server.
    pub fn pid(&self) -> u32 {
        self.process.pid
    }

    /// The programs it runs from.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The cluster folder it settled in.
    pub fn folder(&self) -> &Path {
        self.cluster.folder()
    }

    /// Waits until the server ends without being asked to; the error shows the end of its log.
    pub async fn died(&self) -> Error {
        let status = self.process.wait(None).await;
        ended(status, &self.cluster.log())
    }

    /// Stops the server in order: open transactions are rolled back, everything committed is on disk.
    ///
    /// # Errors
    /// It did not stop within 10 s, and was aborted; the next start recovers.
    pub async fn stop(self) -> Result<()> {
        let patient = self.process.end(Signal::INT).await;
        if !patient {
            self.process.end(Signal::QUIT).await;
        }
        // The guard is awaited: off the async threads.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
        if patient {
            Ok(())
        } else {
            Err(Error::new("Postgres did not stop in time and was aborted"))
        }
    }
}

async fn binaries(options: &Options, need: Need<'_>) -> Result<Binaries> {
    if let Some(folder) = &options.binaries {
        return find::given(folder, need);
    }
    let rejected = match find::installed(need) {
        Ok(found) => return Ok(found),
        Err(rejected) => rejected,
    };
    #[cfg(feature = "download")]
    if let Some(cache) = &options.download_to {
        return downloaded(cache, options, need).await;
    }
    Err(find::nothing_found(&rejected))
}

#[cfg(feature = "download")]
async fn downloaded(cache: &Path, options: &Options, need: Need<'_>) -> Result<Binaries> {
    let unusable = |error: std::io::Error| Error::new(format!("{} cannot be made", cache.display())).caused_by(error);
    place::create(cache).map_err(unusable)?;
    let cache = if need.account.reaches(cache) {
        cache
    } else {
        Path::new(place::SHARED)
    };
    let no_other = "Install Postgres 15 or newer, or name the folder of its programs in PLINTH_POSTGRES_BIN.";
    let folder = super::download::binaries(cache, need.major, &options.progress);
    let folder = folder.await.map_err(|error| error.hint(no_other))?;
    need.check(&folder)
        .map_err(|why| Error::new(format!("The downloaded Postgres {why}")).hint(no_other))
}

/// What a launch needs, once there is data.
struct Launch<'a> {
    options: &'a Options,
    account: Account,
    cluster: Arc<Cluster>,
    binaries: Binaries,
}

impl Launch<'_> {
    async fn run(&self) -> Result<Server> {
        if let Some(port) = self.options.port {
            return self.on(port).await;
        }
        // Between finding a free port and opening it somebody else may take it.
        let mut last = self.on(free_port()?).await;
        for _ in 0..3 {
            match &last {
                Err(error) if error.to_string().contains("could not bind") => last = self.on(free_port()?).await,
                _ => break,
            }
        }
        last
    }

    async fn on(&self, port: u16) -> Result<Server> {
        let process = self.spawn(port)?;
        let guard = Guard::set(process.pid, &self.cluster.data())?;
        let password = self.cluster.password()?;
        let (cluster, binaries) = (self.cluster.clone(), self.binaries.clone());
        let server = Server {
            process,
            guard,
            cluster,
            binaries,
            port,
            password,
        };
        server.accepts_connections().await?;
        Ok(server)
    }

    fn spawn(&self, port: u16) -> Result<Process> {
        let failed = |error: std::io::Error| Error::new("Postgres cannot be started").caused_by(error);
        let log = fresh_log(&self.cluster.log()).map_err(failed)?;
        let mut command = self.account.command(self.binaries.program("postgres"));
        command
            .arg("-D")
            .arg(self.cluster.data())
            .arg("-p")
            .arg(port.to_string());
        for setting in self.options.settings() {
            command.arg("-c").arg(setting);
        }
        // The usual socket folder is not writable for everybody.
        let sockets = self.cluster.socket_folder(&self.account)?.unwrap_or_default();
        command.arg("-k").arg(sockets);
        command.stdout(log.try_clone().map_err(failed)?).stderr(log);
        let child = command.spawn().map_err(failed)?;
        Ok(Process::new(child))
    }
}

impl Server {
    /// Waits until it answers a query, or ends, or takes too long.
    async fn accepts_connections(&self) -> Result<()> {
        let url = self.url("postgres");
        // Somebody else may listen on the port and never answer: the end of ours is watched meanwhile.
        tokio::select! {
            status = self.process.wait(None) => Err(ended(status, &self.cluster.log())),
            () = answer(url.expose()) => Ok(()),
            () = tokio::time::sleep(START) => Err(Error::new(format!(
                "Postgres did not answer in {} s; the end of {}:\n{}",
                START.as_secs(),
                self.cluster.log().display(),
                tail(&self.cluster.log())
            ))),
        }
    }
}

/// Asks until there is an answer.
async fn answer(url: &str) {
    let mut tick = ticks();
    loop {
        tick.tick().await;
        if answers(url).await.is_ok() {
            return;
        }
    }
}

async fn answers(url: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let answer = client.simple_query("select 1").await;
    drop(client);
    let _ = connection.await;
    answer.map(drop)
}

/// A port that is free at this moment.
fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| Error::new("There is no free port on 127.0.0.1").caused_by(error))
}

/// Opens an empty log, readable by us only; the one of the start before is kept as `postgres.log.old`.
fn fresh_log(path: &Path) -> std::io::Result<File> {
    if path.exists() {
        std::fs::rename(path, path.with_added_extension("old"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn ended(status: Option<ExitStatus>, log: &Path) -> Error {
    let status = status.map_or_else(|| "unknown status".to_owned(), |status| status.to_string());
    Error::new(format!(
        "Postgres ended unexpectedly ({status}); the end of {}:\n{}",
        log.display(),
        tail(log)
    ))
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
