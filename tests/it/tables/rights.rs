//! Who may design, and what policies let through.

use http::StatusCode;
use serde_json::json;

use super::fixture::{self, cell, project, schema_of};
use super::{LEVELS, created, todos};
use crate::world::{run, text, world};

#[test]
fn policy_templates_let_through_what_they_say() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            for (name, policy) in [
                ("own", "owner"),
                ("shown", "public-read"),
                ("shared", "authenticated"),
                ("closed", "private"),
            ] {
                created(&project, json!({ "name": name, "policy": policy, "columns": [
                    { "name": "user_id", "type": "uuid", "default": "auth.uid()" }, { "name": "note", "type": "text" } ] })).await;
            }
            let (ann, bob) = (
                "11111111-1111-4111-8111-111111111111",
                "22222222-2222-4222-8222-222222222222",
            );
            for table in ["own", "shown", "shared", "closed"] {
                let rows =
                    format!("insert into {schema}.{table} (user_id, note) values ('{ann}', 'a'), ('{bob}', 'b')");
                client.batch_execute(&rows).await.unwrap();
            }
            // role, user, table, rows seen (none: refused), whether a row of the other's may be written
            for (role, user, table, seen) in [
                ("anon", "", "own", None),
                ("anon", "", "shown", Some(2)),
                ("anon", "", "shared", None),
                ("anon", "", "closed", None),
                ("authenticated", ann, "own", Some(1)),
                ("authenticated", ann, "shown", Some(2)),
                ("authenticated", ann, "shared", Some(2)),
                ("authenticated", ann, "closed", None),
                ("service", "", "own", Some(2)),
                ("service", "", "closed", Some(2)),
            ] {
                let claims = json!({ "sub": user, "role": role }).to_string();
                let begin = format!(
                    "begin; set local role \"p_{}_{role}\"; set local request.jwt.claims = '{claims}'",
                    project.reference
                );
                client.batch_execute(&begin).await.unwrap();
                let rows = client.query(&format!("select * from {schema}.{table}"), &[]).await;
                client.batch_execute("rollback").await.unwrap();
                assert_eq!(rows.ok().map(|rows| rows.len()), seen, "{role} {table}");
                client.batch_execute(&begin).await.unwrap();
                let theft = client
                    .execute(&format!("update {schema}.{table} set note = 'x' where note = 'b'"), &[])
                    .await;
                client.batch_execute("rollback").await.unwrap();
                let may = role == "service" || (role, table) == ("authenticated", "shared");
                assert_eq!(theft.unwrap_or(0), u64::from(may), "{role} {table}");
            }
        }
    });
}

#[test]
fn roles_decide_who_designs() {
    run(async {
        let project = project("schema").await;
        let table = created(&project, todos()).await;
        let path = project.database(&format!("tables/{}", text(&table, "id")));
        for (role, reads, writes) in [("viewer", 200, 403), ("developer", 200, 200), ("", 404, 404)] {
            let user = fixture::user().await;
            if !role.is_empty() {
                fixture::join(&project, &user, role).await;
            }
            for path in [path.clone(), project.database("tables"), project.database("migrations")] {
                let reply = world().await.get(&path).bearer(&user.token).send().await;
                assert_eq!(reply.status.as_u16(), reads, "{role} {path}");
            }
            let design = json!({ "schemaJson": { "name": format!("of_{role}x"), "columns": [] } });
            let posted = world()
                .await
                .post(&project.database("tables/create"))
                .bearer(&user.token)
                .json(&design)
                .send()
                .await;
            assert_eq!(
                posted.status.as_u16(),
                if writes == 200 { 201 } else { writes },
                "{role}: {}",
                posted.text
            );
            let restored = world()
                .await
                .post(&format!("{path}/restore"))
                .bearer(&user.token)
                .send()
                .await;
            assert_eq!(
                restored.status.as_u16(),
                if writes == 200 { 409 } else { writes },
                "{role}"
            );
        }
        let nobody = world().await.get(&path).send().await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        // Another project's table is not found in this one.
        let other = fixture::project("schema").await;
        let foreign = other.database(&format!("tables/{}", text(&table, "id")));
        let reply = world().await.get(&foreign).bearer(&other.owner.token).send().await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "tables/not-found");
    });
}
