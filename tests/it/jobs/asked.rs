//! Asking for a job twice.

use plinth::ident::{ProjectId, UserId};
use plinth::jobs::{self, Key, NewJob};
use plinth::projects::IdempotencyKey;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::projects::{Bare, master};
use crate::world::{run, unique, world};

#[test]
fn the_same_key_gives_the_same_job_and_another_one_another() {
    run(async {
        let app = world().await.app(Function::Projects);
        let (project, other) = (Bare::new().await, Bare::new().await);
        let kind = unique();
        let (one, two) = (app.random.uuid(), app.random.uuid());
        let key: IdempotencyKey = "a key".parse().unwrap();
        let ask = async |project: Option<&Bare>, by: Uuid, payload: Value, key: Option<Key<'_>>| {
            let new = NewJob {
                kind: &kind,
                project: project.map(|project| ProjectId(project.uuid())),
                payload: &payload,
                by: Some(UserId(by)),
            };
            let client = app.control.get().await.unwrap();
            let asked = jobs::enqueue_once(&app, &*client, &new, key).await;
            asked.map_err(|error| error.code().to_owned())
        };
        let (client, named) = (Some(Key::OfCaller(&key)), Some(Key::Named("a key")));
        let first = ask(Some(&project), one, json!({ "n": 1 }), client).await.unwrap();
        assert_eq!(ask(Some(&project), one, json!({ "n": 1 }), client).await, Ok(first));
        let reused = ask(Some(&project), one, json!({ "n": 2 }), client).await;
        assert_eq!(reused, Err("http/idempotency-key".to_owned()));
        let mut jobs = vec![first];
        for (project, by, key) in [
            (Some(&project), two, client),
            (Some(&other), one, client),
            (None, one, client),
            (None, two, client),
            (Some(&project), one, named),
            (None, one, named),
            (Some(&project), one, None),
            (Some(&project), one, None),
        ] {
            jobs.push(ask(project, by, json!({ "n": 1 }), key).await.unwrap());
        }
        assert_eq!(
            ask(None, two, json!({ "n": 1 }), named).await,
            Ok(jobs[6]),
            "no caller's"
        );
        jobs.sort();
        jobs.dedup();
        assert_eq!(jobs.len(), 9);
        let drop = "delete from plinth.jobs where kind = $1";
        master().await.execute(drop, &[&kind]).await.unwrap();
    });
}

#[test]
fn many_who_ask_at_once_with_one_key_get_one_job() {
    run(async {
        let app = world().await.app(Function::Projects);
        let kind = unique();
        let ask = async || {
            let mut client = app.control.get().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            let new = NewJob {
                kind: &kind,
                project: None,
                payload: &json!({}),
                by: None,
            };
            let job = jobs::enqueue_once(&app, &transaction, &new, Some(Key::Named("today"))).await;
            transaction.commit().await.unwrap();
            job.unwrap()
        };
        let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
        assert!(a == b && b == c && c == d);
        let drop = "delete from plinth.jobs where kind = $1";
        assert_eq!(master().await.execute(drop, &[&kind]).await.unwrap(), 1);
    });
}
