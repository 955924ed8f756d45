//! What supabase-js does in a day, for both audiences.

use http::StatusCode;
use serde_json::json;

use super::{Door, PASSWORD, cell, doors, world_with};
use crate::world::{run, text, unique, world};

#[test]
fn a_sign_up_gives_a_session_in_gotrues_shape() {
    run(async {
        for door in doors().await {
            let email = format!("{}@Example.COM", unique().to_uppercase());
            let body = json!({ "email": email, "password": PASSWORD, "data": { "full_name": "Ann" } });
            let session = door.post("/signup").json(&body).send().await.expect(StatusCode::OK);
            assert_eq!(session["token_type"], "bearer");
            assert_eq!(session["expires_in"], 3600);
            assert!(session["expires_at"].as_i64().unwrap() > 1_700_000_000);
            assert!(text(&session, "refresh_token").len() >= 43);
            let user = &session["user"];
            assert_eq!(user["email"], email.to_lowercase());
            assert_eq!(user["user_metadata"], json!({ "full_name": "Ann" }));
            assert_eq!(user["identities"][0]["provider"], "email");
            assert_eq!(user["identities"][0]["identity_data"]["sub"], user["id"]);
            assert_eq!(user["is_anonymous"], false);
            assert_eq!(user["phone"], "");
            let role = user["app_metadata"].get("role");
            assert_eq!(role.is_some(), door.key.is_none(), "{user}");
            assert_eq!(door.user(&session).await.expect(StatusCode::OK), *user);
        }
    });
}

#[test]
fn a_second_sign_up_with_the_same_address_is_refused() {
    run(async {
        for door in doors().await {
            let session = door.sign_up().await;
            let body = json!({ "email": text(&session["user"], "email").to_uppercase(), "password": PASSWORD });
            let reply = door.post("/signup").json(&body).send().await;
            assert_eq!(reply.code(StatusCode::UNPROCESSABLE_ENTITY), "user_already_exists");
        }
    });
}

#[test]
fn two_sign_ups_at_once_with_one_address_make_one_account() {
    run(async {
        for door in doors().await {
            let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
            let sign_up = || door.post("/signup").json(&body).send();
            let (one, two) = tokio::join!(sign_up(), sign_up());
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 422]);
        }
    });
}

#[test]
fn signing_in_needs_the_right_password() {
    run(async {
        for door in doors().await {
            let session = door.sign_up().await;
            let email = text(&session["user"], "email");
            let again = door.sign_in(&email, PASSWORD).await.expect(StatusCode::OK);
            assert_eq!(again["user"]["id"], session["user"]["id"]);
            let wrong = door.sign_in(&email, "wrong horse battery").await;
            let unknown = door.sign_in("nobody@example.com", PASSWORD).await;
            assert_eq!(wrong.code(StatusCode::BAD_REQUEST), "invalid_credentials");
            assert_eq!(wrong.text, unknown.text);
            assert_eq!(wrong.header("x-sb-error-code"), "invalid_credentials");
        }
    });
}

