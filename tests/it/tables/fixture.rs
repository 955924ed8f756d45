//! A project with a backend, made by SQL: owner, roles, schema, starter tables and designs.

use plinth::clock::{Random, SharedRandom, SystemRandom};
use plinth::ident::{Ident, Ref};
use plinth::schema::ddl::{Context, Helpers, Roles, create_table};
use plinth::schema::known::Known;
use plinth::schema::starter;
use plinth::tenancy::{Isolation, Names};
use plinth::token::SigningKey;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::world::{BASE_URL, Project, User, platform};

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

/// A platform user with a token.
pub async fn user() -> User {
    let random: &dyn Random = &SystemRandom;
    let id = random.uuid().to_string();
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

/// A project with a backend of that isolation level, and its owner.
pub async fn project(isolation: &str) -> Project {
    platform().await;
    let random: SharedRandom = Arc::new(SystemRandom);
    let reference = random.project_ref();
    let (project, backend) = (random.uuid(), random.uuid());
    let level: Isolation = isolation.parse().unwrap();
    let password = make_backend(&reference, level).await;
    let control = control().await;
    let owner = user().await;
    let sql = "insert into plinth.projects (id, ref, name, created_by, created_at, updated_at)
               values ($1, $2, $2, $3, now(), now())";
    let owner_id: Uuid = owner.id.parse().unwrap();
    control
        .execute(sql, &[&project, &reference.as_str(), &owner_id])
        .await
        .unwrap();
    let sql = "insert into plinth.backends (id, project_id, tier, isolation, cell_id, state, created_at, updated_at)
               values ($1, $2, 'managed', $3, 1, 'ready', now(), now())";
    control.execute(sql, &[&backend, &project, &isolation]).await.unwrap();
    if let Some(password) = password {
        let app = platform()
            .await
            .app(plinth_local::platform::Function::Provision)
            .unwrap();
        let id = Some(plinth::ident::ProjectId(project));
        let envelope = app.vault.seal(&app.random, id, password.as_bytes()).await.unwrap();
        let sql = "insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
                   values ($1, $2, 'login', $3, now(), now())";
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&random.uuid(), &project, &serde_json::to_value(envelope).unwrap()];
        control.execute(sql, &params).await.unwrap();
    }
    for spec in [starter::app_users(), starter::app_data()] {
        let sql = "insert into plinth.tables (id, backend_id, name, spec, created_at, updated_at)
                   values ($1, $2, $3, $4, now(), now())";
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
            &random.uuid(),
            &backend,
            &spec.name.as_str(),
            &serde_json::to_value(&spec).unwrap(),
        ];
        control.execute(sql, &params).await.unwrap();
    }
    let project = Project {
        id: project.to_string(),
        reference: reference.to_string(),
        backend: backend.to_string(),
        publishable: String::new(),
        secret: String::new(),
        owner,
    };
    join(&project, &project.owner, "owner").await;
    project
}

/// What provisioning leaves in a cell, as far as the designer meets it. The password of the project's own login.
async fn make_backend(reference: &Ref, level: Isolation) -> Option<String> {
    let names = Names(reference);
    let (own, owner) = (names.own(), names.owner());
    let (schema, trash) = (names.schema(level), names.trash(level));
    let random: &dyn Random = &SystemRandom;
    let password = (level == Isolation::Database).then(|| random.token(43));
    let server = superuser("plinth_cell").await;
    let login = match &password {
        None => "plinth_api".to_owned(),
        Some(password) => {
            let sql = format!("create role {} login password '{password}'", own.quoted());
            server.batch_execute(&sql).await.unwrap();
            own.quoted().to_string()
        }
    };
    let mut sql = format!(
        "create role {} in role project_owner role plinth_provision;",
        owner.quoted()
    );
    for (role, group) in [
        (names.service(), "service_role"),
        (names.authenticated(), "authenticated"),
        (names.anon(), "anon"),
    ] {
        sql += &format!("create role {} in role {group} role {login};", role.quoted());
    }
    server.batch_execute(&sql).await.unwrap();
    let mut home = server;
    if level == Isolation::Database {
        let grant = format!("grant {} to {}", owner.quoted(), own.quoted());
        home.batch_execute(&grant).await.unwrap();
        let make = format!(
            "create database {} template plinth_template owner plinth_provision",
            own.quoted()
        );
        home.batch_execute(&make).await.unwrap();
        home = superuser(own.as_str()).await;
        let rest = format!(
            "revoke all on database {own} from public; grant connect on database {own} to {own};
             drop schema public; create schema auth authorization plinth_provision;
             create function auth.uid() returns uuid language sql stable as 'select plinth.uid()';
             create function auth.role() returns text language sql stable as 'select plinth.role()';
             create function auth.email() returns text language sql stable as 'select plinth.email()';
             create function auth.jwt() returns jsonb language sql stable as 'select plinth.jwt()';
             revoke execute on all functions in schema auth from public;
             grant usage on schema auth to anon, authenticated, service_role, project_owner;
             grant execute on all functions in schema auth to anon, authenticated, service_role, project_owner;",
            own = own.quoted()
        );
        home.batch_execute(&rest).await.unwrap();
    }
    let roles = Roles {
        owner: owner.clone(),
        service: names.service(),
        authenticated: names.authenticated(),
        anon: names.anon(),
    };
    let helper = Ident::new("plinth").unwrap();
    let helpers = Helpers {
        auth: helper.clone(),
        triggers: helper,
    };
    let known = Known::new([starter::app_users(), starter::app_data()]);
    let context = Context {
        schema: &schema,
        roles: &roles,
        helpers: &helpers,
        known: &known,
    };
    let mut sql = format!(
        "create schema {schema} authorization {owner}; create schema {trash} authorization {owner};
         grant usage on schema {schema} to {}, {}, {};
         insert into plinth.version (ref) values ('{reference}'); set role {owner};",
        roles.service.quoted(),
        roles.authenticated.quoted(),
        roles.anon.quoted(),
        schema = schema.quoted(),
        trash = trash.quoted(),
        owner = owner.quoted(),
    );
    for spec in [starter::app_users(), starter::app_data()] {
        sql += &create_table(&spec, &context).unwrap().up_sql();
    }
    sql += &starter::users_view(&context).join(";");
    home.batch_execute(&sql).await.unwrap();
    password
}
