//! A database that is slow, busy, silent or gone: what fails says why, and all is well again afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::clock::{SharedRandom, SystemClock, SystemRandom};
use plinth::tenancy::Isolation;
use plinth_local::platform::{Platform, Secrets};
use plinth_local::postgres::{Options, Server};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::handmade::{Handmade, TODOS, project, superuser};
use crate::world::{BASE_URL, Call, Reply, World, platform, run, unique};

/// What the way to the database does.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Open,
    /// Connections are taken and stay silent.
    Silent,
    /// Connections are cut.
    Cut,
}

/// A way to the platform's server that can be blocked.
async fn way() -> (u16, watch::Sender<Way>) {
    let server = platform().await.master.port;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (set, state) = watch::channel(Way::Open);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(pass(client, server, state.clone()));
        }
    });
    (port, set)
}

async fn pass(mut client: TcpStream, server: u16, mut state: watch::Receiver<Way>) {
    if state.wait_for(|way| *way != Way::Silent).await.is_err() || *state.borrow() == Way::Cut {
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            biased;
            changed = state.changed() => {
                let way = *state.borrow();
                if changed.is_err() || way == Way::Cut
                    || (way == Way::Silent && state.wait_for(|way| *way != Way::Silent).await.is_err()) {
                    return;
                }
            }
            read = client.read(&mut up) => match read {
                Ok(length @ 1..) if server.write_all(&up[..length]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(length @ 1..) if client.write_all(&down[..length]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

/// A project whose backend is reached by a way of its own, and a world with little patience.
async fn far() -> (World, Handmade, watch::Sender<Way>) {
    let (port, way) = way().await;
    let project = project(Isolation::Schema, TODOS).await;
    reached_by(port, &project).await;
    (impatient().await, project, way)
}

/// Has a project's backend reached through a port of this machine.
pub async fn reached_by(port: u16, project: &Handmade) {
    let control = superuser("plinth").await;
    let sql = format!(
        // Closed: no other test's project may land in a cell that is about to fall silent.
        "insert into plinth.cells (id, name, host, port, database, capacity, backends, open)
           values ({port}, 'far-{port}', '127.0.0.1', {port}, 'plinth_cell', 1, 1, false);
         update plinth.cells set backends = backends - 1 where id = 1;
         update plinth.backends set cell_id = {port} where id = '{}'",
        project.backend
    );
    control.batch_execute(&sql).await.unwrap();
}

async fn impatient() -> World {
    let platform = platform().await.with("PLINTH_REQUEST_TIMEOUT_MS", "1500");
    let platform = platform
        .with("PLINTH_POOL_SIZE", "1")
        .with("PLINTH_POOL_WAIT_MS", "200");
    World::of(&platform, Arc::new(SystemClock))
}

fn read(world: &World, project: &Handmade) -> Call {
    world
        .get(&project.rest("todos?id=eq.1&select=id"))
        .key(&project.publishable)
}

fn write(world: &World, project: &Handmade, id: i32) -> Call {
    let call = world.post(&project.rest("todos")).key(&project.publishable);
    call.json(&json!({ "id": id }))
}

#[track_caller]
fn expect_away(reply: &Reply) {
    assert_eq!(reply.code(StatusCode::SERVICE_UNAVAILABLE), "PGRST001");
    assert_eq!(reply.header("retry-after"), "1");
}

#[test]
fn a_database_that_dies_and_comes_back_needs_no_restart() {
    run(async {
        let (world, project, way) = far().await;
        for _ in 0..2 {
            read(&world, &project).send().await.expect(StatusCode::OK);
            way.send(Way::Cut).unwrap();
            expect_away(&read(&world, &project).send().await);
            expect_away(&write(&world, &project, 9).send().await);
            way.send(Way::Open).unwrap();
            let rows = read(&world, &project).send().await;
            assert_eq!(rows.expect(StatusCode::OK), json!([{ "id": 1 }]));
        }
        assert_eq!(write(&world, &project, 9).send().await.status, StatusCode::CREATED);
    });
}

#[test]
fn a_silent_database_is_given_up_at_the_deadline() {
    run(async {
        let (world, project, way) = far().await;
        for (call, code) in [
            (read(&world, &project), "records/deadline"),
            (write(&world, &project, 9), "records/outcome-unknown"),
        ] {
            read(&world, &project).send().await.expect(StatusCode::OK);
            way.send(Way::Silent).unwrap();
            let started = Instant::now();
            assert_eq!(call.send().await.code(StatusCode::GATEWAY_TIMEOUT), code);
            assert!(started.elapsed() < Duration::from_secs(4));
            // A new connection hears nothing either; nothing was sent.
            expect_away(&read(&world, &project).send().await);
            way.send(Way::Open).unwrap();
        }
        read(&world, &project).send().await.expect(StatusCode::OK);
    });
}

/// Holds a lock that every request of `project` waits for.
async fn locked(project: &Handmade) -> tokio_postgres::Client {
    let holder = superuser(&project.database()).await;
    let lock = format!("begin; lock table {}.todos", project.schema());
    holder.batch_execute(&lock).await.unwrap();
    holder
}

/// Waits until somebody waits for a lock in `project`'s schema; their process id.
async fn waiting(project: &Handmade) -> i32 {
    let watcher = superuser("postgres").await;
    let sql = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'";
    loop {
        if let Some(row) = watcher.query_opt(sql, &[&project.reference.as_str()]).await.unwrap() {
            return row.get(0);
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_busy_pool_is_a_503_that_clients_try_again() {
    run(async {
        let (world, project) = (impatient().await, project(Isolation::Schema, TODOS).await);
        read(&world, &project).send().await.expect(StatusCode::OK);
        let holder = locked(&project).await;
        let first = tokio::spawn(read(&world, &project).send());
        waiting(&project).await;
        let second = read(&world, &project).send().await;
        assert_eq!(second.code(StatusCode::SERVICE_UNAVAILABLE), "PGRST003");
        assert_eq!(second.header("retry-after"), "1");
        holder.batch_execute("rollback").await.unwrap();
        first.await.unwrap().expect(StatusCode::OK);
    });
}

#[test]
fn a_connection_ended_by_the_server_is_replaced() {
    run(async {
        let (world, project) = (impatient().await, project(Isolation::Schema, TODOS).await);
        read(&world, &project).send().await.expect(StatusCode::OK);
        let server = superuser("postgres").await;
        let end = async |pid: i32| {
            server
                .execute("select pg_terminate_backend($1)", &[&pid])
                .await
                .unwrap()
        };

        // A read is run again, a write says that it has not happened.
        let holder = locked(&project).await;
        let reading = tokio::spawn(read(&world, &project).send());
        let first = waiting(&project).await;
        end(first).await;
        while waiting(&project).await == first {}
        holder.batch_execute("rollback").await.unwrap();
        reading.await.unwrap().expect(StatusCode::OK);

        let holder = locked(&project).await;
        let writing = tokio::spawn(write(&world, &project, 9).send());
        end(waiting(&project).await).await;
        expect_away(&writing.await.unwrap());
        holder.batch_execute("rollback").await.unwrap();
        let rows = world
            .get(&project.rest("todos?id=eq.9"))
            .key(&project.publishable)
            .send()
            .await;
        assert_eq!(rows.expect(StatusCode::OK), json!([]));
    });
}

#[test]
fn a_request_nobody_waits_for_leaves_a_usable_pool_and_no_running_statement() {
    run(async {
        let (world, project) = (impatient().await, project(Isolation::Schema, TODOS).await);
        read(&world, &project).send().await.expect(StatusCode::OK);
        let holder = locked(&project).await;
        let abandoned = tokio::spawn(write(&world, &project, 9).send());
        let pid = waiting(&project).await;
        abandoned.abort();
        assert!(abandoned.await.unwrap_err().is_cancelled());
        let watcher = superuser("postgres").await;
        let there = async || {
            let sql = "select from pg_stat_activity where pid = $1";
            watcher.query_opt(sql, &[&pid]).await.unwrap().is_some()
        };
        while there().await {
            tokio::task::yield_now().await;
        }
        holder.batch_execute("rollback").await.unwrap();
        let rows = world
            .get(&project.rest("todos?select=id"))
            .key(&project.publishable)
            .send()
            .await;
        assert_eq!(rows.expect(StatusCode::OK), json!([{ "id": 1 }, { "id": 2 }]));
    });
}

#[test]
fn a_login_that_is_refused_is_a_503_until_its_password_is_right_again() {
    run(async {
        let (world, project) = (impatient().await, project(Isolation::Database, TODOS).await);
        let own = project.names().own();
        let server = superuser("postgres").await;
        let verifier = server
            .query_one("select rolpassword from pg_authid where rolname = $1", &[&own.as_str()])
            .await
            .unwrap();
        let verifier: String = verifier.get(0);
        server
            .batch_execute(&format!("alter role {own} password 'changed by the tenant'"))
            .await
            .unwrap();
        let refused = read(&world, &project).send().await;
        assert_eq!(refused.code(StatusCode::SERVICE_UNAVAILABLE), "backend/refused");
        server
            .batch_execute(&format!("alter role {own} password '{verifier}'"))
            .await
            .unwrap();
        read(&world, &project).send().await.expect(StatusCode::OK);
    });
}

#[test]
fn a_server_that_dies_and_comes_back_is_served_again_without_a_restart() {
    run(async {
        let folder = std::env::temp_dir().join(unique());
        let options = |port| {
            let mut options = Options::new(folder.join("postgres"));
            options.port = port;
            options.durable = false;
            options
        };
        let server = Server::start(options(None)).await.unwrap();
        let port = server.port();
        let random: SharedRandom = Arc::new(SystemRandom);
        let secrets = Secrets::generate(&random);
        let platform = Platform::prepare(&server.url("postgres"), BASE_URL, secrets)
            .await
            .unwrap();
        let world = World::of(&platform, Arc::new(SystemClock));
        let mut asked = Vec::new();
        for level in ["schema", "database"] {
            let project = Box::pin(world.project(level)).await;
            let path = project.rest("app_data?select=id");
            world
                .get(&path)
                .key(&project.secret)
                .send()
                .await
                .expect(StatusCode::OK);
            asked.push((path, project.secret));
        }
        server.stop().await.unwrap();
        for (path, key) in &asked {
            let reply = world.get(path).key(key).send().await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
            assert!(!reply.header("retry-after").is_empty());
            let row = json!({ "data_type": "lost" });
            let written = world.post(path).key(key).json(&row).send().await;
            assert_eq!(written.status, StatusCode::SERVICE_UNAVAILABLE, "{}", written.text);
        }
        let server = Server::start(options(Some(port))).await.unwrap();
        for (path, key) in &asked {
            assert_eq!(world.get(path).key(key).send().await.expect(StatusCode::OK), json!([]));
        }
        server.stop().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    });
}
