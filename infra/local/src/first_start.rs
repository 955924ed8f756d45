//! The first start's admin and demo project, made through the HTTP API as anybody would make them. Every step can be
//! repeated: a start that was cut off is finished by the next.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use plinth::clock::SharedRandom;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::error::{Error, Result};
use crate::stack_file::{Admin, Demo};

/// The address of the local platform's Admin.
pub const ADMIN: &str = "admin@plinth.local";
const DEMO: &str = "demo";
/// Largest reply read.
const REPLY_LIMIT: usize = 1 << 20;

/// The admin of a first start, with a password drawn now. Write it down before [`sign_up`].
pub fn new_admin(random: &SharedRandom) -> Admin {
    Admin {
        email: ADMIN.to_owned(),
        password: random.token(24),
    }
}

/// Signs the admin in, up first if need be.
///
/// # Errors
/// What the API answered.
pub async fn sign_in(router: &Router, admin: &Admin) -> Result<String> {
    let client = Client {
        router,
        credentials: Vec::new(),
    };
    let body = json!({ "email": admin.email, "password": admin.password });
    let reply = client
        .call(Method::POST, "/auth/v1/token?grant_type=password", Some(&body))
        .await?;
    let reply = match reply.status {
        StatusCode::OK => reply,
        _ => client
            .call(Method::POST, "/auth/v1/signup", Some(&body))
            .await?
            .with_status(StatusCode::OK, "sign the admin up")?,
    };
    text(&reply.body, "access_token")
}

/// The demo project: a managed backend, a table `todos` with rows anybody may read, and two keys.
///
/// # Errors
/// What the API answered.
pub async fn demo(router: &Router, token: &str) -> Result<Demo> {
    let client = Client {
        router,
        credentials: vec![("authorization", format!("Bearer {token}"))],
    };
    let project = project(&client).await?;
    let id = text(&project, "id")?;
    let path = format!("/api/projects/{id}/backend/provision");
    let made = client
        .call(Method::POST, &path, Some(&json!({ "backendType": "managed" })))
        .await?;
    if !made.status.is_success() {
        return Err(made.refused("provision the demo project"));
    }
    let made = made.body;
    let publishable = key(&client, &id, &made["apiKey"], "publishable").await?;
    let secret = key(&client, &id, &made["secretKey"], "secret").await?;
    let demo = Demo {
        project_id: id,
        r#ref: text(&project, "ref")?,
        url: text(&made, "apiUrl")?,
        publishable_key: publishable,
        secret_key: secret,
    };
    table(&client, &text(&made["database"], "id")?).await?;
    fill(router, &demo).await?;
    Ok(demo)
}

async fn project(client: &Client<'_>) -> Result<Value> {
    let list = client
        .call(Method::GET, "/api/projects", None)
        .await?
        .with_status(StatusCode::OK, "list projects")?;
    let projects = list.body["projects"].as_array().cloned().unwrap_or_default();
    if let Some(found) = projects.into_iter().find(|project| project["name"] == DEMO) {
        return Ok(found);
    }
    let body = json!({ "name": DEMO, "description": "Made by the first start of the local stack" });
    let made = client.call(Method::POST, "/api/projects", Some(&body)).await?;
    Ok(made.with_status(StatusCode::CREATED, "create the demo project")?.body["project"].take())
}

/// The key that provisioning showed, or a new one when it has shown it before.
async fn key(client: &Client<'_>, project: &str, shown: &Value, class: &str) -> Result<String> {
    if let Some(key) = shown.as_str() {
        return Ok(key.to_owned());
    }
    let body = json!({ "class": class, "name": "local stack" });
    let made = client
        .call(Method::POST, &format!("/api/projects/{project}/keys"), Some(&body))
        .await?;
    text(&made.with_status(StatusCode::CREATED, "create a key")?.body, "key")
}

async fn table(client: &Client<'_>, backend: &str) -> Result<()> {
    let path = format!("/api/database/{backend}/tables");
    let list = client
        .call(Method::GET, &path, None)
        .await?
        .with_status(StatusCode::OK, "list tables")?;
    if list.body["tables"]
        .as_array()
        .is_some_and(|tables| tables.iter().any(|table| table["name"] == "todos"))
    {
        return Ok(());
    }
    let body = json!({ "schemaJson": {
        "name": "todos",
        "columns": [
            { "name": "id", "type": "bigint", "primary_key": true, "identity": true },
            { "name": "title", "type": "text", "required": true },
            { "name": "done", "type": "boolean", "required": true, "default": false },
            { "name": "user_id", "type": "uuid", "default": "auth.uid()" },
        ],
        "policies": [{ "template": "public-read", "column": "user_id" }],
    }});
    client
        .call(Method::POST, &format!("{path}/create"), Some(&body))
        .await?
        .with_status(StatusCode::CREATED, "create todos")?;
    Ok(())
}

async fn fill(router: &Router, demo: &Demo) -> Result<()> {
    let client = Client {
        router,
        credentials: vec![("apikey", demo.secret_key.clone())],
    };
    let path = format!("/p/{}/rest/v1/todos", demo.r#ref);
    let some = client
        .call(Method::GET, &format!("{path}?limit=1"), None)
        .await?
        .with_status(StatusCode::OK, "read todos")?;
    if some.body.as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let rows = json!([
        { "title": "Start the stack", "done": true },
        { "title": "Query a table with supabase-js", "done": false },
        { "title": "Design a table of my own", "done": false },
    ]);
    client
        .call(Method::POST, &path, Some(&rows))
        .await?
        .with_status(StatusCode::CREATED, "fill todos")?;
    Ok(())
}

/// Calls the router as a client would.
struct Client<'a> {
    router: &'a Router,
    credentials: Vec<(&'static str, String)>,
}

struct Reply {
    status: StatusCode,
    body: Value,
}

impl Reply {
    fn with_status(self, status: StatusCode, what: &str) -> Result<Self> {
        if self.status == status {
            Ok(self)
        } else {
            Err(self.refused(what))
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(format!(
            "The first start could not {what}: {} {}",
            self.status, self.body
        ))
    }
}

impl Client<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let lost =
            |e: Box<dyn std::error::Error + Send + Sync>| Error::new("The stack does not answer itself").caused_by(e);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.credentials {
            request = request.header(*name, value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|e| lost(e.into()))?;
        let response = self.router.clone().oneshot(request).await.map_err(|e| lost(e.into()))?;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), REPLY_LIMIT)
            .await
            .map_err(|e| lost(e.into()))?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|e| lost(e.into()))?
        };
        Ok(Reply { status, body })
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str();
    text.map(str::to_owned)
        .ok_or_else(|| Error::new(format!("The stack's own API sent no {name:?}")))
}
