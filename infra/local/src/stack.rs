//! The running local stack: one platform, every router on one port, queue and schedule in process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use plinth::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth::config::Address;
use plinth::sensitive::Sensitive;
use plinth::web::Peer;
use tokio::net::TcpListener;

use crate::background;
use crate::error::{Error, Result};
use crate::first_start::{ADMIN, demo, new_admin, sign_in};
use crate::platform::{Function, Platform, Secrets};
use crate::router::router;
use crate::stack_file::Stack;

/// Requests that are under way may take this long to end once the stack is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Where the control database comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A Postgres of the stack's own: its superuser's URL.
    Own(Sensitive),
    /// A database the user names, with a login that has CREATEROLE and CREATEDB.
    Given(Sensitive),
}

/// A stack that is ready to serve.
pub struct Ready {
    /// Addresses and keys, as written to `stack.json`.
    pub stack: Stack,
    router: Router,
    worker: plinth::app::App,
    purge: plinth::app::App,
}

/// Prepares the platform, makes admin and demo project on the first start, and writes `stack.json` into `data_dir`.
/// `handed_on` are settings of the functions.
///
/// # Errors
/// What failed, and what to do about it.
pub async fn prepare(
    source: &Source,
    data_dir: &Path,
    url: &str,
    handed_on: &[(&str, Sensitive)],
    say: &(dyn Fn(&str) + Sync),
) -> Result<Ready> {
    let random: SharedRandom = Arc::new(SystemRandom);
    let clock: SharedClock = Arc::new(SystemClock);
    let secrets = Secrets::kept_in(data_dir, &random)?;
    let platform = match source {
        Source::Own(superuser) => Platform::prepare(superuser, url, secrets).await?,
        Source::Given(master) => {
            let address =
                Address::from_url(master.expose()).map_err(|why| Error::new(format!("PLINTH_DATABASE_URL {why}")))?;
            Platform::prepare_with(address, url, secrets).await?
        }
    };
    // These go into the environment of our own processes.
    let files = data_dir.join("files");
    let platform = platform
        .with("PLINTH_FIRST_ADMIN", ADMIN)
        .with("PLINTH_FILES_FOLDER", &files.to_string_lossy());
    let platform = handed_on
        .iter()
        .fold(platform, |platform, (name, value)| platform.with(name, value.expose()));
    let router = router(&platform, &clock)?;
    let earlier = Stack::read(data_dir)?;
    let mut stack = Stack {
        url: url.to_owned(),
        database_url: match source {
            Source::Own(url) | Source::Given(url) => url.expose().to_owned(),
        },
        pid: std::process::id(),
        admin: earlier.as_ref().and_then(|stack| stack.admin.clone()),
        demo: earlier.and_then(|stack| stack.demo),
    };
    if stack.demo.is_none() {
        say("First start: making an admin and a demo project …");
        let admin = stack.admin.get_or_insert_with(|| new_admin(&random)).clone();
        // Written before it is used: a password that only the database knows would lock everybody out.
        stack.write(data_dir)?;
        let token = sign_in(&router, &admin).await?;
        stack.demo = Some(demo(&router, &token).await?);
    }
    if let Some(demo) = &mut stack.demo {
        // The port may be another one today.
        demo.url = format!("{url}/p/{}", demo.r#ref);
    }
    stack.write(data_dir)?;
    Ok(Ready {
        stack,
        router,
        worker: platform.app(Function::Worker)?,
        purge: platform.app(Function::Purge)?,
    })
}

impl Ready {
    /// Serves until `stop` comes, then lets requests under way end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let service = self
            .router
            .layer(from_fn(peer))
            .into_make_service_with_connect_info::<SocketAddr>();
        let (told, heard) = tokio::sync::oneshot::channel();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            stop.await;
            let _nobody_waits = told.send(());
        });
        let give_up = async {
            match heard.await {
                Ok(()) => tokio::time::sleep(GRACE).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = server => served.map_err(|error| Error::new("The stack can serve no more").caused_by(error)),
            () = give_up => Ok(()),
            // Boxed: what a job may do is a deeply nested future.
            () = Box::pin(background::run(self.worker, self.purge)) => Ok(()),
        }
    }
}

/// Puts the other end of the socket where the layers look for it.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Peer(address.ip()));
    next.run(request).await
}
