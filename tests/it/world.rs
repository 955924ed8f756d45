//! The world of the tests: one Postgres, one platform on it, every function's router, and people who call it.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use plinth::app::App;
use plinth::clock::{Random, SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth_local::platform::{Function, Platform, Secrets};
use plinth_local::postgres::Server;
use plinth_local::router::router;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Tests share connections, so they share the runtime that drives them: `#[test] fn x() { run(async { … }) }`.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});
static PLATFORM: tokio::sync::OnceCell<Platform> = tokio::sync::OnceCell::const_new();
static WORLD: tokio::sync::OnceCell<World> = tokio::sync::OnceCell::const_new();

/// A host name that no resolver is asked about: a label has 63 letters at the most.
pub const NOWHERE: &str = "an-address-that-nobody-can-have-because-its-label-has-too-many-letters.invalid";

pub const BASE_URL: &str = "http://127.0.0.1:8787";

/// Held by every test that runs, alone by one that leaves nothing of the machine to the others.
static MACHINE: RwLock<()> = RwLock::new(());

/// Far longer than any test takes, also on a slow machine.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs a test on the shared runtime.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let _others = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(ending(test))
}

/// Runs a test while no other runs.
pub fn run_alone<T>(test: impl Future<Output = T>) -> T {
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(ending(test))
}

/// A test that waits for what never comes fails, so that the others are heard.
async fn ending<T>(test: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(LONGEST, Box::pin(test)).await;
    ended.unwrap_or_else(|_| panic!("the test waits for something that has not come in {LONGEST:?}"))
}

/// The one platform of this test process: each test uses its own project on it.
pub async fn platform() -> &'static Platform {
    PLATFORM
        .get_or_init(|| async {
            crate::logs::capture();
            let server = plinth_local::testing::server().await.unwrap();
            let random: SharedRandom = Arc::new(SystemRandom);
            let platform = Platform::prepare(&server.url("postgres"), BASE_URL, Secrets::generate(&random))
                .await
                .unwrap();
            platform.with("PLINTH_FILES_FOLDER", &files_beside(server))
        })
        .await
}

/// A folder for files that goes when the server does.
pub fn files_beside(server: &Server) -> String {
    server.folder().join("files").to_string_lossy().into_owned()
}

/// A platform with its router.
#[derive(Clone)]
pub struct World {
    pub platform: Platform,
    router: Router,
}

/// The usual world, on the machine's clock.
pub async fn world() -> &'static World {
    WORLD
        .get_or_init(|| async { World::of(platform().await, Arc::new(SystemClock)) })
        .await
}

impl World {
    /// A router of its own (own caches, own connections) on the same platform, with that clock.
    pub fn of(platform: &Platform, clock: SharedClock) -> Self {
        Self {
            platform: platform.clone(),
            router: router(platform, &clock).unwrap(),
        }
    }

    /// All functions' routes, to be served.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub fn app(&self, function: Function) -> App {
        self.platform.app(function).unwrap()
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            router: self.router.clone(),
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A platform user, freshly signed up.
    pub async fn user(&self) -> User {
        self.sign_up(format!("{}@example.com", unique())).await
    }

    async fn sign_up(&self, email: String) -> User {
        let body = json!({ "email": email, "password": "correct horse battery" });
        let reply = self
            .post("/auth/v1/signup")
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        User {
            id: reply["user"]["id"].as_str().unwrap().into(),
            email,
            token: text(&reply, "access_token"),
        }
    }

    /// Somebody with the platform role Admin.
    pub async fn operator(&self) -> User {
        let email = format!("{}@example.com", unique());
        let platform = self.platform.with("PLINTH_FIRST_ADMIN", &email);
        let admitting = Self::of(&platform, Arc::new(SystemClock));
        admitting.sign_up(email).await
    }

    /// A project with a managed backend of that isolation level, and its owner.
    pub async fn project(&self, isolation: &str) -> Project {
        let owner = self.user().await;
        self.project_of(owner, isolation).await
    }

