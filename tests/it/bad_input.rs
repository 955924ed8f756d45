//! What people and attackers send: always a 4xx with a code and a hint or details, never a change.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Project, World, run, world};

/// Every error body has the four keys and a code.
#[track_caller]
fn assert_client_error(reply: &crate::world::Reply, what: &str) {
    assert!(
        reply.status.is_client_error(),
        "{what}: {} {}",
        reply.status,
        reply.text
    );
    let body = reply.json();
    for key in ["code", "message", "details", "hint"] {
        assert!(body.get(key).is_some(), "{what}: no {key} in {body}");
    }
    assert!(
        body["code"].as_str().is_some_and(|code| !code.is_empty()),
        "{what}: {body}"
    );
    // The dialect's own errors say as much as PostgREST's do; ours also say what to do.
    let ours = body["code"].as_str().is_some_and(|code| code.contains('/'));
    assert!(
        !ours || body["hint"].is_string() || body["details"].is_string(),
        "{what}: neither hint nor details in {body}"
    );
}

async fn count(world: &World, project: &Project) -> Value {
    let path = project.rest("app_data?select=id,data_type");
    world
        .get(&path)
        .key(&project.secret)
        .send()
        .await
        .expect(StatusCode::OK)
}

#[test]
fn malformed_requests_to_records_are_refused_and_change_nothing() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let row = json!({ "data_type": "kept" });
        world
            .post(&project.rest("app_data"))
            .key(&project.secret)
            .json(&row)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let before = count(world, &project).await;
        // A URI has at most 65,534 bytes before the server refuses it; a body may hold a name of a megabyte.
        let long = "x".repeat(60_000);
        let longest = format!("{{\"{}\":1}}", "x".repeat(1 << 20));
        let call = world.post(&project.rest("app_data")).key(&project.secret);
        assert_client_error(
            &call.body(longest, "application/json").send().await,
            "a name of a megabyte",
        );
        let names = [
            "a\"b",
            "a;drop table app_data",
            "a'b",
            "tableoid",
            "ctid",
            "to_jsonb",
            "a%00b",
            "a.b.c.d",
            "(select 1)",
            "ä",
        ];
        for name in names {
            let name = form_urlencode(name);
            for path in [
                format!("app_data?{name}=eq.1"),
                format!("app_data?select={name}"),
                format!("app_data?order={name}"),
                format!("app_data?select=id::{name}"),
                format!("{name}?select=id"),
            ] {
                let reply = world.get(&project.rest(&path)).key(&project.secret).send().await;
                assert_client_error(&reply, &path);
            }
            let reply = world
                .delete(&project.rest(&format!("app_data?{name}=eq.1")))
                .key(&project.secret)
                .send()
                .await;
            assert_client_error(&reply, name.as_str());
        }
        for query in [
            "data_type=foo",
            "data_type=eq",
            "data_type=nope.1",
            "and=(",
            "or=(data_type.eq.1",
            "limit=x",
            "limit=-1",
            "offset=x",
            "select=(",
            "select=id,",
            "order=id.sideways",
            "data_type=in.1",
            "id=eq.not-a-uuid",
            "data_type=is.maybe",
            "data_type=eq.a%00b",
            "data_type=eq.%FF",
            "%FF=eq.1",
            "data-%3Ea-%3E=eq.1",
        ] {
            let reply = world
                .get(&project.rest(&format!("app_data?{query}")))
                .key(&project.secret)
                .send()
                .await;
            assert_client_error(&reply, query);
        }
        for (body, kind) in [
            ("{", "application/json"),
            ("[1]", "application/json"),
            ("\"x\"", "application/json"),
            ("", "application/json"),
            ("{\"data_type\":\"a\\u0000b\"}", "application/json"),
            ("{\"nothing\":1}", "application/json"),
            ("[{\"data_type\":\"a\"},{\"id\":null}]", "application/json"),
            ("{\"data_type\":null}", "application/json"),
            ("{\"user_id\":\"not-a-uuid\",\"data_type\":\"x\"}", "application/json"),
            ("\u{1}", "application/octet-stream"),
        ] {
            let call = world.post(&project.rest("app_data")).key(&project.secret);
            assert_client_error(&call.body(body, kind).send().await, body);
        }
        let bytes = world.post(&project.rest("app_data")).key(&project.secret);
        assert_client_error(
            &bytes
                .body(b"{\"data_type\":\"\xff\"}".to_vec(), "application/json")
                .send()
                .await,
            "bad UTF-8",
        );
        for path in [
            format!("app_data?{long}=eq.1"),
            format!("app_data?select={long}"),
            long.clone(),
        ] {
            let reply = world.get(&project.rest(&path)).key(&project.secret).send().await;
            assert_client_error(&reply, "a name of 60 kB");
        }
        for path in ["%FF", "a/b", "app_data/x", "%00"] {
            let reply = world.get(&project.rest(path)).key(&project.secret).send().await;
            assert_client_error(&reply, path);
        }
        assert_eq!(count(world, &project).await, before);
    });
}

#[test]
fn malformed_bodies_to_the_control_plane_are_refused() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let provision = format!("/api/projects/{}/backend/provision", project.id);
        let create = project.database("tables/create");
        let keys = format!("/api/projects/{}/keys", project.id);
        let members = format!("/api/projects/{}/members", project.id);
        let query = project.database("records/query");
        let nul = json!({ "name": "a\u{0}b" }).to_string();
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for path in ["/api/projects", &provision, &create, &keys, &members, &query] {
            for body in ["{", "null", "[]", "\"x\"", "", "{\"name\":", "\u{feff}{}", &nul, &deep] {
                let call = world.post(path).bearer(&project.owner.token);
                assert_client_error(
                    &call.body(body, "application/json").send().await,
                    &format!("{path} {body}"),
                );
            }
            let call = world.post(path).bearer(&project.owner.token);
            assert_client_error(
                &call.body("x=1", "application/x-www-form-urlencoded").send().await,
                path,
            );
            let call = world.post(path).bearer(&project.owner.token);
            let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(7 << 20));
            assert_client_error(
                &call.body(huge, "application/json").send().await,
                &format!("{path} seven megabytes"),
            );
            let call = world.post(path).bearer(&project.owner.token);
            let bytes = call
                .body(b"{\"name\":\"\xff\"}".to_vec(), "application/json")
                .send()
                .await;
            assert_client_error(&bytes, &format!("{path} bad UTF-8"));
        }
        for id in [
            "x",
            "%00",
            "%FF",
            "00000000-0000-0000-0000-000000000000",
            "' or 1=1 --",
            "..",
            "%2e%2e",
        ] {
            let id = id.replace(' ', "%20").replace('\'', "%27");
            for (method, path) in [
                (Method::GET, format!("/api/projects/{id}")),
                (Method::DELETE, format!("/api/projects/{id}")),
                (Method::GET, format!("/api/projects/{id}/backend/provision")),
                (Method::GET, format!("/api/database/{id}/tables")),
                (Method::GET, format!("/api/projects/{}/keys/{id}", project.id)),
            ] {
                let reply = world.call(method, &path).bearer(&project.owner.token).send().await;
                assert_client_error(&reply, &path);
            }
        }
    });
}

fn form_urlencode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'(' | b')' => char::from(byte).to_string(),
            b'%' => "%".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
