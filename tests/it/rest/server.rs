//! A REST API of somebody's, on a port of its own, with or without TLS: rows in memory, every way to be read in parts,
//! every way to prove who asks. Like many an API it ignores parameters that it does not know.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// The secret that every kind of proof has in it.
pub const SECRET: &str = "planted-api-secret";

/// How requests prove who sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    Bearer,
    Basic,
    Header,
    Query,
    OAuth2,
}

/// The API, as its server and its test both know it.
pub struct Api {
    pub port: u16,
    pub door: Door,
    /// Verb, path and query of each request.
    calls: Mutex<Vec<String>>,
    tables: Mutex<BTreeMap<String, Vec<Value>>>,
    tokens: Mutex<Vec<String>>,
    /// Tokens that were given so far.
    pub granted: AtomicUsize,
    /// Seconds that a token lives.
    pub life: AtomicU64,
    /// The verb that is answered with this status, so many times.
    trouble: Mutex<Option<(String, u16, usize)>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Api {
    /// Without TLS.
    pub async fn start(door: Door) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self::at(door, listener.local_addr().unwrap().port());
        serve(listener, &api);
        api
    }

    /// With TLS by that certificate.
    pub async fn start_tls(door: Door, certificate: &Certificate) -> Arc<Self> {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(tcp, door, certificate)
    }

    /// The same at a port that somebody has.
    pub fn on(tcp: TcpListener, door: Door, certificate: &Certificate) -> Arc<Self> {
        let api = Self::at(door, tcp.local_addr().unwrap().port());
        serve(certificate.listener(tcp), &api);
        api
    }

    fn at(door: Door, port: u16) -> Arc<Self> {
        let api = Self {
            port,
            door,
            calls: Mutex::default(),
            tables: Mutex::default(),
            tokens: Mutex::default(),
            granted: AtomicUsize::default(),
            life: AtomicU64::new(3_600),
            trouble: Mutex::default(),
            task: Mutex::default(),
        };
        api.fill("people", people());
        Arc::new(api)
    }

    /// Puts rows in a table.
    pub fn fill(&self, table: &str, rows: Vec<Value>) {
        self.tables.lock().unwrap().insert(table.to_owned(), rows);
    }

    /// Goes away.
    pub fn close(&self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }

    /// What was asked since it was asked last.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Takes every token back.
    pub fn revoke(&self) {
        self.tokens.lock().unwrap().clear();
    }

    /// Answers the next requests of that verb so.
    pub fn trouble(&self, verb: &str, status: u16, times: usize) {
        *self.trouble.lock().unwrap() = Some((verb.to_owned(), status, times));
    }

