//! The real `records` binary under an emulated Lambda Runtime API, fed with the recorded events.

use std::collections::{BTreeMap, HashMap};
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use crate::layers::root;
use crate::world::{platform, run, world};

/// A deadline no test reaches, in milliseconds since 1970.
const FAR_AWAY: &str = "4102444800000";
/// Longest wait for a process to ask for an event, or to answer one.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_real_binary_answers_recorded_events_one_after_the_other() {
    run(async {
        let mut lambda = Lambda::start("records", Function::Records).await;
        // Past the test harness's capture: a figure to watch, not to assert.
        let cold = lambda.cold.as_secs_f64() * 1000.0;
        writeln!(
            stderr(),
            "records (debug build): {cold:.1} ms from spawn to its first /next"
        )
        .unwrap();

        let health = lambda.invoke("health", &[]).await;
        assert_eq!(health.status(), 200);
        assert_eq!(health.json(), json!({ "status": "ok" }));
        assert_eq!(health.header("content-type"), "application/json");
        assert_eq!(
            health.header("x-request-id"),
            requested("health"),
            "the gateway's own id"
        );

        let unknown = lambda.invoke("unknown-path", &[]).await;
        assert_eq!(unknown.status(), 404);
        assert_eq!(unknown.json()["code"], "http/no-such-path");
        assert_eq!(unknown.header("x-request-id"), requested("unknown-path"));
        assert!(lambda.is_alive(), "one process answers them all");
    });
}

#[test]
fn recorded_requests_reach_the_rows_of_a_project() {
    run(async {
        let mut lambda = Lambda::start("records", Function::Records).await;
        for isolation in ["schema", "database"] {
            let project = world().await.project(isolation).await;
            let values = [("ref", project.reference.as_str()), ("key", project.secret.as_str())];

            let inserted = lambda.invoke("records-insert", &values).await;
            assert_eq!(inserted.status(), 201, "{inserted:?}");
            let row = inserted.json()[0].clone();
            assert_eq!(row["data"]["text"], "from a recorded event");

            let id = row["id"].as_str().unwrap();
            let by_key = lambda
                .invoke("records-get-by-key", &[&values[..], &[("id", id)]].concat())
                .await;
            assert_eq!(by_key.status(), 200, "{by_key:?}");
            assert_eq!(
                by_key.json(),
                json!({ "id": id, "data_type": "note", "data": row["data"] })
            );
            assert_eq!(
                by_key.header("content-type"),
                "application/vnd.pgrst.object+json; charset=utf-8"
            );

            let encoded = lambda.invoke("records-insert-base64", &values).await;
            assert_eq!(encoded.status(), 201, "{encoded:?}");
            assert_eq!(encoded.json()[0]["data"]["text"], "grüße");

            let list = lambda.invoke("records-list", &values).await;
            assert_eq!(
                list.json(),
                json!([{ "data_type": "déjà vu" }, { "data_type": "note" }])
            );
            assert_eq!(list.header("content-range"), "0-1/2");

            for (event, status) in [("records-no-key", 401..402), ("records-bad-utf8-path", 400..500)] {
                let reply = lambda.invoke(event, &values).await;
                assert!(status.contains(&reply.status()), "{event}: {reply:?}");
                assert!(reply.json()["code"].is_string(), "{event}: {reply:?}");
            }
            let list = lambda.invoke("records-list", &values).await;
            assert_eq!(
                list.header("content-range"),
                "0-1/2",
                "what was refused changed nothing"
            );
        }
        assert!(lambda.is_alive());
    });
}

#[test]
fn a_recorded_script_runs_on_the_projects_own_login() {
    run(async {
        let mut lambda = Lambda::start("sql", Function::Sql).await;
        let project = world().await.project("database").await;
        let values = [
            ("id", project.backend.as_str()),
            ("token", project.owner.token.as_str()),
        ];
        let reply = lambda.invoke("sql-run", &values).await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        assert_eq!(reply.json()["columns"][1], json!({ "name": "next", "type": "int4" }));
        assert!(lambda.is_alive());
    });
}

