//! A project's documentation: its versions, and what readers get of them.

mod attacks;
mod prose;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::RESTORE_WINDOW;
use plinth::docs::{self, LONGEST, NewVersion, Origin, Version};
use plinth::error::Result;
use plinth::ident::{ProjectId, UserId};
use plinth::tenancy::{MemberRole, PlatformRole, ProjectAccess, RequestInfo};
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::projects::{Bare, caller, send};
use crate::world::{Reply, platform, run, text, world};

const SHOP: &str = "# Shop\n\nSells.\n\n## Tables\n\n### `orders`\n\nid\n\n## Limits\n\nfew\n";

async fn write(project: &Bare, content: &str) -> Value {
    let body = json!({ "content": content });
    let made = send(Method::POST, &project.path("/docs"), &project.owner, Some(&body)).await;
    made.expect(StatusCode::CREATED)
}

async fn read(project: &Bare, rest: &str) -> Reply {
    send(
        Method::GET,
        &project.path(&format!("/docs{rest}")),
        &project.owner,
        None,
    )
    .await
}

async fn numbers(project: &Bare) -> Vec<i64> {
    let listed = read(project, "").await.expect(StatusCode::OK);
    let versions = listed["versions"].as_array().unwrap();
    versions
        .iter()
        .map(|version| version["number"].as_i64().unwrap())
        .collect()
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), text(&reply.json(), "code"))
}

#[test]
fn what_is_written_is_a_version_that_can_be_read_in_three_forms() {
    run(async {
        let project = Bare::new().await;
        let none = read(&project, "/latest").await;
        assert_eq!(code(&none), (404, "documents/none".to_owned()));
        let made = write(&project, SHOP).await;
        assert_eq!(made["projectId"], json!(project.id));
        assert_eq!(made["author"], json!(project.owner.id));
        assert_eq!((&made["number"], &made["origin"]), (&json!(1), &json!("edited")));
        assert_eq!(made["changeSummary"], "First version: 4 sections, 1 table, 13 lines.");
        let listed = read(&project, "").await.expect(StatusCode::OK);
        assert_eq!(listed, json!({ "versions": [made], "nextCursor": null }));

        let id = text(&made, "versionId");
        let mut whole = made.clone();
        whole["content"] = json!(SHOP);
        for path in ["/latest".to_owned(), format!("/{id}"), format!("/{id}?format=json")] {
            let reply = read(&project, &path).await;
            assert_eq!(reply.header("etag"), "\"1\"");
            assert_eq!(reply.expect(StatusCode::OK), whole, "{path}");
        }
        let markdown = read(&project, "/latest?format=markdown").await;
        assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
        assert_eq!(markdown.text, SHOP);
        let path = project.path("/docs/latest");
        for (accept, media) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
            ("text/markdown", "text/markdown; charset=utf-8"),
            ("*/*", "application/json"),
        ] {
            let call = world().await.get(&path).bearer(&project.owner.token);
            let reply = call.header("accept", accept).send().await;
            assert_eq!(reply.header("content-type"), media);
            assert!(reply.header("vary").contains("accept"), "{accept}");
        }
        let call = world().await.get(&path).bearer(&project.owner.token);
        let refused = call.header("accept", "image/png").send().await;
        assert_eq!(code(&refused), (406, "documents/format".to_owned()));
        let refused = read(&project, "/latest?format=pdf").await;
        assert_eq!(code(&refused), (400, "documents/format".to_owned()));
    });
}

#[test]
fn a_page_is_whole_and_goes_with_a_policy_that_lets_nothing_run_or_load() {
    run(async {
        let project = Bare::new().await;
        write(
            &project,
            &format!("{SHOP}\n```mermaid\nerDiagram\n```\n[Limits](#limits)\n"),
        )
        .await;
        let page = read(&project, "/latest?format=html").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.starts_with("<!doctype html>\n<html lang=\"en\">"));
        for part in [
            "<title>Shop</title>",
            "<h2 id=\"limits\">Limits</h2>",
            "<h3 id=\"orders\"><code>orders</code></h3>",
            "<a href=\"#limits\"",
            "<pre><code class=\"language-mermaid\">erDiagram\n</code></pre>",
            "<footer>Version 1 · ",
        ] {
            assert!(page.text.contains(part), "{part} is not in {}", page.text);
        }
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
    });
}

