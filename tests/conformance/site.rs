//! What answers the rows: a project with the fixture schema, and its callers' credentials.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use plinth::clock::{SharedRandom, SystemClock, SystemRandom};
use plinth::config::Address;
use plinth::control::register_cell;
use plinth::ident::{Ident, literal};
use plinth::tenancy::Isolation;
use plinth::token::SigningKey;
use plinth_local::platform::Platform;
use serde_json::{Map, Value, json};
use tokio_postgres::Client;

use super::row::{Caller, Step};
use super::{Backend, Mode, Variant};
use crate::handmade::{self, superuser};
use crate::pgbouncer::pgbouncer;
use crate::world::{BASE_URL, Call, Reply, World, platform, unique};

const SCHEMA: &str = include_str!("schema.sql");
const SECOND_SCHEMA: &str = include_str!("api2.sql");
const DATA: &str = include_str!("data.sql");
/// The cell whose databases are reached through the pooler.
const POOLED_CELL: i32 = 2;

/// What the user's own issuer signs with.
const SECRET: &str = "conformance-jwt-secret-of-32-characters-at-least";

/// A backend under test.
pub struct Site {
    world: World,
    /// What stands before a row's path.
    base: String,
    traits: BTreeSet<&'static str>,
    callers: Callers,
    /// For putting the data back.
    database: Client,
}

/// How callers say who they are.
enum Callers {
    /// By the project's keys, and tokens of its own issuer.
    Managed {
        publishable: String,
        secret: String,
        issuer: String,
        signing: SigningKey,
    },
    /// By tokens alone.
    External,
}

impl Site {
    /// The backend that a variant of the suite is played on, with these `rest` settings.
    pub async fn of(variant: Variant, rest: &Map<String, Value>) -> Self {
        let site = match variant.backend {
            Backend::Managed => Self::managed(variant.mode, rest).await,
            Backend::External => Self::external(variant.mode, rest).await,
        };
        site.restore().await;
        // For the counts that the planner guesses.
        site.database.batch_execute("analyze").await.unwrap();
        site
    }

    /// A managed project of level `database`.
    async fn managed(mode: Mode, rest: &Map<String, Value>) -> Self {
        let project = handmade::project(Isolation::Database, SCHEMA).await;
        let control = superuser("plinth").await;
        let mut platform = pooled(platform().await.clone(), mode);
        if let Some(most) = rest.get("maxRows") {
            platform = platform.with("PLINTH_MAX_ROWS", &most.to_string());
        }
        let settings = json!({ "rest": rest }).to_string();
        let sql = "update plinth.projects set settings = $1::text::jsonb where id = $2";
        control.execute(sql, &[&settings, &project.id]).await.unwrap();
        if mode == Mode::Pooled {
            let at = Address {
                port: pgbouncer().await.port,
                ..platform.master.clone()
            };
            register_cell(&control, POOLED_CELL, &at, 0).await.unwrap();
            // Closed: nobody else's projects go there.
            let sql = format!(
                "update plinth.cells set backends = backends - 1
                   where id = (select cell_id from plinth.backends where id = '{0}');
                 update plinth.cells set open = false, backends = backends + 1 where id = {POOLED_CELL};
                 update plinth.backends set cell_id = {POOLED_CELL} where id = '{0}'",
                project.backend
            );
            control.batch_execute(&sql).await.unwrap();
        }
        let random: SharedRandom = Arc::new(SystemRandom);
        let signing = SigningKey::generate(&random).unwrap();
        let sql = format!(
            "insert into plinth.signing_keys (kid, project_id, public_jwk, envelope, created_at)
             values ({}, '{}', {}, '{{}}', now())",
            literal(signing.kid()),
            project.id,
            literal(&serde_json::to_string(&signing.public_jwk().unwrap()).unwrap()),
        );
        control.batch_execute(&sql).await.unwrap();
        Self {
            world: World::of(&platform, Arc::new(SystemClock)),
            base: format!("/p/{}/rest/v1", project.reference),
            traits: ["managed", mode.name()].into(),
            callers: Callers::Managed {
                publishable: project.publishable.clone(),
                secret: project.secret.clone(),
                issuer: format!("{BASE_URL}/p/{}/auth/v1", project.reference),
                signing,
            },
            database: superuser(&project.database()).await,
        }
    }

