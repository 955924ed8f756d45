//! `cargo run`: starts the local stack and stops it on Ctrl-C or SIGTERM.
// Every function's requests and jobs are in one deeply nested future.
#![recursion_limit = "256"]

use std::fs::OpenOptions;
use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use plinth::sensitive::Sensitive;
use plinth_local::config::LocalConfig;
use plinth_local::error::{Error, Result};
use plinth_local::port;
use plinth_local::postgres::{Options, Server};
use plinth_local::stack::{self, Source};
use plinth_local::stack_file::Stack;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let config = LocalConfig::from_env()?;
    let mut stop = StopSignals::new()?;
    // Before anything slow: a port in use is told at once.
    let listener = port::listen(config.port).await?;
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| Error::new(format!("{} cannot be made", config.data_dir.display())).caused_by(error))?;
    let log = start_log(&config.data_dir)?;
    let server = match &config.database_url {
        Some(_) => None,
        None => tokio::select! {
            started = Server::start(options(&config)) => Some(started?),
            () = stop.received() => return Ok(()),
        },
    };
    let served = match &server {
        Some(server) => tokio::select! {
            served = serve(&config, Source::Own(server.url("postgres")), listener, stop, &log) => served,
            error = server.died() => Err(error),
        },
        None => {
            let given = config.database_url.clone().unwrap_or_else(|| Sensitive::new(""));
            serve(&config, Source::Given(given), listener, stop, &log).await
        }
    };
    match server {
        Some(server) => served.and(server.stop().await),
        None => served,
    }
}

async fn serve(
    config: &LocalConfig,
    source: Source,
    listener: TcpListener,
    mut stop: StopSignals,
    log: &Path,
) -> Result<()> {
    let address = listener
        .local_addr()
        .map_err(|error| Error::new("The port is gone").caused_by(error))?;
    let url = format!("http://{address}");
    let ready = tokio::select! {
        ready = stack::prepare(&source, &config.data_dir, &url, &config.handed_on, &say) => ready?,
        () = stop.received() => return Ok(()),
    };
    say(&greeting(&ready.stack, &config.data_dir, log));
    let stopped = async move {
        stop.received().await;
        say("Stopping …");
    };
    ready.serve(listener, stopped).await
}

/// What every start tells: where it is, the keys, and what to do next.
fn greeting(stack: &Stack, data_dir: &Path, log: &Path) -> String {
    let mut text = format!("\nPlinth is running at {}\n\n", stack.url);
    if let Some(admin) = &stack.admin {
        text += &format!("  Admin            {}  {}\n", admin.email, admin.password);
    }
    if let Some(demo) = &stack.demo {
        text += &format!("  Demo project     {}\n", demo.url);
        text += &format!("  Publishable key  {}\n", demo.publishable_key);
        text += &format!("  Secret key       {}\n", demo.secret_key);
    }
    text += &format!("  Database         {}\n", stack.database_url);
    text += &format!("  All of it        {}\n", Stack::path(data_dir).display());
    text += &format!("  Log              {}\n", log.display());
    if let Some(demo) = &stack.demo {
        text += "\nNext: read the demo table\n\n";
        text += &format!(
            "  curl -H 'apikey: {}' '{}/rest/v1/todos'\n",
            demo.publishable_key, demo.url
        );
        text += "\nor with supabase-js (npm i @supabase/supabase-js):\n\n";
        text += &format!("  createClient('{}', '{}')\n", demo.url, demo.publishable_key);
    }
    text + "\nPress Ctrl-C to stop."
}

/// The log is a file: the terminal keeps the keys in sight.
fn start_log(data_dir: &Path) -> Result<PathBuf> {
    let path = data_dir.join("plinth.log");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.map_err(|error| Error::new(format!("{} cannot be written", path.display())).caused_by(error))?;
    plinth::web::init_logs(Arc::new(file));
    Ok(path)
}

fn options(config: &LocalConfig) -> Options {
    let mut options = Options::new(config.data_dir.join("postgres"));
    options.binaries.clone_from(&config.postgres_bin);
    options.download_to = Some(config.data_dir.join("download"));
    options.progress = Arc::new(say);
    options
}

/// Tells the person at the terminal. Nobody may be reading any more (`cargo run | head`): that is no reason to end.
fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Ctrl-C and SIGTERM.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::new("Signals cannot be received").caused_by(error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
