//! `cargo run`: starts the local stack and stops it on Ctrl-C or SIGTERM.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use plinth_local::config::LocalConfig;
use plinth_local::error::{Error, Result};
use plinth_local::postgres::{Options, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
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
    if config.database_url.is_some() {
        say("Using the database of PLINTH_DATABASE_URL: no Postgres is started. Press Ctrl-C to stop.");
        stop.received().await;
        return Ok(());
    }
    let server = tokio::select! {
        started = Server::start(options(&config)) => started?,
        () = stop.received() => return Ok(()),
    };
    say(&format!("Postgres: {}", server.url("postgres").expose()));
    say("Press Ctrl-C to stop.");
    tokio::select! {
        () = stop.received() => {
            say("Stopping …");
            server.stop().await
        }
        error = server.died() => Err(error),
    }
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
