//! Who may not erase whom, and what a confirmation is good for.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use plinth::clock::{Clock as _, SystemClock};
use plinth::testing::FixedClock;
use serde_json::{Value, json};

use super::{about, confirmed, delete, map, planned, with};
use crate::handmade::superuser;
use crate::tables::{altered, created};
use crate::work::ended;
use crate::world::{Project, World, platform, run, run_alone, text, unique, world};

/// A project with a table of posts, and a map that says they go.
pub async fn confirmed_map(world: &World) -> (Project, Value) {
    let project = world.project("schema").await;
    let author =
        json!({ "name": "author", "type": "uuid", "references": { "table": "app_users", "on_delete": "cascade" } });
    let columns =
        json!([{ "name": "id", "type": "integer", "primary_key": true }, author, { "name": "body", "type": "text" }]);
    let posts = created(&project, json!({ "name": "posts", "columns": columns })).await;
    let go = json!({ "action": "delete" });
    map(
        world,
        &project.owner.token,
        &project.id,
        &[("app_users", go.clone()), ("posts", go)],
    )
    .await;
    (project, posts)
}

/// The same where people may like posts.
pub async fn liked_posts(world: &World) -> Project {
    let (project, _) = confirmed_map(world).await;
    let likes = json!([
        { "name": "id", "type": "integer", "primary_key": true },
        { "name": "post", "type": "integer", "required": true, "references": { "table": "posts", "on_delete": "cascade" } },
        { "name": "by", "type": "uuid", "references": { "table": "app_users", "on_delete": "cascade" } },
    ]);
    created(&project, json!({ "name": "likes", "columns": likes })).await;
    let go = json!({ "action": "delete" });
    let rules = [("app_users", go.clone()), ("posts", go.clone()), ("likes", go)];
    map(world, &project.owner.token, &project.id, &rules).await;
    project
}

pub async fn post(world: &World, project: &Project, id: i32, author: &str) {
    let row = json!({ "id": id, "author": author, "body": "words" });
    let call = world.post(&project.rest("posts")).key(&project.secret).json(&row);
    call.send().await.expect(StatusCode::CREATED);
}

#[test]
fn a_token_confirms_its_own_plan_once_and_nothing_else() {
    run(async {
        let world = world().await;
        let (project, _) = confirmed_map(world).await;
        let (other, _) = confirmed_map(world).await;
        let (ann, bob) = (world.end_user(&project).await, world.end_user(&project).await);
        let stranger = world.end_user(&other).await;
        let token = &project.owner.token;
        let request = about(&project.id, &json!(ann.id));
        let plan = planned(world, token, &request).await;
        let secret = text(&plan, "confirmToken");
        let foreign = planned(world, &other.owner.token, &about(&other.id, &json!(stranger.id))).await;
        let flipped = {
            let last = if secret.ends_with('a') { "b" } else { "a" };
            format!("{}{last}", &secret[..secret.len() - 1])
        };
        for wrong in [
            String::new(),
            "made up".to_owned(),
            flipped,
            secret.to_uppercase(),
            text(&foreign, "confirmToken"),
        ] {
            let reply = delete(world, token, &with(&request, "confirmToken", json!(wrong))).await;
            assert_eq!(
                reply.code(StatusCode::UNPROCESSABLE_ENTITY),
                "privacy/confirm",
                "{wrong}"
            );
        }
        // Hers, for somebody else; and both a dry run and a confirmation, or none.
        let of_bob = with(&about(&project.id, &json!(bob.id)), "confirmToken", json!(secret));
        for body in [
            of_bob,
            request.clone(),
            with(&with(&request, "dryRun", json!(true)), "confirmToken", json!(secret)),
        ] {
            let reply = delete(world, token, &body).await;
            assert_eq!(
                reply.code(StatusCode::UNPROCESSABLE_ENTITY),
                "privacy/confirm",
                "{body}"
            );
        }
        let asked = confirmed(world, token, &request, &plan).await;
        assert_eq!(confirmed(world, token, &request, &plan).await, asked);
        assert_eq!(ended(world, token, &text(&asked, "jobId")).await["state"], "succeeded");
        assert_eq!(confirmed(world, token, &request, &plan).await, asked);
        // What the job has, others read too: it names nobody.
        let control = superuser("plinth").await;
        let sql = "select payload::text || coalesce(result::text, '') || coalesce(message, '') from plinth.jobs where id = $1";
        let id: uuid::Uuid = text(&asked, "jobId").parse().unwrap();
        let told: String = control.query_one(sql, &[&id]).await.unwrap().get(0);
        assert!(!told.contains(&ann.id) && !told.contains(&ann.email), "{told}");
        let sql = "select string_agg(action, ' ' order by sequence) from plinth.audit_log where target = $1";
        let actions: String = control
            .query_one(sql, &[&text(&asked, "receiptId")])
            .await
            .unwrap()
            .get(0);
        assert_eq!(actions, "privacy.erase-plan privacy.erase privacy.erased");
    });
}

