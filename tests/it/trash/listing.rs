//! The list: pages over all kinds, what each role sees, what is left out, and the ways back that are closed.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys::{rescue, strand};
use crate::projects::{Bare, master, send};
use crate::world::{Project, User, run, text, unique, world};

async fn trash(by: &User, query: &str) -> Value {
    let path = format!("/api/trash?{query}");
    send(Method::GET, &path, by, None).await.expect(StatusCode::OK)
}

fn kinds(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| text(item, "kind")).collect()
}

async fn good(method: Method, path: &str, by: &User, body: Option<&Value>) -> Value {
    let reply = send(method, path, by, body).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text);
    reply.json()
}

async fn delete_user(project: &Project) {
    let user = world().await.end_user(project).await;
    let path = format!("/p/{}/auth/v1/admin/users/{}", project.reference, user.id);
    let call = world().await.delete(&path).key(&project.secret);
    call.send().await.expect(StatusCode::OK);
}

/// One thing of each kind but the project, each in the trash.
async fn littered() -> (Project, User) {
    let project = world().await.project("schema").await;
    let api = format!("/api/projects/{}", project.id);
    let member = world().await.user().await;
    for role in ["viewer", "owner"] {
        let user = world().await.user().await;
        let new = json!({ "userId": user.id, "role": role });
        good(Method::POST, &format!("{api}/members"), &project.owner, Some(&new)).await;
        let path = format!("{api}/members/{}", user.id);
        good(Method::DELETE, &path, &project.owner, None).await;
    }
    let key = json!({ "class": "secret", "name": "k" });
    let key = good(Method::POST, &format!("{api}/keys"), &project.owner, Some(&key)).await;
    let path = format!("{api}/keys/{}", text(&key, "id"));
    good(Method::DELETE, &path, &project.owner, None).await;
    let column = json!({ "name": "title", "type": "text" });
    let design = json!({ "schemaJson": { "name": unique(), "columns": [column] } });
    let table = good(
        Method::POST,
        &project.database("tables/create"),
        &project.owner,
        Some(&design),
    )
    .await;
    let path = project.database(&format!("tables/{}", text(&table["table"], "id")));
    good(Method::DELETE, &path, &project.owner, None).await;
    delete_user(&project).await;
    delete_user(&project).await;
    (project, member)
}

#[test]
fn each_role_sees_what_it_may_bring_back() {
    run(async {
        let (project, user) = littered().await;
        let api = format!("/api/projects/{}", project.id);
        let query = format!("projectId={}", project.id);
        for (role, expected) in [
            ("viewer", vec![]),
            ("developer", vec!["table"]),
            ("admin", vec!["end-user", "end-user", "table", "key", "member"]),
            (
                "owner",
                vec!["end-user", "end-user", "table", "key", "member", "member"],
            ),
        ] {
            let new = json!({ "userId": user.id, "role": role });
            let added = send(Method::POST, &format!("{api}/members"), &project.owner, Some(&new)).await;
            if added.status == StatusCode::CONFLICT {
                let path = format!("{api}/members/{}", user.id);
                good(Method::PATCH, &path, &project.owner, Some(&json!({ "role": role }))).await;
            }
            assert_eq!(kinds(&trash(&user, &query).await), expected, "{role}");
        }
        let stranger = world().await.user().await;
        let reply = send(Method::GET, &format!("/api/trash?{query}"), &stranger, None).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "projects/not-found");
        assert_eq!(trash(&stranger, "").await["items"], json!([]));
    });
}

#[test]
fn pages_hold_everything_once_in_one_order() {
    run(async {
        let (project, _) = littered().await;
        // Things of one moment are told apart too.
        let sql = "
            with m as (update plinth.members set deleted_at = '2026-01-01Z' where project_id = $1 and deleted_at is not null)
            update plinth.keys set revoked_at = '2026-01-01Z' where project_id = $1 and revoked_at is not null";
        let id: Uuid = project.id.parse().unwrap();
        master()
            .await
            .execute(&sql.replace("2026-01-01Z", "2099-01-01Z"), &[&id])
            .await
            .unwrap();
        let query = format!("projectId={}", project.id);
        let whole = trash(&project.owner, &query).await;
        assert_eq!(
            kinds(&whole),
            ["member", "member", "key", "end-user", "end-user", "table"]
        );
        assert_eq!(whole["nextCursor"], Value::Null);
        for limit in 1..=6 {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = trash(&project.owner, &format!("{query}&limit={limit}{cursor}")).await;
                found.extend(page["items"].as_array().unwrap().clone());
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(json!(found), whole["items"], "{limit}");
        }
    });
}

#[test]
fn without_a_project_end_users_are_left_out_and_named_so() {
    run(async {
        let (project, _) = littered().await;
        let list = trash(&project.owner, "").await;
        assert_eq!(kinds(&list), ["table", "key", "member", "member"]);
        assert_eq!(list["missing"][0]["kind"], "end-user");
        assert_eq!(list["missing"][0]["code"], "trash/needs-project");
        let keys = trash(&project.owner, "kind=key").await;
        assert_eq!((kinds(&keys), &keys["missing"]), (vec!["key".to_owned()], &json!([])));
        let reply = send(Method::GET, "/api/trash?kind=row", &project.owner, None).await;
        assert_eq!(reply.code(StatusCode::BAD_REQUEST), "trash/kind");
        let reply = send(Method::GET, "/api/trash?cursor=x", &project.owner, None).await;
        assert_eq!(reply.code(StatusCode::BAD_REQUEST), "http/cursor");
    });
}

