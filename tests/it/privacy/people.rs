//! What the control database holds of a platform user: counted, shown, removed, with nothing left and nobody else touched.

mod asking;

use std::time::Duration;

use http::{Method, StatusCode};
use plinth::app::App;
use plinth::clock::{Clock as _, SystemClock};
use plinth::control::failure;
use plinth::error::Error;
use plinth::ident::{ProjectId, UserId};
use plinth::jobs::{self, Done, Handler, Job};
use plinth::privacy::Snapshot;
use plinth::privacy::identity::Person;
use plinth::privacy::people::{self, Rule};
use plinth::purge::{self, Budget};
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::{Bench, bench, entries, facts, fresh};
use crate::world::{Reply, User, run, text, unique};

pub const KINDS: &[(&str, Handler)] = &[("test.people", erased)];

/// Erases whom the request is about, and once more, as after a crash behind the last step.
fn erased<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move {
        let request: Uuid = serde_json::from_value(job.payload["request"].clone()).map_err(Error::internal)?;
        let projects: Vec<ProjectId> =
            serde_json::from_value(job.payload["projects"].clone()).map_err(Error::internal)?;
        let subject: Value = {
            let client = app.control.get().await?;
            let sql = "select subject from plinth.privacy_requests where id = $1";
            client.query_one(sql, &[&request]).await.map_err(failure)?.get(0)
        };
        let user: UserId = serde_json::from_value(subject["id"].clone()).map_err(Error::internal)?;
        let first = people::erase_user(app, job, user, request, &projects).await?;
        let second = people::erase_user(app, job, user, request, &projects).await?;
        assert_eq!(first, second, "what was done is noted");
        serde_json::to_value(first).map_err(Error::internal)
    })
}

impl Bench {
    async fn send(&self, method: Method, path: &str, by: &User, body: Value) -> Reply {
        let call = self.world.call(method, path).bearer(&by.token);
        if body.is_null() {
            return call.send().await;
        }
        call.json(&body).send().await
    }

    pub async fn project(&self, owner: &User) -> String {
        let made = self
            .send(Method::POST, "/api/projects", owner, json!({ "name": unique() }))
            .await;
        text(&made.expect(StatusCode::CREATED)["project"], "id")
    }

    async fn member(&self, project: &str, owner: &User, member: &User, role: &str) {
        let path = format!("/api/projects/{project}/members");
        let body = json!({ "userId": member.id, "role": role });
        let added = self.send(Method::POST, &path, owner, body).await;
        added.expect(StatusCode::CREATED);
    }

    /// A request about somebody, and what came of its job.
    async fn erase(&self, user: &User, projects: &[&str]) -> (Uuid, jobs::JobView) {
        let app = self.worker();
        let (request, id) = (fresh(), user.id.parse::<Uuid>().unwrap());
        let sql = "
            insert into plinth.privacy_requests (id, kind, scope, subject, requested_by, created_at)
            values ($1, 'erasure', 'platform-user', jsonb_build_object('id', $2::uuid), $2, now())";
        self.control.execute(sql, &[&request, &id]).await.unwrap();
        let payload = json!({ "request": request, "projects": projects });
        let job = {
            let client = app.control.get().await.unwrap();
            let made = jobs::enqueue(&app, &*client, "test.people", None, &payload, Some(UserId(id)));
            made.await.unwrap()
        };
        (request, self.ended(job).await)
    }

    pub async fn verified(&self, project: &str, by: &User) -> Value {
        let path = format!("/api/projects/{project}/audit/verify");
        self.send(Method::GET, &path, by, Value::Null)
            .await
            .expect(StatusCode::OK)
    }
}

/// Signs up with what is planted, from a client that is planted too.
async fn planted(bench: &Bench, name: &str) -> User {
    let email = format!("{name}.Person@example.com").to_lowercase();
    let body = json!({ "email": email, "password": "correct horse battery", "data": { "full_name": format!("{name} Fullname") } });
    let call = bench
        .world
        .post("/auth/v1/signup")
        .header("user-agent", &format!("{name}Browser/1.0"));
    let reply = call.json(&body).send().await.expect(StatusCode::OK);
    User {
        id: text(&reply["user"], "id"),
        email,
        token: text(&reply, "access_token"),
    }
}