#[test]
fn a_plan_that_is_not_true_any_more_is_not_carried_out() {
    run(async {
        let world = world().await;
        let (project, posts) = confirmed_map(world).await;
        let ann = world.end_user(&project).await;
        let token = &project.owner.token;
        let request = about(&project.id, &json!({ "id": ann.id }));
        let plan = planned(world, token, &request).await;
        let confirm = with(&request, "confirmToken", plan["confirmToken"].clone());
        post(world, &project, 1, &ann.id).await;
        assert_eq!(
            delete(world, token, &confirm).await.code(StatusCode::CONFLICT),
            "privacy/plan-changed"
        );
        let call = world.delete(&project.rest("posts?id=eq.1")).key(&project.secret);
        assert!(call.send().await.status.is_success());
        altered(
            &project,
            &posts,
            json!([{ "op": "add_column", "column": { "name": "phone", "type": "text" } }]),
        )
        .await;
        assert_eq!(
            delete(world, token, &confirm).await.code(StatusCode::CONFLICT),
            "privacy/map-stale"
        );
        let again = delete(world, token, &with(&request, "dryRun", json!(true))).await;
        assert_eq!(again.code(StatusCode::CONFLICT), "privacy/map-stale");
    });
}

#[test]
fn a_job_that_meets_a_stale_map_fails_at_once_and_has_done_nothing() {
    // No other test runs, so no worker is faster than the change of the table.
    run_alone(async {
        let world = world().await;
        let (project, posts) = confirmed_map(world).await;
        let ann = world.end_user(&project).await;
        post(world, &project, 1, &ann.id).await;
        let token = &project.owner.token;
        let request = about(&project.id, &json!(ann.email));
        let plan = planned(world, token, &request).await;
        let body = with(&request, "confirmToken", plan["confirmToken"].clone());
        let asked = delete(world, token, &body).await.expect(StatusCode::ACCEPTED);
        altered(
            &project,
            &posts,
            json!([{ "op": "add_column", "column": { "name": "phone", "type": "text" } }]),
        )
        .await;
        let job = ended(world, token, &text(&asked, "jobId")).await;
        assert_eq!(
            (&job["errorCode"], &job["attempts"]),
            (&json!("privacy/map-stale"), &json!(1)),
            "{job}"
        );
        let rows = world
            .get(&project.rest("posts?select=id"))
            .key(&project.secret)
            .send()
            .await;
        assert_eq!(rows.expect(StatusCode::OK), json!([{ "id": 1 }]));
    });
}

#[test]
fn a_plan_is_good_for_an_hour() {
    run(async {
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let late = World::of(platform().await, clock.clone());
        let (project, _) = confirmed_map(world().await).await;
        let ann = world().await.end_user(&project).await;
        let request = about(&project.id, &json!(ann.id));
        let token = &project.owner.token;
        let plan = planned(&late, token, &request).await;
        clock.advance(Duration::from_secs(60 * 60));
        let body = with(&request, "confirmToken", plan["confirmToken"].clone());
        // The owner's own token has not outlived it.
        let sign_in = json!({ "email": project.owner.email, "password": "correct horse battery" });
        let signed_in = late
            .post("/auth/v1/token?grant_type=password")
            .json(&sign_in)
            .send()
            .await;
        let token = text(&signed_in.expect(StatusCode::OK), "access_token");
        assert_eq!(
            delete(&late, &token, &body).await.code(StatusCode::GONE),
            "privacy/confirm-expired"
        );
    });
}

#[test]
fn rows_of_others_that_hang_on_it_keep_it_from_being_done() {
    run(async {
        let world = world().await;
        let project = liked_posts(world).await;
        let (ann, bob) = (world.end_user(&project).await, world.end_user(&project).await);
        post(world, &project, 1, &ann.id).await;
        let row = json!({ "id": 1, "post": 1, "by": bob.id });
        let call = world.post(&project.rest("likes")).key(&project.secret).json(&row);
        call.send().await.expect(StatusCode::CREATED);
        let token = &project.owner.token;
        let request = about(&project.id, &json!(ann.id));
        let plan = planned(world, token, &request).await;
        let others = &plan["others"];
        assert_eq!(
            (&others[0]["table"], &others[0]["on"], &others[0]["rows"]),
            (&json!("likes"), &json!("posts"), &json!(1))
        );
        let reply = delete(
            world,
            token,
            &with(&request, "confirmToken", plan["confirmToken"].clone()),
        )
        .await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "privacy/others-hang-on");
        assert_eq!(&reply.json()["details"], others);
    });
}

#[test]
fn platform_users_are_erased_by_themselves_and_by_operators() {
    run(async {
        let world = world().await;
        let (user, other, operator) = (world.user().await, world.user().await, world.operator().await);
        let of = |subject: &str| json!({ "scope": "platform-user", "subject": subject });
        let dry = |subject: &str| with(&of(subject), "dryRun", json!(true));
        let reply = delete(world, &other.token, &dry(&user.id)).await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "privacy/not-yours");
        let reply = delete(world, &other.token, &dry(&unique())).await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "privacy/not-yours");
        delete(world, &operator.token, &dry(&user.email))
            .await
            .expect(StatusCode::OK);
        let plan = planned(world, &user.token, &of(&user.email)).await;
        let asked = confirmed(world, &user.token, &of(&user.email), &plan).await;
        let job = ended(world, &operator.token, &text(&asked, "jobId")).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        let path = format!(
            "/api/gdpr/receipts/{}?token={}",
            text(&asked, "receiptId"),
            text(&asked, "receiptToken")
        );
        let receipt = world.get(&path).send().await.expect(StatusCode::OK);
        super::judged(world, &receipt).await.unwrap();
        let control = superuser("plinth").await;
        let left = super::found_in(&control, "n.nspname = 'plinth'", std::slice::from_ref(&user.email)).await;
        assert_eq!(left, Vec::<String>::new());
    });
}
