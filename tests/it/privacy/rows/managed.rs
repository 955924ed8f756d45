//! Managed backends: rows that were deleted and are kept, columns that lie aside, tables in the trash.

use http::{Method, StatusCode};
use plinth::subject::{Dialect, Facts, Rule, Subject, SubjectMap};
use plinth::tenancy::Isolation;
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::ground::{Ground, anonymise, entry, facts, map, member, of_postgres};
use crate::tables::fixture::{database_of, project, schema_of};
use crate::tables::{LEVELS, altered, created, delete};
use crate::world::{Project, User, run, world};

fn person() -> Value {
    json!({ "name": "user_id", "type": "uuid", "references": { "table": "app_users", "on_delete": "cascade" } })
}

async fn put(project: &Project, table: &str, rows: Value) {
    let call = world().await.post(&project.rest(table)).key(&project.secret);
    call.json(&rows).send().await.expect(StatusCode::CREATED);
}

/// Tables of two people, with something of each in every state. The label of the one in the trash.
async fn lived_in(project: &Project, alice: &User, bob: &User) -> String {
    let id = || json!({ "name": "id", "type": "integer", "primary_key": true });
    let text = |name: &str| json!({ "name": name, "type": "text" });
    let notes = json!({ "name": "notes", "timestamps": true, "softDelete": true,
        "columns": [id(), text("title"), text("phone"), person()] });
    let notes = created(project, notes).await;
    let comments = json!({ "name": "comments", "timestamps": true, "softDelete": true, "columns": [
        id(), { "name": "body", "type": "text", "required": true }, text("mood"), person(),
        { "name": "note_id", "type": "integer", "references": { "table": "notes", "on_delete": "set_null" } } ] });
    let comments = created(project, comments).await;
    let owned = json!({ "name": "user_id", "type": "uuid", "default": "auth.uid()" });
    created(
        project,
        json!({ "name": "messages", "columns": [id(), text("words"), owned], "policies": ["owner"] }),
    )
    .await;
    let letters = created(
        project,
        json!({ "name": "letters", "columns": [id(), text("words"), person()] }),
    )
    .await;
    let people = [(alice, 0, "planted"), (bob, 1, "other")];
    for (user, at, word) in people {
        let all = json!([{ "id": 10 + at, "title": word, "phone": word, "user_id": user.id },
            { "id": 20 + at, "title": word, "phone": word, "user_id": user.id }]);
        put(project, "notes", all).await;
    }
    for (user, at, word) in people {
        let own = &user.id;
        let all = json!([{ "id": 10 + at, "body": word, "mood": word, "user_id": own, "note_id": 11 - at },
            { "id": 20 + at, "body": word, "mood": word, "user_id": own, "note_id": 10 + at }]);
        put(project, "comments", all).await;
        put(
            project,
            "messages",
            json!([{ "id": 10 + at, "words": word, "user_id": own }]),
        )
        .await;
        put(
            project,
            "letters",
            json!([{ "id": 10 + at, "words": word, "user_id": own }]),
        )
        .await;
    }
    // Kept when they are deleted.
    for path in ["notes?id=in.(20,21)", "comments?id=in.(20,21)"] {
        let call = world()
            .await
            .call(Method::DELETE, &project.rest(path))
            .key(&project.secret);
        call.send().await.expect(StatusCode::NO_CONTENT);
    }
    // Put aside, and into the trash.
    altered(project, &notes, json!([{ "op": "drop_column", "name": "phone" }])).await;
    altered(project, &comments, json!([{ "op": "drop_column", "name": "mood" }])).await;
    delete(project, &letters).await.expect(StatusCode::OK);
    format!("trash:letters:{}", letters["id"].as_str().unwrap())
}

