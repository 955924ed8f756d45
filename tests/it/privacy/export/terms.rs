//! Copies end.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use plinth::clock::{Clock as _, SystemClock};
use plinth::privacy::export::expire;
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::json;

use super::{HERE, link_from, made, of, send};
use crate::projects::master;
use crate::world::{files_beside, platform, run, text, world};

#[test]
fn a_copy_past_its_term_is_gone_with_its_file_and_its_request() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let result = made(world, &project.owner.token, &of(&project.id, &json!(ann.id))).await;
        let id = text(&result, "exportId");
        let path = link_from(world, &project.owner.token, &id, HERE).await;
        let file = std::path::Path::new(&files_beside(plinth_local::testing::server().await.unwrap()))
            .join(format!("{id}.zip"));
        assert!(file.is_file());
        // Others' exports are not to go with it.
        let control = master().await;
        let uuid: uuid::Uuid = id.parse().unwrap();
        let sql = "update plinth.exports set expires_at = now() - interval '1 second' where id = $1";
        control.execute(sql, &[&uuid]).await.unwrap();
        let now = Arc::new(FixedClock::at(SystemClock.now()));
        let app = platform().await.app_at(Function::Worker, now.clone()).unwrap();
        while file.is_file() {
            expire(&app).await.unwrap();
        }
        now.advance(Duration::from_secs(1));
        expire(&app).await.unwrap();
        let sql = "select (select count(*) from plinth.exports where id = $1) + (select count(*) from plinth.privacy_requests where id = $1)";
        let left: i64 = control.query_one(sql, &[&uuid]).await.unwrap().get(0);
        assert_eq!(left, 0);
        let gone = send(world, Method::GET, &path, HERE, None).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        let state = world
            .get(&format!("/api/gdpr/exports/{id}"))
            .bearer(&project.owner.token)
            .send()
            .await;
        assert_eq!(state.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
    });
}
