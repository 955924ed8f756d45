//! What is in a copy, on every engine.

use std::collections::BTreeMap;

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use plinth::control::scram_verifier;
use serde_json::{Value, json};

use super::{ask, copy, of, rows};
use crate::external::{self, Own, PASSWORD};
use crate::handmade::superuser;
use crate::world::{Project, User, World, platform, run, unique, world};

/// Two people with rows of their own, one of them with a formula in it.
async fn planted(world: &World, project: &Project, user: &User, mark: &str) {
    let row = json!({ "data_type": format!("=cmd|'{mark}'"), "data": { "n": 1.50, "note": mark }, "user_id": user.id });
    let call = world.post(&project.rest("app_data")).key(&project.secret);
    let made = call.header("prefer", "return=representation").json(&row).send().await;
    let made = made.expect(StatusCode::CREATED);
    let note = json!({ "body": format!("{mark}\nsecond line"), "app_data_id": made[0]["id"] });
    let call = world.post(&project.rest("notes")).key(&project.secret).json(&note);
    call.send().await.expect(StatusCode::CREATED);
}

async fn notes(world: &World, project: &Project) {
    let design = json!({ "schemaJson": { "name": "notes", "columns": [
        { "name": "note_id", "type": "integer", "primary_key": true, "identity": true },
        { "name": "body", "type": "text" },
        { "name": "app_data_id", "type": "uuid", "references": { "table": "app_data", "column": "id" } }] } });
    let call = world
        .post(&project.database("tables/create"))
        .bearer(&project.owner.token)
        .json(&design);
    call.send().await.expect(StatusCode::CREATED);
}

fn holds_all_of(files: &BTreeMap<String, String>, mark: &str, other: &str) {
    for (name, content) in files {
        assert!(!content.contains(other), "{name} has another's data: {content}");
    }
    let holding: Vec<_> = files
        .iter()
        .filter(|(_, content)| content.contains(mark))
        .map(|(name, _)| name.as_str())
        .collect();
    for name in [
        "tables/app_data.json",
        "tables/app_data.csv",
        "tables/notes.json",
        "tables/notes.csv",
    ] {
        assert!(holding.contains(&name), "{name} is not in {holding:?}");
    }
}

async fn managed(isolation: &str) {
    let world = world().await;
    let project = world.project(isolation).await;
    notes(world, &project).await;
    let (ann, bob) = (world.end_user(&project).await, world.end_user(&project).await);
    let (mark, other) = (unique(), unique());
    planted(world, &project, &ann, &mark).await;
    planted(world, &project, &bob, &other).await;

    let files = copy(world, &project.owner.token, &of(&project.id, &json!(ann.id))).await;
    holds_all_of(&files, &mark, &other);
    let profile = rows(&files, "tables/app_users.json");
    assert_eq!(
        (profile.len(), profile[0]["email"].as_str()),
        (1, Some(ann.email.as_str()))
    );
    let data = rows(&files, "tables/app_data.json");
    assert_eq!((data.len(), &data[0]["data"]["note"]), (1, &json!(mark)));
    // The faithful one, and the one that no spreadsheet takes for a formula.
    assert_eq!(data[0]["data_type"], format!("=cmd|'{mark}'"));
    assert!(files["tables/app_data.csv"].contains(&format!("'=cmd|'{mark}'")));
    let account: Value = serde_json::from_str(&files["account.json"]).unwrap();
    assert_eq!(account["account"]["email"], ann.email);
    assert_eq!(account["account"]["has_password"], true);
    assert_eq!(account["identities"].as_array().unwrap().len(), 1);
    assert!(!account["sessions"].as_array().unwrap().is_empty());
    for (name, content) in &files {
        assert!(!content.contains("$argon2"), "{name} has a password's hash");
    }
    let index: Value = serde_json::from_str(&files["index.json"]).unwrap();
    assert_eq!(index["project"]["ref"], project.reference);
    assert_eq!(index["map"]["version"], Value::Null);
    let table = |name: &str| {
        let tables = index["tables"].as_array().unwrap();
        tables.iter().find(|table| table["table"] == name).unwrap().clone()
    };
    assert_eq!(table("app_users")["paths"], json!(["the person's own row"]));
    assert_eq!(table("notes")["rows"], 1);
    let way = table("notes")["paths"][0].as_str().unwrap().to_owned();
    assert!(
        way.starts_with("app_data_id → app_data (id), then user_id → app_users (id)"),
        "{way}"
    );
    assert!(files["index.html"].contains("nobody has confirmed that this is all"));
    for name in table("notes")["files"].as_array().unwrap() {
        assert!(files.contains_key(name.as_str().unwrap()));
    }

    // By address, by key, and whoever there is not.
    let by_address = copy(
        world,
        &project.owner.token,
        &of(&project.id, &json!({ "email": bob.email })),
    )
    .await;
    assert!(by_address["tables/notes.json"].contains(&other) && !by_address["tables/notes.json"].contains(&mark));
    for (subject, status, code) in [
        (
            json!("nobody@example.com"),
            StatusCode::NOT_FOUND,
            "privacy/subject-not-found",
        ),
        (
            json!({ "id": project.id }),
            StatusCode::NOT_FOUND,
            "privacy/subject-not-found",
        ),
        (json!(""), StatusCode::BAD_REQUEST, "privacy/subject"),
    ] {
        let reply = ask(world, &project.owner.token, &of(&project.id, &subject)).await;
        assert_eq!(reply.code(status), code, "{subject}");
    }
}