#[test]
fn a_sign_out_ends_what_its_scope_says() {
    run(async {
        for door in doors().await {
            for (scope, left) in [
                ("local", [false, true]),
                ("others", [true, false]),
                ("global", [false, false]),
            ] {
                let first = door.sign_up().await;
                let email = text(&first["user"], "email");
                let second = door.sign_in(&email, PASSWORD).await.expect(StatusCode::OK);
                let reply = door
                    .post(&format!("/logout?scope={scope}"))
                    .bearer(&text(&first, "access_token"))
                    .send()
                    .await;
                assert_eq!((reply.status, reply.text.as_str()), (StatusCode::NO_CONTENT, ""));
                for (session, alive) in [first, second].iter().zip(left) {
                    let shown = door.user(session).await;
                    let renewed = door.refresh(&text(session, "refresh_token")).await;
                    if alive {
                        shown.expect(StatusCode::OK);
                        renewed.expect(StatusCode::OK);
                    } else {
                        assert_eq!(shown.code(StatusCode::FORBIDDEN), "session_not_found");
                        assert_eq!(renewed.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
                    }
                }
            }
        }
    });
}

#[test]
fn a_user_changes_metadata_address_and_password() {
    run(async {
        for door in doors().await {
            let session = door.sign_up().await;
            let email = text(&session["user"], "email");
            let other = door.sign_in(&email, PASSWORD).await.expect(StatusCode::OK);
            let token = text(&session, "access_token");
            let change = |body| door.put("/user").bearer(&token).json(&body).send();

            change(json!({ "data": { "a": 1, "b": 2 } }))
                .await
                .expect(StatusCode::OK);
            let user = change(json!({ "data": { "b": null, "c": 3 } }))
                .await
                .expect(StatusCode::OK);
            assert_eq!(user["user_metadata"], json!({ "a": 1, "c": 3 }));
            door.user(&other).await.expect(StatusCode::OK);

            let renamed = format!("{}@example.com", unique());
            let user = change(json!({ "email": renamed })).await.expect(StatusCode::OK);
            assert_eq!(user["email"], renamed);
            assert_eq!(user["identities"][0]["identity_data"]["email"], renamed);

            let same = change(json!({ "password": PASSWORD })).await;
            assert_eq!(same.code(StatusCode::UNPROCESSABLE_ENTITY), "same_password");
            let unsure = change(json!({ "password": "another horse", "current_password": "no" })).await;
            assert_eq!(unsure.code(StatusCode::BAD_REQUEST), "invalid_credentials");
            change(json!({ "password": "another horse" }))
                .await
                .expect(StatusCode::OK);
            assert_eq!(door.user(&other).await.code(StatusCode::FORBIDDEN), "session_not_found");
            door.user(&session).await.expect(StatusCode::OK);
            door.sign_in(&renamed, "another horse").await.expect(StatusCode::OK);
            let old = door.sign_in(&renamed, PASSWORD).await;
            assert_eq!(old.code(StatusCode::BAD_REQUEST), "invalid_credentials");
        }
    });
}

#[test]
fn a_user_never_sets_app_metadata_or_takes_a_taken_address() {
    run(async {
        for door in doors().await {
            let (session, other) = (door.sign_up().await, door.sign_up().await);
            let token = text(&session, "access_token");
            let change = |body| door.put("/user").bearer(&token).json(&body).send();
            let raised = change(json!({ "app_metadata": { "role": "Admin" } })).await;
            assert_eq!(raised.code(StatusCode::FORBIDDEN), "not_admin");
            let taken = change(json!({ "email": other["user"]["email"] })).await;
            assert_eq!(taken.code(StatusCode::UNPROCESSABLE_ENTITY), "email_exists");
            let signed_up = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD,
                "app_metadata": { "role": "Admin" }, "data": { "role": "Admin" }, "role": "service_role" });
            let session = door
                .post("/signup")
                .json(&signed_up)
                .send()
                .await
                .expect(StatusCode::OK);
            assert_ne!(session["user"]["app_metadata"]["role"], "Admin");
            assert_eq!(session["user"]["role"], "authenticated");
        }
    });
}

#[test]
fn an_imported_bcrypt_password_works_and_is_hashed_anew() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let door = Door::of(world, &project);
        let session = door.sign_up().await;
        let cell = cell().await;
        // bcrypt of "hunter2", cost 4.
        let users = format!("auth_{}.users", project.reference);
        let hash = BCRYPT;
        cell.batch_execute(&format!("update {users} set encrypted_password = '{hash}'"))
            .await
            .unwrap();
        let email = text(&session["user"], "email");
        let bad = door.sign_in(&email, "hunter3").await;
        assert_eq!(bad.code(StatusCode::BAD_REQUEST), "invalid_credentials");
        let (one, two) = tokio::join!(door.sign_in(&email, "hunter2"), door.sign_in(&email, "hunter2"));
        one.expect(StatusCode::OK);
        two.expect(StatusCode::OK);
        let row = cell
            .query_one(&format!("select encrypted_password from {users}"), &[])
            .await
            .unwrap();
        assert!(row.get::<_, &str>(0).starts_with("$argon2id$"));
        door.sign_in(&email, "hunter2").await.expect(StatusCode::OK);
    });
}

const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm";

