//! A real `moto_server`: AWS's Secrets Manager and S3 as the SDK sees them.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// The shell outlives us and ends the server, by its pid, when its standard input ends: however we go.
const SCRIPT: &str = r#"
"$1" -H 127.0.0.1 -p "$2" </dev/null >/dev/null 2>&1 &
pid=$!
cat >/dev/null
kill -TERM $pid && wait $pid
"#;
/// It is Python, and much of it.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

static SERVER: OnceCell<Moto> = OnceCell::const_new();

struct Moto {
    endpoint: String,
    // Dropped, or gone with this process: then the shell sees the end of its input.
    _shell: Child,
}

/// Starts the one server of this test process, and makes the SDK speak to it.
pub async fn moto() {
    SERVER.get_or_init(start).await;
}

/// Where it is, once it is started.
pub fn endpoint() -> &'static str {
    &SERVER.get().expect("moto is started first").endpoint
}

async fn start() -> Moto {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "plinth-moto"])
        .arg(program())
        .arg(port.to_string());
    command.process_group(0).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let shell = command.spawn().unwrap();
    answer(port).await;
    let endpoint = format!("http://127.0.0.1:{port}");
    plinth::control::aws::stand_in(&endpoint).await.unwrap();
    Moto {
        endpoint,
        _shell: shell,
    }
}

fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("PLINTH_MOTO_SERVER") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("moto_server"))
        .find(|program| program.is_file());
    found.expect(
        "moto_server is not installed: `pip install 'moto[server]==5.2.1'`, on the path or named by PLINTH_MOTO_SERVER",
    )
}

/// Knocks until there is an answer.
async fn answer(port: u16) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let deadline = tokio::time::Instant::now() + STARTS_WITHIN;
    loop {
        tick.tick().await;
        let Err(error) = TcpStream::connect(("127.0.0.1", port)).await else {
            return;
        };
        let late = tokio::time::Instant::now() >= deadline;
        assert!(!late, "moto_server does not answer: {error}");
    }
}
