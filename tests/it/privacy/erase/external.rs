//! In users' own databases: on PostgreSQL and on MariaDB, by the same tables.

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{about, chain_holds, delete, erased, found_in, map, planned, proves, with};
use crate::external::{self, Own};
use crate::handmade::superuser;
use crate::mysql;
use crate::privacy::export::copy;
use crate::work::ended;
use crate::world::{World, run, text, unique};

/// Composite keys, a table that leads to itself, and one that leads to a table between two.
const TABLES: &str = "
    create table people (id int primary key, email varchar(200), full_name varchar(200), phone varchar(60));
    create table clubs (id int primary key, title varchar(200));
    create table memberships (club int not null, person int not null, note varchar(200), primary key (club, person),
      foreign key (club) references clubs (id), foreign key (person) references people (id));
    create table dues (id int primary key, club int not null, person int not null, remark varchar(200),
      foreign key (club, person) references memberships (club, person));
    create table messages (id int primary key, sender int not null, answers int, body varchar(200),
      foreign key (sender) references people (id), foreign key (answers) references messages (id) on delete set null);
    create table orders (id int primary key, customer int, note varchar(200), foreign key (customer) references people (id));
    ";

/// With what tells Ann's rows, all of whose ids begin at 1000.
const LOOKED_AT: [(&str, &str, &str); 6] = [
    ("people", "id, email, full_name, phone", "id < 1000"),
    ("clubs", "id, title", "id < 1000"),
    ("memberships", "club, person, note", "person < 1000"),
    ("dues", "id, club, person, remark", "id < 1000"),
    ("messages", "id, sender, answers, body", "id < 1000"),
    ("orders", "id, customer, note", "id < 1000"),
];

struct Ann {
    email: String,
    name: String,
    phone: String,
    marker: String,
}

impl Ann {
    fn new() -> Self {
        let mark = unique();
        Self {
            email: format!("ann.{mark}@example.com"),
            name: format!("Ann {mark}"),
            phone: format!(
                "+49 170 {}",
                mark.bytes()
                    .map(|byte| char::from(b'0' + byte % 10))
                    .collect::<String>()
            ),
            marker: format!("marker{mark}"),
        }
    }

    fn values(&self) -> Vec<String> {
        [&self.email, &self.name, &self.phone, &self.marker]
            .map(Clone::clone)
            .into()
    }

    /// One statement after the other.
    fn rows(&self) -> String {
        let Self {
            email,
            name,
            phone,
            marker,
        } = self;
        format!(
            "insert into people values (1, 'bob@example.com', 'Bob Other', '+49 30 1234567'), (1001, '{email}', '{name}', '{phone}');
             insert into clubs values (1, 'Chess');
             insert into memberships values (1, 1, 'of bob'), (1, 1001, '{marker}');
             insert into dues values (1, 1, 1, 'of bob'), (1001, 1, 1001, '{marker}');
             insert into messages values (1, 1, null, 'of bob'), (1001, 1001, 1, '{marker}'), (1002, 1001, 1001, '{marker}');
             insert into orders values (1, 1, 'of bob'), (1001, 1001, '{name}, {phone}, {marker}')"
        )
    }
}

