//! A user's own database as a backend, served as a PostgREST configured alike would.

mod defaults;
mod health;
mod provisioning;
mod roles;
mod scripts;
mod serving;

use std::sync::Arc;

use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use plinth::clock::{Clock, SharedClock, SystemClock};
use plinth::control::scram_verifier;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::handmade::superuser;
use crate::world::{Call, User, World, platform, text, unique};

/// What the user's issuer signs tokens with.
pub const SECRET: &str = "planted-jwt-secret-of-32-characters-at-least";
pub const PASSWORD: &str = "planted-database-password";
const DATABASE: &str = "users_own";

/// Roles and tables as somebody with a PostgREST has them. `facts` tells what a request's transaction is like.
const SQL: &str = "
    create schema api; create schema v2; create schema hidden;
    create table api.todos (id int primary key, title text, owner text not null default current_user);
    insert into api.todos values (1, 'first', 'x'), (2, 'second', 'y'), (3, 'third', 'z');
    create table v2.notes (id int primary key, body text);
    insert into v2.notes values (1, 'a note');
    create table hidden.secrets (id int);
    create function hidden.greeting() returns text language sql as $$ select 'hello' $$;
    create view api.facts as select
      current_user::text as role, session_user::text as login,
      current_setting('request.jwt.claims', true)::json as claims,
      current_setting('request.method', true) as method, current_setting('request.path', true) as path,
      current_setting('request.headers', true)::json as headers,
      current_setting('request.cookies', true)::json as cookies,
      current_setting('app.settings.name', true) as setting, current_setting('app.checked', true) as checked,
      current_setting('search_path') as search_path, current_setting('TimeZone') as zone,
      current_setting('DateStyle') as dates;
    create function api.check() returns void language plpgsql as $$ begin
      if current_setting('request.headers', true)::json ->> 'x-blocked' is not null then
        raise sqlstate 'PT418' using message = 'blocked here', hint = 'go away';
      end if;
      perform set_config('app.checked', current_user, true);
    end $$;
    grant usage on schema api, v2 to web_anon, web_user, web_service;
    grant usage on schema hidden to web_user;
    grant select on api.facts to web_anon, web_user, web_service, users_login;
    grant usage on schema api to users_login;
    grant select on api.todos, v2.notes to web_anon;
    grant all on api.todos, v2.notes to web_user, web_service;
    alter database users_own set timezone to 'Europe/Berlin';
    alter database users_own set datestyle to 'German';
";

/// The world where loopback databases are allowed.
pub async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
        .get_or_init(|| async { world_at(Arc::new(SystemClock)).await })
        .await
}

/// The same with caches of its own, on that clock.
pub async fn world_at(clock: SharedClock) -> World {
    World::of(&platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1"), clock)
}

/// The user's database, made once: where it is, without a login.
pub async fn database() -> &'static str {
    static MADE: OnceCell<String> = OnceCell::const_new();
    MADE.get_or_init(|| async {
        platform().await;
        let server = superuser("postgres").await;
        let roles = format!(
            "create role web_anon; create role web_user; create role web_service; create role web_stranger;
             create role users_login login noinherit password '{}';
             grant web_anon, web_user, web_service to users_login;",
            scram_verifier(&PASSWORD.to_owned().into(), &[5; 16])
        );
        server.batch_execute(&roles).await.unwrap();
        server
            .batch_execute(&format!("create database {DATABASE}"))
            .await
            .unwrap();
        superuser(DATABASE).await.batch_execute(SQL).await.unwrap();
        let server = plinth_local::testing::server().await.unwrap();
        let url: tokio_postgres::Config = server.url(DATABASE).expose().parse().unwrap();
        format!("127.0.0.1:{}/{DATABASE}", url.get_ports()[0])
    })
    .await
}

/// Runs SQL in the user's database as its owner, behind our back.
pub async fn sql(text: &str) {
    database().await;
    superuser(DATABASE).await.batch_execute(text).await.unwrap();
}

/// The connection string of the login.
pub async fn url() -> String {
    format!("postgresql://users_login:{PASSWORD}@{}", database().await)
}

/// The body of a provision, with this `rest` section over the usual one.
pub async fn body(rest: Value) -> Value {
    let mut whole =
        json!({ "schemas": ["api"], "extraSearchPath": ["hidden"], "anonRole": "web_anon", "jwtSecret": SECRET });
    for (name, value) in rest.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({ "backendType": "external", "config": { "externalProvider": "postgresql", "requireApiKey": false,
        "credentials": { "connectionString": url().await }, "rest": whole } })
}

/// A project whose backend is the user's database.
pub struct Own {
    pub owner: User,
    pub id: String,
    pub reference: String,
    pub backend: String,
    pub publishable: String,
    pub secret: String,
}

impl Own {
    /// With this `rest` section over the usual one.
    pub async fn with(rest: Value) -> Self {
        Self::of(world().await, &body(rest).await).await
    }

    pub async fn of(world: &World, body: &Value) -> Self {
        let (owner, id, reference) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let made = world.post(&path).bearer(&owner.token).json(body).send().await;
        let made = made.expect(StatusCode::CREATED);
        assert_eq!(text(&made, "status"), "ready");
        Self {
            backend: text(&made["database"], "id"),
            publishable: text(&made, "apiKey"),
            secret: text(&made, "secretKey"),
            owner,
            id,
            reference,
        }
    }

    pub fn rest(&self, rest: &str) -> String {
        format!("/p/{}/rest/v1/{rest}", self.reference)
    }

    /// A read of what a request's transaction is like.
    pub async fn facts(&self) -> Call {
        world().await.get(&self.rest("facts"))
    }

    pub fn provision(&self) -> String {
        format!("/api/projects/{}/backend/provision", self.id)
    }
}

/// A project without a backend.
pub async fn bare(world: &World) -> (User, String, String) {
    let owner = world.user().await;
    let body = json!({ "name": unique() });
    let made = world
        .post("/api/projects")
        .bearer(&owner.token)
        .json(&body)
        .send()
        .await;
    let made = made.expect(StatusCode::CREATED);
    (owner, text(&made["project"], "id"), text(&made["project"], "ref"))
}

/// A token that the user's issuer signed.
pub fn token(claims: &Value) -> String {
    signed(claims, SECRET)
}

pub fn signed(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

pub fn now() -> i64 {
    SystemClock.now().as_second()
}
