//! A real Postgres: started, found again, refused, killed, stopped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must stop"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plinth_local::config::LocalConfig;
use plinth_local::error::Error;
use plinth_local::postgres::{Options, Server, template};
use plinth_local::stack_file::Stack;
use plinth_local::testing;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

fn folder(mode: u32) -> TempDir {
    tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(mode))
        .tempdir()
        .unwrap()
}

/// Options for a server below `folder` that need not survive a crash of the machine.
fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder.join("postgres"));
    options.download_to = Some(LocalConfig::from_env().unwrap().data_dir.join("download"));
    options.binaries = LocalConfig::from_env().unwrap().postgres_bin;
    options.durable = false;
    options
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn setting(client: &Client, name: &str) -> String {
    client
        .query_one("select current_setting($1)", &[&name])
        .await
        .unwrap()
        .get(0)
}

fn pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn second_start_finds_the_data_and_the_password_of_the_first() {
    let folder = folder(0o755);
    // What a start that was cut short in initdb leaves behind.
    std::fs::create_dir_all(folder.path().join("postgres/data.new/base")).unwrap();
    let begun = Instant::now();
    let first = Server::start(options(folder.path())).await.unwrap();
    let with_initdb = begun.elapsed();
    let client = connect(first.url("postgres").expose()).await;
    client
        .batch_execute("create table kept (n int); insert into kept values (42)")
        .await
        .unwrap();
    drop(client);
    let password = std::fs::metadata(first.folder().join("superuser")).unwrap();
    assert_eq!(password.permissions().mode() & 0o777, 0o600);
    first.stop().await.unwrap();
    assert!(!folder.path().join("postgres/data/postmaster.pid").exists());

    let begun = Instant::now();
    let second = Server::start(options(folder.path())).await.unwrap();
    println!("first start {with_initdb:.1?}, second start {:.1?}", begun.elapsed());
    let client = connect(second.url("postgres").expose()).await;
    assert_eq!(
        client
            .query_one("select n from kept", &[])
            .await
            .unwrap()
            .get::<_, i32>(0),
        42
    );
    second.stop().await.unwrap();
}