/// A database of theirs, connected.
async fn own_database(bench: &Bench, user: &User, password: &str) {
    let name = format!("own_{}", unique());
    let (server, connection) = tokio_postgres::connect(bench.server.url("postgres").expose(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let role = format!("create role {name} login password '{password}'");
    server.batch_execute(&role).await.unwrap();
    let database = format!("create database {name} owner {name}");
    server.batch_execute(&database).await.unwrap();
    let url = format!(
        "postgresql://{name}:{password}@127.0.0.1:{}/{name}?sslmode=disable",
        bench.server.port()
    );
    let body = json!({ "connectionString": url });
    let connected = bench
        .send(Method::POST, "/api/user/database-connection", user, body)
        .await;
    connected.expect(StatusCode::OK);
}

/// Ann's traces wherever somebody can leave any.
struct Traces {
    ann: User,
    name: String,
    bob: User,
    alone: String,
    shared: String,
    bobs: String,
}

async fn traces(bench: &Bench) -> Traces {
    let name = unique();
    let (ann, bob) = (planted(bench, &name).await, bench.world.user().await);
    let (alone, shared) = (bench.project(&ann).await, bench.project(&ann).await);
    let bobs = bench.world.project_of(bob.clone(), "schema").await;
    bench.member(&shared, &ann, &bob, "owner").await;
    bench.member(&bobs.id, &bob, &ann, "admin").await;
    let table = json!({ "schemaJson": { "name": "things", "columns": [{ "name": "title", "type": "text" }] } });
    let path = format!("/api/database/{}/tables/create", bobs.backend);
    bench
        .send(Method::POST, &path, &ann, table)
        .await
        .expect(StatusCode::CREATED);
    for project in [&shared, &bobs.id] {
        let path = format!("/api/projects/{project}/keys");
        let call = bench.world.post(&path).bearer(&ann.token);
        let call = call.header("idempotency-key", &unique());
        let made = call.json(&json!({ "class": "secret", "name": "k" })).send().await;
        made.expect(StatusCode::CREATED);
    }
    own_database(bench, &ann, &format!("{name}Password")).await;
    let id: Uuid = ann.id.parse().unwrap();
    let project: Uuid = bobs.id.parse().unwrap();
    let sql = "
        insert into plinth.jobs (id, kind, project_id, payload, state, run_at, created_by, created_at, updated_at)
        values (gen_random_uuid(), 'docs.generate', $2, jsonb_build_object('instructions', $3::text), 'succeeded', now(), $1,
          now(), now())";
    let instructions = format!("Write as {name} Fullname does");
    bench
        .control
        .execute(sql, &[&id, &project, &instructions])
        .await
        .unwrap();
    for sql in [
        "insert into plinth.subject_maps (project_id, version, map, structure, author, created_at)
         values ($2, 1, '{}', '{}', $1, now())",
        "insert into plinth.document_versions (id, project_id, number, origin, content, change_summary, author, created_at)
         values (gen_random_uuid(), $2, 1000, 'edited', 'Text', 'Edited', $1, now())",
        "insert into plinth.jobs (id, kind, project_id, state, run_at, created_by, idempotency_key, created_at, updated_at)
         select gen_random_uuid(), 'test.done', null, 'succeeded', now(), $1, 'user:' || $1::uuid::text || ':k', now(), now()
         where $2::uuid is not null",
    ] {
        bench.control.execute(sql, &[&id, &project]).await.unwrap();
    }
    Traces {
        ann,
        name,
        bob,
        alone,
        shared,
        bobs: bobs.id,
    }
}

#[test]
fn a_platform_user_is_shown_in_full_then_erased_and_nothing_of_theirs_is_left_or_others_touched() {
    run(async {
        let bench = bench().await;
        let told = traces(bench).await;
        shown_in_full(bench, &told).await;
        refused_before_their_projects_are_cared_for(bench, &told).await;

        let others = [
            ("users", format!("id = '{}'", told.bob.id)),
            ("identities", format!("user_id = '{}'", told.bob.id)),
            ("sessions", format!("user_id = '{}'", told.bob.id)),
            ("members", format!("user_id = '{}'", told.bob.id)),
            ("keys", format!("created_by = '{}'", told.bob.id)),
            // Other tests make tables on the same server meanwhile.
            (
                "tables",
                format!(
                    "backend_id in (select id from plinth.backends where project_id = '{}')",
                    told.bobs
                ),
            ),
            ("audit_subjects", format!("actor = 'user:{}'", told.bob.id)),
        ];
        let before = bench.digest(&others).await;
        let secrets = "select count(*) from plinth.secrets s join plinth.projects p on p.id = s.project_id where p.personal_of = $1";
        let id: Uuid = told.ann.id.parse().unwrap();
        let kept: i64 = bench.control.query_one(secrets, &[&id]).await.unwrap().get(0);
        assert!(kept > 0);

        let (request, job) = bench.erase(&told.ann, &[&told.alone]).await;
        assert_eq!(job.job.state, "succeeded", "{:?}", job.job.error);
        let counted: Vec<people::Counted> = serde_json::from_value(job.result.unwrap()).unwrap();
        let rows = |table: &str, rule| {
            let of = counted.iter().filter(|one| one.table == table && one.rule == rule);
            of.map(|one| one.rows).sum::<u64>()
        };
        assert_eq!(rows("users", Rule::Delete), 1);
        assert_eq!(rows("identities", Rule::Delete), 1);
        assert_eq!(rows("members", Rule::Delete), 4, "three, and their own database");
        assert_eq!(rows("migrations", Rule::Anonymise), 1);
        assert_eq!(rows("keys", Rule::Anonymise), 2);
        assert_eq!(rows("subject_maps", Rule::Anonymise), 1);
        assert!(rows("audit_subjects", Rule::Delete) >= 8);

        // As the job does last that called it.
        let sql = "update plinth.privacy_requests set subject = null where id = $1";
        bench.control.execute(sql, &[&request]).await.unwrap();
        for planted in [&told.name, &told.ann.email] {
            assert_eq!(bench.holding(planted).await, [].into(), "{planted}");
        }
        let left = bench.holding(&told.ann.id).await;
        assert_eq!(left.keys().collect::<Vec<_>>(), ["audit_log"], "what entries are about");
        assert_eq!(bench.digest(&others).await, before);
        let kept: i64 = bench.control.query_one(secrets, &[&id]).await.unwrap().get(0);
        assert_eq!(kept, 0, "the credentials of their own database are gone");
        signed_out_for_good(bench, &told).await;
        chains_verify(bench, &told).await;
        gone_with_the_next_purge(bench, &told).await;
    });
}

async fn shown_in_full(bench: &Bench, told: &Traces) {
    let app = bench.world.app(Function::GdprExport);
    let user = UserId(told.ann.id.parse().unwrap());
    let mut client = app.control.get().await.unwrap();
    let snapshot = Snapshot::of(&mut client).await.unwrap();
    let mut all = Vec::new();
    for section in people::sections() {
        let rows = facts(&snapshot, user, section).await;
        let expected = match section.name {
            "projects" => 3,
            "memberships" => 4,
            "keys" => 4,
            "remembered-replies" => 2,
            "privacy-requests" => 0,
            "jobs" => 2,
            _ => 1,
        };
        assert_eq!(rows.len(), expected, "{}: {rows:?}", section.name);
        all.extend(rows);
    }
    let shown = Value::from(all).to_string();
    for planted in [
        told.ann.email.clone(),
        format!("{} Fullname", told.name),
        format!("{}Browser", told.name),
        format!("Write as {}", told.name),
    ] {
        assert!(shown.contains(&planted), "{planted}");
    }
    for secret in [
        format!("{}Password", told.name),
        "$argon2".to_owned(),
        "token_hash".to_owned(),
    ] {
        assert!(!shown.contains(&secret), "{secret}");
    }
    let entries = entries(&snapshot, Person::User(user)).await;
    let actions: Vec<_> = entries.iter().map(|entry| text(entry, "action")).collect();
    assert_eq!(actions.first().map(String::as_str), Some("users.sign_up"));
    for action in ["members.add", "keys.create"] {
        assert!(actions.iter().any(|one| one == action), "{actions:?}");
    }
    let about = entries.iter().find(|entry| entry["own"] == false).unwrap();
    assert_eq!(
        (&about["action"], &about["address"]),
        (&json!("members.add"), &Value::Null)
    );
}

async fn refused_before_their_projects_are_cared_for(bench: &Bench, told: &Traces) {
    let app = bench.world.app(Function::GdprDelete);
    let client = app.control.get().await.unwrap();
    let user = UserId(told.ann.id.parse().unwrap());
    let plan = people::plan_of_user(&*client, user, &[]).await.unwrap();
    assert_eq!(plan.blockers.len(), 1);
    assert_eq!(plan.blockers[0].id, Some(told.alone.parse().unwrap()));
    assert!(plan.blockers[0].remedy.contains("eraseProjects"));
    assert_eq!(people::unblocked(&plan.blockers).unwrap_err().code(), "privacy/blocked");
    assert_eq!(plan.rows("members"), 4);
    for not_theirs_alone in [&told.shared, &told.bobs, &fresh().to_string()] {
        let named = [ProjectId(not_theirs_alone.parse().unwrap())];
        let refused = people::plan_of_user(&*client, user, &named).await.unwrap_err();
        assert_eq!(refused.code(), "privacy/erase-projects", "{not_theirs_alone}");
    }
    let named = [ProjectId(told.alone.parse().unwrap())];
    let plan = people::plan_of_user(&*client, user, &named).await.unwrap();
    people::unblocked(&plan.blockers).unwrap();
    let goes: Vec<_> = plan.projects.iter().map(|project| project.removed.as_str()).collect();
    assert_eq!(goes.len(), 2, "{goes:?}");
    assert!(goes.contains(&"at once") && goes.contains(&"removed by the next purge"));
    drop(client);

    // Should it come in the way between the plan and the job, nothing is done.
    let (request, job) = bench.erase(&told.ann, &[]).await;
    assert_eq!(
        (job.job.state.as_str(), job.job.error_code.as_deref()),
        ("failed", Some("privacy/blocked"))
    );
    let why = job.job.error.unwrap_or_default();
    assert!(
        why.contains(&format!("nobody else owns project {}", told.alone)),
        "{why}"
    );
    assert!(bench.holding(&told.ann.email).await.contains_key("users"));
    bench
        .control
        .execute("delete from plinth.privacy_requests where id = $1", &[&request])
        .await
        .unwrap();
    bench
        .control
        .execute("delete from plinth.jobs where kind = 'test.people'", &[])
        .await
        .unwrap();
}

async fn signed_out_for_good(bench: &Bench, told: &Traces) {
    let body = json!({ "email": told.ann.email, "password": "correct horse battery" });
    let call = bench.world.post("/auth/v1/token?grant_type=password").json(&body);
    let refused = call.send().await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused["error_code"], "invalid_credentials");
    let mine = bench.send(Method::GET, "/api/projects", &told.ann, Value::Null).await;
    assert_eq!(
        mine.expect(StatusCode::OK)["projects"],
        json!([]),
        "the token says who, and that is nobody's"
    );
    for (method, path, body) in [
        (Method::POST, "/api/projects", json!({ "name": unique() })),
        (Method::DELETE, "/api/user/database-connection/setup", Value::Null),
    ] {
        let again = bench.send(method, path, &told.ann, body).await;
        assert_eq!(again.code(StatusCode::UNAUTHORIZED), "auth/unauthorized", "{path}");
    }
}

async fn chains_verify(bench: &Bench, told: &Traces) {
    for project in [&told.shared, &told.bobs] {
        let verified = bench.verified(project, &told.bob).await;
        assert_eq!(
            (&verified["valid"], &verified["complete"]),
            (&json!(true), &json!(true))
        );
        assert!(verified["erased"].as_i64().unwrap() > 0);
    }
    let operator = bench.world.operator().await;
    let verified = bench
        .send(Method::GET, "/api/audit/verify", &operator, Value::Null)
        .await;
    assert_eq!(verified.expect(StatusCode::OK)["valid"], true);
    let path = format!("/api/projects/{}/audit", told.shared);
    let log = bench.send(Method::GET, &path, &told.bob, Value::Null).await;
    let log = log.expect(StatusCode::OK);
    let made = log["entries"].as_array().unwrap().iter();
    let made = made.clone().find(|entry| entry["action"] == "projects.create").unwrap();
    assert_eq!((&made["actor"], &made["address"]), (&Value::Null, &Value::Null));
}

async fn gone_with_the_next_purge(bench: &Bench, told: &Traces) {
    let sql = "select deleted_at < now() - interval '30 days' from plinth.projects where id = $1";
    let id: Uuid = told.alone.parse().unwrap();
    let past: bool = bench.control.query_one(sql, &[&id]).await.unwrap().get(0);
    assert!(past);
    let app = bench.world.app(Function::Purge);
    let now = SystemClock.now().checked_add(Duration::from_secs(1)).unwrap();
    Box::pin(purge::run_within(&app, now, Budget::Unlimited)).await.unwrap();
    assert!(bench.control.query(sql, &[&id]).await.unwrap().is_empty());
}
