//! Errors: their shape, and a table of what is refused.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Door, PASSWORD, doors};
use crate::world::{Call, run, text, unique, world};

#[test]
fn the_version_header_decides_the_shape_and_is_echoed() {
    run(async {
        let world = world().await;
        let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
        let call = || world.post("/auth/v1/token?grant_type=password").json(&body);
        let dated = call().header("x-supabase-api-version", "2024-01-01").send().await;
        assert_eq!(dated.header("x-supabase-api-version"), "2024-01-01");
        assert_eq!(
            dated.expect(StatusCode::BAD_REQUEST),
            json!({ "code": "invalid_credentials", "message": "Invalid login credentials" })
        );
        let older = call().send().await;
        assert_eq!(older.header("x-supabase-api-version"), "");
        assert_eq!(older.header("x-sb-error-code"), "invalid_credentials");
        assert_eq!(
            older.expect(StatusCode::BAD_REQUEST),
            json!({ "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials" })
        );
    });
}

#[test]
fn a_weak_password_says_why() {
    run(async {
        for door in doors().await {
            for password in ["short".to_owned(), "x".repeat(73)] {
                let body = json!({ "email": format!("{}@example.com", unique()), "password": password });
                let reply = door.post("/signup").json(&body).send().await;
                let shown = reply.expect(StatusCode::UNPROCESSABLE_ENTITY);
                assert_eq!(shown["code"], "weak_password");
                assert_eq!(shown["weak_password"], json!({ "reasons": ["length"] }));
            }
        }
    });
}

#[test]
fn bad_input_is_refused_with_a_name() {
    run(async {
        let account = |email: &str, password: &str| json!({ "email": email, "password": password }).to_string();
        let big = json!({ "email": "a@example.com", "password": "x".repeat(2 << 20) }).to_string();
        let (sign_up, sign_in, renew) = (
            "/signup",
            "/token?grant_type=password",
            "/token?grant_type=refresh_token",
        );
        let rows: Vec<(&str, String, u16, &str)> = vec![
            (sign_up, "{".into(), 400, "bad_json"),
            (sign_up, String::new(), 400, "bad_json"),
            (sign_up, "[]".into(), 400, "bad_json"),
            (sign_up, "\"x\"".into(), 400, "bad_json"),
            (sign_up, "[".repeat(100_000), 400, "bad_json"),
            (
                sign_up,
                json!({ "email": 1, "password": PASSWORD }).to_string(),
                400,
                "bad_json",
            ),
            (
                sign_up,
                json!({ "email": "a@example.com", "password": 12_345_678 }).to_string(),
                400,
                "bad_json",
            ),
            (
                sign_up,
                json!({ "email": "a@example.com", "password": PASSWORD, "data": "x" }).to_string(),
                400,
                "bad_json",
            ),
            (sign_up, "{}".into(), 422, "anonymous_provider_disabled"),
            (
                sign_up,
                json!({ "data": {} }).to_string(),
                422,
                "anonymous_provider_disabled",
            ),
            (
                sign_up,
                json!({ "phone": "+491", "password": PASSWORD }).to_string(),
                422,
                "phone_provider_disabled",
            ),
            (
                sign_up,
                json!({ "email": "a@example.com" }).to_string(),
                400,
                "validation_failed",
            ),
            (sign_up, account("not an address", PASSWORD), 400, "validation_failed"),
            (sign_up, account("a\0b@example.com", PASSWORD), 400, "validation_failed"),
            (
                sign_up,
                account(&format!("{}@example.com", "a".repeat(1 << 19)), PASSWORD),
                400,
                "validation_failed",
            ),
            (
                sign_up,
                account("a'; drop table users; --@example.com", PASSWORD),
                400,
                "validation_failed",
            ),
            (
                sign_up,
                account("a@example.com", "nul\0nul\0nul"),
                400,
                "validation_failed",
            ),
            (sign_up, account("a@example.com", "short"), 422, "weak_password"),
            (
                sign_up,
                json!({ "email": "a@example.com", "password": PASSWORD, "data": { "a": "\0" } }).to_string(),
                400,
                "validation_failed",
            ),
            (
                sign_up,
                json!({ "email": "a@example.com", "password": PASSWORD, "data": { "a": "x".repeat(5000) } })
                    .to_string(),
                400,
                "validation_failed",
            ),
            (sign_up, big, 413, "http_too_large"),
            (sign_in, "{}".into(), 400, "validation_failed"),
            (
                sign_in,
                json!({ "email": "a@example.com" }).to_string(),
                400,
                "validation_failed",
            ),
            (
                sign_in,
                json!({ "phone": "+491", "password": PASSWORD }).to_string(),
                422,
                "phone_provider_disabled",
            ),
            (sign_in, account("a\0@example.com", "\0"), 400, "invalid_credentials"),
            (sign_in, account("' or 1=1 --", PASSWORD), 400, "invalid_credentials"),
            (
                sign_in,
                account("a@example.com", &"x".repeat(1 << 19)),
                400,
                "invalid_credentials",
            ),
            (renew, "{}".into(), 400, "validation_failed"),
            (renew, json!({ "refresh_token": 1 }).to_string(), 400, "bad_json"),
            (
                renew,
                json!({ "refresh_token": "\0" }).to_string(),
                400,
                "refresh_token_not_found",
            ),
            (
                "/token",
                account("a@example.com", PASSWORD),
                400,
                "unsupported_grant_type",
            ),
            ("/token?grant_type=pkce", "{}".into(), 400, "unsupported_grant_type"),
            ("/token?grant_type=id_token", "{}".into(), 400, "unsupported_grant_type"),
            ("/token?grant_type=%00%ff", "{}".into(), 400, "unsupported_grant_type"),
        ];
        for door in doors().await {
            for (path, body, status, name) in &rows {
                let reply = door.post(path).body(body.clone(), "application/json").send().await;
                let seen = (reply.status.as_u16(), reply.header("x-sb-error-code"));
                assert_eq!(
                    seen,
                    (*status, *name),
                    "{path} {}",
                    body.chars().take(80).collect::<String>()
                );
                assert_eq!(reply.json()["code"], *name);
            }
            let reply = door
                .post("/signup")
                .body("a=b", "application/x-www-form-urlencoded")
                .send()
                .await;
            assert_eq!(reply.code(StatusCode::UNSUPPORTED_MEDIA_TYPE), "http_content_type");
        }
    });
}

