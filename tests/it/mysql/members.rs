//! The JSON façades over a MariaDB: with the secret key, or as a member of the project.

use http::StatusCode;
use serde_json::json;

use super::own;
use crate::external::world;
use crate::world::run;

#[test]
fn members_work_on_rows_without_a_key() {
    run(async {
        let world = world().await;
        let (own, _) = own(world).await;
        let base = format!("/api/database/{}/records", own.backend);
        let asked = json!({ "tableName": "tags", "limit": 2 });
        let call = world
            .post(&format!("{base}/query"))
            .bearer(&own.owner.token)
            .json(&asked);
        let first = call.send().await.expect(StatusCode::OK);
        assert_eq!(
            first["records"],
            json!([{ "id": 1, "word": "hard" }, { "id": 2, "word": "fun" }])
        );
        let asked = json!({ "tableName": "tags", "limit": 2, "cursor": first["nextCursor"] });
        let call = world
            .post(&format!("{base}/query"))
            .bearer(&own.owner.token)
            .json(&asked);
        let rest = call.send().await.expect(StatusCode::OK);
        assert_eq!(rest["records"], json!([{ "id": 3, "word": "lost" }]));
        let stranger = world.user().await;
        let call = world
            .post(&format!("{base}/query"))
            .bearer(&stranger.token)
            .json(&asked);
        assert_eq!(call.send().await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn one_record_is_made_read_changed_and_deleted() {
    run(async {
        let world = world().await;
        let (own, _) = own(world).await;
        let (all, one) = ("/api/v1/tags", "/api/v1/tags/70");
        let made = world
            .post(all)
            .key(&own.secret)
            .json(&json!({ "id": 70, "word": "new" }))
            .send()
            .await;
        assert_eq!(
            made.expect(StatusCode::CREATED)["record"],
            json!({ "id": 70, "word": "new" })
        );
        let changed = world
            .put(one)
            .key(&own.secret)
            .json(&json!({ "word": "newer" }))
            .send()
            .await;
        assert_eq!(changed.expect(StatusCode::OK)["record"]["word"], "newer");
        let read = world.get(one).key(&own.secret).send().await;
        assert_eq!(read.expect(StatusCode::OK)["record"]["word"], "newer");
        assert!(world.delete(one).key(&own.secret).send().await.status.is_success());
        let gone = world.get(one).key(&own.secret).send().await;
        assert_eq!(gone.code(StatusCode::NOT_FOUND), "records/not-found");
        let anonymous = world.get(one).key(&own.publishable).send().await;
        assert_eq!(anonymous.code(StatusCode::FORBIDDEN), "records/secret-key-only");
    });
}
