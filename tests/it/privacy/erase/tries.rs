//! What becomes of an erasure whose worker dies, or that is asked for twice, while something changes around it. The tests are
//! the only workers, so that a job stays where they have put it.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusals::{confirmed_map, liked_posts, post};
use super::{about, confirmed, map, planned};
use crate::handmade::superuser;
use crate::tables::created;
use crate::work::ended;
use crate::world::{Project, User, World, run_alone, text, world};

/// Ann with a post in a project whose map says that posts go, and her erasure, confirmed and not begun.
struct Asked {
    world: &'static World,
    project: Project,
    ann: User,
    job: String,
    receipt: String,
}

impl Asked {
    async fn new() -> Self {
        let world = world().await;
        Self::in_project(world, confirmed_map(world).await.0).await
    }

    /// The same where people may like posts.
    async fn of_liked_posts() -> Self {
        let world = world().await;
        Self::in_project(world, liked_posts(world).await).await
    }

    async fn in_project(world: &'static World, project: Project) -> Self {
        let ann = world.end_user(&project).await;
        post(world, &project, 1, &ann.id).await;
        let request = about(&project.id, &json!(ann.id));
        let plan = planned(world, &project.owner.token, &request).await;
        let asked = confirmed(world, &project.owner.token, &request, &plan).await;
        Self {
            world,
            job: text(&asked, "jobId"),
            receipt: text(&asked, "receiptId"),
            project,
            ann,
        }
    }

    /// As if a try had come so far.
    async fn noted(&self, items: &[(&str, Value)]) {
        let control = superuser("plinth").await;
        let sql = "insert into plinth.job_items (job_id, item, outcome, attempt, at) values ($1, $2, $3, 1, now())";
        let job: Uuid = self.job.parse().unwrap();
        for (item, outcome) in items {
            control.execute(sql, &[&job, item, outcome]).await.unwrap();
        }
    }

    /// Somebody else likes her post.
    async fn liked(&self) {
        let bob = self.world.end_user(&self.project).await;
        let row = json!({ "id": 1, "post": 1, "by": bob.id });
        let call = self.world.post(&self.project.rest("likes")).key(&self.project.secret);
        call.json(&row).send().await.expect(StatusCode::CREATED);
    }

    /// A copy of her data, made while the erasure's job waits.
    async fn copied(&self) -> String {
        let control = superuser("plinth").await;
        let wait = async |until: &str| {
            let sql = format!("update plinth.jobs set run_at = now() {until} where id = $1::text::uuid");
            control.execute(&sql, &[&self.job]).await.unwrap();
        };
        wait("+ interval '1 day'").await;
        let (token, request) = (&self.project.owner.token, about(&self.project.id, &json!(self.ann.id)));
        let call = self.world.post("/api/gdpr/export").bearer(token).json(&request);
        let export = call.send().await.expect(StatusCode::ACCEPTED);
        let made = ended(self.world, token, &text(&export, "jobId")).await;
        assert_eq!(made["state"], "succeeded", "{made}");
        wait("").await;
        text(&export, "requestId")
    }

    async fn copy(&self, export: &str) -> StatusCode {
        let path = format!("/api/gdpr/exports/{export}");
        self.world
            .get(&path)
            .bearer(&self.project.owner.token)
            .send()
            .await
            .status
    }

    /// A first look that found her by the version of the map that her plan follows.
    fn found(version: i32) -> (&'static str, Value) {
        let found = json!({ "mapVersion": version, "users": 1, "identities": 1, "sessions": 1, "exports": 0 });
        ("found", found)
    }

    /// A table of which nobody has said what becomes of its rows, with one of hers.
    async fn new_table(&self) {
        let author = json!({ "name": "author", "type": "uuid", "references": { "table": "app_users", "on_delete": "set null" } });
        let columns = json!([{ "name": "id", "type": "integer", "primary_key": true }, author]);
        created(&self.project, json!({ "name": "diaries", "columns": columns })).await;
        let row = json!({ "id": 1, "author": self.ann.id });
        let call = self.world.post(&self.project.rest("diaries")).key(&self.project.secret);
        call.json(&row).send().await.expect(StatusCode::CREATED);
    }

