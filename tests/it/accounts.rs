//! Accounts of both audiences, through the router, on real tables.

mod flows;
mod outside;
mod profiles;
mod refresh;
mod refusals;
mod tenants;

use http::{Method, StatusCode};
use plinth::clock::{Clock, SystemClock};
use plinth::testing::FixedClock;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_postgres::Client;

use crate::world::{Call, Project, World, platform, text, unique, world};

pub const PASSWORD: &str = "correct horse battery";

/// One audience in one world.
#[derive(Clone)]
pub struct Door {
    world: World,
    base: String,
    key: Option<String>,
}

impl Door {
    pub fn platform(world: &World) -> Self {
        Self {
            world: world.clone(),
            base: "/auth/v1".to_owned(),
            key: None,
        }
    }

    pub async fn project(world: &World) -> Self {
        Self::of(world, &world.project("schema").await)
    }

    pub fn of(world: &World, project: &Project) -> Self {
        Self {
            world: world.clone(),
            base: format!("/p/{}/auth/v1", project.reference),
            key: Some(project.publishable.clone()),
        }
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let call = self.world.call(method, &format!("{}{path}", self.base));
        let call = call.header("x-supabase-api-version", "2024-01-01");
        match &self.key {
            Some(key) => call.key(key),
            None => call,
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

    /// A fresh session of a fresh user.
    pub async fn sign_up(&self) -> Value {
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        self.post("/signup").json(&body).send().await.expect(StatusCode::OK)
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> crate::world::Reply {
        let body = json!({ "email": email, "password": password });
        self.post("/token?grant_type=password").json(&body).send().await
    }

    pub async fn refresh(&self, token: &str) -> crate::world::Reply {
        let body = json!({ "refresh_token": token });
        self.post("/token?grant_type=refresh_token").json(&body).send().await
    }

    pub async fn user(&self, session: &Value) -> crate::world::Reply {
        self.get("/user").bearer(&text(session, "access_token")).send().await
    }
}

/// Any database, with all rights.
pub async fn superuser(database: &str) -> Client {
    let server = plinth_local::testing::server().await.unwrap();
    let (client, connection) = tokio_postgres::connect(server.url(database).expose(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// The database of all projects of level `schema`, with all rights.
pub async fn cell() -> Client {
    superuser(plinth::control::CELL_DATABASE).await
}

/// Both audiences of the usual world.
pub async fn doors() -> [Door; 2] {
    let world = world().await;
    [Door::platform(world), Door::project(world).await]
}

/// A world whose clock stands until it is moved.
pub async fn still_world() -> (World, Arc<FixedClock>) {
    // A whole second: what Postgres cuts behind the microsecond must not decide a test at the edge of a window.
    let now = jiff::Timestamp::from_second(SystemClock.now().as_second()).unwrap();
    let clock = Arc::new(FixedClock::at(now));
    (World::of(platform().await, clock.clone()), clock)
}

/// A world with one setting changed.
pub async fn world_with(name: &str, value: &str) -> World {
    let changed = platform().await.with(name, value);
    World::of(&changed, Arc::new(SystemClock))
}
