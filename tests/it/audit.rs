//! The audit log: a row for every change, a chain that verifies, and nobody who can rewrite it.

use http::{Method, StatusCode};
use jiff::Timestamp;
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
            ("post", "/api/jobs/{id}/cancel", Value::Null, "jobs.cancel"),
            ("post", "/api/jobs/{id}/retry", Value::Null, "jobs.retry"),
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
            let named = crate::jobs::named(action, &project).await;
            let path = path
                .replace("{id}", &named)
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
fn the_audit_log_is_filtered_by_all_it_shows() {
    run(async {
        let project = Bare::new().await;
        let admin = project.member("admin").await;
        for name in ["one", "two"] {
            let key = json!({ "class": "secret", "name": name });
            send(Method::POST, &project.path("/keys"), &admin, Some(&key))
                .await
                .expect(StatusCode::CREATED);
        }
        let all = get(&project, "").await;
        let newest = &all["entries"][0];
        let (target, request) = (text(newest, "target"), text(newest, "requestId"));
        let (at, first_at) = (text(newest, "at"), text(&all["entries"][3], "at"));
        let address = "203.0.113.9";
        let sql = "update plinth.audit_subjects s set address = $2 from plinth.audit_log l
            where l.id = s.audit_id and l.project_id = $1 and l.sequence = 2";
        master().await.execute(sql, &[&project.uuid(), &address]).await.unwrap();
        for (query, expected) in [
            ("action=keys.create".to_owned(), vec![4, 3]),
            ("action=keys.*".to_owned(), vec![4, 3]),
            ("action=key*".to_owned(), vec![4, 3]),
            ("action=keys".to_owned(), vec![]),
            ("action=*".to_owned(), vec![4, 3, 2, 1]),
            (format!("actor={}", admin.id), vec![4, 3]),
            (format!("actor=user:{}", project.owner.id), vec![2, 1]),
            (format!("target={target}"), vec![4]),
            (format!("requestId={request}"), vec![4]),
            (format!("address={address}"), vec![2]),
            (format!("since={at}"), vec![4]),
            (format!("until={first_at}"), vec![]),
            (format!("since={first_at}&until={at}&action=members.*"), vec![2]),
        ] {
            let found = get(&project, &format!("?{query}")).await;
            let sequences: Vec<_> = found["entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["sequence"].as_i64().unwrap())
                .collect();
            assert_eq!(sequences, expected, "{query}");
        }
        let page = get(&project, "?action=keys.*&limit=1").await;
        let next = get(
            &project,
            &format!("?action=keys.*&limit=1&cursor={}", text(&page, "nextCursor")),
        )
        .await;
        assert_eq!(
            (&next["entries"][0]["sequence"], &next["nextCursor"]),
            (&json!(3), &Value::Null)
        );
        for query in ["since=yesterday", "limit=0", "cursor=x", "limit=many"] {
            let refused = send(
                Method::GET,
                &project.path(&format!("/audit?{query}")),
                &project.owner,
                None,
            )
            .await;
            refused.expect(StatusCode::BAD_REQUEST);
        }
    });
}

async fn get(project: &Bare, rest: &str) -> Value {
    let path = project.path(&format!("/audit{rest}"));
    send(Method::GET, &path, &project.owner, None)
        .await
        .expect(StatusCode::OK)
}

#[test]
fn the_chain_verifies_after_forgetting_and_names_what_was_changed() {
    run(async {
        let forget = "delete from plinth.audit_subjects where audit_id = (select id from entry)";
        let no_address = "update plinth.audit_subjects set address = null, address_salt = null
            where audit_id = (select id from entry)";
        let cases = [
            ("select 1", None),
            (forget, None),
            (no_address, None),
            ("update plinth.audit_log set action = 'members.remove' where id = (select id from entry)", Some((2, "content"))),
            ("update plinth.audit_log set details = '{}' where id = (select id from entry)", Some((2, "content"))),
            ("update plinth.audit_log set at = at + interval '1 s' where id = (select id from entry)", Some((2, "content"))),
            ("update plinth.audit_subjects set actor = 'user:x' where audit_id = (select id from entry)", Some((2, "actor"))),
            ("update plinth.audit_subjects set address_salt = '0' where audit_id = (select id from entry)", Some((2, "address"))),
            ("update plinth.audit_log set hash = sha256('') where id = (select id from entry)", Some((2, "content"))),
            // Who changes an entry and hashes it anew has the next one against them.
            ("update plinth.audit_log l set action = 'x', hash = plinth.audit_hash(previous, actor_digest, address_digest,
                plinth.audit_text(id, project_id, sequence, at, 'x', target, details, request_id))
              where id = (select id from entry)", Some((3, "link"))),
            ("delete from plinth.audit_subjects where audit_id = (select id from entry);
              delete from plinth.audit_log where id = (select id from entry)", Some((3, "gap"))),
        ];
        for (sql, fault) in cases {
            let project = Bare::new().await;
            for role in ["admin", "developer", "viewer"] {
                project.member(role).await;
            }
            let entry = format!(
                "(select id from plinth.audit_log where project_id = '{}' and sequence = 2)",
                project.id
            );
            let sql = sql.replace("(select id from entry)", &entry);
            let client = master().await;
            client.batch_execute(&sql).await.unwrap();
            let verified = get(&project, "/verify").await;
            assert_eq!(verified["valid"], json!(fault.is_none()), "{sql}: {verified}");
            let expected = fault.map(|(sequence, reason)| json!({ "sequence": sequence, "reason": reason }));
            assert_eq!(verified["fault"], json!(expected), "{sql}");
            assert_eq!(verified["complete"], true);
            if sql.contains("delete") && fault.is_none() {
                assert_eq!(verified["erased"], 1);
            }
            if sql.contains("address_salt = null") {
                assert_eq!(verified["addressesForgotten"], 1);
            }
        }
    });
}

#[test]
fn an_entry_noted_elsewhere_shows_that_the_end_was_cut_off() {
    run(async {
        let project = Bare::new().await;
        project.member("viewer").await;
        let head = get(&project, "/verify").await["head"].clone();
        assert_eq!(head["sequence"], 2);
        let noted = format!("/verify?sequence=2&hash={}", text(&head, "hash"));
        assert_eq!(get(&project, &noted).await["valid"], true);
        let entry = format!(
            "(select id from plinth.audit_log where project_id = '{}' and sequence = 2)",
            project.id
        );
        let cut = format!(
            "delete from plinth.audit_subjects where audit_id = {entry}; delete from plinth.audit_log where id = {entry}"
        );
        master().await.batch_execute(&cut).await.unwrap();
        assert_eq!(get(&project, "/verify").await["valid"], true, "what is left is whole");
        let verified = get(&project, &noted).await;
        assert_eq!(
            (&verified["valid"], &verified["fault"]),
            (&json!(false), &json!({ "sequence": 2, "reason": "anchor" }))
        );
        for query in [
            "sequence=2",
            "hash=ab",
            "sequence=2&hash=ab",
            "sequence=x&hash=ab",
            "cursor=ab",
        ] {
            let path = project.path(&format!("/audit/verify?{query}"));
            send(Method::GET, &path, &project.owner, None)
                .await
                .expect(StatusCode::BAD_REQUEST);
        }
    });
}

/// What somebody does with an export who has nothing else: every digest and hash is computed anew.
#[test]
fn an_export_verifies_without_the_database_and_is_an_entry_itself() {
    run(async {
        let project = Bare::new().await;
        project.member("viewer").await;
        let reply = send(Method::GET, &project.path("/audit/export"), &project.owner, None).await;
        assert_eq!(reply.status, StatusCode::OK);
        let lines: Vec<Value> = reply
            .text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let actions: Vec<_> = lines.iter().map(|line| text(line, "action")).collect();
        assert_eq!(actions, ["projects.create", "members.add", "audit.export"]);
        let bytes = |line: &Value, name: &str| -> Vec<u8> {
            let hex = text(line, name);
            (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect()
        };
        let mut previous = Vec::new();
        for line in &lines {
            for (salt, value, digest) in [
                ("actorSalt", "actor", "actorDigest"),
                ("addressSalt", "address", "addressDigest"),
            ] {
                if line[salt].is_null() {
                    continue;
                }
                let value = line[value].as_str().unwrap_or_default().as_bytes();
                assert_eq!(sha256(&[&bytes(line, salt), value]), bytes(line, digest));
            }
            assert_eq!(bytes(line, "previous"), previous);
            let hashed = text(line, "hashed");
            let parts: [&[u8]; 4] = [
                &previous,
                &bytes(line, "actorDigest"),
                &bytes(line, "addressDigest"),
                hashed.as_bytes(),
            ];
            assert_eq!(sha256(&parts), bytes(line, "hash"));
            let told: Value = serde_json::from_str(&hashed).unwrap();
            assert_eq!(
                (&told[2], &told[4], &told[6]),
                (&line["sequence"], &line["action"], &line["details"])
            );
            previous = bytes(line, "hash");
        }
        let file = send(
            Method::GET,
            &project.path("/audit/export?format=csv&action=members.*"),
            &project.owner,
            None,
        )
        .await;
        assert_eq!(file.text.lines().count(), 2, "{}", file.text);
        assert_eq!(
            get(&project, "?limit=1").await["entries"][0]["details"],
            json!({ "filtered": ["action"] })
        );
        let refused = send(
            Method::GET,
            &project.path("/audit/export?format=xml"),
            &project.owner,
            None,
        )
        .await;
        assert_eq!(refused.expect(StatusCode::BAD_REQUEST)["code"], "audit/format");
    });
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().to_vec()
}

#[test]
fn addresses_are_forgotten_after_their_term_and_not_before() {
    run(async {
        let project = Bare::new().await;
        project.member("viewer").await;
        let client = master().await;
        // So long ago that nobody else's entries are as old.
        let first: Timestamp = "2001-01-01T00:00:00Z".parse().unwrap();
        let sql = "update plinth.audit_log set at = '2001-01-01' where project_id = $1";
        client.execute(sql, &[&project.uuid()]).await.unwrap();
        let kept = async || -> Vec<i64> {
            let sql = "select l.sequence from plinth.audit_log l join plinth.audit_subjects s on s.audit_id = l.id
                where l.project_id = $1 and s.address_salt is not null order by 1";
            client
                .query(sql, &[&project.uuid()])
                .await
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect()
        };
        let app = world().await.app(Function::Purge);
        let day = 24 * 60 * 60;
        let forget = async |seconds: i64| {
            let now = first.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
            while plinth::audit::forget_addresses(&app, now, 1_000).await.unwrap() == 1_000 {}
        };
        forget(90 * day).await;
        assert_eq!(kept().await, [1, 2], "90 days old is not older than 90 days");
        let sql = "update plinth.audit_log set at = at + interval '1 day' where project_id = $1 and sequence = 2";
        client.execute(sql, &[&project.uuid()]).await.unwrap();
        forget(90 * day + 1).await;
        assert_eq!(kept().await, [2]);
        let shown = get(&project, "").await;
        assert_eq!(
            shown["entries"][1]["actor"],
            json!(format!("user:{}", project.owner.id)),
            "who stays"
        );
    });
}

#[test]
fn the_platforms_log_is_for_its_admins() {
    run(async {
        let project = Bare::new().await;
        let operator = world().await.operator().await;
        let path = format!("/api/audit?projectId={}", project.id);
        let of_project = send(Method::GET, &path, &operator, None).await.expect(StatusCode::OK);
        assert_eq!(of_project["entries"][0]["action"], "projects.create");
        send(Method::GET, "/api/audit/export?action=audit.export", &operator, None).await;
        let own = send(Method::GET, "/api/audit?limit=1&action=audit.export", &operator, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(own["entries"][0]["actor"], json!(format!("user:{}", operator.id)));
        let verified = send(Method::GET, "/api/audit/verify", &operator, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(
            (&verified["valid"], &verified["complete"]),
            (&json!(true), &json!(true)),
            "{verified}"
        );
        let refused = send(Method::GET, "/api/audit", &project.owner, None).await;
        assert_eq!(refused.expect(StatusCode::FORBIDDEN)["code"], "platform/role");
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
                "insert into plinth.audit_log (id, sequence, at, action, actor_digest, address_digest, previous, hash)
                  select id, sequence, at, action, actor_digest, address_digest, previous, hash from plinth.audit_log",
                "update plinth.audit_subjects set address = null",
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