#[test]
fn an_edit_is_a_new_version_and_refused_once_there_is_a_newer_one() {
    run(async {
        let project = Bare::new().await;
        let first = text(&write(&project, SHOP).await, "versionId");
        let edit = async |id: &str, seen: Option<&str>, content: &str| {
            let path = project.path(&format!("/docs/{id}"));
            let call = world().await.put(&path).bearer(&project.owner.token);
            let call = match seen {
                Some(seen) => call.header("if-match", seen),
                None => call,
            };
            call.json(&json!({ "content": content })).send().await
        };
        let second = edit(&first, None, &SHOP.replace("few", "many")).await;
        assert_eq!(second.header("etag"), "\"2\"");
        let second = second.expect(StatusCode::CREATED);
        assert_eq!(second["changeSummary"], "Sections changed: Limits. +1 −1 lines.");
        assert_eq!(second["basedOn"], json!(first));
        let kept = read(&project, &format!("/{first}")).await.expect(StatusCode::OK);
        assert_eq!(kept["content"], SHOP);

        for (id, seen) in [
            (first.as_str(), None),
            (first.as_str(), Some("\"1\"")),
            (&text(&second, "versionId"), Some("\"1\"")),
            (&text(&second, "versionId"), Some("\"3\"")),
        ] {
            let refused = edit(id, seen, "late").await;
            assert_eq!(code(&refused), (409, "documents/moved-on".to_owned()), "{seen:?}");
            assert!(
                text(&refused.json(), "details").contains("version 2"),
                "{}",
                refused.text
            );
        }
        // Who knows the latest may build on an older one.
        let third = edit(&first, Some("\"2\""), SHOP).await.expect(StatusCode::CREATED);
        assert_eq!((&third["number"], &third["basedOn"]), (&json!(3), &json!(first)));
        assert_eq!(numbers(&project).await, [3, 2, 1]);
        let missing = edit(&Uuid::nil().to_string(), None, "x").await;
        assert_eq!(code(&missing), (404, "documents/not-found".to_owned()));
        assert_eq!(
            code(&edit("seven", None, "x").await),
            (404, "documents/not-found".to_owned())
        );
    });
}

