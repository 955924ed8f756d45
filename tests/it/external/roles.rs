//! Who a request is: keys, tokens, nobody.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Own, SECRET, now, signed, token, world};
use crate::world::{run, text};

#[test]
fn the_role_comes_from_the_token_or_is_anons() {
    run(async {
        let own = Own::with(json!({ "audience": "me" })).await;
        let at = now();
        let user = |more: Value| {
            let mut claims = json!({ "role": "web_user", "sub": "u1" });
            claims
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            claims
        };
        for (claims, status, expected) in [
            (json!({}), 200, "web_anon"),
            (user(json!({})), 200, "web_user"),
            (
                user(json!({ "exp": at + 60, "nbf": at - 60, "iat": at - 60, "aud": "me" })),
                200,
                "web_user",
            ),
            (
                user(json!({ "exp": at - 20, "nbf": at + 20, "iat": at + 20 })),
                200,
                "web_user",
            ),
            (user(json!({ "aud": ["you", "me"] })), 200, "web_user"),
            (json!({ "role": "web_service" }), 200, "web_service"),
            (user(json!({ "exp": at - 60 })), 401, "PGRST303 JWT expired"),
            (user(json!({ "nbf": at + 60 })), 401, "PGRST303 JWT not yet valid"),
            (user(json!({ "iat": at + 60 })), 401, "PGRST303 JWT issued at future"),
            (user(json!({ "aud": "you" })), 401, "PGRST303 JWT not in audience"),
            (
                user(json!({ "exp": "soon" })),
                401,
                "PGRST303 The JWT 'exp' claim must be a number",
            ),
            (
                json!({ "role": "web_nobody" }),
                401,
                "22023 The role of this request does not exist",
            ),
            (
                json!({ "role": "none" }),
                401,
                "22023 The role of this request does not exist",
            ),
            (json!({ "role": "web_stranger" }), 403, "42501 "),
            (json!({ "role": "postgres" }), 403, "42501 "),
        ] {
            let reply = own.facts().await.bearer(&token(&claims)).send().await;
            assert_eq!(reply.status.as_u16(), status, "{claims}: {}", reply.text);
            let json = reply.json();
            if status == 200 {
                assert_eq!(json[0]["role"], expected, "{claims}");
                assert_eq!(json[0]["claims"]["role"], expected, "{claims}");
                assert_eq!(json[0]["claims"]["sub"], claims["sub"]);
                assert_eq!(json[0]["login"], "users_login");
                continue;
            }
            let said = format!("{} {}", text(&json, "code"), text(&json, "message"));
            assert!(said.starts_with(expected), "{claims}: {said}");
            if let Some(("PGRST303", message)) = expected.split_once(' ') {
                let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
                assert_eq!(reply.header("www-authenticate"), challenge);
            }
        }
    });
}

#[test]
fn what_is_no_token_of_the_issuers_is_refused() {
    run(async {
        let own = Own::with(json!({})).await;
        let claims = json!({ "role": "web_user" });
        let forged = signed(&claims, "another secret of more than 32 characters");
        for (sent, message) in [
            (forged.as_str(), "No suitable key or wrong key type"),
            ("abc", "Expected 3 parts in JWT; got 1"),
            ("a.b.c", "JWT couldn't be decoded"),
        ] {
            let reply = own.facts().await.bearer(sent).send().await;
            let refused = reply.expect(StatusCode::UNAUTHORIZED);
            assert_eq!(
                (text(&refused, "code").as_str(), text(&refused, "message").as_str()),
                ("PGRST301", message)
            );
            assert!(
                reply
                    .header("www-authenticate")
                    .starts_with("Bearer error=\"invalid_token\"")
            );
        }
        let empty = own.facts().await.header("authorization", "Bearer ").send().await;
        assert_eq!(empty.code(StatusCode::UNAUTHORIZED), "PGRST301");
    });
}

#[test]
fn nobody_is_anon_or_nobody() {
    run(async {
        let own = Own::with(json!({})).await;
        let facts = own.facts().await.send().await.expect(StatusCode::OK);
        assert_eq!(
            (&facts[0]["role"], &facts[0]["claims"]),
            (&json!("web_anon"), &json!({ "role": "web_anon" }))
        );
        let write = json!({ "id": 100, "title": "x" });
        let refused = world().await.post(&own.rest("todos")).json(&write).send().await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "42501");
        // A token that names the anonymous role is anonymous too.
        let anon = token(&json!({ "role": "web_anon" }));
        let refused = world()
            .await
            .post(&own.rest("todos"))
            .bearer(&anon)
            .json(&write)
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "42501");

        let closed = Own::with(json!({ "anonRole": null })).await;
        for call in [
            closed.facts().await,
            closed.facts().await.bearer(&token(&json!({ "sub": "x" }))),
        ] {
            let reply = call.send().await;
            let refused = reply.expect(StatusCode::UNAUTHORIZED);
            assert_eq!(text(&refused, "code"), "PGRST302");
            assert_eq!(text(&refused, "message"), "Anonymous access is disabled");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    });
}

#[test]
fn the_role_may_be_anywhere_in_the_token() {
    run(async {
        let claims = json!({ "app": { "roles": ["web_anon", "web_user"] }, "role": "web_service" });
        for path in [".app.roles[1]", "$.app.roles[1]"] {
            let own = Own::with(json!({ "roleClaim": path })).await;
            let facts = own.facts().await.bearer(&token(&claims)).send().await;
            assert_eq!(facts.expect(StatusCode::OK)[0]["role"], "web_user", "{path}");
        }
    });
}

