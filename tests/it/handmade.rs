//! Projects made by hand, with SQL of the test's own in them: what the designer would refuse, and tenants may bring at
//! level `database`.

use std::sync::Arc;

use plinth::clock::{SharedRandom, SystemRandom};
use plinth::control::{CELL_DATABASE, CELL_TEMPLATE, scram_verifier};
use plinth::ident::{ProjectId, Ref, literal};
use plinth::sensitive::Sensitive;
use plinth::tenancy::{Isolation, Names};
use plinth::token::{KeyClass, ProjectKey};
use plinth_local::platform::Function;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::world::platform;

pub struct Handmade {
    pub id: Uuid,
    pub backend: Uuid,
    pub reference: Ref,
    pub publishable: String,
    pub secret: String,
    pub isolation: Isolation,
}

/// A superuser's connection to a database of the platform's server.
pub async fn superuser(database: &str) -> Client {
    let server = plinth_local::testing::server().await.unwrap();
    let url = server.url(database);
    let (client, connection) = tokio_postgres::connect(url.expose(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A project with a ready backend; `sql` runs as the owner of its schema, with the schema on the search path and
/// `$anon`, `$authenticated`, `$service` replaced by its roles.
pub async fn project(isolation: Isolation, sql: &str) -> Handmade {
    let platform = platform().await;
    let random: SharedRandom = Arc::new(SystemRandom);
    let reference = random.project_ref();
    let (id, backend) = (random.uuid(), random.uuid());
    let password = Sensitive::new(random.token(43));
    let made = Handmade {
        id,
        backend,
        publishable: key(&random, KeyClass::Publishable, &reference).0,
        secret: String::new(),
        reference,
        isolation,
    };
    let control = superuser("plinth").await;
    let now = "2026-01-01T00:00:00Z";
    control
        .batch_execute(&format!(
            "insert into plinth.projects (id, ref, name, created_by, created_at, updated_at)
               values ('{id}', '{ref}', '{ref}', '{id}', '{now}', '{now}');
             insert into plinth.backends (id, project_id, tier, isolation, cell_id, state, created_at, updated_at)
               values ('{backend}', '{id}', 'managed', '{level}', 1, 'ready', '{now}', '{now}');
             update plinth.cells set backends = backends + 1 where id = 1;",
            ref = made.reference,
            level = isolation.as_str(),
        ))
        .await
        .unwrap();
    let mut made = made;
    made.publishable = made.add_key(&control, KeyClass::Publishable).await;
    made.secret = made.add_key(&control, KeyClass::Secret).await;
    if isolation == Isolation::Database {
        let app = platform.app(Function::Provision).unwrap();
        let envelope = app
            .vault
            .seal(&random, Some(ProjectId(id)), password.expose().as_bytes());
        let envelope = serde_json::to_string(&envelope.await.unwrap()).unwrap();
        let secret = format!(
            "insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
             values ('{}', '{id}', 'login', {}, '{now}', '{now}')",
            random.uuid(),
            literal(&envelope)
        );
        control.batch_execute(&secret).await.unwrap();
    }
    made.install(&password, sql).await;
    made
}

fn key(random: &SharedRandom, class: KeyClass, reference: &Ref) -> (String, Vec<u8>) {
    let key = ProjectKey::generate(random, class, reference);
    (key.text().expose().to_owned(), key.hash())
}

impl Handmade {
    pub fn names(&self) -> Names<'_> {
        Names(&self.reference)
    }

    /// A path of its data API.
    pub fn rest(&self, rest: &str) -> String {
        format!("/p/{}/rest/v1/{rest}", self.reference)
    }

    /// The database its schema is in.
    pub fn database(&self) -> String {
        match self.isolation {
            Isolation::Schema => CELL_DATABASE.to_owned(),
            Isolation::Database => self.names().own().to_string(),
        }
    }

    /// Its schema, quoted.
    pub fn schema(&self) -> String {
        self.names().schema(self.isolation).quoted().to_string()
    }

    async fn add_key(&self, control: &Client, class: KeyClass) -> String {
        let random: SharedRandom = Arc::new(SystemRandom);
        let (text, hash) = key(&random, class, &self.reference);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        control
            .batch_execute(&format!(
                "insert into plinth.keys (id, project_id, class, name, hash, hint, created_at)
                 values ('{}', '{}', '{}', 'test', '\\x{hash}', '', '2026-01-01T00:00:00Z')",
                random.uuid(),
                self.id,
                class.as_str()
            ))
            .await
            .unwrap();
        text
    }

    async fn install(&self, password: &Sensitive, sql: &str) {
        let names = self.names();
        let (owner, anon, authenticated, service) =
            (names.owner(), names.anon(), names.authenticated(), names.service());
        let mut roles = format!(
            "create role {owner}; create role {anon}; create role {authenticated}; create role {service};
             grant anon to {anon}; grant authenticated to {authenticated}; grant service_role to {service};
             grant project_owner to {owner};"
        );
        match self.isolation {
            Isolation::Schema => roles += &format!("grant {anon}, {authenticated}, {service} to plinth_api;"),
            Isolation::Database => {
                let own = names.own();
                roles += &format!(
                    "create role {own} login noinherit password {};
                     grant {owner}, {anon}, {authenticated}, {service} to {own};",
                    literal(&scram_verifier(password, &[7; 16]))
                );
            }
        }
        let server = superuser("postgres").await;
        server.batch_execute(&roles).await.unwrap();
        if self.isolation == Isolation::Database {
            let own = names.own();
            for sql in [
                format!("create database {own} template {CELL_TEMPLATE}"),
                format!("revoke all on database {own} from public"),
                format!("grant connect on database {own} to {own}"),
            ] {
                server.batch_execute(&sql).await.unwrap();
            }
        }
        let schema = self.schema();
        self.sql(&format!(
            "create schema if not exists {schema};
             alter schema {schema} owner to {owner};
             grant usage on schema {schema} to {anon}, {authenticated}, {service};
             insert into plinth.version (ref) values ('{ref}');",
            ref = self.reference
        ))
        .await;
        self.own_sql(sql).await;
    }

    /// Runs SQL as the superuser where its schema is.
    pub async fn sql(&self, sql: &str) {
        superuser(&self.database()).await.batch_execute(sql).await.unwrap();
    }

    /// Runs SQL as the owner of its schema. The version does not move: see [`Handmade::change`].
    pub async fn own_sql(&self, sql: &str) {
        let names = self.names();
        let sql = sql
            .replace("$anon", names.anon().as_str())
            .replace("$authenticated", names.authenticated().as_str())
            .replace("$service", names.service().as_str());
        let (owner, schema) = (names.owner(), self.schema());
        self.sql(&format!("set role {owner}; set search_path = {schema}; {sql}"))
            .await;
    }

    /// Changes its tables as the designer does: the version moves in the same transaction.
    pub async fn change(&self, sql: &str) {
        self.own_sql(&format!("begin; {sql}; {} commit", self.moved())).await;
    }

    /// The statements that move the schema's version.
    pub fn moved(&self) -> String {
        format!(
            "reset role; update plinth.version set schema = schema + 1 where ref = '{}';",
            self.reference
        )
    }

    /// Changes the project's settings, and tells the backend.
    pub async fn settings(&self, json: &str) {
        let control = superuser("plinth").await;
        let sql = format!(
            "update plinth.projects set settings = {} where id = '{}'",
            literal(json),
            self.id
        );
        control.batch_execute(&sql).await.unwrap();
        let moved = control.query_one("select plinth.bump($1)", &[&self.id]).await.unwrap();
        let version: i64 = moved.get(0);
        self.sql(&format!("select plinth.push_version('{}', {version})", self.reference))
            .await;
    }

    /// Revokes its keys of one class, tells the backend, and returns a new one.
    pub async fn revoke(&self, class: KeyClass) -> String {
        let control = superuser("plinth").await;
        let sql = format!(
            "update plinth.keys set revoked_at = now() where project_id = '{}' and class = '{}'",
            self.id,
            class.as_str()
        );
        control.batch_execute(&sql).await.unwrap();
        let fresh = self.add_key(&control, class).await;
        let moved = control.query_one("select plinth.bump($1)", &[&self.id]).await.unwrap();
        let version: i64 = moved.get(0);
        self.sql(&format!("select plinth.push_version('{}', {version})", self.reference))
            .await;
        fresh
    }
}

/// A table of numbered rows that everybody may read and write.
pub const TODOS: &str = "
    create table todos (id int primary key, title text, done boolean not null default false, at timestamptz);
    insert into todos values (1, 'first', false, '2026-01-02T03:04:05Z'), (2, 'second', true, null);
    alter table todos enable row level security;
    create policy all_of_it on todos using (true) with check (true);
    grant select, insert, update, delete on todos to $anon, $authenticated, $service;
";