    /// `credentials` but for the resources.
    pub fn credentials(&self, scheme: &str) -> Value {
        let base = format!("{scheme}://127.0.0.1:{}", self.port);
        let mut all = json!({ "baseUrl": format!("{base}/v1") });
        let own = match self.door {
            Door::Open => json!({}),
            Door::Bearer => json!({ "auth": "bearer", "token": SECRET }),
            Door::Basic => json!({ "auth": "basic", "username": "somebody", "password": SECRET }),
            Door::Header => json!({ "auth": "header", "headerName": "X-Api-Key", "token": SECRET }),
            Door::Query => json!({ "auth": "query", "queryName": "key", "token": SECRET }),
            Door::OAuth2 => json!({ "auth": "oauth2", "tokenUrl": format!("{base}/token"), "clientId": "client",
                "clientSecret": SECRET, "scope": "read write" }),
        };
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let (path, query) = (
            head.uri.path().to_owned(),
            head.uri.query().unwrap_or_default().to_owned(),
        );
        let verb = head.method.as_str();
        self.calls.lock().unwrap().push(format!("{verb} {}", head.uri));
        let body = to_bytes(body, 1 << 20).await.unwrap();
        if path == "/token" {
            return self.token(&head.headers, &body);
        }
        if !self.lets_in(&head.headers, &query) {
            return told(StatusCode::UNAUTHORIZED, &json!({ "error": SECRET }));
        }
        if let Some(status) = self.troubled(verb) {
            return told(
                StatusCode::from_u16(status).unwrap(),
                &json!({ "error": "planted-trouble" }),
            );
        }
        let parts: Vec<&str> = path.trim_start_matches("/v1").trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["odd", kind] => odd(kind, self.port),
            [style, table] if verb == "GET" => self.list(style, table, &query),
            [_, table] if verb == "POST" => self.create(table, &body),
            [_, table, id] => self.one(verb, table, id, &body),
            _ => told(StatusCode::NOT_FOUND, &json!({})),
        }
    }

    fn troubled(&self, verb: &str) -> Option<u16> {
        let mut trouble = self.trouble.lock().unwrap();
        let (of, status, times) = trouble.as_mut()?;
        if of != verb || *times == 0 {
            return None;
        }
        *times -= 1;
        Some(*status)
    }

    fn lets_in(&self, headers: &http::HeaderMap, query: &str) -> bool {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let bearer = header("authorization")
            .strip_prefix("Bearer ")
            .unwrap_or_default()
            .to_owned();
        match self.door {
            Door::Open => true,
            Door::Bearer => bearer == SECRET,
            Door::Basic => {
                header("authorization") == format!("Basic {}", STANDARD.encode(format!("somebody:{SECRET}")))
            }
            Door::Header => header("x-api-key") == SECRET,
            Door::Query => query.split('&').any(|pair| pair == format!("key={SECRET}")),
            Door::OAuth2 => self.tokens.lock().unwrap().contains(&bearer),
        }
    }

    fn token(&self, headers: &http::HeaderMap, body: &[u8]) -> Response {
        let wanted = format!("Basic {}", STANDARD.encode(format!("client:{SECRET}")));
        let fits = headers.get("authorization").is_some_and(|value| value == &wanted)
            && body == b"grant_type=client_credentials&scope=read+write";
        if !fits {
            return told(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
        }
        let number = self.granted.fetch_add(1, Ordering::SeqCst);
        let token = format!("planted-token-{number}");
        self.tokens.lock().unwrap().push(token.clone());
        let life = self.life.load(Ordering::SeqCst);
        told(
            StatusCode::OK,
            &json!({ "access_token": token, "token_type": "Bearer", "expires_in": life }),
        )
    }

    fn list(&self, style: &str, table: &str, query: &str) -> Response {
        let query: BTreeMap<String, String> = reqwest::Url::parse(&format!("http://x/?{query}"))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let Some(mut rows) = self.tables.lock().unwrap().get(table).cloned() else {
            return told(StatusCode::NOT_FOUND, &json!({}));
        };
        let columns: Vec<String> = rows
            .iter()
            .flat_map(|row| row.as_object().unwrap().keys().cloned())
            .collect();
        for (name, value) in query.iter().filter(|(name, _)| columns.contains(name)) {
            rows.retain(|row| said(&row[name]) == *value);
        }
        for term in query.get("sort").into_iter().flat_map(|terms| terms.rsplit(',')) {
            let (name, down) = term.strip_prefix('-').map_or((term, false), |name| (name, true));
            rows.sort_by(|one, other| {
                let order = compare(&one[name], &other[name]);
                if down { order.reverse() } else { order }
            });
        }
        let number = |name: &str| query.get(name).map(|value| value.parse::<usize>().unwrap());
        let total = rows.len();
        let size = number("limit").unwrap_or(3);
        let start = match style {
            "offset" => number("skip").unwrap_or(0),
            "page" => (number("page").unwrap_or(1) - 1) * size,
            "cursor" | "link" => number("after").unwrap_or(0),
            _ => 0,
        };
        let size = if style == "whole" { total } else { size };
        let shown: Vec<Value> = rows.into_iter().skip(start).take(size).collect();
        let end = start + shown.len();
        match style {
            "offset" => told(StatusCode::OK, &json!({ "data": shown, "meta": { "total": total } })),
            "cursor" => {
                let next = (end < total).then(|| end.to_string());
                told(StatusCode::OK, &json!({ "items": shown, "next": next }))
            }
            _ => {
                let mut reply = told(StatusCode::OK, &json!(shown));
                let headers = reply.headers_mut();
                headers.insert("x-total-count", total.into());
                if style == "link" && end < total {
                    let link = format!("</v1/link/{table}?limit={size}&after={end}>; rel=\"next\"");
                    headers.insert("link", link.parse().unwrap());
                }
                reply
            }
        }
    }

    fn create(&self, table: &str, body: &[u8]) -> Response {
        let mut tables = self.tables.lock().unwrap();
        let rows = tables.entry(table.to_owned()).or_default();
        let mut row: Map<String, Value> = serde_json::from_slice(body).unwrap();
        let next = rows.iter().filter_map(|row| row["id"].as_i64()).max().unwrap_or(0) + 1;
        row.entry("id").or_insert(next.into());
        if rows.iter().any(|known| known["id"] == row["id"]) {
            return told(StatusCode::CONFLICT, &json!({ "error": "planted-conflict" }));
        }
        if table == "items" {
            row.entry("name").or_insert("none".into());
            row.entry("price").or_insert(Value::Null);
        }
        let row = Value::Object(row);
        rows.push(row.clone());
        told(StatusCode::CREATED, &json!({ "row": row }))
    }

    fn one(&self, verb: &str, table: &str, id: &str, body: &[u8]) -> Response {
        let mut tables = self.tables.lock().unwrap();
        let rows = tables.entry(table.to_owned()).or_default();
        let Some(at) = rows.iter().position(|row| said(&row["id"]) == id) else {
            return told(StatusCode::NOT_FOUND, &json!({}));
        };
        match verb {
            "GET" => told(StatusCode::OK, &json!({ "row": rows[at] })),
            "PATCH" => {
                let changes: Map<String, Value> = serde_json::from_slice(body).unwrap();
                rows[at].as_object_mut().unwrap().extend(changes);
                told(StatusCode::OK, &json!({ "row": rows[at] }))
            }
            "DELETE" => {
                rows.remove(at);
                Response::builder()
                    .status(StatusCode::NO_CONTENT)
                    .body(Body::empty())
                    .unwrap()
            }
            _ => told(StatusCode::METHOD_NOT_ALLOWED, &json!({})),
        }
    }
}

