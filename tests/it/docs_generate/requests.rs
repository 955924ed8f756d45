//! Asking for a documentation: who may, what is refused, what is done once.

use http::StatusCode;
use plinth::jobs;
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::{Served, Subject};
use crate::projects::{Bare, master};
use crate::world::{run, text, unique};

async fn starter() -> Subject {
    Subject::of(&Served::get().await.world.project("schema").await)
}

#[test]
fn what_makes_no_sense_is_refused_with_the_list_of_what_does() {
    run(async {
        let served = Served::get().await;
        let project = starter().await;
        let stranger = served.world.user().await;
        let bare = Bare::new().await;
        let ask = |token: String, body: Value| async move {
            let call = served.world.post("/api/generate-docs").bearer(&token).json(&body);
            let reply = call.send().await;
            (reply.status.as_u16(), reply.json())
        };
        for (token, body, status, code) in [
            (
                &project.token,
                json!({ "projectId": project.id, "sections": ["tables", "nonsense"] }),
                400,
                "documents/sections",
            ),
            (
                &project.token,
                json!({ "projectId": project.id, "instructions": "x".repeat(2001) }),
                400,
                "documents/instructions",
            ),
            (
                &project.token,
                json!({ "projectId": project.id, "audience": "everybody" }),
                400,
                "http/body",
            ),
            (
                &project.token,
                json!({ "projectId": "nonsense" }),
                404,
                "projects/not-found",
            ),
            (&project.token, json!({}), 400, "http/body"),
            (
                &stranger.token,
                json!({ "projectId": project.id }),
                404,
                "projects/not-found",
            ),
        ] {
            let (found, reply) = ask(token.clone(), body.clone()).await;
            assert_eq!((found, text(&reply, "code").as_str()), (status, code), "{body} {reply}");
            if code == "documents/sections" {
                assert!(
                    text(&reply, "hint").contains("quick-start, data-model, tables"),
                    "{reply}"
                );
            }
        }
        let wanted = json!({ "projectId": bare.id });
        let reply = crate::projects::send(http::Method::POST, "/api/generate-docs", &bare.owner, Some(&wanted)).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "backend/not-provisioned");
    });
}

#[test]
fn a_request_that_is_sent_again_gets_its_first_job_and_is_audited_once() {
    run(async {
        let served = Served::get().await;
        let project = starter().await;
        let key = unique();
        let ask = |body: Value| {
            let call = served.world.post("/api/generate-docs").bearer(&project.token);
            call.header("idempotency-key", &key).json(&body).send()
        };
        let body = json!({ "projectId": project.id, "sections": ["overview"] });
        let first = ask(body.clone()).await.expect(StatusCode::ACCEPTED);
        assert_eq!(ask(body).await.expect(StatusCode::ACCEPTED), first);
        let other = ask(json!({ "projectId": project.id })).await;
        assert_eq!(other.code(StatusCode::UNPROCESSABLE_ENTITY), "http/idempotency-key");
        served.finish(&project, &text(&first, "jobId")).await;
        let log = served
            .world
            .get(&format!("/api/projects/{}/audit", project.id))
            .bearer(&project.token);
        let log = log.send().await.expect(StatusCode::OK).to_string();
        assert_eq!(log.matches("documents.request").count(), 1, "{log}");
        assert_eq!(log.matches("documents.generate").count(), 1, "{log}");
        let content = text(&served.latest(&project).await, "content");
        assert!(
            content.contains("## Overview") && !content.contains("## Tables"),
            "{content}"
        );
    });
}

#[test]
fn a_section_alone_is_written_anew_and_changes_are_told() {
    run(async {
        let served = Served::get().await;
        let project = starter().await;
        let first = text(&served.generate(&project, json!({})).await, "content");
        assert!(first.contains("This is the first version of this document."), "{first}");
        let edited = first.replace("## Limits", "## By hand\n\nKept.\n\n## Limits");
        let path = format!("/api/projects/{}/docs", project.id);
        let call = served
            .world
            .post(&path)
            .bearer(&project.token)
            .json(&json!({ "content": edited }));
        call.send().await.expect(StatusCode::CREATED);
        let only = json!({ "sections": ["limits", "changes"], "audience": "developer" });
        let second = text(&served.generate(&project, only).await, "content");
        assert!(second.contains("## By hand\n\nKept."), "{second}");
        assert!(second.contains("No table, column or function has changed"), "{second}");
        assert_eq!(second.matches("## Tables\n").count(), 1);
    });
}

#[test]
fn a_job_that_is_done_twice_makes_one_version() {
    run(async {
        let served = Served::get().await;
        let project = starter().await;
        let job = served.ask(&project, json!({})).await;
        served.finish(&project, &job).await;
        let made = served.latest(&project).await;
        // As a worker that died after its work would leave it.
        let again =
            "update plinth.jobs set state = 'queued', run_at = now() - interval '1 day', last_attempt = attempts + 8
                     where id = $1";
        let id: uuid::Uuid = job.parse().unwrap();
        master().await.execute(again, &[&id]).await.unwrap();
        served.finish(&project, &job).await;
        assert_eq!(served.latest(&project).await, made);
        let seen = jobs::find(&served.world.app(Function::Worker), id).await.unwrap().view;
        assert_eq!(seen.result.unwrap()["versionId"], made["versionId"]);
    });
}

#[test]
fn what_lies_aside_is_not_described_and_what_is_kept_is() {
    run(async {
        let served = Served::get().await;
        let project = served.world.project("schema").await;
        let subject = Subject::of(&project);
        let design = json!({ "schemaJson": {
            "name": "letters",
            "columns": [
                { "name": "id", "type": "bigint", "primary_key": true, "identity": true },
                { "name": "subject", "type": "text", "required": true },
                { "name": "colour", "type": "text", "unique": true, "check": { "max": 9 } },
            ],
            "policies": ["public-read"],
            "softDelete": true,
        } });
        let made = served.world.post(&project.database("tables/create"));
        let made = made.bearer(&subject.token).json(&design).send().await;
        let table = made.expect(StatusCode::CREATED)["table"].clone();
        let path = project.database(&format!("tables/{}", text(&table, "id")));
        let change = json!({ "operations": [{ "op": "drop_column", "name": "colour" }] });
        let change = served
            .world
            .patch(&path)
            .bearer(&subject.token)
            .header("if-match", "\"1\"")
            .json(&change);
        change.send().await.expect(StatusCode::OK);
        let content = text(&served.generate(&subject, json!({})).await, "content");
        assert!(content.contains("Rows that are deleted are hidden from every request"));
        for aside in ["plinth_", "plinth.", "colour"] {
            let named = content
                .lines()
                .find(|line| line.contains(aside) && !line.contains("http://"));
            assert_eq!(named, None, "{aside}");
        }
        let rights = "A secret key may do everything.";
        assert!(content.contains(rights), "{content}");
    });
}
