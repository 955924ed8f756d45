//! A user's own database, given up and taken back without being told its credentials again.

use http::StatusCode;
use serde_json::json;

use crate::external::{Own, world};
use crate::world::{Reply, run, text};

async fn restore(own: &Own, query: &str) -> Reply {
    let path = format!("/api/projects/{}/backend/restore{query}", own.id);
    world().await.post(&path).bearer(&own.owner.token).send().await
}

async fn give_up(own: &Own) {
    let call = world().await.delete(&own.provision()).bearer(&own.owner.token);
    call.send().await.expect(StatusCode::OK);
}

#[test]
fn an_external_backend_comes_back_with_its_credentials() {
    run(async {
        let own = Own::with(json!({})).await;
        give_up(&own).await;
        let path = format!("/api/trash?projectId={}&kind=backend", own.id);
        let call = world().await.get(&path).bearer(&own.owner.token);
        let list = call.send().await.expect(StatusCode::OK);
        assert_eq!(list["items"][0]["name"], "external postgresql");
        for _ in 0..2 {
            let back = restore(&own, "").await.expect(StatusCode::OK);
            assert_eq!(back["connectionInfo"]["databaseId"], json!(own.backend));
        }
        own.facts().await.send().await.expect(StatusCode::OK);
    });
}

#[test]
fn a_backend_whose_place_is_taken_waits_until_it_is_free() {
    run(async {
        let own = Own::with(json!({})).await;
        give_up(&own).await;
        let managed = json!({ "backendType": "managed" });
        let call = world().await.post(&own.provision()).bearer(&own.owner.token);
        let made = call.json(&managed).send().await.expect(StatusCode::CREATED);
        let managed = text(&made["database"], "id");
        let named = format!("?databaseId={}", own.backend);
        for query in ["", named.as_str()] {
            assert_eq!(
                restore(&own, query).await.code(StatusCode::CONFLICT),
                "provisioning/exists"
            );
        }
        let serving = restore(&own, &format!("?databaseId={managed}"))
            .await
            .expect(StatusCode::OK);
        assert_eq!(serving["connectionInfo"]["databaseId"], json!(managed));

        // Both are gone now: the last one comes back first, the other one by its name.
        give_up(&own).await;
        let back = restore(&own, "").await.expect(StatusCode::OK);
        assert_eq!(back["connectionInfo"]["databaseId"], json!(managed));
        give_up(&own).await;
        let back = restore(&own, &named).await.expect(StatusCode::OK);
        assert_eq!(back["connectionInfo"]["databaseId"], json!(own.backend));
        own.facts().await.send().await.expect(StatusCode::OK);
    });
}