/// What is done, whatever the engine.
async fn exported_and_erased(world: &World, own: &Own, ann: &Ann) {
    let (project, token) = (&own.id, &own.owner.token);
    let path = format!("/api/projects/{project}/docs");
    let content = format!("# About\n\nAsk {}, {}, {}.", ann.email, ann.name, ann.phone);
    let call = world.post(&path).bearer(token).json(&json!({ "content": content }));
    call.send().await.expect(StatusCode::CREATED);
    let rules: Vec<(&str, Value)> = ["people", "memberships", "dues", "messages"]
        .into_iter()
        .map(|table| (table, json!({ "action": "delete" })))
        .chain([(
            "orders",
            json!({ "action": "anonymise", "columns": ["customer", "note"] }),
        )])
        .collect();
    map(world, token, project, &rules).await;

    let request = about(project, &json!(ann.email));
    let call = world.post("/api/gdpr/export").bearer(token).json(&request);
    let export = call.send().await.expect(StatusCode::ACCEPTED);
    let made = ended(world, token, &text(&export, "jobId")).await;
    assert_eq!(made["state"], "succeeded", "{made}");

    let (plan, _, receipt) = erased(world, token, &request).await;
    let tables: Vec<String> = plan["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| format!("{} {} {}", text(table, "table"), text(table, "rule"), table["rows"]))
        .collect();
    let expected = [
        "dues delete 1",
        "memberships delete 1",
        "messages delete 2",
        "orders anonymise 1",
        "people delete 1",
    ];
    assert_eq!(tables, expected);
    assert_eq!(
        (&plan["account"], &plan["documents"], &plan["exports"]),
        (&Value::Null, &json!(1), &json!(1))
    );
    proves(world, &plan, &receipt).await;
    chain_holds(world, token, project).await;
    for subject in [json!(ann.email), json!("1001"), json!({ "key": { "id": "1001" } })] {
        let call = world
            .post("/api/gdpr/export")
            .bearer(token)
            .json(&about(project, &subject));
        assert_eq!(
            call.send().await.code(StatusCode::NOT_FOUND),
            "privacy/subject-not-found",
            "{subject}"
        );
    }
    let control = superuser("plinth").await;
    let left = found_in(&control, "n.nspname = 'plinth'", &ann.values()).await;
    assert_eq!(left, Vec::<String>::new());
}

/// A database of the user's own with these tables, as its superuser sees it, and the project that has it for a backend.
pub async fn own_postgres(world: &World, tables: &str) -> (Client, Own) {
    own_postgres_with(world, tables, json!([])).await
}

async fn own_postgres_with(world: &World, tables: &str, relationships: Value) -> (Client, Own) {
    let name = format!("own_{}", unique());
    let server = superuser("postgres").await;
    let login = format!("create role {name} login password '{}'", external::PASSWORD);
    server.batch_execute(&login).await.unwrap();
    server
        .batch_execute(&format!("create database {name} owner {name}"))
        .await
        .unwrap();
    let database = superuser(&name).await;
    let tables = format!("set role {name}; {tables}; reset role");
    database.batch_execute(&tables).await.unwrap();
    let there = external::url().await;
    let port = there.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let url = format!("postgresql://{name}:{}@127.0.0.1:{port}/{name}", external::PASSWORD);
    let backend = json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
        "credentials": { "connectionString": url },
        "rest": { "schemas": ["public"], "relationships": relationships } } });
    (database, Own::of(world, &backend).await)
}

/// There are no accounts beside it: an id that could be an account's is a person's like any other.
#[test]
fn a_person_whose_id_is_a_uuid_is_copied_and_erased() {
    run(async {
        let (world, id) = (external::world().await, uuid::Uuid::from_u128(0xa0ee));
        let tables = format!(
            "create table users (id uuid primary key, email text);
             create table letters (id int primary key, author uuid references users, body text);
             insert into users values ('{id}', 'ann@example.com');
             insert into letters values (1, '{id}', 'Dear Bob')"
        );
        let (database, own) = own_postgres(world, &tables).await;
        let (project, token) = (&own.id, &own.owner.token);
        let go = json!({ "action": "delete" });
        map(world, token, project, &[("users", go.clone()), ("letters", go)]).await;
        let request = about(project, &json!("ann@example.com"));
        let files = copy(world, token, &request).await;
        assert_eq!(files["tables/letters.json"].matches("Dear Bob").count(), 1);
        erased(world, token, &request).await;
        let left = database.query("select from users union all select from letters", &[]);
        assert_eq!(left.await.unwrap().len(), 0);
    });
}

#[test]
fn a_person_is_erased_from_a_postgres_of_the_users_own() {
    run(async {
        let (world, ann) = (external::world().await, Ann::new());
        // What hangs on a table finds its tables as it does for requests.
        let audited = "create table audit_rows (message int);
            create function au() returns trigger language plpgsql as
              $$ begin insert into audit_rows values (old.id); return old; end $$;
            create trigger au after delete on messages for each row execute function au()";
        let tables = format!("{TABLES} {}; {audited}", ann.rows());
        let (database, own) = own_postgres(world, &tables).await;
        let others = async || {
            let mut all = Vec::new();
            for (table, columns, theirs) in LOOKED_AT {
                let sql = format!(
                    "select coalesce(string_agg(concat_ws('|', {columns}), ';' order by concat_ws('|', {columns})), '')
                     from {table} where {theirs}"
                );
                let found: String = database.query_one(&sql, &[]).await.unwrap().get(0);
                all.push(found);
            }
            all
        };
        let before = others().await;
        assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
        Box::pin(exported_and_erased(world, &own, &ann)).await;
        assert_eq!(others().await, before);
        let heard = "select string_agg(message::text, ' ' order by message) from audit_rows";
        let heard: String = database.query_one(heard, &[]).await.unwrap().get(0);
        assert_eq!(heard, "1001 1002");
        let left = found_in(&database, "true", &ann.values()).await;
        assert_eq!(left, Vec::<String>::new());
    });
}

