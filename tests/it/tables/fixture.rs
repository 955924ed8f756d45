//! Projects for the designer, platform users with tokens made here, and the superuser's look into the databases.

use plinth::clock::{Random, SharedRandom, SystemRandom};
use plinth::token::SigningKey;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::world::{BASE_URL, Project, User, platform, world};

/// The superuser in any database of the test server.
pub async fn superuser(database: &str) -> Client {
    let url = plinth_local::testing::server().await.unwrap().url(database);
    let (client, connection) = tokio_postgres::connect(url.expose(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The database that holds a project's tables.
pub fn database_of(project: &Project, isolation: &str) -> String {
    match isolation {
        "schema" => "plinth_cell".to_owned(),
        _ => format!("p_{}", project.reference),
    }
}

/// The schema of a project's tables.
pub fn schema_of(project: &Project, isolation: &str) -> String {
    match isolation {
        "schema" => format!("project_{}", project.reference),
        _ => "public".to_owned(),
    }
}

/// The superuser in the database of a project.
pub async fn cell(project: &Project, isolation: &str) -> Client {
    superuser(&database_of(project, isolation)).await
}

/// The superuser in the control database.
pub async fn control() -> Client {
    platform().await;
    superuser("plinth").await
}

async fn signing_key() -> &'static SigningKey {
    static KEY: OnceCell<SigningKey> = OnceCell::const_new();
    KEY.get_or_init(|| async {
        let random: SharedRandom = Arc::new(SystemRandom);
        let key = SigningKey::generate(&random).unwrap();
        let jwk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
        let sql = "insert into plinth.signing_keys (kid, public_jwk, envelope, created_at, retired_at)
                   values ($1, $2, '{}', now(), now())";
        control().await.execute(sql, &[&key.kid(), &jwk]).await.unwrap();
        key
    })
    .await
}

/// A platform user with a token, whose account has nothing to sign in with.
pub async fn user() -> User {
    let random: &dyn Random = &SystemRandom;
    let id = random.uuid();
    let sql = "insert into plinth.users (id, created_at, updated_at) values ($1, now(), now())";
    control().await.execute(sql, &[&id]).await.unwrap();
    let id = id.to_string();
    let claims = json!({
        "iss": format!("{BASE_URL}/auth/v1"), "aud": "authenticated", "sub": id, "exp": 4_102_444_800_u64,
        "iat": 1_700_000_000, "role": "authenticated", "app_metadata": { "role": "User" },
    });
    let Value::Object(claims) = claims else { unreachable!() };
    User {
        email: format!("{id}@example.com"),
        token: signing_key().await.sign(&claims).unwrap(),
        id,
    }
}

/// Makes somebody a member.
pub async fn join(project: &Project, user: &User, role: &str) {
    let sql = "insert into plinth.members values ($1, $2, $3, now(), now(), null)";
    let ids: [Uuid; 2] = [project.id.parse().unwrap(), user.id.parse().unwrap()];
    control().await.execute(sql, &[&ids[0], &ids[1], &role]).await.unwrap();
}

/// A project with a managed backend of that isolation level, and its owner.
pub async fn project(isolation: &str) -> Project {
    world().await.project_of(user().await, isolation).await
}