#[test]
fn keys_open_the_door_where_they_are_asked_for() {
    run(async {
        let mut body = super::body(json!({ "serviceRole": "web_service" })).await;
        body["config"].as_object_mut().unwrap().remove("requireApiKey");
        let own = Own::of(world().await, &body).await;
        let user = token(&json!({ "role": "web_user" }));
        assert_eq!(
            own.facts().await.send().await.code(StatusCode::UNAUTHORIZED),
            "keys/missing"
        );
        let refused = own.facts().await.bearer(&user).send().await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "keys/missing");
        let refused = own.facts().await.key(&user).bearer(&user).send().await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "keys/invalid");
        for (call, role) in [
            (own.facts().await.key(&own.publishable), "web_anon"),
            (
                own.facts().await.key(&own.publishable).bearer(&own.publishable),
                "web_anon",
            ),
            (own.facts().await.key(&own.publishable).bearer(&user), "web_user"),
            (own.facts().await.key(&own.secret), "web_service"),
            (own.facts().await.key(&own.secret).bearer(&own.secret), "web_service"),
            (own.facts().await.key(&own.secret).bearer(&user), "web_user"),
        ] {
            let facts = call.send().await.expect(StatusCode::OK);
            assert_eq!(facts[0]["role"], role);
            assert!(
                !facts.to_string().contains("plinth_"),
                "our keys are not for the database: {facts}"
            );
        }
        let browser = own
            .facts()
            .await
            .key(&own.secret)
            .header("origin", "https://example.com")
            .send()
            .await;
        assert_eq!(browser.code(StatusCode::FORBIDDEN), "keys/secret-in-browser");
    });
}

#[test]
fn keys_still_count_where_none_is_asked_for() {
    run(async {
        let (own, other) = (Own::with(json!({})).await, Own::with(json!({})).await);
        // Without a service role a secret key works as the login itself.
        let facts = own.facts().await.key(&own.secret).send().await.expect(StatusCode::OK);
        assert_eq!(
            (&facts[0]["role"], &facts[0]["login"]),
            (&json!("users_login"), &json!("users_login"))
        );
        let (most, last) = own.publishable.split_at(own.publishable.len() - 1);
        let wrong = format!("{most}{}", if last == "x" { "y" } else { "x" });
        for key in [
            other.publishable.as_str(),
            other.secret.as_str(),
            "plinth_nonsense",
            wrong.as_str(),
        ] {
            let reply = own.facts().await.key(key).send().await;
            assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "keys/invalid");
            let reply = own.facts().await.bearer(key).send().await;
            assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "keys/invalid");
        }
        // As supabase-js sends the key it was given: in both headers.
        let anon = token(&json!({ "role": "web_anon", "iss": "supabase", "exp": now() + 60 }));
        let user = token(&json!({ "role": "web_user" }));
        for (key, bearer, role) in [(&anon, &anon, "web_anon"), (&anon, &user, "web_user")] {
            let facts = own.facts().await.key(key).bearer(bearer).send().await;
            assert_eq!(facts.expect(StatusCode::OK)[0]["role"], role);
        }
        let facts = own.facts().await.key(&user).send().await;
        assert_eq!(facts.expect(StatusCode::OK)[0]["role"], "web_user");
        let reply = own.facts().await.key("not a token").send().await;
        assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "PGRST301");
    });
}

#[test]
fn a_stranger_learns_nothing_of_a_project_without_a_key() {
    run(async {
        let world = world().await;
        let managed = world.project("schema").await;
        let paths = [
            managed.rest("todos"),
            "/p/aaaaaaaaaaaaaaaaaaaa/rest/v1/todos".to_owned(),
        ];
        for path in paths {
            let bare = world.get(&path).send().await;
            assert_eq!(bare.code(StatusCode::UNAUTHORIZED), "keys/missing");
            let reply = world
                .get(&path)
                .bearer(&token(&json!({ "role": "web_user" })))
                .send()
                .await;
            assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "keys/missing");
        }
    });
}

#[test]
fn an_issuers_published_keys_are_fetched() {
    run(async {
        let random: plinth::clock::SharedRandom = std::sync::Arc::new(plinth::clock::SystemRandom);
        let (key, other) = (
            plinth::token::SigningKey::generate(&random).unwrap(),
            plinth::token::SigningKey::generate(&random).unwrap(),
        );
        let keys = json!({ "keys": [key.public_jwk().unwrap()] }).to_string();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{keys}",
                    keys.len()
                );
                socket.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        let own = Own::with(json!({ "jwksUrl": url })).await;
        let claims = json!({ "role": "web_user" });
        let claims = claims.as_object().unwrap();
        let facts = own.facts().await.bearer(&key.sign(claims).unwrap()).send().await;
        assert_eq!(facts.expect(StatusCode::OK)[0]["role"], "web_user");
        // The secret counts beside it.
        let facts = own.facts().await.bearer(&signed(&json!(claims), SECRET)).send().await;
        assert_eq!(facts.expect(StatusCode::OK)[0]["role"], "web_user");
        let refused = own.facts().await.bearer(&other.sign(claims).unwrap()).send().await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "PGRST301");
    });
}
