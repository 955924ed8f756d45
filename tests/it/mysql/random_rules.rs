//! Random policies on random rows: what Postgres does by its own row-level security, MariaDB does by the planner's
//! predicates and checks. The same callers see the same rows, and the same writes are taken or refused.
//!
//! `PLINTH_SEED` repeats a failure.

mod generate;

use std::fmt::Write as _;
use std::sync::Arc;

use http::{Method, StatusCode};
use plinth::clock::{Random, SharedRandom, SystemClock, SystemRandom};
use plinth::token::SigningKey;
use serde_json::{Map, Value, json};

use super::rules::{put, ruled, token};
use crate::conformance::site::subject;
use crate::external::{Own, world_at};
use crate::handmade::superuser;
use crate::world::{BASE_URL, Project, Reply, World, run};
use generate::{Chance, policies, row, rows};

/// Tables, each with a handful of policies.
const TABLES: usize = 50;
/// Writes tried on each, by each caller.
const WRITES: usize = 3;

/// One side: a project, and how its callers come in.
struct Side {
    world: World,
    base: String,
    publishable: String,
    secret: String,
    /// Tokens of `alice` and `bob`.
    users: [String; 2],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    Nobody,
    Alice,
    Bob,
}

const CALLERS: [Caller; 3] = [Caller::Nobody, Caller::Alice, Caller::Bob];

impl Side {
    async fn ask(&self, caller: Caller, method: Method, path: &str, prefer: &str, body: Option<&Value>) -> Reply {
        let call = self
            .world
            .call(method, &format!("{}/{path}", self.base))
            .key(&self.publishable);
        let call = match caller {
            Caller::Nobody => call,
            Caller::Alice => call.bearer(&self.users[0]),
            Caller::Bob => call.bearer(&self.users[1]),
        };
        let call = call.header("prefer", prefer);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn fill(&self, table: &str, rows: &[Value]) {
        let call = self.world.post(&format!("{}/{table}", self.base)).key(&self.secret);
        call.json(&json!(rows)).send().await.expect(StatusCode::CREATED);
    }
}

/// What a reply comes to: its status, the code of its error, how many rows, and what it shows.
fn outcome(reply: &Reply) -> (u16, String, String, Value) {
    let json = reply.json();
    let code = json["code"].as_str().unwrap_or_default().to_owned();
    // Refused all the same; another check came first.
    let refused = matches!(code.as_str(), "42501" | "23505");
    let shown = if code.is_empty() { json } else { Value::Null };
    let status = if refused { 0 } else { reply.status.as_u16() };
    let code = if refused { "refused".to_owned() } else { code };
    (status, code, reply.header("content-range").to_owned(), shown)
}

const CLAIMS: &str = r#"{"org": "a", "level": 2, "app_metadata": {"role": "boss", "teams": ["x", "y"]}}"#;

fn claims() -> Map<String, Value> {
    serde_json::from_str(CLAIMS).unwrap()
}

/// The columns of every table, for the designer.
fn design(table: &str, policies: &Value) -> Value {
    let column = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    json!({ "schemaJson": { "name": table, "policies": policies, "columns": [
        { "name": "id", "type": "integer", "primary_key": true }, column("n", "integer"), column("m", "bigint"),
        column("d", "decimal(10,2)"), column("t", "text"), column("e", "text"), column("f", "boolean"),
        column("day", "date"), column("user_id", "uuid") ] } })
}

/// The same for MariaDB. Its collations take `a`, `A` and `á ` for the same text, its characters are of several sets.
fn ddl(table: &str) -> String {
    format!(
        "create table {table} (id int primary key, n int, m bigint, d decimal(10,2),
           t varchar(100) collate utf8mb4_unicode_ci, e text character set utf8mb4 collate utf8mb4_general_ci,
           f tinyint(1), day date, user_id char(36) character set ascii collate ascii_general_ci);"
    )
}