#[test]
fn bad_changes_change_nothing() {
    run(async {
        for door in doors().await {
            let session = door.sign_up().await;
            let token = text(&session, "access_token");
            for (body, name) in [
                (
                    json!({ "email": "no address", "data": { "a": 1 } }),
                    "validation_failed",
                ),
                (json!({ "password": "short", "data": { "a": 1 } }), "weak_password"),
                (
                    json!({ "phone": "+491", "data": { "a": 1 } }),
                    "phone_provider_disabled",
                ),
                (json!({ "data": 1 }), "bad_json"),
                (json!({ "data": { "a": "x".repeat(5000) } }), "validation_failed"),
            ] {
                let reply = door.put("/user").bearer(&token).json(&body).send().await;
                assert_eq!(reply.header("x-sb-error-code"), name, "{body}");
            }
            assert_eq!(door.user(&session).await.expect(StatusCode::OK), session["user"]);
            let scope = door.post("/logout?scope=everything").bearer(&token).send().await;
            assert_eq!(scope.code(StatusCode::BAD_REQUEST), "validation_failed");
            door.user(&session).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn what_comes_later_says_so() {
    run(async {
        for door in doors().await {
            for (method, path) in [
                (Method::POST, "/otp"),
                (Method::POST, "/verify"),
                (Method::GET, "/verify?token=x"),
                (Method::POST, "/recover"),
                (Method::GET, "/authorize?provider=google"),
                (Method::POST, "/factors"),
                (Method::POST, "/factors/1/verify"),
                (Method::POST, "/admin/users"),
                (Method::PUT, "/admin/users/1"),
                (Method::POST, "/admin/generate_link"),
            ] {
                let reply = door.call(method, path).send().await;
                assert_eq!(reply.code(StatusCode::NOT_IMPLEMENTED), "not_implemented", "{path}");
            }
            for path in ["/nothing", "/%ff", "/nothing/of/the/kind"] {
                let reply = door.get(path).send().await;
                assert_eq!(reply.code(StatusCode::NOT_FOUND), "http_no_such_path");
            }
        }
    });
}

#[test]
fn public_keys_are_public_and_cacheable() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let of_project = format!("/p/{}/auth/v1/.well-known/jwks.json", project.reference);
        for path in ["/auth/v1/.well-known/jwks.json", &of_project] {
            let reply = world.get(path).send().await;
            let keys = reply.expect(StatusCode::OK);
            assert_eq!(reply.header("cache-control"), "public, max-age=600");
            let key = &keys["keys"][0];
            assert_eq!((&key["kty"], &key["alg"]), (&json!("EC"), &json!("ES256")), "{key}");
            assert!(key["kid"].is_string() && key.get("d").is_none());
        }
        let nowhere = world
            .get("/p/abcdefghijklmnopqrst/auth/v1/.well-known/jwks.json")
            .send()
            .await;
        assert_eq!(nowhere.header("x-sb-error-code"), "project_not_found");
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_projects_doors_open_to_its_own_live_keys_only() {
    run(async {
        let world = world().await;
        let (project, other) = (world.project("schema").await, world.project("schema").await);
        let path = format!("/p/{}/auth/v1/settings", project.reference);
        let with = |key: &str| world.get(&path).key(key);
        let seen = async |call: Call| {
            let reply = call.send().await;
            (reply.status.as_u16(), reply.header("x-sb-error-code").to_owned())
        };
        assert_eq!(seen(with(&project.publishable)).await.0, 200);
        assert_eq!(seen(with(&project.secret)).await.0, 200);
        assert_eq!(seen(world.get(&path).bearer(&project.publishable)).await.0, 200);
        assert_eq!(seen(world.get(&path)).await, (401, "no_api_key".to_owned()));
        assert_eq!(seen(with("rubbish")).await, (401, "invalid_api_key".to_owned()));
        assert_eq!(
            seen(with(&other.publishable)).await,
            (401, "invalid_api_key".to_owned())
        );
        let browser = with(&project.secret).header("origin", "https://app.example");
        assert_eq!(seen(browser).await, (403, "keys_secret_in_browser".to_owned()));

        let id: uuid::Uuid = project.id.parse().unwrap();
        let app = world.app(plinth_local::platform::Function::Projects);
        let control = app.control.get().await.unwrap();
        let revoke = "update plinth.keys set revoked_at = now() where project_id = $1 and class = 'publishable'";
        control.execute(revoke, &[&id]).await.unwrap();
        assert_eq!(
            seen(with(&project.publishable)).await,
            (401, "invalid_api_key".to_owned())
        );
        assert_eq!(seen(with(&project.secret)).await.0, 200);
        control
            .execute("update plinth.projects set deleted_at = now() where id = $1", &[&id])
            .await
            .unwrap();
        assert_eq!(seen(with(&project.secret)).await, (404, "project_not_found".to_owned()));
    });
}

#[test]
fn banned_and_deleted_users_stay_out() {
    run(async {
        let door = Door::platform(world().await);
        let app = door.world.app(plinth_local::platform::Function::Auth);
        let control = app.control.get().await.unwrap();
        for (set, name) in [
            ("banned_until = now() + '1 day'", "user_banned"),
            ("deleted_at = now()", ""),
        ] {
            let session = door.sign_up().await;
            let id: uuid::Uuid = text(&session["user"], "id").parse().unwrap();
            let sql = format!("update plinth.users set {set} where id = $1");
            control.execute(&sql, &[&id]).await.unwrap();
            let refused = async |reply: crate::world::Reply| {
                assert!(reply.status.is_client_error());
                text(&reply.json(), "code")
            };
            let email = text(&session["user"], "email");
            let seen: [String; 3] = [
                refused(door.sign_in(&email, PASSWORD).await).await,
                refused(door.refresh(&text(&session, "refresh_token")).await).await,
                refused(door.user(&session).await).await,
            ];
            match name {
                "" => assert_eq!(
                    seen,
                    ["invalid_credentials", "refresh_token_not_found", "user_not_found"]
                ),
                name => assert_eq!(seen, [name; 3]),
            }
            // The address says nothing about the ban to who does not know the password.
            let guess = door.sign_in(&email, "wrong horse").await;
            assert_eq!(guess.code(StatusCode::BAD_REQUEST), "invalid_credentials");
        }
    });
}

#[test]
fn no_refusal_repeats_a_password() {
    run(async {
        for door in doors().await {
            for body in [
                json!({ "email": "a", "password": "planted-secret" }),
                json!({ "email": "a@example.com", "password": ["planted-secret"] }),
                json!({ "email": { "planted-secret": 1 }, "password": "planted-secret" }),
            ] {
                for path in ["/signup", "/token?grant_type=password"] {
                    let reply = door.post(path).json(&body).send().await;
                    assert!(reply.status.is_client_error() && !reply.text.contains("planted-secret"));
                }
            }
        }
    });
}

#[test]
fn health_and_settings_answer() {
    run(async {
        for door in doors().await {
            let health: Value = door.get("/health").send().await.expect(StatusCode::OK);
            assert_eq!(health["name"], "Plinth Auth");
            let settings = door.get("/settings").send().await.expect(StatusCode::OK);
            assert_eq!(settings["mailer_autoconfirm"], true);
            assert_eq!(settings["disable_signup"], false);
        }
    });
}
