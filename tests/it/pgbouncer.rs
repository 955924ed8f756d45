//! A real pgbouncer in transaction mode between us and the tests' Postgres.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio_postgres::{Config, NoTls};

use crate::world::unique;

/// It refuses root, and so runs as `nobody` where the tests are root's.
const NOBODY: u32 = 65534;
/// The shell outlives us and ends the pooler, by its pid, when its standard input ends: however we go.
const SCRIPT: &str = r#"
"$1" -q "$2/pgbouncer.ini" </dev/null >/dev/null 2>&1 &
pid=$!
cat >/dev/null
kill -TERM $pid && wait $pid
rm -rf -- "$2"
"#;

static POOLER: tokio::sync::OnceCell<PgBouncer> = tokio::sync::OnceCell::const_new();

/// A running pgbouncer.
pub struct PgBouncer {
    /// TCP port on 127.0.0.1.
    pub port: u16,
    // Dropped, or gone with this process: then the shell sees the end of its input.
    _shell: Child,
}

/// The one pooler of this test process: any database of the tests' server, any login of it by its own password.
pub async fn pgbouncer() -> &'static PgBouncer {
    POOLER.get_or_init(start).await
}

async fn start() -> PgBouncer {
    let program = program();
    let server = plinth_local::testing::server().await.unwrap();
    let superuser: Config = server.url("postgres").expose().parse().unwrap();
    let folder = std::env::temp_dir().join(format!("plinth-pgbouncer-{}", unique()));
    std::fs::create_dir(&folder).unwrap();
    let port = free_port();
    let password = String::from_utf8(superuser.get_password().unwrap().to_vec()).unwrap();
    std::fs::write(folder.join("users"), format!("\"postgres\" \"{password}\"\n")).unwrap();
    std::fs::write(folder.join("pgbouncer.ini"), settings(&folder, port, server.port())).unwrap();

    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "plinth-pgbouncer"]);
    command.arg(&program).arg(&folder).current_dir("/").process_group(0);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
        for path in [folder.clone(), folder.join("users"), folder.join("pgbouncer.ini")] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let shell = command.spawn().unwrap();
    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
    answer(&url, &folder).await;
    PgBouncer { port, _shell: shell }
}

fn settings(folder: &Path, port: u16, server: u16) -> String {
    let folder = folder.display();
    let mut text = format!("[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\n");
    for (name, value) in [
        ("listen_addr", "127.0.0.1".to_owned()),
        ("listen_port", port.to_string()),
        ("unix_socket_dir", String::new()),
        ("logfile", format!("{folder}/log")),
        ("pool_mode", "transaction".to_owned()),
        // Transactions take turns on them, so that whatever one leaves in a session is missed by the next.
        ("default_pool_size", "3".to_owned()),
        ("min_pool_size", "2".to_owned()),
        ("server_round_robin", "1".to_owned()),
        ("max_client_conn", "1000".to_owned()),
        ("auth_type", "scram-sha-256".to_owned()),
        ("auth_file", format!("{folder}/users")),
        ("auth_user", "postgres".to_owned()),
        (
            "auth_query",
            "select rolname, rolpassword from pg_catalog.pg_authid where rolname = $1".to_owned(),
        ),
    ] {
        writeln!(text, "{name} = {value}").unwrap();
    }
    text
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Not on everybody's path.
    folders.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders
        .iter()
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file());
    found.expect("pgbouncer is not installed: `apt-get install pgbouncer`, no service needs to run")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks until there is an answer.
async fn answer(url: &str, folder: &Path) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        tick.tick().await;
        let error = match tokio_postgres::connect(url, NoTls).await {
            Ok((client, connection)) => {
                let connection = tokio::spawn(connection);
                let answer = client.simple_query("select 1").await;
                drop(client);
                let _ = connection.await;
                match answer {
                    Ok(_) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        assert!(
            tokio::time::Instant::now() < deadline,
            "pgbouncer does not answer: {error}\n{}",
            std::fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
    }
}