fn teams() -> Value {
    // Granted to everybody: where a look into the table is not needed, Postgres does not ask for the right to it; we do.
    json!([
        { "name": "known", "command": "select", "to": ["authenticated"], "using": "n is null or n > -2" },
        { "name": "shown", "command": "select", "to": ["anon"], "using": "f" },
    ])
}

async fn managed(tables: &[(String, Value)]) -> Side {
    let world = world_at(Arc::new(SystemClock)).await;
    let project: Project = world.project("schema").await;
    for (table, policies) in std::iter::once(&("teams".to_owned(), teams())).chain(tables) {
        let call = world
            .post(&project.database("tables/create"))
            .bearer(&project.owner.token);
        let made = call.json(&design(table, policies)).send().await;
        assert_eq!(made.status, StatusCode::CREATED, "{table}: {policies:#}\n{}", made.text);
    }
    let random: SharedRandom = Arc::new(SystemRandom);
    let signing = SigningKey::generate(&random).unwrap();
    let jwk = serde_json::to_value(signing.public_jwk().unwrap()).unwrap();
    let sql = "insert into plinth.signing_keys (kid, project_id, public_jwk, envelope, created_at, retired_at)
               values ($1, $2::text::uuid, $3, '{}', now(), now())";
    let control = superuser("plinth").await;
    control
        .execute(sql, &[&signing.kid(), &project.id, &jwk])
        .await
        .unwrap();
    let user = |name: &str| {
        let mut claims = claims();
        for (key, value) in [
            ("iss", json!(format!("{BASE_URL}/p/{}/auth/v1", project.reference))),
            ("aud", json!("authenticated")),
            ("sub", json!(subject(name))),
            ("email", json!(format!("{name}@example.com"))),
            ("role", json!("authenticated")),
            ("exp", json!(crate::external::now() + 3600)),
        ] {
            claims.insert(key.to_owned(), value);
        }
        signing.sign(&claims).unwrap()
    };
    Side {
        // Which knows nothing yet of what has been before.
        world: world_at(Arc::new(SystemClock)).await,
        base: format!("/p/{}/rest/v1", project.reference),
        users: [user("alice"), user("bob")],
        publishable: project.publishable,
        secret: project.secret,
    }
}

async fn mariadb(tables: &[(String, Value)]) -> Side {
    let world = world_at(Arc::new(SystemClock)).await;
    let names = std::iter::once("teams").chain(tables.iter().map(|(table, _)| table.as_str()));
    let sql: Vec<String> = names.map(ddl).collect();
    let (own, _): (Own, _) = ruled(&world, &sql.concat()).await;
    for (table, policies) in std::iter::once(&("teams".to_owned(), teams())).chain(tables) {
        let made = put(&world, &own, table, policies).await;
        assert_eq!(made.status, StatusCode::OK, "{table}: {policies:#}\n{}", made.text);
    }
    Side {
        world: world_at(Arc::new(SystemClock)).await,
        base: format!("/p/{}/rest/v1", own.reference),
        users: [token("alice", &claims()), token("bob", &claims())],
        publishable: own.publishable,
        secret: own.secret,
    }
}

/// What is asked of both sides.
struct Question {
    caller: Caller,
    method: Method,
    path: String,
    prefer: &'static str,
    body: Option<Value>,
}

