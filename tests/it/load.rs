//! More requests than connections, larger replies than may be sent, clients that go away: over real HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use plinth::clock::{SharedClock, SystemClock};
use plinth::tenancy::Isolation;
use plinth_local::router::router;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::handmade::{Handmade, TODOS, project, superuser};
use crate::world::{World, platform, run, run_alone};

const CONNECTIONS: i64 = 20;
const CLIENTS: usize = 1_000;

/// A stack on a port of its own, with these settings.
async fn stack(settings: &[(&str, &str)]) -> SocketAddr {
    let mut platform = platform().await.clone();
    for (name, value) in settings {
        platform = platform.with(name, value);
    }
    let clock: SharedClock = Arc::new(SystemClock);
    let router = router(&platform, &clock).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// What came back over a socket.
struct Heard {
    status: u16,
    retry_after: bool,
    body: Value,
}

fn get(project: &Handmade, path: &str) -> String {
    format!(
        "GET {} HTTP/1.1\r\nhost: localhost\r\napikey: {}\r\nconnection: close\r\n\r\n",
        project.rest(path),
        project.publishable
    )
}

fn post(project: &Handmade, path: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\napikey: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        project.rest(path),
        project.publishable,
        body.len()
    )
}

async fn send(to: SocketAddr, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

async fn hear(mut socket: TcpStream) -> Heard {
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no reply: {text:?}"));
    Heard {
        status: head[9..12].parse().unwrap(),
        retry_after: head.contains("\r\nretry-after: "),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

async fn ask(to: SocketAddr, request: String) -> Heard {
    hear(send(to, &request).await).await
}

impl Heard {
    /// Whether it was turned away because too many others were there.
    #[track_caller]
    fn turned_away(&self) -> bool {
        if self.status == 503 {
            assert_eq!(self.body["code"], "PGRST003", "{}", self.body);
            assert!(self.retry_after);
            return true;
        }
        assert!(self.status < 300, "{} {}", self.status, self.body);
        false
    }
}

/// A thousand, or as many as this process may have sockets for: each client's has two ends here.
fn clients() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    files.map_or(CLIENTS, |files| (files.saturating_sub(200) / 2).min(CLIENTS))
}

/// Connections that a project's own login has open.
async fn connections(watcher: &tokio_postgres::Client, project: &Handmade) -> i64 {
    let sql = "select count(*) from pg_stat_activity where usename = $1";
    let row = watcher
        .query_one(sql, &[&project.names().own().as_str()])
        .await
        .unwrap();
    row.get(0)
}

/// Waits until so many of a project's statements wait for a lock.
async fn until_waiting(watcher: &tokio_postgres::Client, project: &Handmade, count: i64) {
    let sql = "select count(*) from pg_stat_activity where usename = $1 and wait_event_type = 'Lock'";
    loop {
        let row = watcher
            .query_one(sql, &[&project.names().own().as_str()])
            .await
            .unwrap();
        if row.get::<_, i64>(0) == count {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn locked(project: &Handmade) -> tokio_postgres::Client {
    let holder = superuser(&project.database()).await;
    let lock = format!("begin; lock table {}.todos", project.schema());
    holder.batch_execute(&lock).await.unwrap();
    holder
}

/// A stack with few connections, all of them open, and a queue of that length; and a project on it.
async fn crowded(queue: usize) -> (SocketAddr, Handmade) {
    let project = project(Isolation::Database, TODOS).await;
    let stack = stack(&[
        ("PLINTH_POOL_SIZE", &CONNECTIONS.to_string()),
        ("PLINTH_POOL_QUEUE", &queue.to_string()),
        ("PLINTH_POOL_WAIT_MS", "60000"),
        ("PLINTH_REQUEST_TIMEOUT_MS", "60000"),
    ])
    .await;
    let first = get(&project, "todos?id=eq.1");
    assert!(!ask(stack, first.clone()).await.turned_away());
    let (watcher, holder) = (superuser("postgres").await, locked(&project).await);
    let warm: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(ask(stack, first.clone())))
        .collect();
    until_waiting(&watcher, &project, CONNECTIONS).await;
    holder.batch_execute("rollback").await.unwrap();
    for warm in warm {
        assert!(!warm.await.unwrap().turned_away());
    }
    (stack, project)
}

#[test]
fn who_finds_the_queue_full_is_turned_away_at_once() {
    run_alone(async {
        let queue = 100;
        let (stack, project) = crowded(queue).await;
        let watcher = superuser("postgres").await;
        let holder = locked(&project).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let all = clients();
        for _ in 0..all {
            let (request, tell) = (get(&project, "todos?id=eq.1"), tell.clone());
            tokio::spawn(async move { tell.send(ask(stack, request).await).unwrap() });
        }
        // Nobody who has a connection, or waits for one, is answered before the lock is gone.
        let served = CONNECTIONS as usize + queue;
        for _ in served..all {
            assert!(told.recv().await.unwrap().turned_away());
        }
        until_waiting(&watcher, &project, CONNECTIONS).await;
        assert_eq!(connections(&watcher, &project).await, CONNECTIONS);
        holder.batch_execute("rollback").await.unwrap();
        for _ in 0..served.min(all) {
            assert!(!told.recv().await.unwrap().turned_away());
        }
    });
}

#[test]
fn a_thousand_clients_share_twenty_connections() {
    run_alone(async {
        let (stack, project) = crowded(CLIENTS).await;
        let watcher = superuser("postgres").await;
        let mut crowd = tokio::task::JoinSet::new();
        for client in 0..clients() {
            let read = get(&project, "todos?id=eq.1");
            let write = post(&project, "todos", &json!({ "id": 1_000 + client }));
            crowd.spawn(async move {
                for request in [&read, &write, &read] {
                    assert!(!ask(stack, request.clone()).await.turned_away());
                }
            });
        }
        let mut most = 0;
        while !crowd.is_empty() {
            most = most.max(connections(&watcher, &project).await);
            while let Some(done) = crowd.try_join_next() {
                done.unwrap();
            }
        }
        assert!(most <= CONNECTIONS, "{most}");
        let all = ask(stack, get(&project, "todos?id=gte.1000&select=id")).await;
        assert_eq!(all.body.as_array().unwrap().len(), clients());
    });
}

#[test]
fn a_client_that_hangs_up_stops_its_statement() {
    run(async {
        let (stack, project) = crowded(CLIENTS).await;
        let watcher = superuser("postgres").await;
        let holder = locked(&project).await;
        let mut sockets = Vec::new();
        for number in 0..CONNECTIONS {
            let write = post(&project, "todos", &json!({ "id": 1_000 + number }));
            sockets.push(send(stack, &write).await);
        }
        until_waiting(&watcher, &project, CONNECTIONS).await;
        drop(sockets);
        until_waiting(&watcher, &project, 0).await;
        // Their connections are free for others, and what they asked for never happens.
        let read = tokio::spawn(ask(stack, get(&project, "todos?select=id&order=id")));
        until_waiting(&watcher, &project, 1).await;
        holder.batch_execute("rollback").await.unwrap();
        assert_eq!(read.await.unwrap().body, json!([{ "id": 1 }, { "id": 2 }]));
    });
}

#[test]
fn a_reply_too_large_to_be_sent_is_refused_and_what_it_wrote_undone() {
    run(async {
        let project = project(Isolation::Schema, TODOS).await;
        let platform = platform().await.with("PLINTH_MAX_REPLY_BYTES", "2000");
        let world = World::of(&platform, Arc::new(SystemClock));
        let path = project.rest("todos");
        let insert = |id: i32, title: String, prefer: &'static str| {
            let call = world.post(&path).key(&project.secret).header("prefer", prefer);
            call.json(&json!({ "id": id, "title": title })).send()
        };
        let show = "return=representation";
        // A quote is one byte in the row, two in the body, and four in the envelope around it.
        for (id, title, prefer, status) in [
            (10, "x".repeat(1_900), show, 201),
            (11, "x".repeat(2_100), show, 413),
            (12, "\"".repeat(450), show, 201),
            (13, "\"".repeat(600), show, 413),
            (14, "x".repeat(3_000), "return=minimal", 201),
        ] {
            let reply = insert(id, title, prefer).await;
            assert_eq!(reply.status.as_u16(), status, "{id} {}", reply.text);
            if status == 413 {
                assert_eq!(reply.json()["code"], "records/reply-too-large");
            }
        }
        for (query, status) in [
            ("id=gte.10&select=id&order=id", 200),
            ("id=eq.14", 413),
            ("id=gte.10", 413),
        ] {
            let reply = world.get(&format!("{path}?{query}")).key(&project.secret).send().await;
            assert_eq!(reply.status.as_u16(), status, "{query} {}", reply.text);
            if status == 200 {
                assert_eq!(reply.json(), json!([{ "id": 10 }, { "id": 12 }, { "id": 14 }]));
            }
        }
    });
}

#[test]
fn a_body_nested_deeper_than_any_document_is_refused() {
    run(async {
        let sql = format!("{TODOS} create function given(json) returns int language sql as 'select 1';");
        let project = project(Isolation::Database, &sql).await;
        let world = World::of(platform().await, Arc::new(SystemClock));
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        for (path, levels, status) in [
            ("todos?columns=id", 500_000, 400),
            ("todos", 129, 400),
            ("rpc/given", 100, 200),
            ("rpc/given", 129, 400),
            ("rpc/given", 500_000, 400),
        ] {
            let call = world.post(&project.rest(path)).key(&project.secret);
            let reply = call.body(nested(levels), "application/json").send().await;
            assert_eq!(reply.status.as_u16(), status, "{path} {levels}: {}", reply.text);
        }
    });
}