#[test]
fn an_end_user_at_level_schema_gets_all_that_is_theirs_and_nothing_else() {
    run(managed("schema"));
}

#[test]
fn an_end_user_at_level_database_gets_all_that_is_theirs_and_nothing_else() {
    run(managed("database"));
}

/// The same tables in anybody's own database: a composite key, a chain, many to many.
const TABLES: &str = "
    create table customers (shop int not null, number int not null, email varchar(100), primary key (shop, number));
    create table orders (id int primary key, shop int, number int, total decimal(30, 10),
      foreign key (shop, number) references customers (shop, number));
    create table tags (id int primary key, label varchar(100));
    create table order_tags (order_id int, tag_id int, remark varchar(100), primary key (order_id, tag_id),
      foreign key (order_id) references orders (id), foreign key (tag_id) references tags (id));
    insert into customers values (1, 7, 'ann@example.com'), (1, 8, 'bob@example.com');
    insert into orders values (1, 1, 7, 12345678901234567890.0123456789), (2, 1, 7, null), (3, 1, 8, 5);
    insert into tags values (1, 'shared');
    insert into order_tags values (1, 1, '=ann'), (3, 1, 'bob''s');
";

async fn own(world: &World, own: &Own) {
    for subject in [
        json!("ann@example.com"),
        json!({ "key": { "shop": "1", "number": "7" } }),
    ] {
        let files = copy(world, &own.owner.token, &of(&own.id, &subject)).await;
        assert_eq!(rows(&files, "tables/customers.json").len(), 1);
        let mut orders = rows(&files, "tables/orders.json");
        orders.sort_by_key(|row| row["id"].as_i64());
        assert_eq!(
            orders.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(),
            [1, 2]
        );
        // All its digits, whatever reads them.
        assert!(files["tables/orders.json"].contains("12345678901234567890.0123456789"));
        assert!(files["tables/orders.csv"].contains("12345678901234567890.0123456789"));
        assert_eq!(rows(&files, "tables/order_tags.json").len(), 1);
        assert!(
            files["tables/order_tags.csv"].contains("1,1,'=ann"),
            "{}",
            files["tables/order_tags.csv"]
        );
        for (name, content) in &files {
            assert!(!content.contains("bob"), "{name}: {content}");
        }
        assert!(files.contains_key("index.html"));
    }
}

#[test]
fn somebody_in_ones_own_postgres_gets_all_that_is_theirs() {
    run(async {
        platform().await;
        let (login, database) = (unique(), unique());
        let server = superuser("postgres").await;
        let verifier = scram_verifier(&PASSWORD.to_owned().into(), &[5; 16]);
        server
            .batch_execute(&format!("create role {login} login password '{verifier}'"))
            .await
            .unwrap();
        server
            .batch_execute(&format!("create database {database} owner {login}"))
            .await
            .unwrap();
        let script = format!("set role {login}; create schema shop; set search_path = shop; {TABLES}");
        superuser(&database).await.batch_execute(&script).await.unwrap();
        let server = plinth_local::testing::server().await.unwrap();
        let url = format!("postgresql://{login}:{PASSWORD}@127.0.0.1:{}/{database}", server.port());
        let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
            "credentials": { "connectionString": url }, "rest": { "schemas": ["shop"], "extraSearchPath": [] } } });
        let world = external::world().await;
        own(world, &Own::of(world, &body).await).await;
    });
}

#[test]
fn somebody_in_ones_own_mysql_gets_all_that_is_theirs() {
    run(async {
        let server = crate::mysql::server::server().await;
        let database = server.empty_database().await;
        let mut admin = server.admin(Some(&database)).await.unwrap();
        for statement in TABLES.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            admin.query_drop(statement).await.unwrap();
        }
        let world = external::world().await;
        own(world, &Own::of(world, &crate::mysql::body(server, &database)).await).await;
    });
}
