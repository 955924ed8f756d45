//! What hangs on a person's rows from where nobody looks, and how the same person is written differently.

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{put, shown};
use crate::external::{self, Own};
use crate::handmade::superuser;
use crate::mysql::{self, server};
use crate::privacy::erase::{about, confirmed, delete, erased, map, planned};
use crate::privacy::export::copy;
use crate::work::ended;
use crate::world::{World, run, text, unique};

/// A database of a login's own with these tables, and its connection string.
async fn database(tables: &str) -> (Client, String) {
    let name = format!("own_{}", unique());
    let server = superuser("postgres").await;
    for sql in [
        format!("create role {name} login password '{}'", external::PASSWORD),
        format!("create database {name} owner {name}"),
    ] {
        server.batch_execute(&sql).await.unwrap();
    }
    let database = superuser(&name).await;
    let sql = format!("set role {name}; {tables}; reset role");
    database.batch_execute(&sql).await.unwrap();
    let there = external::url().await;
    let (_, host) = there.rsplit_once('@').unwrap();
    let host = host.split('/').next().unwrap();
    let url = format!("postgresql://{name}:{}@{host}/{name}", external::PASSWORD);
    (database, url)
}

async fn own(world: &World, url: &str, schemas: Value) -> Own {
    let config = json!({ "externalProvider": "postgresql", "credentials": { "connectionString": url },
        "rest": { "schemas": schemas } });
    Own::of(world, &json!({ "backendType": "external", "config": config })).await
}

/// What keeps the person's rows from going: `table by key on table: rows`, as the plan and its confirmation say.
async fn refused(world: &World, own: &Own, subject: &Value) -> Vec<String> {
    let request = about(&own.id, subject);
    let plan = planned(world, &own.owner.token, &request).await;
    let mut again = request.clone();
    again["confirmToken"] = plan["confirmToken"].clone();
    let reply = delete(world, &own.owner.token, &again).await;
    assert_eq!(reply.code(StatusCode::CONFLICT), "privacy/others-hang-on", "{plan}");
    let others = plan["others"].as_array().unwrap().iter();
    let told = others.map(|it| format!("{} on {}: {}", text(it, "table"), text(it, "on"), it["rows"]));
    told.collect()
}

#[test]
fn rows_of_another_schema_keep_a_person_from_being_erased_by_cascade() {
    run(async {
        let world = external::world().await;
        let (database, url) = database(
            "create table people (id int primary key, email text unique);
             insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
             create schema billing;
             create table billing.invoices (id int primary key, person int references people (id) on delete cascade);
             insert into billing.invoices values (1, 1), (2, 1), (3, 2)",
        )
        .await;
        let ann = json!("ann@example.com");
        let hidden = own(world, &url, json!(["public"])).await;
        map(world, &hidden.owner.token, &hidden.id, &[]).await;
        assert_eq!(refused(world, &hidden, &ann).await, ["billing.invoices on people: 2"]);
        // One that the login may not look at is as good as another person's.
        let sql = "revoke all on schema billing from public; alter schema billing owner to current_user";
        database.batch_execute(sql).await.unwrap();
        let mut request = about(&hidden.id, &ann);
        request["dryRun"] = json!(true);
        let reply = delete(world, &hidden.owner.token, &request).await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "privacy/others-hang-on");
        assert_eq!(reply.json()["details"][0]["table"], "billing.invoices");
        database
            .batch_execute("grant usage on schema billing to public")
            .await
            .unwrap();
        // Looked at, they belong to her by the same key: they cannot be kept when she goes.
        let seen = own(world, &url, json!(["public", "billing"])).await;
        let mut said = shown(world, &seen.id, &seen.owner).await["map"].clone();
        said["tables"]["billing.invoices"]["rule"] = json!({ "action": "keep", "reason": "tax law" });
        let reply = put(world, &seen.id, &seen.owner, 0, &said).await;
        assert_eq!(reply.code(StatusCode::UNPROCESSABLE_ENTITY), "privacy/map");
        let count = "select count(*) from billing.invoices";
        let left: i64 = database.query_one(count, &[]).await.unwrap().get(0);
        assert_eq!(left, 3);
        map(
            world,
            &seen.owner.token,
            &seen.id,
            &[("billing.invoices", json!({ "action": "delete" }))],
        )
        .await;
        erased(world, &seen.owner.token, &about(&seen.id, &ann)).await;
        let left: i64 = database.query_one(count, &[]).await.unwrap().get(0);
        assert_eq!(left, 1);
    });
}

