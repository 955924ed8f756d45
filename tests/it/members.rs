//! Members: who may do what, and the last owner.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::projects::{Bare, missing, send};
use crate::world::{User, run, unique, world};

#[test]
fn every_role_may_do_what_its_row_says() {
    run(async {
        // Statuses for: owner, admin, developer, viewer, stranger, nobody.
        let name = || json!({ "name": "{unique}" });
        let rows: Vec<(Method, &str, Option<Value>, [u16; 6])> = vec![
            (Method::GET, "", None, [200, 200, 200, 200, 404, 401]),
            (Method::PATCH, "", Some(name()), [200, 200, 403, 403, 404, 401]),
            (Method::PUT, "", Some(name()), [200, 200, 403, 403, 404, 401]),
            (Method::DELETE, "", None, [200, 403, 403, 403, 404, 401]),
            (Method::POST, "/restore", None, [200, 403, 403, 403, 404, 401]),
            (Method::GET, "/members", None, [200, 200, 200, 200, 404, 401]),
            (
                Method::POST,
                "/members",
                Some(json!({ "userId": "{other}", "role": "admin" })),
                [201, 201, 403, 403, 404, 401],
            ),
            (
                Method::POST,
                "/members",
                Some(json!({ "userId": "{other}", "role": "owner" })),
                [201, 403, 403, 403, 404, 401],
            ),
            (
                Method::PATCH,
                "/members/{viewer}",
                Some(json!({ "role": "developer" })),
                [200, 200, 403, 403, 404, 401],
            ),
            (
                Method::PATCH,
                "/members/{viewer}",
                Some(json!({ "role": "owner" })),
                [200, 403, 403, 403, 404, 401],
            ),
            (
                Method::DELETE,
                "/members/{developer}",
                None,
                [204, 204, 204, 403, 404, 401],
            ),
            (
                Method::DELETE,
                "/members/{viewer}",
                None,
                [204, 204, 403, 204, 404, 401],
            ),
            (Method::DELETE, "/members/{owner}", None, [409, 403, 403, 403, 404, 401]),
            (Method::GET, "/keys", None, [200, 200, 403, 403, 404, 401]),
            (
                Method::POST,
                "/keys",
                Some(json!({ "class": "secret", "name": "k" })),
                [201, 201, 403, 403, 404, 401],
            ),
            (
                Method::POST,
                "/keys/{key}/rotate",
                Some(json!({})),
                [201, 201, 403, 403, 404, 401],
            ),
            (Method::DELETE, "/keys/{key}", None, [200, 200, 403, 403, 404, 401]),
            (Method::GET, "/audit", None, [200, 200, 403, 403, 404, 401]),
        ];
        let world = world().await;
        let [owner, admin, developer, viewer, stranger] = world_users().await;
        let key = json!({ "class": "publishable", "name": "k" });
        for (method, rest, body, statuses) in rows {
            for (who, status) in ["owner", "admin", "developer", "viewer", "stranger", "nobody"]
                .iter()
                .zip(statuses)
            {
                let project = Bare::of(owner.clone()).await;
                for (user, role) in [(&admin, "admin"), (&developer, "developer"), (&viewer, "viewer")] {
                    project.add(user, role).await;
                }
                let key = send(Method::POST, &project.path("/keys"), &owner, Some(&key)).await;
                let fill = |text: &str| {
                    text.replace("{owner}", &project.owner.id)
                        .replace("{developer}", &developer.id)
                        .replace("{viewer}", &viewer.id)
                        .replace("{key}", &crate::world::text(&key.json(), "id"))
                        .replace("{other}", &stranger.id)
                        .replace("{unique}", &unique())
                };
                let by = match *who {
                    "owner" => Some(&project.owner),
                    "admin" => Some(&admin),
                    "developer" => Some(&developer),
                    "viewer" => Some(&viewer),
                    "stranger" => Some(&stranger),
                    _ => None,
                };
                let before = (project.version().await, project.audited().await);
                let mut call = world.call(method.clone(), &project.path(&fill(rest)));
                if let Some(by) = by {
                    call = call.bearer(&by.token);
                }
                if let Some(body) = &body {
                    call = call.json(&serde_json::from_str(&fill(&body.to_string())).unwrap());
                }
                let reply = call.send().await;
                assert_eq!(
                    reply.status.as_u16(),
                    status,
                    "{who} {method} {rest} {body:?}: {}",
                    reply.text
                );
                if status == 404 {
                    assert_eq!(reply.text, missing().to_string(), "{who} {method} {rest}");
                }
                if status >= 400 {
                    assert_eq!(
                        before,
                        (project.version().await, project.audited().await),
                        "{who} {method} {rest}"
                    );
                }
            }
        }
    });
}

