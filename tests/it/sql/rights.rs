//! Who runs scripts, what is written down of it, and what the designer makes of them.

use http::{Method, StatusCode};
use serde_json::json;

use super::{read, script, write};
use crate::world::{run, unique, world};

#[test]
fn each_script_is_in_the_audit_log_without_its_values() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let secret = unique();
        let body = json!({ "query": format!("select '{secret}'; select 1; explain select 2") });
        let path = project.database("sql");
        let call = world.post(&path).bearer(&project.owner.token).json(&body);
        call.send().await.expect(StatusCode::OK);
        let path = format!("/api/projects/{}/audit?limit=1", project.id);
        let log = world
            .get(&path)
            .bearer(&project.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        let entry = &log["entries"][0];
        assert_eq!(entry["action"], "sql.run");
        assert_eq!(entry["actor"], json!(format!("user:{}", project.owner.id)));
        let details = &entry["details"];
        assert_eq!(details["commands"], json!(["select", "explain"]));
        assert_eq!(
            (&details["statements"], &details["readOnly"]),
            (&json!(3), &json!(true))
        );
        assert_eq!(details["sha256"].as_str().unwrap().len(), 64);
        assert!(!log.to_string().contains(&secret));
    });
}

#[test]
fn a_revoked_key_runs_nothing_at_once() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        read(world, &project, "select 1").await;
        let path = format!("/api/projects/{}/keys", project.id);
        let keys = world
            .get(&path)
            .bearer(&project.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        let keys = keys["keys"].as_array().unwrap();
        let secret = keys.iter().find(|key| key["class"] == "secret").unwrap();
        let path = format!("{path}/{}", secret["id"].as_str().unwrap());
        let gone = world
            .call(Method::DELETE, &path)
            .bearer(&project.owner.token)
            .send()
            .await;
        gone.expect(StatusCode::OK);
        let refused = script(world, &project, &json!({ "query": "select 1" })).await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "keys/invalid");
    });
}

#[test]
fn the_designer_says_so_when_a_script_took_its_table() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let token = &project.owner.token;
        let design = json!({ "schemaJson": { "name": "designed", "columns": [{ "name": "a", "type": "text" }] } });
        let path = project.database("tables/create");
        let made = world
            .post(&path)
            .bearer(token)
            .json(&design)
            .send()
            .await
            .expect(StatusCode::CREATED);
        write(world, &project, "drop table designed").await;
        let table = project.database(&format!("tables/{}", made["table"]["id"].as_str().unwrap()));
        let operations = json!({ "operations": [{ "op": "add_column", "column": { "name": "b", "type": "text" } }] });
        let changed = world
            .patch(&table)
            .bearer(token)
            .header("if-match", "\"1\"")
            .json(&operations)
            .send()
            .await;
        assert_eq!(changed.code(StatusCode::CONFLICT), "tables/drifted");
        let deleted = world.delete(&table).bearer(token).send().await;
        assert_eq!(deleted.code(StatusCode::CONFLICT), "tables/drifted");
        // Put back by hand, it is the designer's again.
        write(
            world,
            &project,
            "create table designed (id uuid primary key default gen_random_uuid(), a text)",
        )
        .await;
        let changed = world
            .patch(&table)
            .bearer(token)
            .header("if-match", "\"1\"")
            .json(&operations)
            .send()
            .await;
        changed.expect(StatusCode::OK);
    });
}

#[test]
fn only_a_database_of_its_own_runs_scripts_and_only_its_members_and_secret_key() {
    run(async {
        let world = world().await;
        let shared = world.project("schema").await;
        let refused = script(world, &shared, &json!({ "query": "select 1" }))
            .await
            .expect(StatusCode::FORBIDDEN);
        assert_eq!(refused["code"], "sql/isolation");
        assert!(refused["hint"].as_str().unwrap().contains("database"), "{refused}");
        let own = world.project("database").await;
        let path = own.database("sql");
        // Who asks comes first, whatever they ask.
        let stranger = world
            .post(&path)
            .bearer(&shared.owner.token)
            .body("{", "application/json")
            .send()
            .await;
        assert_eq!(stranger.code(StatusCode::NOT_FOUND), "projects/not-found");
        let neighbour = world
            .post(&path)
            .key(&shared.secret)
            .body("{", "application/json")
            .send()
            .await;
        assert_eq!(neighbour.code(StatusCode::NOT_FOUND), "projects/not-found");
        let publishable = world
            .post(&path)
            .key(&own.publishable)
            .body("{", "application/json")
            .send()
            .await;
        assert_eq!(publishable.code(StatusCode::FORBIDDEN), "sql/role");
        let member = world
            .post(&path)
            .bearer(&own.owner.token)
            .body("{", "application/json")
            .send()
            .await;
        assert_eq!(member.code(StatusCode::BAD_REQUEST), "http/json");
    });
}
