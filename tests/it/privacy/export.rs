//! A copy of a person's data: all of it, of nobody else, and for nobody else.

mod bucket;
mod contents;
mod links;
mod platform_users;
mod terms;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use plinth::web::Peer;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::work::ended;
use crate::world::{Project, Reply, World, text};

/// Where the tests call from.
pub const HERE: &str = "192.0.2.1";

/// Asks for a copy.
pub async fn ask(world: &World, token: &str, body: &Value) -> Reply {
    let call = world.post("/api/gdpr/export").bearer(token).json(body);
    call.send().await
}

/// Of an end user.
pub fn of(project: &str, subject: &Value) -> Value {
    json!({ "scope": "end-user", "projectId": project, "subject": subject })
}

/// Works until the copy is made; the job's result.
pub async fn made(world: &World, token: &str, body: &Value) -> Value {
    let asked = ask(world, token, body).await.expect(StatusCode::ACCEPTED);
    let seen = ended(world, token, &text(&asked, "jobId")).await;
    assert_eq!(seen["state"], "succeeded", "{seen}");
    assert_eq!(seen["result"]["exportId"], asked["requestId"]);
    seen["result"].clone()
}

/// Makes a link from that address; its path and query.
pub async fn link_from(world: &World, token: &str, id: &str, address: &str) -> String {
    let made = send(
        world,
        Method::POST,
        &format!("/api/gdpr/exports/{id}/link"),
        address,
        Some(token),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.told());
    let url = text(&serde_json::from_slice(&made.body).unwrap(), "url");
    let base = &world.app(Function::GdprExport).config.web.base_url;
    url.strip_prefix(base.as_str()).unwrap().to_owned()
}

/// A reply whose body need not be text.
pub struct Got {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    pub fn told(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn code(&self) -> String {
        text(&serde_json::from_slice(&self.body).unwrap(), "code")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

/// Sends a request from an address.
pub async fn send(world: &World, method: Method, path: &str, address: &str, token: Option<&str>) -> Got {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    let response = world.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Got {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

/// Makes a copy and fetches it: its files by name.
pub async fn copy(world: &World, token: &str, body: &Value) -> BTreeMap<String, String> {
    let result = made(world, token, body).await;
    let path = link_from(world, token, &text(&result, "exportId"), HERE).await;
    let got = send(world, Method::GET, &path, HERE, None).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.told());
    assert_eq!(result["bytes"], got.body.len());
    others_can_read(&got.body);
    unzipped(&got.body)
}

pub fn unzipped(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// Python's own reader finds nothing wrong with it, where there is a Python.
fn others_can_read(bytes: &[u8]) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let script = "import io,sys,zipfile; z=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); print(z.testzip())";
    let started = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = started else { return };
    python.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = python.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "None");
}

/// A file's rows.
pub fn rows(files: &BTreeMap<String, String>, name: &str) -> Vec<Value> {
    let content = files
        .get(name)
        .unwrap_or_else(|| panic!("{name} is not in {:?}", files.keys()));
    serde_json::from_str(content).unwrap()
}

/// Actions that the audit log has of a project's request, oldest first.
pub async fn audited(world: &World, project: &Project, target: &str) -> Vec<String> {
    let path = format!("/api/projects/{}/audit?target={target}", project.id);
    let seen = world
        .get(&path)
        .bearer(&project.owner.token)
        .send()
        .await
        .expect(StatusCode::OK);
    let entries = seen["entries"].as_array().unwrap();
    entries.iter().rev().map(|entry| text(entry, "action")).collect()
}