    /// The second version of the map: posts stay, and are nobody's.
    async fn posts_stay(&self) {
        let stay = json!({ "action": "anonymise", "columns": ["author", "body"] });
        map(
            self.world,
            &self.project.owner.token,
            &self.project.id,
            &[("posts", stay)],
        )
        .await;
    }

    async fn ended(&self) -> Value {
        ended(self.world, &self.project.owner.token, &self.job).await
    }

    async fn retried(&self) -> Value {
        let call = self.world.post(&format!("/api/jobs/{}/retry", self.job));
        call.bearer(&self.project.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        self.ended().await
    }

    async fn rows(&self, table: &str) -> usize {
        let path = self.project.rest(&format!("{table}?author=eq.{}", self.ann.id));
        let rows = self.world.get(&path).key(&self.project.secret).send().await;
        rows.expect(StatusCode::OK).as_array().unwrap().len()
    }

    async fn receipt(&self) -> crate::world::Reply {
        let path = format!("/api/gdpr/receipts/{}", self.receipt);
        self.world.get(&path).bearer(&self.project.owner.token).send().await
    }
}

/// The code a job has failed with, at its first try.
fn failed(job: &Value) -> &str {
    assert_eq!(job["state"], "failed", "{job}");
    job["errorCode"].as_str().unwrap()
}

#[test]
fn a_try_after_one_that_died_follows_no_map_that_nobody_has_confirmed() {
    run_alone(async {
        let asked = Asked::new().await;
        asked.noted(&[Asked::found(1)]).await;
        asked.new_table().await;
        let job = asked.ended().await;
        assert_eq!((failed(&job), &job["attempts"]), ("privacy/map-stale", &json!(1)));
        assert!(text(&job, "error").contains("diaries tableAdded"), "{job}");
        assert_eq!((asked.rows("posts").await, asked.rows("diaries").await), (1, 1));
        // Nor one that somebody has confirmed since.
        map(asked.world, &asked.project.owner.token, &asked.project.id, &[]).await;
        assert_eq!(failed(&asked.retried().await), "privacy/plan-changed");
        assert_eq!((asked.rows("posts").await, asked.rows("diaries").await), (1, 1));
        assert_eq!(asked.receipt().await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_plan_is_not_carried_out_by_a_map_that_was_confirmed_after_it() {
    run_alone(async {
        let asked = Asked::new().await;
        asked.posts_stay().await;
        let job = asked.ended().await;
        assert_eq!((failed(&job), &job["attempts"]), ("privacy/plan-changed", &json!(1)));
        assert_eq!(asked.rows("posts").await, 1);
        assert_eq!(asked.receipt().await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn an_erasure_whose_rows_are_gone_ends_by_the_map_they_went_by() {
    run_alone(async {
        let asked = Asked::new().await;
        let cell = superuser(plinth::control::CELL_DATABASE).await;
        let schema = format!("project_{}", asked.project.reference);
        cell.batch_execute(&format!("delete from {schema}.posts; delete from {schema}.app_users"))
            .await
            .unwrap();
        let gone = json!({ "app_data": 0, "app_users": 1, "posts": 1 });
        asked
            .noted(&[
                Asked::found(1),
                ("sessions", json!(true)),
                ("documents", json!(0)),
                ("exports", json!(true)),
                ("data", gone),
            ])
            .await;
        asked.posts_stay().await;
        let job = asked.ended().await;
        assert_eq!(job["state"], "succeeded", "{job}");
        let receipt = asked.receipt().await.expect(StatusCode::OK)["receipt"].clone();
        assert_eq!(receipt["mapVersion"], 1);
        let posts = json!({ "table": "posts", "rule": "delete", "rows": 1 });
        assert!(receipt["tables"].as_array().unwrap().contains(&posts), "{receipt}");
    });
}

#[test]
fn rows_that_others_hang_on_after_the_first_look_leave_documents_and_copies_as_they_are() {
    run_alone(async {
        let asked = Asked::of_liked_posts().await;
        let (world, project, token) = (asked.world, &asked.project, &asked.project.owner.token);
        let path = format!("/api/projects/{}/docs", project.id);
        let content = format!("Ask {}", asked.ann.email);
        let call = world.post(&path).bearer(token).json(&json!({ "content": content }));
        let document = call.send().await.expect(StatusCode::CREATED);
        asked.noted(&[Asked::found(2)]).await;
        let export = asked.copied().await;
        asked.liked().await;

        let job = asked.ended().await;
        assert_eq!(failed(&job), "privacy/others-hang-on");
        // Its error says where; `null` if it did not.
        assert!(
            text(&job, "error").contains("likes (likes_post_fkey, on posts): 1"),
            "{job}"
        );
        assert_eq!(asked.rows("posts").await, 1);
        let path = format!("{path}/{}", text(&document, "versionId"));
        let document = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
        assert_eq!(document["content"], content);
        assert_eq!(asked.copy(&export).await, StatusCode::OK);

        // Decided about, it goes on to its end.
        let call = world.delete(&project.rest("likes?id=eq.1")).key(&project.secret);
        assert!(call.send().await.status.is_success());
        assert_eq!(asked.retried().await["state"], "succeeded");
        assert_eq!(asked.rows("posts").await, 0);
        let document = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
        assert_eq!(document["content"], "Ask [erased]");
        assert_eq!(asked.copy(&export).await, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_copy_that_was_made_while_the_erasure_ran_goes_with_it() {
    run_alone(async {
        let asked = Asked::new().await;
        // The step that withdraws copies is done, the rows are still there.
        asked.noted(&[Asked::found(1), ("exports", json!(true))]).await;
        let export = asked.copied().await;
        assert_eq!(asked.copy(&export).await, StatusCode::OK);
        let job = asked.ended().await;
        assert_eq!(job["state"], "succeeded", "{job}");
        assert_eq!(asked.copy(&export).await, StatusCode::NOT_FOUND);
        assert!(
            !super::managed::files(asked.world)
                .iter()
                .any(|name| name.contains(&export))
        );
        let receipt = asked.receipt().await.expect(StatusCode::OK);
        assert_eq!(receipt["receipt"]["exports"], 1);
        let control = superuser("plinth").await;
        let hers = [asked.ann.id.clone(), asked.ann.email.clone()];
        let left = super::found_in(&control, "n.nspname = 'plinth'", &hers).await;
        assert_eq!(left, Vec::<String>::new());
    });
}

#[test]
fn a_materialized_view_that_fails_is_told_and_keeps_nothing_from_its_end() {
    run_alone(async {
        let asked = Asked::new().await;
        let reference = &asked.project.reference;
        let cell = superuser(plinth::control::CELL_DATABASE).await;
        // Hers is the only post.
        cell.batch_execute(&format!(
            "create materialized view project_{reference}.shares as select 1 / count(*) as share from project_{reference}.posts;
             create materialized view project_{reference}.bodies as select body from project_{reference}.posts;
             alter materialized view project_{reference}.shares owner to p_{reference}_owner;
             alter materialized view project_{reference}.bodies owner to p_{reference}_owner"
        ))
        .await
        .unwrap();
        let job = asked.ended().await;
        assert_eq!(job["state"], "succeeded", "{job}");
        let receipt = asked.receipt().await.expect(StatusCode::OK);
        let kept = receipt["receipt"]["kept"].to_string();
        assert!(
            kept.contains("materialized view shares") && !kept.contains("bodies"),
            "{kept}"
        );
        let sql = format!("select count(*) from project_{reference}.bodies");
        let bodies: i64 = cell.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(bodies, 0, "the other one is refreshed");
    });
}

#[test]
fn an_erasure_is_the_admins_to_cancel_until_it_has_begun() {
    run_alone(async {
        let asked = Asked::new().await;
        let (world, owner) = (asked.world, &asked.project.owner);
        let members = format!("/api/projects/{}/members", asked.project.id);
        let decide = async |user: &User, decision: &str| {
            let path = format!("/api/jobs/{}/{decision}", asked.job);
            world.post(&path).bearer(&user.token).send().await
        };
        let (developer, admin) = (world.user().await, world.user().await);
        for (user, role) in [(&developer, "developer"), (&admin, "admin")] {
            let call = world.post(&members).bearer(&owner.token);
            let body = json!({ "userId": user.id, "role": role });
            call.json(&body).send().await.expect(StatusCode::CREATED);
        }
        for decision in ["cancel", "retry"] {
            assert_eq!(
                decide(&developer, decision).await.code(StatusCode::FORBIDDEN),
                "jobs/role"
            );
            decide(&admin, decision).await.expect(StatusCode::OK);
        }
        asked.noted(&[Asked::found(1)]).await;
        for user in [&admin, owner] {
            assert_eq!(decide(user, "cancel").await.code(StatusCode::CONFLICT), "jobs/begun");
        }
        // Who started it and is no admin any more is as any developer.
        for (by, of, role) in [(owner, &admin, "owner"), (&admin, owner, "developer")] {
            let call = world.patch(&format!("{members}/{}", of.id)).bearer(&by.token);
            call.json(&json!({ "role": role })).send().await.expect(StatusCode::OK);
        }
        assert_eq!(decide(owner, "cancel").await.code(StatusCode::FORBIDDEN), "jobs/role");
        assert_eq!(asked.ended().await["state"], "succeeded");
        assert_eq!(decide(&admin, "cancel").await.code(StatusCode::CONFLICT), "jobs/over");
    });
}

#[test]
fn whoever_asks_twice_for_their_own_end_has_two_tokens_that_work() {
    run_alone(async {
        let world = world().await;
        let (project, _) = confirmed_map(world).await;
        let path = format!("/api/projects/{}", project.id);
        let allowed = json!({ "settings": { "privacy": { "selfErase": true } } });
        let call = world.patch(&path).bearer(&project.owner.token).json(&allowed);
        call.send().await.expect(StatusCode::OK);
        let user = world.end_user(&project).await;
        let path = format!("/p/{}/auth/v1/user", project.reference);
        let mut asked = Vec::new();
        for _ in 0..2 {
            let call = world.delete(&path).key(&project.publishable).bearer(&user.token);
            asked.push(call.send().await.expect(StatusCode::ACCEPTED));
        }
        assert_eq!(asked[0]["receiptId"], asked[1]["receiptId"]);
        assert_ne!(asked[0]["receiptToken"], asked[1]["receiptToken"]);
        let control = superuser("plinth").await;
        let sql = "select job_id::text from plinth.privacy_requests where id = $1::text::uuid";
        let receipt = text(&asked[0], "receiptId");
        let job: String = control.query_one(sql, &[&receipt]).await.unwrap().get(0);
        assert_eq!(ended(world, &project.owner.token, &job).await["state"], "succeeded");
        for asked in &asked {
            let path = format!("/api/gdpr/receipts/{receipt}?token={}", text(asked, "receiptToken"));
            world.get(&path).send().await.expect(StatusCode::OK);
        }
        let neither = format!("{}{}", text(&asked[0], "receiptToken"), text(&asked[1], "receiptToken"));
        let path = format!("/api/gdpr/receipts/{receipt}?token={neither}");
        assert_eq!(world.get(&path).send().await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_plan_that_is_swept_while_it_is_confirmed_or_before_is_gone() {
    run_alone(async {
        let world = world().await;
        let (project, _) = confirmed_map(world).await;
        let ann = world.end_user(&project).await;
        let token = &project.owner.token;
        let request = about(&project.id, &json!(ann.id));
        let plan = planned(world, token, &request).await;
        let body = super::with(&request, "confirmToken", plan["confirmToken"].clone());
        let (mut sweeper, looker) = (superuser("plinth").await, superuser("plinth").await);
        let pid: i32 = sweeper.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
        let sweeping = sweeper.transaction().await.unwrap();
        let sql = "delete from plinth.privacy_requests where id = $1::text::uuid";
        assert_eq!(sweeping.execute(sql, &[&text(&plan, "requestId")]).await.unwrap(), 1);
        let swept = async {
            let sql = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
            while looker.query_one(sql, &[&pid]).await.unwrap().get::<_, i64>(0) == 0 {
                tokio::task::yield_now().await;
            }
            sweeping.commit().await.unwrap();
        };
        let (reply, ()) = tokio::join!(super::delete(world, token, &body), swept);
        assert_eq!(reply.code(StatusCode::GONE), "privacy/confirm-expired");
        let jobs = "select count(*) from plinth.jobs where project_id = $1::text::uuid and kind = 'privacy.erase'";
        let jobs: i64 = looker.query_one(jobs, &[&project.id]).await.unwrap().get(0);
        assert_eq!(jobs, 0);
        let reply = super::delete(world, token, &body).await;
        assert_eq!(reply.code(StatusCode::GONE), "privacy/confirm-expired");
    });
}