#[test]
fn the_backends_own_paths_reach_the_same_accounts() {
    run(async {
        let world = world().await;
        let (project, other) = (world.project("schema").await, world.project("schema").await);
        let path = |action: &str| format!("/api/database/{}/auth/{action}", project.backend);
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        let send = async |action: &str, key: &str| world.post(&path(action)).key(key).json(&body).send().await;
        let made = send("signup", &project.publishable).await.expect(StatusCode::OK);
        let again = send("login", &project.publishable).await.expect(StatusCode::OK);
        assert_eq!(made["user"]["id"], again["user"]["id"]);
        assert_eq!(send("login", &other.publishable).await.status, StatusCode::NOT_FOUND);
        let keyless = world.post(&path("login")).json(&body).send().await;
        assert_eq!(keyless.expect(StatusCode::UNAUTHORIZED)["error_code"], "no_api_key");
    });
}

#[test]
fn who_may_sign_up_to_the_platform_is_a_setting() {
    run(async {
        let strict = world_with("PLINTH_SIGN_UP", "example.org").await;
        let door = Door::platform(&strict);
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        let refused = door.post("/signup").json(&body).send().await;
        assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "signup_disabled");
        let body = json!({ "email": format!("{}@example.org", unique()), "password": PASSWORD });
        let session = door.post("/signup").json(&body).send().await.expect(StatusCode::OK);
        assert_eq!(session["user"]["app_metadata"]["role"], "User");
        let moved = door
            .put("/user")
            .bearer(&text(&session, "access_token"))
            .json(&json!({ "email": format!("{}@example.com", unique()) }));
        let moved = moved.send().await;
        assert_eq!(
            moved.code(StatusCode::UNPROCESSABLE_ENTITY),
            "email_address_not_authorized"
        );
        // End users are their project's business.
        let project = world().await.project("schema").await;
        Door::of(&strict, &project).sign_up().await;
    });
}

#[test]
fn the_first_admin_signs_up_where_nobody_may() {
    run(async {
        let email = format!("{}@example.com", unique());
        let platform = crate::world::platform().await;
        let closed = platform
            .with("PLINTH_SIGN_UP", "nobody")
            .with("PLINTH_FIRST_ADMIN", &email);
        let closed = crate::world::World::of(&closed, std::sync::Arc::new(plinth::clock::SystemClock));
        let door = Door::platform(&closed);
        let settings = door.get("/settings").send().await.expect(StatusCode::OK);
        assert_eq!(
            (&settings["disable_signup"], &settings["external"]["email"]),
            (&json!(true), &json!(true))
        );
        let body = json!({ "email": email, "password": PASSWORD });
        let session = door.post("/signup").json(&body).send().await.expect(StatusCode::OK);
        assert_eq!(session["user"]["app_metadata"]["role"], "Admin");
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        let refused = door.post("/signup").json(&body).send().await;
        assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "signup_disabled");
    });
}

#[test]
fn without_mail_an_unconfirmed_sign_up_is_refused_with_the_reason() {
    run(async {
        let door = Door::platform(&world_with("PLINTH_AUTOCONFIRM", "false").await);
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        let reply = door.post("/signup").json(&body).send().await;
        assert_eq!(reply.code(StatusCode::UNPROCESSABLE_ENTITY), "email_provider_disabled");
        assert!(reply.text.contains("mail is not configured yet"));
    });
}

#[test]
fn a_platform_users_changes_are_audited_with_them() {
    run(async {
        let door = Door::platform(world().await);
        let session = door.sign_up().await;
        let token = text(&session, "access_token");
        let body = json!({ "password": "another horse" });
        door.put("/user")
            .bearer(&token)
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        door.post("/logout").bearer(&token).send().await;
        let app = door.world.app(plinth_local::platform::Function::Projects);
        let control = app.control.get().await.unwrap();
        let sql = "select l.action, s.actor, l.details::text from plinth.audit_log l
            join plinth.audit_subjects s on s.audit_id = l.id where l.target = $1 order by l.sequence";
        let id = text(&session["user"], "id");
        let rows = control.query(sql, &[&id]).await.unwrap();
        let actions: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(actions, ["users.sign_up", "users.change", "users.sign_out"]);
        assert!(rows.iter().all(|row| row.get::<_, &str>(1) == format!("user:{id}")));
        assert!(rows.iter().all(|row| !row.get::<_, &str>(2).contains("horse")));
    });
}
