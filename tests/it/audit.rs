//! The audit log: a row for every change, a chain that verifies, and nobody who can rewrite it.

use http::{Method, StatusCode};
use plinth_local::platform::Function;
use serde_json::{Value, json};

use crate::projects::{Bare, master, send};
use crate::world::{run, text, unique, world};

/// Every mutating route with a request that succeeds, and the one audit row it writes.
#[test]
fn every_mutating_route_writes_its_audit_row() {
    run(async {
        let rows: Vec<(&str, &str, Value, &str)> = vec![
            (
                "post",
                "/api/projects",
                json!({ "name": "{unique}" }),
                "projects.create",
            ),
            (
                "patch",
                "/api/projects/{id}",
                json!({ "name": "{unique}" }),
                "projects.update",
            ),
            (
                "put",
                "/api/projects/{id}",
                json!({ "name": "{unique}" }),
                "projects.update",
            ),
            (
                "post",
                "/api/projects/{id}/members",
                json!({ "userId": "{stranger}", "role": "viewer" }),
                "members.add",
            ),
            (
                "patch",
                "/api/projects/{id}/members/{userId}",
                json!({ "role": "admin" }),
                "members.change",
            ),
            (
                "delete",
                "/api/projects/{id}/members/{userId}",
                Value::Null,
                "members.remove",
            ),
            (
                "post",
                "/api/projects/{id}/keys",
                json!({ "class": "secret", "name": "k" }),
                "keys.create",
            ),
            (
                "post",
                "/api/projects/{id}/keys/{keyId}/rotate",
                json!({}),
                "keys.rotate",
            ),
            ("delete", "/api/projects/{id}/keys/{keyId}", Value::Null, "keys.revoke"),
            (
                "post",
                "/api/projects/{id}/members/{userId}/restore",
                Value::Null,
                "members.restore",
            ),
            (
                "post",
                "/api/projects/{id}/keys/{keyId}/restore",
                Value::Null,
                "keys.restore",
            ),
            ("delete", "/api/projects/{id}", Value::Null, "projects.delete"),
            ("post", "/api/projects/{id}/restore", Value::Null, "projects.restore"),
        ];
        let mut routes: Vec<(String, String)> = Vec::new();
        let declared = serde_json::to_value(::projects::routes().into_openapi()).unwrap();
        for (path, methods) in declared["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                if ["post", "put", "patch", "delete"].contains(&method.as_str()) {
                    routes.push((method.clone(), path.clone()));
                }
            }
        }
        for (method, path) in &routes {
            let listed = rows.iter().any(|row| row.0 == method && row.1 == path);
            assert!(listed, "{method} {path} changes something and has no row here");
        }
        assert_eq!(routes.len(), rows.len());

        for (method, path, body, action) in rows {
            let project = Bare::new().await;
            let member = project.member("viewer").await;
            let stranger = world().await.user().await;
            let key = json!({ "class": "publishable", "name": "k" });
            let key = send(Method::POST, &project.path("/keys"), &project.owner, Some(&key)).await;
            let path = path
                .replace("{id}", &project.id)
                .replace("{userId}", &member.id)
                .replace("{keyId}", &text(&key.json(), "id"));
            if let Some(deleted) = path.strip_suffix("/restore") {
                let gone = send(Method::DELETE, deleted, &project.owner, None).await;
                assert!(gone.status.is_success(), "{deleted}: {}", gone.text);
            }
            let before = project.audited().await;
            let body = body
                .to_string()
                .replace("{unique}", &unique())
                .replace("{stranger}", &stranger.id);
            let body: Value = serde_json::from_str(&body).unwrap();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = send(method.clone(), &path, &project.owner, Some(&body)).await;
            assert!(reply.status.is_success(), "{method} {path}: {}", reply.text);
            if action == "projects.create" {
                let made = Bare {
                    id: text(&reply.json()["project"], "id"),
                    owner: stranger,
                };
                assert_eq!(made.audited().await, [action]);
            } else {
                let after = project.audited().await;
                assert_eq!(after[before.len()..], [action], "{method} {path}");
            }
        }
    });
}

