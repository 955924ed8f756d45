//! Giving a project a user's database: what is tried, kept, shown and changed.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Own, PASSWORD, SECRET, bare, body, database, token, url, world};
use crate::handmade::superuser;
use crate::world::{self, NOWHERE, run, text};

#[test]
fn a_backend_is_shown_without_its_secrets_and_kept_sealed() {
    run(async {
        let world = world().await;
        let settings =
            json!({ "appSettings": { "app.settings.key": "planted-app-setting" }, "roleClaim": ".app.role" });
        let own = Own::with(settings).await;
        let show = || world.get(&own.provision()).bearer(&own.owner.token);
        let reply = show().send().await;
        let shown = reply.expect(StatusCode::OK);
        let info = &shown["connectionInfo"];
        assert_eq!(
            (text(&shown, "backendType"), text(info, "host")),
            ("external".into(), "127.0.0.1".into())
        );
        assert_eq!(info["databaseId"], own.backend.as_str());
        assert_eq!(
            (&info["requireApiKey"], &info["rest"]["hasJwtSecret"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(info["rest"]["roleClaim"], ".app.role");
        assert_eq!(info["rest"]["appSettings"], json!(["app.settings.key"]));
        assert_eq!(info["rest"]["schemas"], json!(["api"]));
        assert!(!reply.text.contains("planted"), "{}", reply.text);
        own.facts().await.send().await.expect(StatusCode::OK);

        let project = world
            .get(&format!("/api/projects/{}", own.id))
            .bearer(&own.owner.token)
            .send()
            .await;
        assert_eq!(project.status, StatusCode::OK);
        assert!(!project.text.contains("planted"));

        let control = superuser("plinth").await;
        for table in ["secrets", "connections", "backends", "audit_log", "outbox"] {
            let rows = control
                .simple_query(&format!("select t::text from plinth.{table} t"))
                .await
                .unwrap();
            assert!(!format!("{rows:?}").contains("planted"), "{table}");
        }
        for secret in [PASSWORD, SECRET, "planted-app-setting"] {
            assert!(!crate::logs::logged().contains(secret), "{secret}");
        }
    });
}

#[test]
fn what_is_in_the_database_is_told() {
    run(async {
        let world = world().await;
        super::sql(
            "create schema shop; create table shop.customers (id int primary key, name text);
             create table shop.orders (id int, line int, customer int constraint who references shop.customers,
               primary key (id, line));
             create view shop.open as select id from shop.orders;
             insert into shop.customers select n, 'x' from generate_series(1, 500) n; analyze shop.customers",
        )
        .await;
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let asked = body(json!({ "schemas": ["shop"] })).await;
        let made = world.post(&path).bearer(&owner.token).json(&asked).send().await;
        let table = |name: &str, kind: &str, columns: i64, rows: Value| json!({ "schema": "shop", "name": name, "kind": kind, "columns": columns, "rowsEstimate": rows });
        assert_eq!(
            made.expect(StatusCode::CREATED)["found"],
            json!({
                "tables": [
                    table("customers", "table", 2, json!(500)),
                    table("open", "view", 1, json!(null)),
                    table("orders", "table", 3, json!(null)),
                ],
                "relationships": [{ "name": "who", "table": "shop.orders", "columns": ["customer"],
                    "references": "shop.customers", "referencedColumns": ["id"] }],
                "truncated": false,
            })
        );
    });
}

#[test]
fn recorded_events_are_what_the_functions_take() {
    run(async {
        let world = world().await;
        let (owner, id, reference) = bare(world).await;
        let jwt = token(&json!({ "role": "web_user" }));
        let url = url().await;
        let values = [
            ("id", id.as_str()),
            ("ref", &reference),
            ("token", &owner.token),
            ("url", &url),
            ("secret", SECRET),
            ("jwt", &jwt),
        ];
        for (name, status, shown) in [
            ("provision-external", StatusCode::CREATED, "plinth_publishable_"),
            ("records-own-token", StatusCode::OK, "[{\"role\":\"web_user\"}]"),
        ] {
            let event: Value = serde_json::from_str(&crate::lambda::recorded(name, &values)).unwrap();
            let method = text(&event["requestContext"]["http"], "method").parse().unwrap();
            let target = format!("{}?{}", text(&event, "rawPath"), text(&event, "rawQueryString"));
            let mut call = world.call(method, &target);
            for header in ["apikey", "authorization", "accept-profile"] {
                if let Some(value) = event["headers"][header].as_str() {
                    call = call.header(header, value);
                }
            }
            if let Some(body) = event["body"].as_str() {
                call = call.body(body, "application/json");
            }
            let reply = call.send().await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            assert!(reply.text.contains(shown), "{name}: {}", reply.text);
        }
    });
}

#[test]
fn every_change_is_in_the_audit_log() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({})).await;
        let again = json!({ "backendType": "external", "config": { "externalProvider": "postgresql" } });
        let provision = || world.post(&own.provision()).bearer(&own.owner.token).json(&again);
        provision().send().await.expect(StatusCode::OK);
        let reload = format!("/api/projects/{}/backend/reload", own.id);
        world
            .post(&reload)
            .bearer(&own.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        world
            .delete(&own.provision())
            .bearer(&own.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        provision().send().await.expect(StatusCode::OK);
        let control = superuser("plinth").await;
        let sql =
            "select action from plinth.audit_log where project_id = $1 and action like 'backend.%' order by sequence";
        let project: uuid::Uuid = own.id.parse().unwrap();
        let rows = control.query(sql, &[&project]).await.unwrap();
        let actions: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let expected = [
            "backend.provision",
            "backend.update",
            "backend.reload",
            "backend.deprovision",
            "backend.restore",
        ];
        assert_eq!(actions, expected);
    });
}

#[test]
fn what_is_wrong_with_a_database_is_found_at_once() {
    run(async {
        let world = world().await;
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let good = url().await;
        let with = |string: String| json!({ "config": { "credentials": { "connectionString": string } } });
        let rest = |rest: Value| json!({ "config": { "rest": rest } });
        for (change, status, code, details) in [
            (
                with(good.replace(PASSWORD, "planted-wrong")),
                422,
                "external/credentials",
                "",
            ),
            (
                with(good.replace("users_own", "nothing_here")),
                422,
                "external/no-such-database",
                "",
            ),
            (
                with(format!("postgresql://u:{PASSWORD}@127.0.0.1:1/d")),
                502,
                "external/unreachable",
                "",
            ),
            (with(good.clone() + "?sslmode=require"), 502, "external/tls", ""),
            (
                with(format!("postgresql://u:{PASSWORD}@{NOWHERE}/d")),
                422,
                "outbound/unknown-host",
                "",
            ),
            (
                with(format!("postgresql://u:{PASSWORD}@10.0.0.1/d")),
                403,
                "outbound/forbidden",
                "",
            ),
            (
                with("planted".to_owned()),
                400,
                "provisioning/config",
                "config.credentials.connectionString: ",
            ),
            (
                rest(json!({ "schemas": ["api", "apl"] })),
                422,
                "external/no-such-schema",
                "config.rest.schemas[1]: \"apl\"",
            ),
            (
                rest(json!({ "anonRole": "web_nobody" })),
                422,
                "external/no-such-role",
                "config.rest.anonRole: \"web_nobody\"",
            ),
            (
                rest(json!({ "serviceRole": "web_stranger" })),
                422,
                "external/role-not-granted",
                "config.rest.serviceRole: \"web_stranger\"",
            ),
            (
                rest(json!({ "preRequest": "api.chekc" })),
                422,
                "external/no-such-function",
                "config.rest.preRequest: ",
            ),
            (
                rest(json!({ "jwksUrl": "http://example.com/keys" })),
                422,
                "outbound/url",
                "",
            ),
            (
                rest(json!({ "jwksUrl": "https://169.254.169.254/keys" })),
                403,
                "outbound/forbidden",
                "",
            ),
            (
                rest(json!({ "jwtSecret": "planted" })),
                400,
                "provisioning/config",
                "config.rest.jwtSecret: ",
            ),
            (
                rest(json!({ "schema": "api" })),
                400,
                "provisioning/config",
                "config.rest.schema: ",
            ),
        ] {
            let mut body = body(json!({})).await;
            merge(&mut body, &change);
            let reply = world.post(&path).bearer(&owner.token).json(&body).send().await;
            assert_eq!(
                (reply.status.as_u16(), text(&reply.json(), "code").as_str()),
                (status, code),
                "{}",
                reply.text
            );
            assert!(reply.json()["hint"].is_string(), "{}", reply.text);
            assert!(
                reply.json()["details"]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with(details),
                "{}",
                reply.text
            );
            assert!(!reply.text.contains("planted"), "{}", reply.text);
        }
        let shown = world.get(&path).bearer(&owner.token).send().await;
        assert_eq!(shown.expect(StatusCode::OK)["enabled"], false, "nothing was kept");
    });
}

fn merge(into: &mut Value, change: &Value) {
    match change.as_object() {
        None => *into = change.clone(),
        Some(members) => members.iter().for_each(|(name, value)| merge(&mut into[name], value)),
    }
}

#[test]
fn a_loopback_database_needs_the_operators_leave() {
    run(async {
        // The usual world gives none.
        let world = world::world().await;
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        for host in [
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ] {
            let mut body = body(json!({})).await;
            let string = url().await.replace("127.0.0.1", host);
            body["config"]["credentials"]["connectionString"] = string.into();
            let reply = world.post(&path).bearer(&owner.token).json(&body).send().await;
            let refused = reply.expect(StatusCode::FORBIDDEN);
            assert_eq!(text(&refused, "code"), "outbound/forbidden", "{host}");
            assert_eq!(
                text(&refused, "message"),
                "The host has a loopback, private or otherwise special address"
            );
            assert!(text(&refused, "hint").contains("PLINTH_OUTBOUND_ALLOW"));
        }
    });
}

#[test]
fn leave_that_is_withdrawn_ends_the_service() {
    run(async {
        let own = Own::with(json!({})).await;
        // The same project, met by a process of an operator who allows nothing.
        let reply = world::world().await.get(&own.rest("facts")).send().await;
        assert_eq!(reply.code(StatusCode::SERVICE_UNAVAILABLE), "PGRST001");
    });
}

#[test]
fn provisioning_again_changes_what_is_sent_and_keeps_the_rest() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({})).await;
        let user = token(&json!({ "role": "web_user" }));
        let send = |config: Value| {
            let body = json!({ "backendType": "external", "config": config });
            world.post(&own.provision()).bearer(&own.owner.token).json(&body)
        };
        // Without credentials and without a secret: those that are known stay.
        let rest = json!({ "schemas": ["v2"], "anonRole": null });
        let changed = send(json!({ "externalProvider": "supabase", "rest": rest }))
            .send()
            .await;
        let changed = changed.expect(StatusCode::OK);
        assert_eq!(
            (text(&changed["database"], "id"), text(&changed["database"], "schema")),
            (own.backend.clone(), "v2".into())
        );
        assert_eq!(
            (&changed["apiKey"], &changed["secretKey"]),
            (&Value::Null, &Value::Null)
        );
        let fresh = super::world_at(std::sync::Arc::new(plinth::clock::SystemClock)).await;
        let read = fresh.get(&own.rest("notes")).bearer(&user).send().await;
        assert_eq!(read.expect(StatusCode::OK)[0]["body"], "a note");
        let nobody = fresh.get(&own.rest("notes")).send().await;
        assert_eq!(nobody.code(StatusCode::UNAUTHORIZED), "PGRST302");
        // Null removes.
        send(json!({ "externalProvider": "postgresql", "rest": { "schemas": ["v2"], "jwtSecret": null } }))
            .send()
            .await
            .expect(StatusCode::OK);
        let fresh = super::world_at(std::sync::Arc::new(plinth::clock::SystemClock)).await;
        let read = fresh.get(&own.rest("notes")).bearer(&user).send().await;
        assert_eq!(read.code(StatusCode::INTERNAL_SERVER_ERROR), "PGRST300");
    });
}

