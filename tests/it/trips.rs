//! A warm request is one network round trip: whatever it asks, however it ends, with named statements and without.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::Method;
use plinth::clock::SystemClock;
use plinth::tenancy::Isolation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::faults::reached_by;
use crate::handmade::{Handmade, project};
use crate::world::{World, platform, run};

/// The last message of a request's one trip.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// `commit` or `rollback`.
    End,
    /// The statement behind it.
    Behind,
}

/// A way to the platform's server that counts. While it is shut, no answer comes back before the request's last message
/// has been sent: who waits for one in between waits for ever.
struct Gate {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    shut: Mutex<Option<Shut>>,
    opened: tokio::sync::Notify,
    /// A message was sent after the last one.
    late: AtomicBool,
    messages: AtomicUsize,
}

struct Shut {
    last: Last,
    ended: bool,
}

impl Gate {
    async fn new() -> Self {
        let server = platform().await.master.port;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { port, state }
    }

    /// Shuts it for one request.
    fn shut(&self, last: Last) {
        self.state.late.store(false, Ordering::SeqCst);
        self.state.messages.store(0, Ordering::SeqCst);
        *self.state.shut.lock().unwrap() = Some(Shut { last, ended: false });
    }

    /// Opens it and tells whether the request's last message was sent, and none after it.
    fn one_trip(&self) -> bool {
        let waiting = self.state.shut.lock().unwrap().take().is_some();
        self.state.opened.notify_waiters();
        let sent = self.state.messages.load(Ordering::SeqCst) > 0;
        sent && !waiting && !self.state.late.load(Ordering::SeqCst)
    }
}

impl State {
    fn is_shut(&self) -> bool {
        self.shut.lock().unwrap().is_some()
    }

    /// Takes note of a message from the client.
    fn sent(&self, kind: u8, text: &[u8]) {
        let mut shut = self.shut.lock().unwrap();
        self.messages.fetch_add(1, Ordering::SeqCst);
        let Some(now) = &mut *shut else {
            return self.late.store(true, Ordering::SeqCst);
        };
        let ends = kind == b'Q' && (text.starts_with(b"commit") || text.starts_with(b"rollback"));
        let last = match now.last {
            Last::End => ends,
            Last::Behind => now.ended && kind == b'S',
        };
        now.ended |= ends;
        if last {
            *shut = None;
            self.opened.notify_waiters();
        }
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, state: Arc<State>) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut asked = Vec::new();
    // Its first message has no kind.
    let mut started = false;
    loop {
        let opened = state.opened.notified();
        let shut = state.is_shut();
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(length @ 1..) => {
                    asked.extend_from_slice(&up[..length]);
                    while let Some((kind, text)) = message(&mut asked, started) {
                        state.sent(kind, &text);
                        started = true;
                    }
                    if server.write_all(&up[..length]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut down), if !shut => match read {
                Ok(length @ 1..) if client.write_all(&down[..length]).await.is_ok() => {}
                _ => return,
            },
            () = opened, if shut => {}
        }
    }
}

/// Takes one whole message off the front.
fn message(bytes: &mut Vec<u8>, has_kind: bool) -> Option<(u8, Vec<u8>)> {
    let head = usize::from(has_kind);
    let length = bytes.get(head..head + 4)?;
    let length = head + u32::from_be_bytes(length.try_into().unwrap()) as usize;
    if bytes.len() < length {
        return None;
    }
    let rest = bytes.split_off(length);
    let message = std::mem::replace(bytes, rest);
    Some((if has_kind { message[0] } else { 0 }, message[head + 4..].to_vec()))
}

const TABLES: &str = "
    create table todos (id int primary key, title text not null default 'untitled', done boolean);
    insert into todos select n, 'title ' || n, n % 2 = 0 from generate_series(1, 200) n;
    create table hidden (id int primary key);
    create table refusing (id int primary key);
    create table kept (id int primary key, plinth_deleted_at timestamptz);
    insert into kept select n from generate_series(1, 50) n;
    create function refuse() returns trigger language plpgsql as 'begin raise ''refused''; end';
    create trigger refuse before insert on refusing for each row execute function refuse();
    create table authors (id int primary key, name text);
    insert into authors select n, 'author ' || n from generate_series(1, 5) n;
    create table books (id int primary key, author_id int references authors);
    insert into books select n, 1 + n % 5 from generate_series(1, 20) n;
    create table chapters (id int primary key, book_id int references books);
    insert into chapters select n, 1 + n % 20 from generate_series(1, 60) n;
    create function add(a int, b int) returns int language sql immutable as 'select a + b';
    create function few(most int) returns setof todos language sql stable as 'select * from todos where id <= most';
    create function touch(which int) returns void language sql volatile as
      'update todos set done = true where id = which';
    create function fail() returns void language plpgsql as 'begin raise ''failed''; end';
    grant select, insert, update, delete on todos, kept, refusing, authors, books, chapters to $anon, $service;
";

/// A request; `{n}` is a number that no other request has.
struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    prefer: &'static str,
    body: &'static str,
    /// Status, and code of an error.
    answer: (u16, &'static str),
    last: Last,
}

