//! A document with an AI's prose, from the request to the page.

use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use plinth_local::platform::{Function, Platform};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{Project, platform, run_alone, text, unique, world};

/// Answers as a model would that is asked about a new project.
async fn model(Json(request): Json<Value>) -> Json<Value> {
    let asked: Value = serde_json::from_str(request["messages"][1]["content"].as_str().unwrap()).unwrap();
    let answer = match asked["answer"].as_object().unwrap().keys().next().unwrap().as_str() {
        "overview" => json!({ "overview": "People and `app_data`. Also `ghosts`." }),
        "tables" => {
            json!({ "tables": { "app_data": { "description": "What the app keeps. <img src=x onerror=alert(1)>" } } })
        }
        _ => json!({ "functions": {} }),
    };
    let message = json!({ "role": "assistant", "content": answer.to_string() });
    Json(json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] }))
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Has such a platform's worker write a document; answers what came of it and the document.
async fn written(platform: &Platform, project: &Project) -> (Value, String) {
    let world = world().await;
    let asked = world.post("/api/generate-docs").bearer(&project.owner.token);
    let asked = asked.json(&json!({ "projectId": project.id })).send().await;
    let job = format!("/api/jobs/{}", text(&asked.expect(StatusCode::ACCEPTED), "jobId"));
    let app = platform.app(Function::Worker).unwrap();
    // No other test runs, so no other worker takes it; other jobs that are due may come first.
    let ended = loop {
        let tried = Box::pin(worker::run_due(&app, worker::KINDS, None)).await.unwrap();
        let call = world.get(&job).bearer(&project.owner.token);
        let seen = call.send().await.expect(StatusCode::OK);
        if tried == 0 || seen["state"] != "queued" {
            break seen;
        }
    };
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let path = format!("/api/projects/{}/docs/latest?format=markdown", project.id);
    let document = world.get(&path).bearer(&project.owner.token).send().await;
    (ended["result"]["prose"].clone(), document.text)
}

#[test]
fn an_ai_writes_into_a_document_what_is_checked_and_marked_and_its_key_goes_nowhere() {
    run_alone(async {
        let key = format!("sk-{}", unique());
        let url = serve(Router::new().route("/v1/chat/completions", post(model))).await;
        let with = platform()
            .await
            .with("PLINTH_AI_URL", &url)
            .with("PLINTH_AI_MODEL", "codestral-latest");
        let project = world().await.project("schema").await;
        let (report, document) = written(&with.with("PLINTH_AI_KEY", &key), &project).await;
        assert_eq!(report["failure"], Value::Null, "{report}");
        assert_eq!(
            (&report["texts"], &report["unknownNames"]),
            (&json!(2), &json!(["ghosts"]))
        );
        for part in [
            "written by an AI (`codestral-latest`)",
            "2 sentences were left out, with names that do not exist: `ghosts`.",
            "\n\nPeople and `app_data`.\n\n*Written by an AI from the facts below.*\n",
            "\n\nWhat the app keeps.\n\n*Written by an AI from the facts below.*\n",
        ] {
            assert!(document.contains(part), "{part} is not in {document}");
        }
        assert!(
            !document.contains("onerror") && !document.contains("Also"),
            "{document}"
        );
        assert!(!document.contains(&key) && !report.to_string().contains(&key));
        assert!(!crate::logs::logged().contains(&key));
    });
}

#[test]
fn without_its_ai_a_document_is_whole_and_says_so() {
    run_alone(async {
        let url = serve(Router::new()).await;
        let with = platform()
            .await
            .with("PLINTH_AI_URL", &url)
            .with("PLINTH_AI_MODEL", "gone");
        let project = world().await.project("schema").await;
        let (report, document) = written(&with, &project).await;
        assert_eq!(report["failure"]["code"], "ai/status", "{report}");
        let said = "An AI (`gone`) was asked for texts and wrote none: the service answered 404.";
        assert!(document.contains(said), "{document}");
        let (report, plain) = written(platform().await, &project).await;
        assert_eq!(report, Value::Null);
        assert!(!plain.contains("AI"), "{plain}");
        for section in ["## Overview", "## Tables", "## Quick start", "## Errors"] {
            assert!(document.contains(section) && plain.contains(section), "{section}");
        }
    });
}