#[test]
fn giving_it_up_leaves_the_database_alone_and_it_comes_back() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({})).await;
        let gone = world.delete(&own.provision()).bearer(&own.owner.token).send().await;
        let gone = gone.expect(StatusCode::OK);
        assert_eq!(
            (text(&gone, "status"), text(&gone, "databaseId")),
            ("deleted".into(), own.backend.clone())
        );
        let fresh = super::world_at(std::sync::Arc::new(plinth::clock::SystemClock)).await;
        assert_eq!(
            fresh
                .get(&own.rest("facts"))
                .send()
                .await
                .code(StatusCode::UNAUTHORIZED),
            "keys/missing"
        );
        let again = world.delete(&own.provision()).bearer(&own.owner.token).send().await;
        assert_eq!(again.code(StatusCode::NOT_FOUND), "backend/not-provisioned");
        // What is known of it is kept for a while: no credentials are needed.
        let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql" } });
        let back = world
            .post(&own.provision())
            .bearer(&own.owner.token)
            .json(&body)
            .send()
            .await;
        assert_eq!(text(&back.expect(StatusCode::OK)["database"], "id"), own.backend);
        let fresh = super::world_at(std::sync::Arc::new(plinth::clock::SystemClock)).await;
        let read = fresh.get(&own.rest("todos?select=id&limit=1")).send().await;
        assert_eq!(read.expect(StatusCode::OK), json!([{ "id": 1 }]));
    });
}