#[test]
fn a_recorded_dry_run_plans_an_erasure() {
    run(async {
        let mut lambda = Lambda::start("gdpr-delete", Function::GdprDelete).await;
        let world = world().await;
        let project = world.project("schema").await;
        let user = world.end_user(&project).await;
        let confirm = world.put(&format!("/api/projects/{}/subject-map", project.id));
        let confirm = confirm.bearer(&project.owner.token).json(&json!({ "confirm": true }));
        confirm.send().await.expect(StatusCode::OK);
        let values = [
            ("id", project.id.as_str()),
            ("token", project.owner.token.as_str()),
            ("email", user.email.as_str()),
        ];
        let reply = lambda.invoke("gdpr-delete", &values).await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        let plan = reply.json();
        let tables = plan["tables"].as_array().unwrap();
        let themselves = tables.iter().find(|table| table["table"] == "app_users").unwrap();
        assert_eq!(themselves["rows"], 1, "{plan}");
        assert!(plan["confirmToken"].is_string(), "{plan}");
        assert!(lambda.is_alive());
    });
}

#[test]
fn a_browsers_preflight_is_answered_without_a_key() {
    run(async {
        let mut lambda = Lambda::start("records", Function::Records).await;
        let reply = lambda.invoke("preflight", &[]).await;
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.body(), "");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let allowed = reply.header("access-control-allow-headers");
        for header in ["apikey", "authorization", "content-profile", "prefer", "x-client-info"] {
            assert!(allowed.contains(header), "{header} is not in {allowed}");
        }
    });
}

#[test]
fn a_query_no_url_may_hold_ends_no_process() {
    run(async {
        let mut lambda = Lambda::start("records", Function::Records).await;
        let reply = lambda
            .invoke("records-bad-query", &[("ref", "abcdefghijklmnopqrst"), ("key", "none")])
            .await;
        assert!((400..500).contains(&reply.status()), "{reply:?}");
        assert!(reply.json()["code"].is_string(), "{reply:?}");
        assert!(lambda.is_alive());
    });
}

#[test]
fn a_function_without_settings_ends_and_names_the_variable() {
    run(async {
        let binary = binary("records").await;
        let process = Command::new(binary)
            .env_clear()
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = tokio::task::spawn_blocking(|| process.wait_with_output().unwrap())
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success());
        assert!(said.contains("PLINTH_CONTROL_URL"), "{said}");
    });
}

/// The request id that an event carries.
fn requested(event: &str) -> String {
    let event: Value = serde_json::from_str(&recorded(event, &[])).unwrap();
    event["requestContext"]["requestId"].as_str().unwrap().to_owned()
}