fn case(name: &'static str, method: Method, path: &'static str, answer: (u16, &'static str)) -> Case {
    Case {
        name,
        method,
        path,
        prefer: "",
        body: "",
        answer,
        last: Last::Behind,
    }
}

impl Case {
    fn with(self, prefer: &'static str, body: &'static str) -> Self {
        Self { prefer, body, ..self }
    }

    fn ending(self, last: Last) -> Self {
        Self { last, ..self }
    }
}

fn cases() -> Vec<Case> {
    let (get, post, patch, put, delete) = (Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE);
    let (show, merge) = (
        "return=representation",
        "resolution=merge-duplicates, return=representation",
    );
    vec![
        case("by key", get.clone(), "todos?id=eq.1", (200, "")),
        case("list", get.clone(), "todos?done=is.true&order=id&limit=50", (200, "")),
        case("counted", get.clone(), "todos?limit=5", (206, "")).with("count=exact", ""),
        case("head", Method::HEAD, "todos", (200, "")),
        case(
            "embed",
            get.clone(),
            "authors?select=name,books(id,chapters(id))&books.limit=2",
            (200, ""),
        ),
        case("call", post.clone(), "rpc/add", (200, "")).with("", r#"{"a":1,"b":2}"#),
        case(
            "call by GET",
            get.clone(),
            "rpc/few?most=9&select=id&limit=5",
            (200, ""),
        ),
        case("call that writes", post.clone(), "rpc/touch", (204, "")).with("", r#"{"which":3}"#),
        case("insert", post.clone(), "todos", (201, "")).with(show, r#"{"id":{n},"title":"new"}"#),
        case("insert in silence", post.clone(), "todos", (201, "")).with("", r#"{"id":{n}}"#),
        case("bulk insert", post.clone(), "todos", (201, "")).with(show, r#"[{"id":{n}},{"id":-{n}}]"#),
        case("upsert", post.clone(), "todos", (200, "")).with(merge, r#"{"id":1,"title":"merged"}"#),
        case("update", patch.clone(), "todos?id=eq.1", (200, "")).with(show, r#"{"title":"changed"}"#),
        case("put", put, "todos?id=eq.2", (200, "")).with(show, r#"{"id":2,"title":"put","done":true}"#),
        case("delete", delete.clone(), "todos?id=eq.-1", (204, "")),
        case("delete softly", delete.clone(), "kept?id=lt.9", (200, "")).with(show, ""),
        case("rolled back", post.clone(), "todos", (201, "")).with("tx=rollback", r#"{"id":{n}}"#),
        case("duplicate", post.clone(), "todos", (409, "23505")).with("", r#"{"id":1}"#),
        case("not null", post.clone(), "todos", (400, "23502")).with("", r#"{"id":{n},"title":null}"#),
        case("bad value", get.clone(), "todos?id=eq.one", (400, "22P02")),
        case("no such operator", get.clone(), "todos?id=like.*1", (404, "42883")),
        case(
            "bad value in an embed",
            get.clone(),
            "authors?select=id,books(id,chapters(id))&books.chapters.id=eq.x",
            (400, "22P02"),
        ),
        case("call that fails", post.clone(), "rpc/fail", (400, "P0001")).with("", "{}"),
        case("no right", get.clone(), "hidden", (401, "42501")),
        case("raised", post, "refusing", (400, "P0001")).with("", r#"{"id":1}"#),
        case("too many", delete, "todos?id=lt.9", (400, "PGRST124")).with("handling=strict, max-affected=1", ""),
        // Refused before the database is asked, which is asked for the versions alone.
        case("no such column", get, "todos?select=nothing", (400, "42703")).ending(Last::End),
    ]
}

async fn ask(world: &World, project: &Handmade, case: &Case, number: usize) -> crate::world::Reply {
    let mut call = world
        .call(case.method.clone(), &project.rest(case.path))
        .key(&project.publishable);
    if !case.prefer.is_empty() {
        call = call.header("prefer", case.prefer);
    }
    if !case.body.is_empty() {
        call = call.body(case.body.replace("{n}", &number.to_string()), "application/json");
    }
    call.send().await
}

#[test]
fn a_warm_request_is_one_round_trip() {
    run(async {
        for (level, pooler) in [
            (Isolation::Schema, "false"),
            (Isolation::Schema, "true"),
            (Isolation::Database, "false"),
            (Isolation::Database, "true"),
        ] {
            let gate = Gate::new().await;
            let project = project(level, TABLES).await;
            reached_by(gate.port, &project).await;
            let mut platform = platform().await.clone();
            for (name, value) in [
                ("PLINTH_POOL_SIZE", "1"),
                ("PLINTH_REQUEST_TIMEOUT_MS", "5000"),
                ("PLINTH_POOLER", pooler),
            ] {
                platform = platform.with(name, value);
            }
            let world = World::of(&platform, Arc::new(SystemClock));
            let mut number = 1_000;
            // Functions are called at level `database`, where tenants may have some.
            let functions = level == Isolation::Database;
            let cases = cases().into_iter();
            for case in cases.filter(|case| functions || !case.path.starts_with("rpc/")) {
                // Without a name, prepared, by name: however often a shape has come. The first one of all opens the
                // connection and reads the catalog.
                for turn in 0..4 {
                    number += 1;
                    if number > 1_001 {
                        // There any column may be named: the database refuses it.
                        gate.shut(if functions { Last::Behind } else { case.last });
                    }
                    let reply = ask(&world, &project, &case, number).await;
                    let told = format!(
                        "{level:?} {pooler} {} {turn}: {} {}",
                        case.name, reply.status, reply.text
                    );
                    let (status, code) = case.answer;
                    assert_eq!(reply.status.as_u16(), status, "{told}");
                    assert!(code.is_empty() || reply.json()["code"] == code, "{told}");
                    assert!(number == 1_001 || gate.one_trip(), "{told}");
                }
            }
        }
    });
}