#[test]
fn a_person_is_erased_from_a_mariadb_of_the_users_own() {
    run(async {
        let (world, ann) = (external::world().await, Ann::new());
        let server = mysql::server::server().await;
        let name = server.empty_database().await;
        let mut database = server.admin(Some(&name)).await.unwrap();
        for statement in format!("{TABLES} {}", ann.rows())
            .split(';')
            .filter(|text| !text.trim().is_empty())
        {
            database.query_drop(statement).await.unwrap();
        }
        let own = Own::of(world, &mysql::body(server, &name)).await;
        let mut before = Vec::new();
        for (table, columns, theirs) in LOOKED_AT {
            before.push(rows(&mut database, table, columns, theirs).await);
        }
        assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
        Box::pin(exported_and_erased(world, &own, &ann)).await;
        for ((table, columns, theirs), before) in LOOKED_AT.into_iter().zip(before) {
            assert_eq!(rows(&mut database, table, columns, theirs).await, before, "{table}");
        }
        for (table, columns, _) in LOOKED_AT {
            for value in ann.values() {
                let sql = format!("select count(*) from {table} where concat_ws('|', {columns}) like '%{value}%'");
                let count: Option<i64> = database.query_first(sql).await.unwrap();
                assert_eq!(count, Some(0), "{value} in {table}");
            }
        }
    });
}

async fn rows(database: &mut mysql_async::Conn, table: &str, columns: &str, theirs: &str) -> String {
    let sql = format!(
        "select coalesce(group_concat(concat_ws('|', {columns}) order by concat_ws('|', {columns}) separator ';'), '')
         from {table} where {theirs}"
    );
    let found: Option<String> = database.query_first(sql).await.unwrap();
    found.unwrap_or_default()
}

#[test]
fn a_plan_says_what_the_login_is_not_granted() {
    run(async {
        let (world, ann) = (external::world().await, Ann::new());
        let tables = format!("{TABLES} {}; revoke delete on orders from current_user", ann.rows());
        let (database, own) = own_postgres(world, &tables).await;
        let token = &own.owner.token;
        let go: Vec<(&str, Value)> = ["people", "memberships", "dues", "messages", "orders"]
            .map(|table| (table, json!({ "action": "delete" })))
            .into();
        map(world, token, &own.id, &go).await;
        let request = about(&own.id, &json!(ann.email));
        let refused = delete(world, token, &with(&request, "dryRun", json!(true))).await;
        assert_eq!(refused.code(StatusCode::CONFLICT), "privacy/not-granted");
        assert_eq!(refused.json()["details"], "delete on orders");
        let owner = "select tableowner from pg_tables where tablename = 'orders'";
        let owner: String = database.query_one(owner, &[]).await.unwrap().get(0);
        let grant = format!("grant delete on orders to {owner}");
        database.batch_execute(&grant).await.unwrap();
        assert_eq!(planned(world, token, &request).await["others"], json!([]));
    });
}

#[test]
fn rows_with_an_address_are_whose_it_is_however_they_write_it() {
    run(async {
        const TABLES: &str = "
            create table users (id int primary key, email varchar(200));
            create table letters (id int primary key, mail varchar(200));
            insert into users values (1, 'ann@example.com'), (2, 'bob@example.com');
            insert into letters values (1, 'Ann@Example.COM'), (2, 'ann@example.com'), (3, 'bob@example.com'), (4, null)";
        let world = external::world().await;
        let relationships =
            json!([{ "table": "letters", "columns": ["mail"], "references": "users", "referencedColumns": ["email"] }]);
        let (database, postgres) = own_postgres_with(world, TABLES, relationships.clone()).await;
        let server = mysql::server::server().await;
        let name = server.empty_database().await;
        let mut admin = server.admin(Some(&name)).await.unwrap();
        for statement in TABLES.split(';') {
            // Two columns that compare in two ways, and both otherwise than the server does.
            let statement = match statement.contains("table letters") {
                true => format!("{statement} collate utf8mb4_bin"),
                false => format!(
                    "{statement}{}",
                    if statement.contains("table") {
                        " collate utf8mb4_unicode_ci"
                    } else {
                        ""
                    }
                ),
            };
            admin.query_drop(statement).await.unwrap();
        }
        let mut body = mysql::body(server, &name);
        body["config"]["rest"] = json!({ "relationships": relationships });
        let maria = Own::of(world, &body).await;
        for own in [&postgres, &maria] {
            map(
                world,
                &own.owner.token,
                &own.id,
                &[("letters", json!({ "action": "delete" }))],
            )
            .await;
            erased(world, &own.owner.token, &about(&own.id, &json!("ANN@example.com"))).await;
        }
        let left = database.query("select id from letters order by id", &[]).await.unwrap();
        let left: Vec<i32> = left.iter().map(|row| row.get(0)).collect();
        assert_eq!(left, [3, 4]);
        let left: Vec<i32> = admin.query("select id from letters order by id").await.unwrap();
        assert_eq!(left, [3, 4]);
    });
}
