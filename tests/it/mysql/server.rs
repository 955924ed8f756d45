//! A real MariaDB of the tests' own, on a free port of the loopback.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use tokio::sync::OnceCell;

use crate::world::unique;

/// It refuses root, and so runs as `nobody` where the tests are root's.
const NOBODY: u32 = 65534;
/// What makes the databases and the user of the tests.
pub const ADMIN: &str = "admin";
pub const PASSWORD: &str = "planted-mysql-password";
/// The shell outlives us and ends the server, by its pid, when its standard input ends: however we go.
const SCRIPT: &str = r#"
set -e
# A server that starts removes what others keep in the same folder.
mkdir "$2/tmp"
{
  printf 'create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\nset @skip_auth_anonymous=1;\n'
  cat "$3/mysql_system_tables.sql" "$3/mysql_performance_tables.sql" "$3/mysql_system_tables_data.sql"
} | "$1" --no-defaults --bootstrap --datadir="$2/data" --tmpdir="$2/tmp" --log-warnings=0 >"$2/log" 2>&1
"$1" --no-defaults --datadir="$2/data" --tmpdir="$2/tmp" --bind-address=127.0.0.1 --port="$4" --socket="$2/socket" \
  --skip-name-resolve --init-file="$2/init" --pid-file="$2/pid" --innodb-buffer-pool-size=16M \
  $6 </dev/null >>"$2/log" 2>&1 &
pid=$!
cat >/dev/null
kill -"$5" $pid && wait $pid || true
rm -rf -- "$2"
"#;

/// A running server.
pub struct Server {
    /// TCP port on 127.0.0.1.
    pub port: u16,
    folder: PathBuf,
    // Dropped, or gone with this process: then the shell sees the end of its input.
    shell: Child,
}

/// The one server of this test process.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(|| Server::start("TERM", None)).await
}

impl Server {
    /// One that ends by that signal, with a certificate if there is one: PEM, and its key.
    pub async fn start(signal: &str, certificate: Option<(&str, &str)>) -> Self {
        let program = program("mariadbd", &["/usr/sbin", "/usr/local/sbin", "/usr/libexec"]);
        let folder = std::env::temp_dir().join(format!("plinth-mariadb-{}", unique()));
        let data = folder.join("data");
        std::fs::create_dir_all(&data).unwrap();
        let init = format!(
            "create user '{ADMIN}'@'127.0.0.1' identified by '{PASSWORD}';\n\
             grant all on *.* to '{ADMIN}'@'127.0.0.1' with grant option;\n"
        );
        std::fs::write(folder.join("init"), init).unwrap();
        let mut options = String::new();
        for (name, pem) in certificate
            .iter()
            .flat_map(|(cert, key)| [("ssl-cert", cert), ("ssl-key", key)])
        {
            let path = folder.join(name);
            std::fs::write(&path, pem).unwrap();
            options += &format!("--{name}={} ", path.display());
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);

        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "plinth-mariadb"]);
        command.arg(&program).arg(&folder).arg(tables(&program));
        command
            .arg(port.to_string())
            .arg(signal)
            .arg(options)
            .current_dir("/")
            .process_group(0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
            for path in [&folder, &data, &folder.join("init")] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let server = Self {
            port,
            folder,
            shell: command.spawn().unwrap(),
        };
        server.answer(&server.folder).await;
        server
    }

    /// Shows another certificate from now on; it must have been started with one.
    pub async fn show(&self, certificate: &str, key: &str) {
        for (name, pem) in [("ssl-cert", certificate), ("ssl-key", key)] {
            std::fs::write(self.folder.join(name), pem).unwrap();
        }
        self.sql("flush ssl").await;
    }

    /// Runs statements as the admin.
    pub async fn sql(&self, sql: &str) {
        self.admin(None).await.unwrap().query_drop(sql).await.unwrap();
    }

    /// Ends it and waits until it has.
    pub fn stop(mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
    }

    /// A connection as the admin.
    pub async fn admin(&self, database: Option<&str>) -> mysql_async::Result<Conn> {
        let opts = OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(self.port);
        let opts = opts.user(Some(ADMIN)).pass(Some(PASSWORD)).db_name(database);
        Conn::new(opts.prefer_socket(false)).await
    }

    /// A database with the fixtures.
    pub async fn database(&self) -> String {
        let name = self.empty_database().await;
        let mut own = self.admin(Some(&name)).await.unwrap();
        own.query_drop(include_str!("schema.sql")).await.unwrap();
        own.query_drop(include_str!("data.sql")).await.unwrap();
        name
    }

    /// A database, and a user of the same name who may do everything there.
    pub async fn empty_database(&self) -> String {
        let name = format!("own_{}", unique());
        let sql = format!(
            "create database {name} character set utf8mb4; create user '{name}'@'127.0.0.1' identified by '{PASSWORD}';
             grant all on {name}.* to '{name}'@'127.0.0.1'"
        );
        self.admin(None).await.unwrap().query_drop(sql).await.unwrap();
        name
    }

    /// Asks until there is an answer.
    async fn answer(&self, folder: &Path) {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            tick.tick().await;
            let Err(error) = self.admin(None).await else { return };
            assert!(
                tokio::time::Instant::now() < deadline,
                "mariadbd does not answer: {error}\n{}",
                std::fs::read_to_string(folder.join("log")).unwrap_or_default()
            );
        }
    }
}

fn program(name: &str, beside: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Not on everybody's path.
    folders.extend(beside.iter().map(PathBuf::from));
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    found.expect("mariadbd is not installed: `apt-get install mariadb-server-core`, no service needs to run")
}

/// Where the tables of its own are described.
fn tables(program: &Path) -> PathBuf {
    let base = program.parent().and_then(Path::parent).unwrap_or(Path::new("/usr"));
    let folders = ["share/mysql", "share/mariadb"].map(|folder| base.join(folder));
    let found = folders
        .into_iter()
        .find(|folder| folder.join("mysql_system_tables.sql").is_file());
    found.expect("mysql_system_tables.sql is not installed: `apt-get install mariadb-server-core`")
}
