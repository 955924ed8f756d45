//! Copies in a bucket of S3's.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use plinth::clock::SystemClock;
use serde_json::json;

use super::{HERE, link_from, made, of, send, unzipped};
use crate::moto::{endpoint, moto};
use crate::world::{World, platform, run_alone, text, unique};

const BUCKET: &str = "exports";

// No other worker is to take the job: it would put the file into a folder.
#[test]
fn a_copy_in_a_bucket_is_fetched_there_by_an_address_that_ends() {
    run_alone(async {
        moto().await;
        let client = plinth::control::fetch::client(None, None, Duration::from_secs(60)).unwrap();
        let made_bucket = client.put(format!("{}/{BUCKET}", endpoint())).send().await.unwrap();
        assert!(made_bucket.status().is_success());
        let platform = platform().await.with("PLINTH_FILES_BUCKET", BUCKET);
        let world = World::of(&platform, Arc::new(SystemClock));
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        // More than a part, however it is compressed.
        let random: &dyn plinth::clock::Random = &plinth::clock::SystemRandom;
        for _ in 0..12 {
            let row = json!({ "data_type": unique(), "user_id": ann.id, "data": { "noise": random.token(900_000) } });
            let call = world.post(&project.rest("app_data")).key(&project.secret).json(&row);
            call.send().await.expect(StatusCode::CREATED);
        }
        let result = made(&world, &project.owner.token, &of(&project.id, &json!(ann.id))).await;
        assert!(result["bytes"].as_i64().unwrap() > 9_000_000, "{result}");
        let id = text(&result, "exportId");
        let path = link_from(&world, &project.owner.token, &id, HERE).await;
        let asked = send(&world, Method::HEAD, &path, HERE, None).await;
        assert_eq!(asked.status, StatusCode::OK);
        let sent = send(&world, Method::GET, &path, HERE, None).await;
        assert_eq!(
            (sent.status, sent.body.len()),
            (StatusCode::SEE_OTHER, 0),
            "{}",
            sent.told()
        );
        assert_eq!(sent.header("cache-control"), "no-store");
        let address = sent.header("location").to_owned();
        assert!(address.starts_with(endpoint()), "{address}");
        assert!(
            address.contains("X-Amz-Expires=60&") && address.contains("X-Amz-Signature="),
            "{address}"
        );
        let fetched = client.get(&address).send().await.unwrap();
        assert_eq!(fetched.status(), 200);
        let body = fetched.bytes().await.unwrap();
        assert_eq!(result["bytes"], body.len());
        let files = unzipped(&body);
        assert_eq!(super::rows(&files, "tables/app_data.json").len(), 12);
        let again = send(&world, Method::GET, &path, HERE, None).await;
        assert_eq!(again.status, StatusCode::GONE);
        assert!(!crate::logs::logged().contains(address.split("X-Amz-Signature=").nth(1).unwrap()));

        // Past its term nothing of it is left.
        let uuid: uuid::Uuid = id.parse().unwrap();
        let sql = "update plinth.exports set expires_at = now() - interval '1 second' where id = $1";
        crate::projects::master().await.execute(sql, &[&uuid]).await.unwrap();
        let app = world.app(plinth_local::platform::Function::Worker);
        plinth::privacy::export::expire(&app).await.unwrap();
        let left = client
            .get(format!("{}/{BUCKET}?list-type=2", endpoint()))
            .send()
            .await
            .unwrap();
        let left = left.text().await.unwrap();
        assert!(!left.contains(&id), "{left}");
    });
}