fn questions(chance: &mut Chance, table: &str, count: usize) -> Vec<Question> {
    const ROLLBACK: &str = "tx=rollback, count=exact";
    let mut all = Vec::new();
    for caller in CALLERS {
        let mut ask = |method, path: String, prefer, body| {
            all.push(Question {
                caller,
                method,
                path,
                prefer,
                body,
            });
        };
        ask(Method::GET, format!("{table}?select=id&order=id"), "count=exact", None);
        ask(Method::DELETE, format!("{table}?id=gte.0"), ROLLBACK, None);
        let shown = "tx=rollback, return=representation";
        ask(
            Method::DELETE,
            format!("{table}?id=gte.0&select=id&order=id"),
            shown,
            None,
        );
        for _ in 0..WRITES {
            let new = i64::try_from(count).unwrap() + 100;
            ask(Method::POST, table.to_owned(), ROLLBACK, Some(row(chance, new)));
            ask(
                Method::POST,
                format!("{table}?select=id"),
                shown,
                Some(row(chance, new)),
            );
            let there = chance.below(count) as i64;
            let mut change = row(chance, there);
            for (at, name) in ["id", "n", "m", "d", "t", "e", "f", "day", "user_id"]
                .iter()
                .enumerate()
            {
                if at == 0 || chance.one_in(2) {
                    change.as_object_mut().unwrap().remove(*name);
                }
            }
            if change.as_object().unwrap().is_empty() {
                change = json!({ "n": 1 });
            }
            ask(
                Method::PATCH,
                format!("{table}?id=eq.{there}"),
                ROLLBACK,
                Some(change.clone()),
            );
            ask(
                Method::PATCH,
                format!("{table}?id=gte.{there}&select=id&order=id"),
                shown,
                Some(change),
            );
            let merges = "tx=rollback, resolution=merge-duplicates";
            ask(Method::POST, table.to_owned(), merges, Some(row(chance, there)));
            let ignores = "tx=rollback, resolution=ignore-duplicates";
            ask(Method::POST, table.to_owned(), ignores, Some(row(chance, there)));
        }
    }
    all
}

#[test]
fn random_policies_mean_the_same_to_postgres_and_to_mariadb() {
    let seed = std::env::var("PLINTH_SEED").ok().and_then(|text| text.parse().ok());
    let random: &dyn Random = &SystemRandom;
    let seed: u64 = seed.unwrap_or_else(|| random.uuid().as_u64_pair().0);
    let mut chance = Chance::new(seed);
    let mut table = |at: usize| {
        let name = format!("p{at}");
        let policies = policies(&mut chance, &name);
        (name, policies)
    };
    let tables: Vec<(String, Value)> = (0..TABLES).map(&mut table).collect();
    run(async {
        let (postgres, mariadb) = (managed(&tables).await, mariadb(&tables).await);
        let shared = rows(&mut chance, 12);
        for side in [&postgres, &mariadb] {
            side.fill("teams", &shared).await;
        }
        let (mut telling, mut refused, mut taken) = (0, 0, 0);
        for (table, policies) in &tables {
            let rows = rows(&mut chance, 20);
            for side in [&postgres, &mariadb] {
                side.fill(table, &rows).await;
            }
            for question in questions(&mut chance, table, rows.len()) {
                let Question {
                    caller,
                    method,
                    path,
                    prefer,
                    body,
                } = question;
                let one = postgres.ask(caller, method.clone(), &path, prefer, body.as_ref()).await;
                let other = mariadb.ask(caller, method.clone(), &path, prefer, body.as_ref()).await;
                let (expected, got) = (outcome(&one), outcome(&other));
                if expected != got {
                    let mut told = format!("PLINTH_SEED={seed}\n{caller:?} {method} {path}\nPrefer: {prefer}\n");
                    writeln!(told, "body: {body:?}\npolicies: {policies:#}\nrows: {}", json!(rows)).unwrap();
                    writeln!(
                        told,
                        "postgres: {} {}\nmariadb: {} {}",
                        one.status, one.text, other.status, other.text
                    )
                    .unwrap();
                    panic!("{told}{expected:?}\n{got:?}");
                }
                match (&method, &expected) {
                    (_, (0, ..)) => refused += 1,
                    (&Method::GET, (.., Value::Array(seen))) => {
                        telling += usize::from(!seen.is_empty() && seen.len() < rows.len())
                    }
                    _ => taken += 1,
                }
            }
        }
        assert!(
            telling > TABLES / 2,
            "PLINTH_SEED={seed}: only {telling} reads told rows apart"
        );
        assert!(
            taken > TABLES && refused > TABLES,
            "PLINTH_SEED={seed}: {taken} taken, {refused} refused"
        );
    });
}