/// Seven people.
pub fn people() -> Vec<Value> {
    let rows = [
        (1, "Ann", "north", 31),
        (2, "Bob", "south", 27),
        (3, "Cid", "north", 45),
        (4, "Dan", "south", 27),
        (5, "Eve", "north", 19),
        (6, "Fay", "west", 60),
        (7, "Gus", "west", 33),
    ];
    let row =
        |(id, name, place, age): (i64, &str, &str, i64)| json!({ "id": id, "name": name, "place": place, "age": age });
    rows.map(row).into()
}

/// What a parameter says of a value.
fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn compare(one: &Value, other: &Value) -> std::cmp::Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        // Nulls come last.
        _ => (one.is_null(), said(one)).cmp(&(other.is_null(), said(other))),
    }
}

/// Answers that nobody wants.
fn odd(kind: &str, port: u16) -> Response {
    let made = Response::builder();
    let made =
        match kind {
            "html" => made
                .header("content-type", "text/html")
                .body("<html>planted-page</html>".into()),
            "page" => made
                .header("content-type", "application/json")
                .body(" <!doctype html>planted-page".into()),
            "broken" => made.header("content-type", "application/json").body("[{\"id\":".into()),
            "object" => made
                .header("content-type", "application/json")
                .body("{\"id\":1}".into()),
            "numbers" => made.header("content-type", "application/json").body("[1,2]".into()),
            "huge" => made.header("content-type", "application/json").body(huge()),
            "endless" => made.header("content-type", "application/json").body(Body::from_stream(
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])),
            )),
            "many" => {
                let rows: Vec<Value> = (0..50).map(|id| json!({ "id": id })).collect();
                made.body(Value::Array(rows).to_string().into())
            }
            "away" => made
                .status(302)
                .header("location", "http://localhost:1/planted")
                .body(Body::empty()),
            "port" => made
                .status(307)
                .header("location", format!("http://127.0.0.1:{}/x", port ^ 1))
                .body(Body::empty()),
            "near" => made
                .status(301)
                .header("location", "/v1/whole/people")
                .body(Body::empty()),
            "round" => made.status(302).header("location", "/v1/odd/round").body(Body::empty()),
            "next" => made
                .header("link", "<http://localhost:1/planted>; rel=\"next\"")
                .body("[{\"id\":1}]".into()),
            status => {
                let status = status.parse().unwrap_or(404);
                let made = made.status(status).header("retry-after", "7");
                made.body("{\"error\":\"planted-error\"}".into())
            }
        };
    made.unwrap()
}

fn huge() -> Body {
    Body::from(format!("[{{\"id\":1,\"text\":\"{}\"}}]", "x".repeat(9 << 20)))
}

fn told(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("server", "somebody's/1.0")
        .body(body.to_string().into())
        .unwrap()
}

fn serve<L>(listener: L, api: &Arc<Api>)
where
    L: Listener<Addr = SocketAddr>,
{
    let router = axum::Router::new()
        .fallback(|State(api): State<Arc<Api>>, request: Request| async move { api.answer(request).await })
        .with_state(api.clone());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    *api.task.lock().unwrap() = Some(task);
}

/// A certificate, and who signed it.
pub struct Certificate {
    config: Arc<ServerConfig>,
    /// The authority's, PEM.
    pub authority: String,
}

impl Certificate {
    /// For that host from 2020 until that year.
    pub fn make(host: &str, until: i32) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self {
            config: Arc::new(config),
            authority: issuer.pem(),
        }
    }

    fn listener(&self, tcp: TcpListener) -> TlsListener {
        TlsListener {
            tcp,
            acceptor: TlsAcceptor::from(self.config.clone()),
        }
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // Who does not trust us leaves.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