#[tokio::test]
async fn settings_are_the_ones_asked_for() {
    let server = testing::server().await.unwrap();
    let client = connect(server.url("postgres").expose()).await;
    for (name, value) in [
        ("listen_addresses", "127.0.0.1"),
        ("max_connections", "600"),
        ("max_locks_per_transaction", "256"),
        ("temp_file_limit", "1GB"),
        ("password_encryption", "scram-sha-256"),
        ("fsync", "off"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(setting(&client, name).await, value, "{name}");
    }
    let methods = "select string_agg(distinct auth_method, ',') from pg_hba_file_rules";
    assert_eq!(
        client.query_one(methods, &[]).await.unwrap().get::<_, String>(0),
        "scram-sha-256"
    );
}

#[tokio::test]
async fn wrong_password_is_refused() {
    let server = testing::server().await.unwrap();
    let url = server.url_as("postgres", &"guess".to_owned().into(), "postgres");
    let error = tokio_postgres::connect(url.expose(), NoTls).await.err().unwrap();
    assert_eq!(error.code().unwrap().code(), "28P01");
}

#[tokio::test]
async fn data_in_use_is_refused_with_the_pid_of_its_user() {
    let folder = folder(0o755);
    let server = Server::start(options(folder.path())).await.unwrap();
    let error = Server::start(options(folder.path())).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("already in use by process {}", std::process::id())),
        "{error}"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn port_in_use_fails_at_once_with_the_log() {
    let folder = folder(0o755);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = options(folder.path());
    options.port = Some(taken.local_addr().unwrap().port());
    let error = Server::start(options).await.unwrap_err().to_string();
    assert!(
        error.contains("Postgres ended unexpectedly") && error.contains("could not bind"),
        "{error}"
    );
}

#[tokio::test]
async fn killed_server_is_reported_with_the_end_of_its_log() {
    let folder = folder(0o755);
    let server = Server::start(options(folder.path())).await.unwrap();
    kill_process(pid(server.pid()), Signal::KILL).unwrap();
    let error: Error = tokio::time::timeout(Duration::from_secs(10), server.died())
        .await
        .unwrap();
    let text = error.to_string();
    assert!(text.contains("signal: 9"), "{text}");
    assert!(
        text.contains("database system is ready to accept connections"),
        "{text}"
    );
}

#[tokio::test]
async fn lost_password_is_named_with_the_way_out() {
    let folder = folder(0o755);
    Server::start(options(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    std::fs::remove_file(folder.path().join("postgres/superuser")).unwrap();
    let error = Server::start(options(folder.path())).await.unwrap_err().to_string();
    assert!(error.contains("superuser") && error.contains("start afresh"), "{error}");
}

#[tokio::test]
async fn closed_parent_folder_moves_the_data_and_remembers_where() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root changes the account, so only root can be shut out.
    }
    let folder = folder(0o700);
    let server = Server::start(options(folder.path())).await.unwrap();
    let place = server.folder().to_owned();
    assert!(place.starts_with("/var/lib/plinth"), "{place:?}");
    server.stop().await.unwrap();
    let again = Server::start(options(folder.path())).await.unwrap();
    assert_eq!(again.folder(), place);
    again.stop().await.unwrap();
    std::fs::remove_dir_all(place).unwrap();
}

#[tokio::test]
async fn path_too_long_for_a_socket_starts_all_the_same() {
    let folder = folder(0o755);
    let server = Server::start(options(&folder.path().join("long".repeat(25))))
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn temporary_server_takes_its_folder_with_it() {
    let mut options = Options::new("");
    options.binaries = LocalConfig::from_env().unwrap().postgres_bin;
    let server = Server::temporary(options).await.unwrap();
    let (place, process) = (server.folder().to_owned(), pid(server.pid()));
    assert!(place.join("data").exists());
    drop(server);
    assert!(!place.exists());
    assert!(test_kill_process(process).is_err());
}

#[tokio::test]
async fn databases_of_one_template_are_equal_and_apart() {
    let prepare = |url: String| async move {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client
            .batch_execute("create table things (n int); insert into things values (1)")
            .await?;
        drop(client);
        let _ = connection.await;
        Ok::<_, tokio_postgres::Error>(())
    };
    let (one, two) = tokio::join!(
        testing::database("things", prepare),
        testing::database("things", prepare)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let count = "select count(*) from things";
    let first = connect(one.url()).await;
    first.batch_execute("insert into things values (2)").await.unwrap();
    let second = connect(two.url()).await;
    assert_eq!(first.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 2);
    assert_eq!(second.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 1);
    template::remove(testing::server().await.unwrap(), one.name())
        .await
        .unwrap();
    let error = tokio_postgres::connect(one.url(), NoTls).await.err().unwrap();
    assert_eq!(error.code().unwrap().code(), "3D000");
}

/// The binary, as `cargo run` starts it on a free port, with its output read up to its last line.
fn stack(data: &Path) -> (Child, Stack) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut child = binary(data, port).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let told: Vec<String> = output
        .lines()
        .map_while(Result::ok)
        .take_while(|line| line != "Press Ctrl-C to stop.")
        .collect();
    let stack = Stack::read(data).unwrap().expect("the binary writes stack.json");
    let keys = &stack.demo.as_ref().unwrap().publishable_key;
    assert!(told.iter().any(|line| line.contains(keys)), "{told:#?}");
    assert_eq!(stack.url, format!("http://127.0.0.1:{port}"));
    assert_eq!(stack.pid, child.id());
    (child, stack)
}

fn binary(data: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth-local"));
    command
        .env("PLINTH_DATA_DIR", data)
        .env("PLINTH_PORT", port.to_string())
        .env_remove("PLINTH_DATABASE_URL");
    command
}

/// What `GET path` answers on the stack, status line and all.
fn get(stack: &Stack, path: &str, key: &str) -> String {
    let mut socket = std::net::TcpStream::connect(stack.url.strip_prefix("http://").unwrap()).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\napikey: {key}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn second_start_finds_its_data_and_keys() {
    let folder = folder(0o755);
    let (mut first, stack_then) = stack(folder.path());
    let demo = stack_then.demo.clone().unwrap();
    let todos = format!("/p/{}/rest/v1/todos?select=title", demo.r#ref);
    let before = get(&stack_then, &todos, &demo.publishable_key);
    assert!(
        before.starts_with("HTTP/1.1 200") && before.contains("Start the stack"),
        "{before}"
    );
    let port = stack_then.url.rsplit(':').next().unwrap().parse().unwrap();
    let clash = binary(tempfile::tempdir().unwrap().path(), port).output().unwrap();
    assert!(!clash.status.success());
    let said = String::from_utf8_lossy(&clash.stderr).into_owned();
    assert!(
        said.contains(&format!("Port {port} is already in use")) && said.contains("PLINTH_PORT"),
        "{said}"
    );
    kill_process(Pid::from_child(&first), Signal::INT).unwrap();
    assert!(first.wait().unwrap().success());

    let (mut second, stack_now) = stack(folder.path());
    assert_eq!(stack_now.admin, stack_then.admin);
    assert_eq!(stack_now.demo.clone().unwrap().secret_key, demo.secret_key);
    let again = get(&stack_now, &todos, &demo.publishable_key);
    let body = |reply: &str| reply.split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert_eq!(body(&again), body(&before));
    kill_process(Pid::from_child(&second), Signal::TERM).unwrap();
    assert!(second.wait().unwrap().success());
    assert_eq!(postmaster(folder.path()), None);
}

fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.parse().ok()?)
}

#[test]
fn server_of_a_killed_stack_ends_and_the_next_stack_takes_over() {
    let folder = folder(0o755);
    let (mut killed, before) = stack(folder.path());
    let orphan = postmaster(folder.path()).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();

    let (mut next, after) = stack(folder.path());
    let password = |stack: &Stack| stack.database_url.split('@').next().unwrap().to_owned();
    assert_eq!(password(&before), password(&after));
    assert_ne!(postmaster(folder.path()), Some(orphan));

    kill_process(Pid::from_child(&next), Signal::TERM).unwrap();
    assert!(next.wait().unwrap().success());
    assert_eq!(postmaster(folder.path()), None);
    let log = std::fs::read_to_string(folder.path().join("postgres/postgres.log")).unwrap();
    assert!(
        log.contains("fast shutdown") && log.contains("database system is shut down"),
        "{log}"
    );
}

#[test]
fn killed_stack_leaves_no_server_behind() {
    let folder = folder(0o755);
    let (mut killed, _) = stack(folder.path());
    let orphan = postmaster(folder.path()).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    eventually("the server's end", || postmaster(folder.path()) != Some(orphan));
}
