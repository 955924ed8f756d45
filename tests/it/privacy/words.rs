//! What a person is known by is taken out of documents and jobs: what is theirs, and not what they merely said.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::{Bench, bench, fresh};
use super::erase::{confirmed, map, planned};
use crate::world::{Project, User, run, text, unique};

const PASSWORD: &str = "correct horse battery";

/// Words of the documentation, another's address, and a date.
fn said() -> Value {
    json!({ "full_name": "Primary key", "email": "support@company.example", "phone": "2026-11-22" })
}

fn written(address: &str) -> String {
    let link = address.replace('@', "%40");
    format!("# Primary key\n\nWrite to support@company.example, or to [{address}](mailto:{link}), until 2026-11-22.\n")
}

impl Bench {
    async fn signed_up(&self, path: &str, key: Option<&str>, data: &Value) -> User {
        let email = format!("{}@example.com", unique());
        let body = json!({ "email": email, "password": PASSWORD, "data": data });
        let mut call = self.world.post(path).json(&body);
        if let Some(key) = key {
            call = call.key(key);
        }
        let reply = call.send().await.expect(StatusCode::OK);
        User {
            id: text(&reply["user"], "id"),
            email,
            token: text(&reply, "access_token"),
        }
    }

    /// A document of a project's, by whoever that is; its id.
    async fn document(&self, project: &str, author: Option<Uuid>, content: &str) -> Uuid {
        let (id, project): (_, Uuid) = (fresh(), project.parse().unwrap());
        let sql = "
            insert into plinth.document_versions (id, project_id, number, origin, content, change_summary, author, created_at)
            select $1::uuid, $2::uuid, 1 + coalesce(max(number), 0), 'edited', $3::text, 'Edited', $4::uuid, now()
            from plinth.document_versions where project_id = $2";
        let made = self.control.execute(sql, &[&id, &project, &content, &author]).await;
        assert_eq!(made.unwrap(), 1);
        id
    }

    async fn content(&self, document: Uuid) -> String {
        let sql = "select content from plinth.document_versions where id = $1";
        self.control.query_one(sql, &[&document]).await.unwrap().get(0)
    }

    /// A job that is over, with a result.
    async fn job(&self, project: Option<&str>, result: &Value) -> Uuid {
        let (id, project) = (fresh(), project.map(|id| id.parse::<Uuid>().unwrap()));
        let sql = "
            insert into plinth.jobs (id, kind, project_id, state, run_at, result, message, created_at, updated_at)
            values ($1, 'test.done', $2, 'succeeded', now(), $3, 'Until 2026-11-22', now(), now())";
        self.control.execute(sql, &[&id, &project, result]).await.unwrap();
        id
    }

    async fn result(&self, job: Uuid) -> Value {
        let sql = "select result from plinth.jobs where id = $1";
        self.control.query_one(sql, &[&job]).await.unwrap().get(0)
    }

    async fn erased_on_the_platform(&self, by: &User, id: &str) -> Value {
        let request = json!({ "scope": "platform-user", "subject": id });
        let plan = planned(&self.world, &by.token, &request).await;
        let asked = confirmed(&self.world, &by.token, &request, &plan).await;
        let job = self.ended(text(&asked, "jobId").parse().unwrap()).await;
        assert_eq!(job.job.state, "succeeded", "{:?}", job.job.error);
        plan
    }
}

async fn app(bench: &Bench) -> Project {
    let project = bench.world.project("schema").await;
    let path = format!("/api/projects/{}", project.id);
    let call = bench.world.patch(&path).bearer(&project.owner.token);
    let settings = json!({ "settings": { "privacy": { "selfErase": true } } });
    call.json(&settings).send().await.expect(StatusCode::OK);
    map(&bench.world, &project.owner.token, &project.id, &[]).await;
    project
}

#[test]
fn who_erases_themself_takes_nothing_along_that_they_merely_said() {
    run(async {
        let bench = bench().await;
        let project = app(bench).await;
        let path = format!("/p/{}/auth/v1/signup", project.reference);
        let user = bench.signed_up(&path, Some(&project.publishable), &said()).await;
        let document = bench.document(&project.id, None, &written(&user.email)).await;
        let result = json!({ "expiresAt": "2026-11-22T05:00:00Z", "to": [user.email, "support@company.example"] });
        let job = bench.job(Some(&project.id), &result).await;

        let path = format!("/p/{}/auth/v1/user", project.reference);
        let call = bench.world.call(Method::DELETE, &path).key(&project.publishable);
        let call = call.bearer(&user.token).json(&json!({ "password": PASSWORD }));
        let begun = call.send().await.expect(StatusCode::ACCEPTED);
        let sql = "select job_id from plinth.privacy_requests where id = $1::text::uuid";
        let begun = bench
            .control
            .query_one(sql, &[&text(&begun, "receiptId")])
            .await
            .unwrap();
        let ended = bench.ended(begun.get(0)).await;
        assert_eq!(ended.job.state, "succeeded", "{:?}", ended.job.error);

        assert_eq!(bench.content(document).await, written("[erased]"));
        let left = json!({ "expiresAt": "2026-11-22T05:00:00Z", "to": ["[erased]", "support@company.example"] });
        assert_eq!(bench.result(job).await, left);
    });
}