#[test]
fn of_edits_at_the_same_time_one_is_taken() {
    run(async {
        let project = Bare::new().await;
        let first = text(&write(&project, SHOP).await, "versionId");
        let path = project.path(&format!("/docs/{first}"));
        let world = world().await;
        let edits = (0..6).map(|n| {
            let call = world.put(&path).bearer(&project.owner.token);
            call.json(&json!({ "content": format!("{SHOP}\n{n}\n") })).send()
        });
        let mut statuses: Vec<_> = futures_util::future::join_all(edits)
            .await
            .iter()
            .map(|reply| reply.status.as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
        assert_eq!(numbers(&project).await, [2, 1]);
    });
}

#[test]
fn a_request_with_a_key_makes_its_version_once() {
    run(async {
        let project = Bare::new().await;
        let path = project.path("/docs");
        let keyed = async |content: &str| {
            let call = world().await.post(&path).bearer(&project.owner.token);
            let call = call.header("idempotency-key", "first");
            call.json(&json!({ "content": content })).send().await
        };
        let first = keyed(SHOP).await.expect(StatusCode::CREATED);
        assert_eq!(keyed(SHOP).await.expect(StatusCode::CREATED), first);
        let other = keyed("something else").await;
        assert_eq!(code(&other), (422, "http/idempotency-key".to_owned()));
        assert_eq!(numbers(&project).await, [1]);
    });
}

#[test]
fn a_deleted_version_is_nowhere_and_comes_back_in_its_place() {
    run(async {
        let project = Bare::new().await;
        let mut ids = Vec::new();
        for text_of in ["one", "two", "three"] {
            ids.push(text(&write(&project, text_of).await, "versionId"));
        }
        let path = |rest: &str| project.path(&format!("/docs/{}{rest}", ids[2]));
        let deleted = send(Method::DELETE, &path(""), &project.owner, None).await;
        let deleted = deleted.expect(StatusCode::OK);
        assert_eq!(deleted["versionId"], json!(ids[2]));
        for (method, rest) in [
            (Method::GET, ""),
            (Method::GET, "/diff"),
            (Method::DELETE, ""),
            (Method::POST, "/revert"),
        ] {
            let reply = send(method, &path(rest), &project.owner, None).await;
            assert_eq!(code(&reply), (404, "documents/not-found".to_owned()), "{rest}");
        }
        let against = read(&project, &format!("/{}/diff?from={}", ids[1], ids[2])).await;
        assert_eq!(code(&against), (404, "documents/not-found".to_owned()));
        assert_eq!(read(&project, "/latest").await.json()["content"], "two");
        // Its number stays its own.
        assert_eq!(write(&project, "four").await["number"], 4);
        assert_eq!(numbers(&project).await, [4, 2, 1]);
        for _ in 0..2 {
            let restored = send(Method::POST, &path("/restore"), &project.owner, None).await;
            assert_eq!(restored.expect(StatusCode::OK)["number"], 3);
        }
        assert_eq!(numbers(&project).await, [4, 3, 2, 1]);
        let reverted = send(Method::POST, &path("/revert"), &project.owner, None).await;
        let reverted = reverted.expect(StatusCode::CREATED);
        assert_eq!(
            (&reverted["origin"], &reverted["number"]),
            (&json!("reverted"), &json!(5))
        );
        assert_eq!(reverted["basedOn"], json!(ids[2]));
        assert_eq!(read(&project, "/latest").await.json()["content"], "three");
        assert_eq!(
            project.audited().await,
            [
                "projects.create",
                "documents.edit",
                "documents.edit",
                "documents.edit",
                "documents.delete",
                "documents.edit",
                "documents.restore",
                "documents.revert",
            ]
        );
    });
}

#[test]
fn a_version_can_be_restored_for_thirty_days_and_not_a_second_longer() {
    run(async {
        let day = Duration::from_secs(24 * 60 * 60);
        let second = Duration::from_secs(1);
        for (age, restorable) in [
            (29 * day, true),
            (RESTORE_WINDOW, true),
            (RESTORE_WINDOW + second, false),
        ] {
            let clock = Arc::new(FixedClock::at(Timestamp::from_second(1_900_000_000).unwrap()));
            let app = platform().await.app_at(Function::GenerateDocs, clock.clone()).unwrap();
            let project = Bare::new().await;
            let access = owned(&app, &project).await;
            let made = docs::write(&app, &access, SHOP, &docs::Edit::default()).await.unwrap();
            docs::delete(&app, &access, made.version_id).await.unwrap();
            clock.advance(age);
            let restored = docs::restore(&app, &access, made.version_id).await;
            let expected = if restorable { None } else { Some("documents/not-found") };
            let refused = restored.err();
            assert_eq!(refused.as_ref().map(plinth::error::Error::code), expected, "{age:?}");
        }
    });
}

async fn owned(app: &App, project: &Bare) -> ProjectAccess {
    let by = caller(&project.owner, PlatformRole::User);
    let project = ProjectId(project.uuid());
    app.tenancy.require(by, project, MemberRole::Owner).await.unwrap()
}

#[test]
fn versions_are_compared_as_text_and_by_section() {
    run(async {
        let project = Bare::new().await;
        let first = text(&write(&project, SHOP).await, "versionId");
        let next = "# Shop\n\nSells.\n\n## Tables\n\n### `orders`\n\nid, total\n\n### `items`\n\nid\n";
        let second = text(&write(&project, next).await, "versionId");
        let unified = read(&project, &format!("/{second}/diff")).await;
        assert_eq!(unified.header("content-type"), "text/x-diff; charset=utf-8");
        let expected = "--- version 1\n+++ version 2\n@@ -6,8 +6,8 @@\n \n ### `orders`\n \n-id\n+id, total\n \n\
            -## Limits\n+### `items`\n \n-few\n+id\n";
        assert_eq!(unified.text, expected);
        let path = format!("/{second}/diff?from={first}&format=sections");
        let compared = read(&project, &path).await.expect(StatusCode::OK);
        assert_eq!(compared["from"]["number"], 1);
        assert_eq!(
            compared["to"]["changeSummary"],
            "Tables added: items. Tables changed: orders. Sections removed: Limits. +3 −3 lines."
        );
        assert_eq!(compared["lines"], json!({ "added": 3, "removed": 3 }));
        let changes: Vec<_> = compared["sections"].as_array().unwrap().iter().collect();
        let short: Vec<_> = changes
            .iter()
            .map(|change| json!([change["change"], change["section"], change["table"]]))
            .collect();
        assert_eq!(
            json!(short),
            json!([
                ["changed", ["Shop", "Tables", "`orders`"], "orders"],
                ["added", ["Shop", "Tables", "`items`"], "items"],
                ["removed", ["Shop", "Limits"], null],
            ])
        );
        assert!(text(changes[0], "diff").contains("-id\n+id, total\n"));
        // The first one is compared with nothing, and one with itself is no different.
        let all = read(&project, &format!("/{first}/diff")).await;
        assert!(all.text.starts_with("--- /dev/null\n+++ version 1\n"), "{}", all.text);
        let same = read(&project, &format!("/{first}/diff?from={first}")).await;
        assert_eq!((same.status, same.text.as_str()), (StatusCode::OK, ""));

        let others = Bare::new().await;
        let other = text(&write(&others, "# Secret\n").await, "versionId");
        for path in [
            format!("/{second}/diff?from={other}"),
            format!("/{other}/diff"),
            format!("/{other}"),
        ] {
            assert_eq!(
                code(&read(&project, &path).await),
                (404, "documents/not-found".to_owned()),
                "{path}"
            );
        }
        for path in [format!("/{second}/diff?from=x"), format!("/{second}/diff?format=html")] {
            assert_eq!(read(&project, &path).await.status, StatusCode::BAD_REQUEST, "{path}");
        }
    });
}

#[test]
fn versions_are_listed_in_pages() {
    run(async {
        let project = Bare::new().await;
        for n in 0..5 {
            write(&project, &format!("# {n}")).await;
        }
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = read(&project, &format!("?limit=2{cursor}"))
                .await
                .expect(StatusCode::OK);
            let versions = page["versions"].as_array().unwrap();
            found.extend(versions.iter().map(|version| version["number"].as_i64().unwrap()));
            assert!(versions.iter().all(|version| version.get("content").is_none()));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, [5, 4, 3, 2, 1]);
    });
}