#[test]
fn a_cell_that_is_away_hides_its_end_users_and_nothing_else() {
    run(async {
        let project = Bare::new().await;
        let viewer = project.member("viewer").await;
        let path = project.path(&format!("/members/{}", viewer.id));
        good(Method::DELETE, &path, &project.owner, None).await;
        strand(&project, 9101).await;
        let query = format!("projectId={}", project.id);
        let list = trash(&project.owner, &query).await;
        assert_eq!(kinds(&list), ["member"]);
        assert_eq!(list["missing"][0]["code"], "trash/unreachable");
        rescue(9101).await;
    });
}

#[test]
fn what_is_in_a_deleted_project_comes_back_with_it() {
    run(async {
        let (project, _) = littered().await;
        let api = format!("/api/projects/{}", project.id);
        let query = format!("projectId={}", project.id);
        let before = kinds(&trash(&project.owner, &query).await);
        good(Method::DELETE, &api, &project.owner, None).await;
        assert_eq!(kinds(&trash(&project.owner, &query).await), ["project"]);
        good(Method::POST, &format!("{api}/restore"), &project.owner, None).await;
        assert_eq!(kinds(&trash(&project.owner, &query).await), before);
    });
}

#[test]
fn a_key_that_was_replaced_or_has_expired_does_not_come_back() {
    run(async {
        let project = Bare::new().await;
        let made = async || {
            let new = json!({ "class": "secret", "name": "k" });
            let made = send(Method::POST, &project.path("/keys"), &project.owner, Some(&new)).await;
            text(&made.expect(StatusCode::CREATED), "id")
        };
        let restore = async |key: &str| {
            let path = project.path(&format!("/keys/{key}/restore"));
            send(Method::POST, &path, &project.owner, None).await
        };
        let (rotated, expired, plain) = (made().await, made().await, made().await);
        let path = project.path(&format!("/keys/{rotated}/rotate"));
        good(Method::POST, &path, &project.owner, Some(&json!({}))).await;
        for key in [&rotated, &expired, &plain] {
            good(
                Method::DELETE,
                &project.path(&format!("/keys/{key}")),
                &project.owner,
                None,
            )
            .await;
        }
        let id: Uuid = expired.parse().unwrap();
        let sql = "update plinth.keys set expires_at = now() where id = $1";
        master().await.execute(sql, &[&id]).await.unwrap();
        assert_eq!(restore(&rotated).await.code(StatusCode::CONFLICT), "keys/rotated");
        assert_eq!(restore(&expired).await.code(StatusCode::CONFLICT), "keys/over");
        let list = trash(&project.owner, &format!("projectId={}", project.id)).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["id"], json!(plain));
        // The places are taken by others meanwhile.
        for _ in 0..49 {
            made().await;
        }
        assert_eq!(restore(&plain).await.code(StatusCode::FORBIDDEN), "keys/quota");
    });
}

#[test]
fn a_restored_key_opens_the_same_doors_at_once() {
    run(async {
        let project = world().await.project("schema").await;
        let used = async |key: &str| {
            let call = world().await.get(&project.rest("app_data?select=id")).key(key);
            call.send().await.status.as_u16()
        };
        let api = format!("/api/projects/{}/keys", project.id);
        let new = json!({ "class": "secret", "name": "k" });
        let made = good(Method::POST, &api, &project.owner, Some(&new)).await;
        let (id, key) = (text(&made, "id"), text(&made, "key"));
        assert_eq!(used(&key).await, 200);
        good(Method::DELETE, &format!("{api}/{id}"), &project.owner, None).await;
        assert_eq!(used(&key).await, 401);
        let restored = good(Method::POST, &format!("{api}/{id}/restore"), &project.owner, None).await;
        assert_eq!(
            (&restored["revokedAt"], &restored["propagation"]),
            (&Value::Null, &json!("done"))
        );
        assert_eq!(used(&key).await, 200);
    });
}

#[test]
fn a_removed_owner_is_brought_back_by_an_owner_alone() {
    run(async {
        let project = Bare::new().await;
        let (admin, gone) = (project.member("admin").await, project.member("owner").await);
        let path = project.path(&format!("/members/{}", gone.id));
        good(Method::DELETE, &path, &project.owner, None).await;
        let restore = format!("{path}/restore");
        let refused = send(Method::POST, &restore, &admin, None).await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "members/owner-only");
        let back = good(Method::POST, &restore, &project.owner, None).await;
        assert_eq!(back["member"]["role"], "owner");
        good(Method::GET, &project.path("/keys"), &gone, None).await;
    });
}

#[test]
fn a_restored_backend_has_its_data_and_none_takes_anothers_place() {
    run(async {
        for isolation in ["schema", "database"] {
            let project = world().await.project(isolation).await;
            let row = json!({ "data_type": "kept" });
            let call = world().await.post(&project.rest("app_data")).key(&project.secret);
            call.json(&row).send().await.expect(StatusCode::CREATED);
            let api = format!("/api/projects/{}/backend", project.id);
            good(Method::DELETE, &format!("{api}/provision"), &project.owner, None).await;
            let read = async || {
                let call = world().await.get(&project.rest("app_data?select=data_type"));
                call.key(&project.secret).send().await
            };
            assert_eq!(read().await.status, StatusCode::NOT_FOUND);
            // Another one's id is not this project's.
            let other = format!("{api}/restore?databaseId={}", Uuid::from_u128(7));
            let reply = send(Method::POST, &other, &project.owner, None).await;
            assert_eq!(reply.code(StatusCode::NOT_FOUND), "backend/not-provisioned");
            let back = good(Method::POST, &format!("{api}/restore"), &project.owner, None).await;
            assert_eq!(back["propagation"], "done");
            assert_eq!(read().await.expect(StatusCode::OK), json!([row]));
        }
        let never = Bare::new().await;
        let reply = send(Method::POST, &never.path("/backend/restore"), &never.owner, None).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "backend/not-provisioned");
    });
}