    /// A database of the user's own with plain roles, as one has who runs PostgREST.
    async fn external(mode: Mode, rest: &Map<String, Value>) -> Self {
        let allowed = platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1");
        let world = World::of(&pooled(allowed, mode), Arc::new(SystemClock));
        let (database, password) = (format!("own_{}", unique()), unique());
        let server = superuser("postgres").await;
        for sql in [
            format!("create database {database}"),
            format!("create role {database} login noinherit password '{password}'"),
            format!("grant anon, authenticated, service_role to {database}"),
        ] {
            server.batch_execute(&sql).await.unwrap();
        }
        let own = superuser(&database).await;
        own.batch_execute(&format!("set search_path = public; {SCHEMA}; {SECOND_SCHEMA}"))
            .await
            .unwrap();
        let port = match mode {
            Mode::Direct => plinth_local::testing::server().await.unwrap().port(),
            Mode::Pooled => pgbouncer().await.port,
        };
        let mut settings = Map::from_iter([
            ("schemas".to_owned(), json!(["public"])),
            ("anonRole".to_owned(), json!("anon")),
            ("jwtSecret".to_owned(), json!(SECRET)),
        ]);
        settings.extend(rest.clone());
        let url = format!("postgresql://{database}:{password}@127.0.0.1:{port}/{database}");
        let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
            "requireApiKey": false, "credentials": { "connectionString": url }, "rest": settings } });
        let project = crate::external::Own::of(&world, &body).await;
        Self {
            world,
            base: format!("/p/{}/rest/v1", project.reference),
            traits: ["external", mode.name()].into(),
            callers: Callers::External,
            database: own,
        }
    }

    /// Whether rows with these conditions hold here.
    pub fn is(&self, conditions: &[String]) -> bool {
        conditions.iter().all(|condition| match condition.strip_prefix('!') {
            Some(condition) => !self.traits.contains(condition),
            None => self.traits.contains(condition.as_str()),
        })
    }

    /// Puts the data back as it was.
    pub async fn restore(&self) {
        self.database.batch_execute(DATA).await.unwrap();
    }

    /// Makes room: a run has more than a hundred of them.
    pub async fn drop_database(self) {
        let row = self.database.query_one("select current_database()", &[]).await.unwrap();
        let name = Ident::new(row.get::<_, String>(0)).unwrap();
        drop(self);
        let sql = format!("drop database {} with (force)", name.quoted());
        superuser("postgres").await.batch_execute(&sql).await.unwrap();
    }

    /// Sends a step's request.
    pub async fn send(&self, step: &Step) -> Reply {
        let path = format!("{}{}", self.base, encoded(&step.path));
        let mut call = self.as_caller(self.world.call(step.method.clone(), &path), &step.caller);
        for (name, value) in step.headers.iter().filter(|(name, _)| name != "content-type") {
            call = call.header(name, value);
        }
        let content_type = step.headers.iter().find(|(name, _)| name == "content-type");
        let Some(body) = &step.body else {
            return match content_type {
                Some((_, value)) if !value.is_empty() => call.header("content-type", value).send().await,
                _ => call.send().await,
            };
        };
        let call = match content_type {
            None => call.body(body.as_str(), "application/json"),
            Some((_, value)) if value.is_empty() => call.untyped_body(body.as_str()),
            Some((_, value)) => call.body(body.as_str(), value),
        };
        call.send().await
    }

    fn as_caller(&self, call: Call, caller: &Caller) -> Call {
        let user = |name: &str, claims: &Map<String, Value>| self.token(name, claims);
        match (&self.callers, caller) {
            (_, Caller::Nobody) | (Callers::External, Caller::Anon) => call,
            (Callers::Managed { publishable, .. }, Caller::Anon) => call.key(publishable),
            (Callers::Managed { secret, .. }, Caller::Service) => call.key(secret),
            (Callers::Managed { publishable, .. }, Caller::User(name, claims)) => {
                call.key(publishable).bearer(&user(name, claims))
            }
            (Callers::External, Caller::User(name, claims)) => call.bearer(&user(name, claims)),
            (Callers::External, Caller::Service) => {
                let role = Map::from_iter([("role".to_owned(), json!("service_role"))]);
                call.bearer(&user("service", &role))
            }
        }
    }

    /// A user's token. Times in `over` are seconds from now.
    fn token(&self, name: &str, over: &Map<String, Value>) -> String {
        let now = crate::external::now();
        let mut claims = Map::from_iter([
            ("sub".to_owned(), json!(subject(name))),
            ("email".to_owned(), json!(format!("{name}@example.com"))),
            ("aud".to_owned(), json!("authenticated")),
            ("role".to_owned(), json!("authenticated")),
            ("exp".to_owned(), json!(now + 3600)),
        ]);
        for (name, value) in over {
            let value = match (name.as_str(), value.as_i64()) {
                ("exp" | "nbf" | "iat", Some(seconds)) => json!(now + seconds),
                _ => value.clone(),
            };
            claims.insert(name.clone(), value);
        }
        match &self.callers {
            Callers::Managed { issuer, signing, .. } => {
                claims.insert("iss".to_owned(), json!(issuer));
                signing.sign(&claims).unwrap()
            }
            Callers::External => crate::external::signed(&Value::Object(claims), SECRET),
        }
    }
}

/// The platform as it is configured for that mode.
fn pooled(platform: Platform, mode: Mode) -> Platform {
    match mode {
        Mode::Direct => platform,
        Mode::Pooled => platform.with("PLINTH_POOLER", "true"),
    }
}

pub fn subject(name: &str) -> &'static str {
    match name {
        "alice" => "a11ce000-0000-4000-8000-000000000001",
        _ => "b0b00000-0000-4000-8000-000000000002",
    }
}

/// What a URL cannot hold as it stands, percent-encoded as clients do.
pub fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{}|#".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}