/// As the platform reaches them: facts by the system tables, rows as the tables' owner.
async fn ground(project: &Project, level: &str, trashed: &str) -> Ground {
    let app = world().await.app(Function::GdprDelete);
    let known = app.tenancy.project(&project.reference.parse().unwrap()).await.unwrap();
    let backend = known.ready_backend().unwrap();
    let isolation = if level == "schema" {
        Isolation::Schema
    } else {
        Isolation::Database
    };
    let system = of_postgres(&database_of(project, level)).await;
    let mut facts: Facts = facts(&*system, &schema_of(project, level), Dialect::Postgres).await;
    let trash = super::ground::facts(&*system, known.names().trash(isolation).as_str(), Dialect::Postgres).await;
    let mut aside = trash.tables.into_values();
    let mut letters = aside.next().unwrap();
    assert!(aside.next().is_none());
    letters.trashed = true;
    facts.tables.insert(trashed.to_owned(), letters);
    let target = app.data_target(&known, backend).await.unwrap();
    Ground {
        dialect: Dialect::Postgres,
        records: app.backends.records(&target).unwrap(),
        role: Some(known.names().owner()),
        facts,
    }
}

fn subject_map(trashed: &str) -> SubjectMap {
    let own = "user_id>app_users.id";
    map(
        ("app_users", "id"),
        vec![
            ("app_users", entry(&[""], Rule::Delete)),
            ("notes", entry(&[own], Rule::Delete)),
            ("comments", entry(&[own], anonymise(&["user_id", "body"]))),
            ("messages", entry(&["user_id>"], Rule::Delete)),
            (trashed, entry(&[own], Rule::Delete)),
        ],
    )
}

#[test]
fn all_that_lies_aside_is_read_and_erased() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (alice, bob) = (
                world().await.end_user(&project).await,
                world().await.end_user(&project).await,
            );
            let trashed = lived_in(&project, &alice, &bob).await;
            let ground = ground(&project, level, &trashed).await;
            let (map, subject) = (subject_map(&trashed), Subject::of_id(alice.id.as_str()));

            let notes = ground.read(&map, &subject, "notes").await;
            assert_eq!(notes.len(), 2, "{notes:?}");
            assert!(member(&notes[0], "plinth_deleted_at").is_null());
            assert!(member(&notes[1], "plinth_deleted_at").is_string());
            // The phone number lies aside.
            assert!(notes.iter().all(|row| row.matches("planted").count() == 2), "{notes:?}");
            for (label, count) in [("app_users", 1), ("comments", 2), ("messages", 1), (&trashed, 1)] {
                assert_eq!(ground.read(&map, &subject, label).await.len(), count, "{label}");
            }

            let before = ground.everything().await;
            assert!(ground.others(&map, &subject).await.is_empty());
            let counts = ground.erase(&map, &subject).await.unwrap();
            let told: Vec<u64> = ["app_users", "notes", "comments", "messages", &trashed]
                .iter()
                .map(|label| counts[*label])
                .collect();
            assert_eq!(told, [1, 2, 2, 1, 1]);
            let after = ground.everything().await;
            let found = after
                .iter()
                .filter(|(_, row)| row.contains("planted") || row.contains(&alice.id) || row.contains(&alice.email));
            assert_eq!(found.count(), 0);
            // Bob's comment was on a note of hers.
            let bobs = |all: &[(String, String)]| {
                let own = all
                    .iter()
                    .filter(|(_, row)| row.contains("other") || row.contains(&bob.id));
                own.map(|(label, row)| {
                    let mut row: Value = serde_json::from_str(row).unwrap();
                    row.as_object_mut().unwrap().remove("note_id");
                    row.as_object_mut().unwrap().remove("updated_at");
                    format!("{label} {row}")
                })
                .collect::<Vec<_>>()
            };
            assert_eq!(bobs(&before).len(), 7);
            assert_eq!(bobs(&before), bobs(&after));
            let comments: Vec<_> = after.iter().filter(|(label, _)| label == "comments").collect();
            assert_eq!(comments.len(), 4);
        }
    });
}