#[test]
fn the_audit_log_pages_newest_first_and_names_who_and_what() {
    run(async {
        let project = Bare::new().await;
        let admin = project.member("admin").await;
        let named = json!({ "name": unique() });
        send(Method::PATCH, &project.path(""), &admin, Some(&named))
            .await
            .expect(StatusCode::OK);
        let first = send(Method::GET, &project.path("/audit?limit=2"), &admin, None)
            .await
            .expect(StatusCode::OK);
        let entries = first["entries"].as_array().unwrap();
        assert_eq!(entries[0]["action"], "projects.update");
        assert_eq!(entries[0]["actor"], json!(format!("user:{}", admin.id)));
        assert_eq!(entries[0]["details"], json!({ "changed": ["name"] }));
        assert!(!text(&entries[0], "requestId").is_empty());
        assert_eq!(entries[1]["target"], json!(admin.id));
        let rest = format!("/audit?limit=2&cursor={}", text(&first, "nextCursor"));
        let last = send(Method::GET, &project.path(&rest), &admin, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(last["entries"][0]["action"], "projects.create");
        assert_eq!(
            (last["entries"].as_array().unwrap().len(), &last["nextCursor"]),
            (1, &Value::Null)
        );
        assert!(!first.to_string().contains(&admin.email), "no personal data in the log");
    });
}

#[test]
fn the_audit_chain_verifies_and_notices_a_change() {
    run(async {
        let project = Bare::new().await;
        for role in ["admin", "developer", "viewer"] {
            project.member(role).await;
        }
        let client = master().await;
        let broken = "
            with chain as (
              select l.*, lag(l.hash, 1, '') over (order by l.sequence) as expected_previous,
                lag(l.sequence, 1, 0::bigint) over (order by l.sequence) as expected_sequence
              from plinth.audit_log l where l.project_id = $1
            )
            select count(*) from chain c left join plinth.audit_subjects s on s.audit_id = c.id
            where c.previous <> c.expected_previous or c.sequence <> c.expected_sequence + 1
              or c.hash <> plinth.audit_hash(c.previous, c.id, c.project_id, c.sequence, c.at, c.action, c.target,
                c.details, c.request_id, c.subject_digest)
              or s.audit_id is not null and c.subject_digest <>
                sha256(s.salt || convert_to(jsonb_build_array(s.actor, s.address)::text, 'UTF8'))";
        let count = async || -> i64 { client.query_one(broken, &[&project.uuid()]).await.unwrap().get(0) };
        assert_eq!(count().await, 0);
        // Forgetting a person leaves the chain whole.
        let forget = "delete from plinth.audit_subjects where audit_id in (select id from plinth.audit_log where project_id = $1)";
        client.execute(forget, &[&project.uuid()]).await.unwrap();
        assert_eq!(count().await, 0);
        let forge = "update plinth.audit_log set action = 'members.remove' where project_id = $1 and sequence = 2";
        client.execute(forge, &[&project.uuid()]).await.unwrap();
        assert_eq!(count().await, 1);
    });
}

#[test]
fn no_login_can_change_the_audit_log() {
    run(async {
        Bare::new().await;
        let world = world().await;
        for function in [Function::Projects, Function::Records, Function::Auth, Function::Purge] {
            let app = world.app(function);
            let client = app.control.get().await.unwrap();
            for sql in [
                "update plinth.audit_log set action = 'x'",
                "delete from plinth.audit_log",
                "truncate plinth.audit_log cascade",
                "insert into plinth.audit_log select * from plinth.audit_log",
                "update plinth.audit_subjects set actor = 'x'",
                "delete from plinth.audit_subjects",
            ] {
                let refused = client.batch_execute(sql).await.unwrap_err();
                let state = refused.code().map(|state| state.code().to_owned());
                assert_eq!(state.as_deref(), Some("42501"), "{function:?} {sql}: {refused}");
            }
        }
    });
}