#[test]
fn rows_of_another_mariadb_database_keep_a_person_from_being_erased_and_declared_links_compare_as_the_root_does() {
    run(async {
        let (world, server) = (external::world().await, server::server().await);
        let (here, there) = (server.empty_database().await, server.empty_database().await);
        let mut admin = server.admin(Some(&here)).await.unwrap();
        admin
            .query_drop(format!(
                "create table users (name varchar(40) collate utf8mb4_bin primary key, email varchar(100));
                 insert into users values ('ann', 'ann@example.com'), ('Ann', 'other@example.com');
                 create table orders (id int primary key, who varchar(40) collate utf8mb4_general_ci, note text);
                 insert into orders values (1, 'ann', 'hers'), (2, 'Ann', 'not hers');
                 create table {there}.invoices (id int primary key, who varchar(40) collate utf8mb4_bin,
                   foreign key (who) references {here}.users (name) on delete cascade);
                 insert into {there}.invoices values (1, 'ann');
                 grant select, delete on {there}.invoices to '{here}'@'127.0.0.1'"
            ))
            .await
            .unwrap();
        let mut body = mysql::body(server, &here);
        body["config"]["rest"] = json!({ "relationships": [
            { "table": "orders", "columns": ["who"], "references": "users", "referencedColumns": ["name"] }] });
        let own = Own::of(world, &body).await;
        map(world, &own.owner.token, &own.id, &[]).await;
        let table = format!("{there}.invoices on users: 1");
        assert_eq!(refused(world, &own, &json!("ann")).await, [table]);
        admin.query_drop(format!("delete from {there}.invoices")).await.unwrap();
        erased(world, &own.owner.token, &about(&own.id, &json!("ann"))).await;
        let left: Vec<String> = admin.query("select note from orders").await.unwrap();
        assert_eq!(left, ["not hers"]);
        let left: Vec<String> = admin.query("select name from users").await.unwrap();
        assert_eq!(left, ["Ann"]);
    });
}

#[test]
fn whoever_is_written_differently_is_the_same_person_and_what_was_left_out_is_told() {
    run(async {
        let world = external::world().await;
        let (database, url) = database(
            "create schema auth;
             create function auth.uid() returns bigint language sql stable as $$ select null::bigint $$;
             create table notes (id int primary key, author bigint default auth.uid(), body text);
             create table letters (id int primary key, author bigint default auth.uid(), email text);
             insert into notes values (1, (random() * 1e15)::bigint + 1, 'hers')",
        )
        .await;
        let id = "select author::text from notes";
        let id: String = database.query_one(id, &[]).await.unwrap().get(0);
        let own = own(world, &url, json!(["public"])).await;
        let token = &own.owner.token;
        let mut said = shown(world, &own.id, &own.owner).await["map"].clone();
        said["tables"].as_object_mut().unwrap().remove("letters").unwrap();
        put(world, &own.id, &own.owner, 0, &said).await.expect(StatusCode::OK);

        let files = copy(world, token, &about(&own.id, &json!(format!("00{id}")))).await;
        assert!(files["tables/notes.json"].contains("hers"), "{files:?}");
        assert!(!files.contains_key("tables/letters.json"));
        assert!(
            files["index.json"].contains("letters.email looks personal"),
            "{files:?}"
        );

        let request = about(&own.id, &json!(id));
        let plan = planned(world, token, &request).await;
        assert_eq!(plan["exports"], 1, "{plan}");
        let asked = confirmed(world, token, &request, &plan).await;
        assert_eq!(ended(world, token, &text(&asked, "jobId")).await["state"], "succeeded");
        let control = superuser("plinth").await;
        let sql = "select count(*) from plinth.privacy_requests where subject::text ilike '%' || $1 || '%'";
        let left: i64 = control.query_one(sql, &[&id]).await.unwrap().get(0);
        assert_eq!(left, 0);
    });
}