#[test]
fn content_that_cannot_be_kept_is_refused() {
    run(async {
        let project = Bare::new().await;
        for (body, expected) in [
            (json!({ "content": "a\u{0}b" }), (400, "documents/content")),
            (json!({ "content": "x".repeat(1 << 20) }), (413, "http/too-large")),
            (json!({ "content": 7 }), (400, "http/body")),
            (json!({}), (400, "http/body")),
            (json!({ "content": "x", "author": "me" }), (400, "http/body")),
        ] {
            let reply = send(Method::POST, &project.path("/docs"), &project.owner, Some(&body)).await;
            assert_eq!(code(&reply), (expected.0, expected.1.to_owned()));
        }
        assert_eq!(numbers(&project).await, Vec::<i64>::new());
        let empty = write(&project, "").await;
        assert_eq!(empty["changeSummary"], "First version: 0 sections, 0 lines.");
    });
}

async fn generate(app: &App, project: &Bare, job: Uuid, content: &str) -> Result<Version> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.unwrap();
    let new = NewVersion {
        project: ProjectId(project.uuid()),
        content,
        origin: Origin::Generated,
        based_on: None,
        author: Some(UserId(project.owner.id.parse().unwrap())),
        job: Some(job),
    };
    let made = docs::save(app, &transaction, &new, &RequestInfo::default()).await?;
    transaction.commit().await.unwrap();
    Ok(made)
}

#[test]
fn a_job_makes_one_version_however_often_it_runs() {
    run(async {
        let project = Bare::new().await;
        let app = world().await.app(Function::Worker);
        let job = app.random.uuid();
        let runs = (0..4).map(|_| generate(&app, &project, job, SHOP));
        let made: Vec<_> = futures_util::future::join_all(runs).await;
        let made: Vec<_> = made.into_iter().map(|made| made.unwrap().view).collect();
        assert!(made.iter().all(|view| *view == made[0]), "{made:?}");
        assert_eq!(numbers(&project).await, [1]);
        // Also when what it would write is another text by now.
        assert_eq!(generate(&app, &project, job, "later").await.unwrap().content, SHOP);
        let next = generate(&app, &project, app.random.uuid(), SHOP).await.unwrap();
        assert_eq!(
            (next.view.number, next.view.change_summary.as_str()),
            (2, "No changes.")
        );
        assert_eq!(
            project.audited().await,
            ["projects.create", "documents.generate", "documents.generate"]
        );
    });
}

#[test]
fn a_generated_document_is_bounded_and_none_is_made_for_a_project_that_is_gone() {
    run(async {
        let project = Bare::new().await;
        let app = world().await.app(Function::Worker);
        let line = "a line of about forty bytes, \"quoted\".\n";
        let longest = line.repeat(LONGEST / line.len());
        let made = generate(&app, &project, app.random.uuid(), &longest).await.unwrap();
        for path in ["/latest", "/latest?format=markdown", "/latest?format=html"] {
            assert_eq!(read(&project, path).await.status, StatusCode::OK, "{path}");
        }
        let quotes = "\"".repeat(LONGEST);
        let quoted = generate(&app, &project, app.random.uuid(), &quotes).await.unwrap();
        let refused = read(&project, &format!("/{}", quoted.view.version_id)).await;
        assert_eq!(code(&refused), (413, "documents/reply-too-large".to_owned()));
        let kept = read(&project, &format!("/{}?format=markdown", made.view.version_id)).await;
        assert_eq!(kept.text, longest);
        let too_long = generate(&app, &project, app.random.uuid(), &format!("{quotes}x")).await;
        assert_eq!(too_long.unwrap_err().code(), "documents/too-large");
        send(Method::DELETE, &project.path(""), &project.owner, None)
            .await
            .expect(StatusCode::OK);
        let gone = generate(&app, &project, app.random.uuid(), SHOP).await;
        assert_eq!(gone.unwrap_err().code(), "projects/not-found");
    });
}
