//! Platform users whom an outside issuer vouches for, against an issuer on the loopback.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, StatusCode};
use plinth::accounts::remember_outside;
use plinth::clock::{Clock, SharedRandom, SystemClock, SystemRandom};
use plinth::tenancy::PlatformUser;
use plinth::token::SigningKey;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::world::{World, platform, run, unique};

struct Issuer {
    url: String,
    keys: Arc<Mutex<Value>>,
    fetched: Arc<Mutex<u32>>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let (keys, fetched) = (Arc::new(Mutex::new(json!({ "keys": [] }))), Arc::new(Mutex::new(0)));
        let (served, counted) = (keys.clone(), fetched.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                *counted.lock().unwrap() += 1;
                let body = served.lock().unwrap().to_string();
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                socket.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        Self { url, keys, fetched }
    }

    fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk().unwrap()).collect();
        *self.keys.lock().unwrap() = json!({ "keys": keys });
    }
}

fn key() -> SigningKey {
    let random: SharedRandom = Arc::new(SystemRandom);
    SigningKey::generate(&random).unwrap()
}

fn signed(key: &SigningKey, changes: Value) -> HeaderMap {
    let now = SystemClock.now().as_second();
    let mut claims = json!({ "iss": ISSUER, "aud": "plinth", "sub": "user_1", "email": "ann@example.com",
        "exp": now + 60, "iat": now })
    .as_object()
    .unwrap()
    .clone();
    claims.extend(changes.as_object().unwrap().clone());
    let token = key.sign(&claims).unwrap();
    HeaderMap::from_iter([(http::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

const ISSUER: &str = "https://clerk.example";

async fn app_for(issuer: &Issuer) -> plinth::app::App {
    let issuers = json!([{ "issuer": ISSUER, "jwks_url": issuer.url, "audience": "plinth" }]).to_string();
    platform()
        .await
        .with("PLINTH_ISSUERS", &issuers)
        .app(Function::Projects)
        .unwrap()
}

#[test]
fn an_outside_token_names_a_platform_user() {
    run(async {
        let (issuer, key) = (Issuer::start().await, key());
        issuer.publish(&[&key]);
        let app = app_for(&issuer).await;
        let user = app.tenancy.platform_user(&signed(&key, json!({}))).await.unwrap();
        assert_eq!(user.email.as_deref(), Some("ann@example.com"));
        let again = app.tenancy.platform_user(&signed(&key, json!({}))).await.unwrap();
        assert_eq!(user.id, again.id);
        assert_eq!(*issuer.fetched.lock().unwrap(), 1);
        let other = app
            .tenancy
            .platform_user(&signed(&key, json!({ "sub": "user_2" })))
            .await
            .unwrap();
        assert_ne!(user.id, other.id);
    });
}

#[test]
fn a_rotated_outside_key_is_fetched_and_a_forged_one_does_not_hammer() {
    run(async {
        let (issuer, old, new) = (Issuer::start().await, key(), key());
        issuer.publish(&[&old]);
        let app = app_for(&issuer).await;
        app.tenancy.platform_user(&signed(&old, json!({}))).await.unwrap();
        issuer.publish(&[&old, &new]);
        app.tenancy.platform_user(&signed(&new, json!({}))).await.unwrap();
        assert_eq!(*issuer.fetched.lock().unwrap(), 2);
        for _ in 0..5 {
            let error = app.tenancy.platform_user(&signed(&key(), json!({}))).await.unwrap_err();
            assert_eq!(error.code(), "auth/unauthorized");
        }
        assert_eq!(*issuer.fetched.lock().unwrap(), 2);
    });
}

#[test]
fn an_outside_token_that_does_not_hold_is_refused() {
    run(async {
        let (issuer, key) = (Issuer::start().await, key());
        issuer.publish(&[&key]);
        let app = app_for(&issuer).await;
        let now = SystemClock.now().as_second();
        for changes in [
            json!({ "iss": "https://other.example" }),
            json!({ "iss": crate::world::BASE_URL.to_owned() + "/auth/v1" }),
            json!({ "aud": "other" }),
            json!({ "aud": null }),
            json!({ "exp": now - 60 }),
            json!({ "exp": null }),
            json!({ "sub": "" }),
            json!({ "nbf": now + 600 }),
        ] {
            let error = app
                .tenancy
                .platform_user(&signed(&key, changes.clone()))
                .await
                .unwrap_err();
            assert_eq!(error.code(), "auth/unauthorized", "{changes}");
        }
    });
}

#[test]
fn an_issuer_that_is_away_is_a_503_and_not_a_bad_token() {
    run(async {
        let issuer = Issuer {
            url: "http://127.0.0.1:1/jwks.json".to_owned(),
            keys: Arc::default(),
            fetched: Arc::default(),
        };
        let app = app_for(&issuer).await;
        let error = app.tenancy.platform_user(&signed(&key(), json!({}))).await.unwrap_err();
        assert_eq!(error.code(), "auth/issuer-unavailable");
    });
}

#[test]
fn an_outside_user_is_remembered_once_and_takes_no_address() {
    run(async {
        let (issuer, key) = (Issuer::start().await, key());
        issuer.publish(&[&key]);
        let app = app_for(&issuer).await;
        let changes = json!({ "sub": unique(), "app_metadata": { "role": "Guest" } });
        let user: PlatformUser = app.tenancy.platform_user(&signed(&key, changes)).await.unwrap();
        let control = app.control.get().await.unwrap();
        for _ in 0..2 {
            remember_outside(&app, &*control, &user).await.unwrap();
        }
        let sql = "select u.email, u.raw_app_meta_data ->> 'role', i.provider, i.email
            from plinth.users u join plinth.identities i on i.user_id = u.id where u.id = $1";
        let row = control.query_one(sql, &[&user.id.0]).await.unwrap();
        assert_eq!(row.get::<_, Option<&str>>(0), None);
        assert_eq!(
            [1, 2, 3].map(|column| row.get::<_, &str>(column)),
            ["Guest", ISSUER, "ann@example.com"]
        );
    });
}

#[test]
fn an_outside_user_who_makes_a_project_is_remembered() {
    run(async {
        let (issuer, key) = (Issuer::start().await, key());
        issuer.publish(&[&key]);
        let issuers = json!([{ "issuer": ISSUER, "jwks_url": issuer.url, "audience": "plinth" }]).to_string();
        let world = World::of(
            &platform().await.with("PLINTH_ISSUERS", &issuers),
            Arc::new(SystemClock),
        );
        let subject = unique();
        let token = signed(&key, json!({ "sub": subject }))[http::header::AUTHORIZATION].clone();
        let call = world
            .post("/api/projects")
            .header("authorization", token.to_str().unwrap());
        call.json(&json!({ "name": unique() }))
            .send()
            .await
            .expect(StatusCode::CREATED);
        let app = world.app(Function::Projects);
        let sql = "select 1 from plinth.identities where provider = $1 and provider_id = $2";
        let found = app
            .control
            .get()
            .await
            .unwrap()
            .query(sql, &[&ISSUER, &subject])
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
    });
}
