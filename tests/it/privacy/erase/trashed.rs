//! People whose account is in the trash, and whose address is not in their own row any more.

use http::StatusCode;
use serde_json::{Value, json};

use super::{about, erased};
use crate::privacy::copy;
use crate::privacy::map::{linked, suggested};
use crate::tables::created;
use crate::world::{Project, User, World, run, text, world};

/// A project where letters belong to whoever has the address.
async fn letters(world: &World, level: &str) -> Project {
    let project = world.project(level).await;
    let columns =
        json!([{ "name": "id", "type": "integer", "primary_key": true }, { "name": "email", "type": "text" }]);
    created(&project, json!({ "name": "letters", "columns": columns })).await;
    let path = format!("/api/gdpr/subject-map?projectId={}", project.id);
    let found = world.get(&path).bearer(&project.owner.token).send().await;
    let found = found.expect(StatusCode::OK);
    let map = linked(&found, &suggested(&found, "letters"));
    let path = format!("/api/projects/{}/subject-map", project.id);
    let call = world.put(&path).bearer(&project.owner.token).json(&map);
    call.send().await.expect(StatusCode::OK);
    project
}

async fn write(world: &World, project: &Project, letters: Value) {
    let call = world.post(&project.rest("letters")).key(&project.secret);
    call.json(&letters).send().await.expect(StatusCode::CREATED);
}

async fn left(world: &World, project: &Project) -> Value {
    let call = world
        .get(&project.rest("letters?select=id&order=id"))
        .key(&project.secret);
    call.send().await.expect(StatusCode::OK)
}

async fn into_the_trash(world: &World, project: &Project, user: &User) {
    let path = format!("/p/{}/auth/v1/admin/users/{}", project.reference, user.id);
    let call = world.delete(&path).key(&project.secret).bearer(&project.secret);
    assert!(call.send().await.status.is_success());
}

fn rows(plan: &Value, table: &str) -> u64 {
    let tables = plan["tables"].as_array().unwrap();
    let found = tables.iter().find(|planned| planned["table"] == table).unwrap();
    found["rows"].as_u64().unwrap()
}

#[test]
fn rows_with_their_address_go_too() {
    run(async {
        let world = world().await;
        for level in ["schema", "database"] {
            let project = letters(world, level).await;
            let (ann, bob) = (world.end_user(&project).await, world.end_user(&project).await);
            let shouted = ann.email.to_uppercase();
            write(
                world,
                &project,
                json!([{ "id": 1, "email": ann.email }, { "id": 2, "email": shouted }, { "id": 3, "email": bob.email },
                    { "id": 4, "email": format!("{}@deleted.invalid", ann.id) }, { "id": 5, "email": null }]),
            )
            .await;
            into_the_trash(world, &project, &ann).await;
            let request = about(&project.id, &json!(ann.id));
            let files = copy(world, &project.owner.token, &request).await;
            let copied: Value = serde_json::from_str(&files["tables/letters.json"]).unwrap();
            assert_eq!(copied.as_array().map(Vec::len), Some(3), "{copied}");
            let (plan, ..) = erased(world, &project.owner.token, &request).await;
            // The fourth has the address that stands in her row.
            assert_eq!(rows(&plan, "letters"), 3, "{plan}");
            assert_eq!(left(world, &project).await, json!([{ "id": 3 }, { "id": 5 }]));
        }
    });
}

#[test]
fn an_address_that_somebody_has_again_leads_to_them() {
    run(async {
        let world = world().await;
        let project = letters(world, "schema").await;
        let ann = world.end_user(&project).await;
        write(world, &project, json!({ "id": 1, "email": ann.email })).await;
        into_the_trash(world, &project, &ann).await;
        let body = json!({ "email": ann.email, "password": "correct horse battery" });
        let path = format!("/p/{}/auth/v1/signup", project.reference);
        let call = world.post(&path).key(&project.publishable).json(&body);
        let again = text(&call.send().await.expect(StatusCode::OK)["user"], "id");
        assert_ne!(again, ann.id);
        let (plan, ..) = erased(world, &project.owner.token, &about(&project.id, &json!(ann.id))).await;
        assert_eq!(rows(&plan, "letters"), 0, "{plan}");
        assert_eq!(left(world, &project).await, json!([{ "id": 1 }]));
        let (plan, ..) = erased(world, &project.owner.token, &about(&project.id, &json!(again))).await;
        assert_eq!(rows(&plan, "letters"), 1, "{plan}");
        assert_eq!(left(world, &project).await, json!([]));
    });
}
