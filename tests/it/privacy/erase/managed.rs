//! On managed backends of both levels: exported, erased, and nothing is left to be found.

use http::StatusCode;
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::planted::plant;
use super::{about, chain_holds, confirmed, delete, erased, found_in, map, others, planned, proves};
use crate::handmade::superuser;
use crate::work::ended;
use crate::world::{run, text, world};

fn go() -> Value {
    json!({ "action": "delete" })
}

#[test]
fn a_person_who_was_exported_and_erased_is_nowhere_at_level_schema() {
    run(everywhere("schema"));
}

#[test]
fn a_person_who_was_exported_and_erased_is_nowhere_at_level_database() {
    run(everywhere("database"));
}

async fn everywhere(level: &str) {
    let world = world().await;
    let there = Box::pin(plant(world, level)).await;
    let (project, token) = (&there.project.id, &there.project.owner.token);
    let rules: Vec<(&str, Value)> = [
        "app_users",
        "posts",
        "attachments",
        "comments",
        "friends",
        "messages",
        "notes",
        "old",
    ]
    .into_iter()
    .map(|table| (table, go()))
    .chain([(
        "invoices",
        json!({ "action": "anonymise", "columns": ["customer", "note"] }),
    )])
    .collect();
    map(world, token, project, &rules).await;
    let data = superuser(&there.database(level)).await;
    let control = superuser("plinth").await;
    let (schemas, values) = (there.schemas(level), there.values());
    let of_project = schemas.replace(" or n.nspname = 'plinth'", "");
    for value in &values {
        assert!(
            !found_in(&data, &schemas, std::slice::from_ref(value)).await.is_empty(),
            "{value} is planted"
        );
    }
    let before = others(&data, &of_project, &there.ids).await;

    // A copy waits to be fetched.
    let request = about(project, &json!({ "email": there.email }));
    let call = world.post("/api/gdpr/export").bearer(token).json(&request);
    let export = call.send().await.expect(StatusCode::ACCEPTED);
    let made = ended(world, token, &text(&export, "jobId")).await;
    assert_eq!(made["state"], "succeeded", "{made}");

    let plan = planned(world, token, &about(project, &json!(there.ann.id))).await;
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown(&plan), @r#"
        app_data: delete 0
        app_users: delete 1
        attachments: delete 2
        comments: delete 1
        friends: delete 2
        invoices: anonymise 1
        messages: delete 2
        notes: delete 2
        posts: delete 2
        trash:old: delete 1
        others: []
        account: {"deleted":false,"identities":1}
        sessions: 1
        documents: 4
        exports: 1
        requests: 1
        audit: 0
        kept: [{"reason":"Entries stay, as each proves the ones before it; who acted, and from where, is forgotten","what":"audit_log"}]
        "#);
    }
    let (plan, asked, receipt) = erased(world, token, &request).await;
    proves(world, &plan, &receipt).await;

    let left = found_in(&data, &schemas, &values).await;
    assert_eq!(left, Vec::<String>::new());
    let all: Vec<String> = values.into_iter().chain(there.in_other_words()).collect();
    let left = found_in(&control, "n.nspname = 'plinth'", &all).await;
    assert_eq!(left, Vec::<String>::new());
    let file = format!("{}.zip", text(&export, "requestId"));
    assert!(
        !files(world).iter().any(|name| name.contains(&file)),
        "the copy is gone"
    );
    let after = others(&data, &of_project, &there.ids).await;
    assert_eq!(after, before);
    chain_holds(world, token, project).await;

    // Nobody of that name is known any more, by no name.
    for subject in [
        json!({ "email": there.email }),
        json!(there.ann.id),
        json!({ "key": { "id": there.ann.id } }),
    ] {
        let call = world
            .post("/api/gdpr/export")
            .bearer(token)
            .json(&about(project, &subject));
        assert_eq!(
            call.send().await.code(StatusCode::NOT_FOUND),
            "privacy/subject-not-found",
            "{subject}"
        );
    }
    let again = delete(world, token, &super::with(&request, "dryRun", json!(true))).await;
    assert_eq!(again.code(StatusCode::NOT_FOUND), "privacy/subject-not-found");
    // The same token tells the same, and does nothing.
    assert_eq!(confirmed(world, token, &request, &plan).await, asked);
    let sign_in = json!({ "email": there.email, "password": "correct horse battery" });
    let path = format!("/p/{}/auth/v1/token?grant_type=password", there.project.reference);
    let call = world.post(&path).key(&there.project.publishable).json(&sign_in);
    assert_eq!(call.send().await.status, StatusCode::BAD_REQUEST);
    // Bob still signs in.
    let sign_in = json!({ "email": there.bob.email, "password": "correct horse battery" });
    let call = world.post(&path).key(&there.project.publishable).json(&sign_in);
    call.send().await.expect(StatusCode::OK);
    readable(&asked, &receipt, token).await;
}

/// What of a plan is the same each time.
fn shown(plan: &Value) -> String {
    let mut lines = Vec::new();
    for table in plan["tables"].as_array().unwrap() {
        let label = text(table, "table");
        // A deleted table's label ends with its id.
        let label = label
            .rsplit_once(':')
            .map_or(label.clone(), |(name, _)| name.to_owned());
        lines.push(format!("{label}: {} {}", text(table, "rule"), table["rows"]));
    }
    lines.sort_unstable();
    for name in [
        "others",
        "account",
        "sessions",
        "documents",
        "exports",
        "requests",
        "audit",
        "kept",
    ] {
        lines.push(format!("{name}: {}", plan[name]));
    }
    lines.join("\n")
}

pub fn files(world: &crate::world::World) -> Vec<String> {
    let app = world.app(Function::Worker);
    let Some(plinth::config::Files {
        at: plinth::config::FilesAt::Folder(folder),
        ..
    }) = &app.config.files
    else {
        panic!("the tests have a folder for files");
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .collect()
}

/// Who may read the receipt, and who may not.
async fn readable(asked: &Value, receipt: &Value, owner: &str) {
    let world = world().await;
    let (stranger, operator) = (world.user().await, world.operator().await);
    let path = format!("/api/gdpr/receipts/{}", text(asked, "receiptId"));
    let by_token = format!("{path}?token={}", text(asked, "receiptToken"));
    let wrong = format!(
        "{path}?token={}",
        text(asked, "receiptToken").replace(char::is_numeric, "0")
    );
    for (path, token, status) in [
        (&path, Some(owner), 200),
        (&path, Some(operator.token.as_str()), 200),
        (&path, Some(stranger.token.as_str()), 404),
        (&path, None, 401),
        (&by_token, None, 200),
        (&wrong, None, 404),
    ] {
        let mut call = world.get(path);
        if let Some(token) = token {
            call = call.bearer(token);
        }
        let reply = call.send().await;
        assert_eq!(reply.status.as_u16(), status, "{path} {}", reply.text);
        if status == 200 {
            assert_eq!(&reply.json(), receipt);
        }
    }
}