#[test]
fn a_project_has_one_backend_of_one_kind() {
    run(async {
        let world = world().await;
        let managed = world.project("schema").await;
        let path = format!("/api/projects/{}/backend/provision", managed.id);
        let reply = world
            .post(&path)
            .bearer(&managed.owner.token)
            .json(&body(json!({})).await)
            .send()
            .await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "provisioning/exists");
        let own = Own::with(json!({})).await;
        let body = json!({ "backendType": "managed" });
        let reply = world
            .post(&own.provision())
            .bearer(&own.owner.token)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "provisioning/exists");
    });
}

#[test]
fn purging_forgets_the_secrets() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({})).await;
        world
            .delete(&own.provision())
            .bearer(&own.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        let app = world.app(plinth_local::platform::Function::Purge);
        let (project, backend) = (
            plinth::ident::ProjectId(own.id.parse().unwrap()),
            plinth::ident::BackendId(own.backend.parse().unwrap()),
        );
        let removed = plinth::provisioning::drop_backend(&app, project, backend, false).await;
        assert!(removed.unwrap());
        let control = superuser("plinth").await;
        for table in ["secrets", "connections", "backends"] {
            let sql = format!("select count(*) from plinth.{table} where project_id = $1");
            let left: i64 = control.query_one(&sql, &[&project.0]).await.unwrap().get(0);
            assert_eq!(left, 0, "{table}");
        }
        assert!(
            !plinth::provisioning::drop_backend(&app, project, backend, false)
                .await
                .unwrap()
        );
        assert!(!database().await.is_empty() && !SECRET.is_empty());
    });
}