async fn world_users() -> [User; 5] {
    let world = world().await;
    [
        world.user().await,
        world.user().await,
        world.user().await,
        world.user().await,
        world.user().await,
    ]
}

#[test]
fn members_are_added_changed_and_removed() {
    run(async {
        let project = Bare::new().await;
        let user = world().await.user().await;
        let add = async |body: Value| send(Method::POST, &project.path("/members"), &project.owner, Some(&body)).await;
        let added = add(json!({ "email": user.email.to_uppercase(), "role": "viewer" })).await;
        let added = added.expect(StatusCode::CREATED);
        assert_eq!(
            (&added["member"]["userId"], &added["member"]["role"]),
            (&json!(user.id), &json!("viewer"))
        );
        for (body, status, code) in [
            (json!({ "userId": user.id, "role": "viewer" }), 409, "members/already"),
            (
                json!({ "userId": Uuid::nil(), "role": "viewer" }),
                404,
                "members/no-such-user",
            ),
            (
                json!({ "email": "nobody@example.com", "role": "viewer" }),
                404,
                "members/no-such-user",
            ),
            (json!({ "role": "viewer" }), 400, "members/who"),
            (
                json!({ "email": "a@b.c", "userId": user.id, "role": "viewer" }),
                400,
                "members/who",
            ),
            (json!({ "userId": user.id, "role": "king" }), 400, "http/body"),
        ] {
            assert_eq!(
                add(body.clone()).await.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{body}"
            );
        }
        let path = project.path(&format!("/members/{}", user.id));
        let changed = send(Method::PATCH, &path, &project.owner, Some(&json!({ "role": "admin" }))).await;
        assert_eq!(changed.expect(StatusCode::OK)["member"]["role"], "admin");
        let listed = send(Method::GET, &project.path("/members"), &user, None)
            .await
            .expect(StatusCode::OK);
        let roles: Vec<_> = listed["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| &member["role"])
            .collect();
        assert_eq!(roles, ["owner", "admin"]);
        send(Method::DELETE, &path, &user, None)
            .await
            .expect(StatusCode::NO_CONTENT);
        send(Method::GET, &project.path(""), &user, None)
            .await
            .expect(StatusCode::NOT_FOUND);
        let gone = send(Method::DELETE, &path, &project.owner, None).await;
        assert_eq!(gone.code(StatusCode::NOT_FOUND), "members/not-found");
        add(json!({ "userId": user.id, "role": "developer" }))
            .await
            .expect(StatusCode::CREATED);
    });
}

#[test]
fn of_two_last_owners_who_leave_at_once_one_stays() {
    run(async {
        for _ in 0..5 {
            let project = Bare::new().await;
            let other = project.member("owner").await;
            let leave = async |user: &User| {
                let path = project.path(&format!("/members/{}", user.id));
                send(Method::DELETE, &path, user, None).await
            };
            let (one, two) = tokio::join!(leave(&project.owner), leave(&other));
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "{} {}", one.text, two.text);
            let refused = if one.status == StatusCode::CONFLICT { one } else { two };
            assert_eq!(refused.code(StatusCode::CONFLICT), "members/last-owner");
        }
    });
}