/// An event of `events/` with its placeholders filled in.
pub fn recorded(name: &str, values: &[(&str, &str)]) -> String {
    let path = root().join(format!("events/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    values.iter().fold(text, |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

/// A function's process and the Runtime API it asks.
pub struct Lambda {
    process: Child,
    api: Arc<RuntimeApi>,
    /// From the process's start to its first question for an event.
    pub cold: Duration,
}

impl Lambda {
    /// Starts the binary with the environment that the function has on this platform, and waits until it asks for an
    /// event.
    pub async fn start(name: &str, function: Function) -> Self {
        let env = platform().await.env(function);
        let binary = binary(name).await;
        let (api, mut ready) = RuntimeApi::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Arc::clone(&api).router();
        tokio::spawn(async move { axum::serve(listener, router).await });

        let spawned = Instant::now();
        let process = Command::new(binary)
            .env_clear()
            .envs(env)
            .env("PLINTH_POOL_SIZE", "1")
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut lambda = Self {
            process,
            api,
            cold: Duration::ZERO,
        };
        let first = tokio::time::timeout(PATIENCE, ready.recv()).await;
        match first
            .expect("the process never asked for an event")
            .expect("the Runtime API is there")
        {
            Ready::Asked => lambda.cold = spawned.elapsed(),
            Ready::Failed(why) => panic!("the process could not start: {why}"),
        }
        lambda
    }

    /// Hands one event to the process and waits for its reply.
    pub async fn invoke(&mut self, event: &str, values: &[(&str, &str)]) -> Reply {
        let outcome = self.api.send(recorded(event, values));
        let outcome = tokio::time::timeout(PATIENCE, outcome).await.expect("no reply in time");
        Reply(outcome.unwrap_or_else(|error| panic!("{event}: the function failed: {error}")))
    }

    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What the function gave the gateway: the format of payload 2.0.
#[derive(Debug)]
pub struct Reply(Value);

impl Reply {
    pub fn status(&self) -> u64 {
        self.0["statusCode"].as_u64().unwrap()
    }

    /// One header; the gateway takes a value, or several in `multiValueHeaders`.
    pub fn header(&self, name: &str) -> String {
        let value = |header: &Value| header.as_str().unwrap_or_default().to_owned();
        match &self.0["headers"][name] {
            Value::String(text) => text.clone(),
            _ => value(&self.0["multiValueHeaders"][name][0]),
        }
    }

    pub fn body(&self) -> &str {
        assert_ne!(self.0["isBase64Encoded"], true, "JSON goes out as text");
        self.0["body"].as_str().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

enum Ready {
    Asked,
    Failed(String),
}

type Outcome = Result<Value, String>;

/// The four endpoints a runtime talks to.
struct RuntimeApi {
    events: mpsc::UnboundedSender<(String, String)>,
    queue: AsyncMutex<mpsc::UnboundedReceiver<(String, String)>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    ready: mpsc::UnboundedSender<Ready>,
}

impl RuntimeApi {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Ready>) {
        let (events, queue) = mpsc::unbounded_channel();
        let (ready, first) = mpsc::unbounded_channel();
        let api = Self {
            events,
            queue: AsyncMutex::new(queue),
            waiting: Mutex::default(),
            ready,
        };
        (Arc::new(api), first)
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .route("/2018-06-01/runtime/init/error", post(init_failure))
            .with_state(self)
    }

    async fn send(&self, event: String) -> Outcome {
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.waiting.lock().unwrap().len() + 1);
        let (answer, reply) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id.clone(), answer);
        self.events.send((id, event)).unwrap();
        reply.await.unwrap()
    }

    fn settle(&self, id: &str, outcome: Outcome) -> StatusCode {
        match self.waiting.lock().unwrap().remove(id) {
            Some(answer) => {
                answer.send(outcome).ok();
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    api.ready.send(Ready::Asked).ok();
    let Some((id, event)) = api.queue.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", FAR_AWAY.to_owned()),
        (
            "lambda-runtime-trace-id",
            "Root=1-66f0c9a5-4f6b1c3d5a7e9f0b1c2d3e4f;Sampled=0".to_owned(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:records".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

async fn response(State(api): State<Arc<RuntimeApi>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let outcome = serde_json::from_slice(&body).map_err(|error| format!("{error} in {body:?}"));
    api.settle(&id, outcome)
}

async fn failure(State(api): State<Arc<RuntimeApi>>, Path(id): Path<String>, body: String) -> StatusCode {
    api.settle(&id, Err(body))
}

async fn init_failure(State(api): State<Arc<RuntimeApi>>, body: String) -> StatusCode {
    api.ready.send(Ready::Failed(body)).ok();
    StatusCode::ACCEPTED
}

/// Paths of binaries built in this test process.
static BUILT: AsyncMutex<BTreeMap<String, PathBuf>> = AsyncMutex::const_new(BTreeMap::new());

/// The function's binary as it is deployed: built by itself, so that no other crate's features slip in.
async fn binary(name: &str) -> PathBuf {
    let mut built = BUILT.lock().await;
    if let Some(path) = built.get(name) {
        return path.clone();
    }
    let package = name.to_owned();
    let path = tokio::task::spawn_blocking(move || build(&package)).await.unwrap();
    built.insert(name.to_owned(), path.clone());
    path
}

fn build(package: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).expect("the test runs from target/debug/deps");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            package,
            "--bin",
            package,
            "--message-format=json",
            "--target-dir",
        ])
        .arg(target)
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{package} does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|message| message["target"]["name"] == package && message["executable"].is_string())
        .unwrap_or_else(|| panic!("cargo named no executable of {package}"));
    PathBuf::from(executable["executable"].as_str().unwrap())
}