    /// A project of that owner's.
    pub async fn project_of(&self, owner: User, isolation: &str) -> Project {
        let body = json!({ "name": unique() });
        let made = self
            .post("/api/projects")
            .bearer(&owner.token)
            .json(&body)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let id = text(&made["project"], "id");
        let body = json!({ "backendType": "managed", "config": { "isolation": isolation } });
        let path = format!("/api/projects/{id}/backend/provision");
        let reply = self.post(&path).bearer(&owner.token).json(&body).send().await;
        let reply = reply.expect(StatusCode::CREATED);
        Project {
            id,
            reference: text(&made["project"], "ref"),
            backend: text(&reply["database"], "id"),
            publishable: text(&reply, "apiKey"),
            secret: text(&reply, "secretKey"),
            owner,
        }
    }

    /// An end user of a project, freshly signed up.
    pub async fn end_user(&self, project: &Project) -> User {
        let email = format!("{}@example.com", unique());
        let body = json!({ "email": email, "password": "correct horse battery" });
        let path = format!("/p/{}/auth/v1/signup", project.reference);
        let reply = self
            .post(&path)
            .key(&project.publishable)
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        User {
            id: reply["user"]["id"].as_str().unwrap().into(),
            email,
            token: text(&reply, "access_token"),
        }
    }
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub email: String,
    pub token: String,
}

/// A provisioned project.
#[derive(Debug, Clone)]
pub struct Project {
    pub id: String,
    pub reference: String,
    pub backend: String,
    pub publishable: String,
    pub secret: String,
    pub owner: User,
}

impl Project {
    /// A path of its data API.
    pub fn rest(&self, rest: &str) -> String {
        format!("/p/{}/rest/v1/{rest}", self.reference)
    }

    /// A path of its designer.
    pub fn database(&self, rest: &str) -> String {
        format!("/api/database/{}/{rest}", self.backend)
    }
}

/// A request in the making.
pub struct Call {
    router: Router,
    request: http::request::Builder,
    body: Body,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// The `apikey` header.
    pub fn key(self, key: &str) -> Self {
        self.header("apikey", key)
    }

    /// The `Authorization` header.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string(), "application/json")
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        self.request = self.request.header("content-type", content_type);
        self.body = Body::from(body.into());
        self
    }

    /// A body that does not say what it is.
    pub fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    /// A body whose type a header names.
    pub fn text(mut self, body: &str) -> Self {
        self.body = Body::from(body.to_owned());
        self
    }

    pub async fn send(self) -> Reply {
        let response = self
            .router
            .oneshot(self.request.body(self.body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON; null when there is none.
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.text).unwrap()
        }
    }

    /// The JSON body, given that status.
    #[track_caller]
    pub fn expect(&self, status: StatusCode) -> Value {
        if self.status.is_server_error() && self.status != status {
            // The cause is in the log alone.
            let told = crate::logs::of_request(self.header("x-request-id"));
            panic!("{}, not {status}: {}\n{told}", self.status, self.text);
        }
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The `code` of an error, given that status.
    #[track_caller]
    pub fn code(&self, status: StatusCode) -> String {
        text(&self.expect(status), "code")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name} in {value}"))
        .to_owned()
}

/// A name no other test has.
pub fn unique() -> String {
    let random: &dyn Random = &SystemRandom;
    format!("t{}", random.token(14).to_lowercase())
}

#[test]
fn health_answers_on_every_host() {
    run(async {
        let reply = world().await.get("/health").send().await;
        assert_eq!(reply.expect(StatusCode::OK), json!({ "status": "ok" }));
        assert!(!reply.header("x-request-id").is_empty());
    });
}

#[test]
fn an_unknown_path_answers_in_json() {
    run(async {
        let world = world().await;
        assert_eq!(
            world.get("/nothing").send().await.code(StatusCode::NOT_FOUND),
            "http/no-such-path"
        );
        assert_eq!(
            world.post("/health").send().await.code(StatusCode::METHOD_NOT_ALLOWED),
            "http/method"
        );
    });
}
