//! Scripts in a user's own database: as the login that was given, and no other.

use http::StatusCode;
use serde_json::json;

use super::{Own, world};
use crate::world::run;

#[test]
fn a_script_runs_as_the_login_with_the_exposed_schemas_on_its_path() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({ "serviceRole": "web_service" })).await;
        let path = format!("/api/database/{}/sql", own.backend);
        let body = json!({ "query": "select role, login, search_path from facts" });
        for call in [
            world.post(&path).key(&own.secret),
            world.post(&path).bearer(&own.owner.token),
        ] {
            let ran = call.json(&body).send().await.expect(StatusCode::OK);
            assert_eq!(
                ran["results"],
                json!([{ "role": "users_login", "login": "users_login", "search_path": "\"api\", \"hidden\", pg_temp" }])
            );
        }
        // What the login may become it may become here too; nothing of it is kept without asking for it.
        let body =
            json!({ "query": "set role web_service; update todos set title = 'x' where id = $$1$$::int returning id" });
        let refused = world.post(&path).key(&own.secret).json(&body).send().await;
        assert_eq!(refused.code(StatusCode::BAD_REQUEST), "25006");
        let refused = world.post(&path).key(&own.publishable).json(&body).send().await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "sql/role");
        assert_eq!(
            world.post(&path).json(&body).send().await.status,
            StatusCode::UNAUTHORIZED
        );
    });
}