#[test]
fn a_platform_user_changes_no_words_but_their_own_and_none_of_other_tenants() {
    run(async {
        let bench = bench().await;
        let (owner, other) = (bench.world.user().await, bench.world.user().await);
        let (shared, left, foreign) = (
            bench.project(&owner).await,
            bench.project(&owner).await,
            bench.project(&other).await,
        );
        let user = bench.signed_up("/auth/v1/signup", None, &said()).await;
        let path = format!("/api/projects/{shared}/members");
        let viewer = json!({ "userId": user.id, "role": "viewer" });
        let call = bench.world.post(&path).bearer(&owner.token).json(&viewer);
        call.send().await.expect(StatusCode::CREATED);
        let id: Uuid = user.id.parse().unwrap();
        let texts = written(&user.email);
        let here = bench.document(&shared, None, &texts).await;
        let theirs = bench.document(&left, Some(id), &texts).await;
        let beside = bench.document(&left, None, &texts).await;
        let there = bench.document(&foreign, None, &texts).await;
        let result = json!({ "expiresAt": "2026-11-22T05:00:00Z", "for": user.email });
        let (job, foreign_job) = (
            bench.job(Some(&shared), &result).await,
            bench.job(Some(&foreign), &result).await,
        );
        let platform_job = bench.job(None, &result).await;

        let plan = bench.erased_on_the_platform(&user, &user.id).await;
        assert_eq!(plan["documents"], 2, "{plan}");
        for (document, erased) in [(here, true), (theirs, true), (beside, false), (there, false)] {
            let expected = if erased { written("[erased]") } else { texts.clone() };
            assert_eq!(bench.content(document).await, expected);
        }
        let erased = json!({ "expiresAt": "2026-11-22T05:00:00Z", "for": "[erased]" });
        assert_eq!(bench.result(job).await, erased);
        for job in [foreign_job, platform_job] {
            assert_eq!(bench.result(job).await, result);
        }
    });
}

#[test]
fn what_an_outside_issuer_says_of_somebody_is_looked_for_too() {
    run(async {
        let bench = bench().await;
        let (owner, operator) = (bench.world.user().await, bench.world.operator().await);
        let (project, id) = (bench.project(&owner).await, fresh());
        let (mark, project_id) = (unique(), project.parse::<Uuid>().unwrap());
        let (address, name) = (format!("out.{mark}@example.com"), format!("Ann {mark}"));
        for sql in [
            "insert into plinth.users (id, created_at, updated_at)
             select $1::uuid, now(), now() where $2::text || $3::text || $4::uuid::text <> ''",
            "insert into plinth.identities (id, user_id, provider, provider_id, identity_data, email, created_at, updated_at)
             select gen_random_uuid(), $1::uuid, 'https://issuer.example', $1::uuid::text,
               jsonb_build_object('email', $2::text, 'name', $3::text), $2, now(), now() where $4::uuid is not null",
            "insert into plinth.members (project_id, user_id, role, created_at, updated_at)
             select $4::uuid, $1::uuid, 'viewer', now(), now() where $2::text || $3::text <> ''",
        ] {
            let planted = bench.control.execute(sql, &[&id, &address, &name, &project_id]).await;
            assert_eq!(planted.unwrap(), 1, "{sql}");
        }
        let document = bench.document(&project, None, &format!("Ask {name}, {address}.")).await;
        // Replies that others had within a day.
        let replies = [
            (json!({ "email": address }), false),
            (json!({ "text": format!("sent to {}", address.to_uppercase()) }), false),
            (json!({ "email": format!("jo.{address}") }), true),
            (json!({ "email": format!("{address}.br") }), true),
            (json!({ "userId": id }), false),
        ];
        let caller: Uuid = owner.id.parse().unwrap();
        for (at, (reply, _)) in replies.iter().enumerate() {
            let sql = "
                insert into plinth.idempotency (caller, key, fingerprint, reply, created_at)
                values ($1, $2, '', $3, now())";
            let key = format!("{mark}-{at}");
            bench.control.execute(sql, &[&caller, &key, reply]).await.unwrap();
        }
        let plan = bench.erased_on_the_platform(&operator, &id.to_string()).await;
        assert_eq!(plan["documents"], 1, "{plan}");
        let counted = json!({ "table": "idempotency", "rule": "delete", "rows": 3 });
        assert!(plan["tables"].as_array().unwrap().contains(&counted), "{plan}");
        assert_eq!(bench.content(document).await, "Ask [erased], [erased].");
        for (at, (reply, stays)) in replies.iter().enumerate() {
            let sql = "select count(*) from plinth.idempotency where caller = $1 and key = $2";
            let key = format!("{mark}-{at}");
            let found: i64 = bench.control.query_one(sql, &[&caller, &key]).await.unwrap().get(0);
            assert_eq!(found == 1, *stays, "{reply}");
        }
    });
}
