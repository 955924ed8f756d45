//! An API that fails while it is served: what is tried again, what is not, and what is said.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::clock::SystemClock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::server::{Api, Door, SECRET};
use super::{body, get, own};
use crate::connections::ways::{Way, go};
use crate::external::{Own, world};
use crate::world::{World, platform, run};

/// Resources with columns of their own, so that nothing is asked before it is needed.
async fn odd(api: &Api, kinds: &[&str]) -> Own {
    let resource = |kind: &str| {
        json!({ "list": format!("/odd/{kind}"), "columns": { "id": "bigint" }, "filters": { "id": "key" },
            "pagination": { "style": "offset", "maxSize": 10 } })
    };
    let mut resources: serde_json::Map<String, Value> =
        kinds.iter().map(|kind| (format!("t{kind}"), resource(kind))).collect();
    resources.insert(
        "tlink".into(),
        json!({ "list": "/odd/next", "columns": { "id": "bigint" },
        "pagination": { "style": "link", "maxSize": 10 } }),
    );
    let mut credentials = api.credentials("http");
    credentials["resources"] = resources.into();
    credentials["healthPath"] = "/whole/people".into();
    Own::of(world().await, &body(&credentials)).await
}

#[test]
fn what_an_api_answers_amiss_is_told_by_its_kind() {
    run(async {
        let api = Api::start(Door::Bearer).await;
        let kinds = [
            "html", "page", "broken", "object", "numbers", "huge", "endless", "many", "away", "port", "round", "near",
            "400", "401", "403", "404", "409", "429", "500", "503",
        ];
        let own = odd(&api, &kinds).await;
        for (kind, status, code) in [
            ("html", 502, "records/api-protocol"),
            ("page", 502, "records/api-protocol"),
            ("broken", 502, "records/api-shape"),
            ("object", 502, "records/api-shape"),
            ("numbers", 502, "records/api-shape"),
            ("huge", 413, "records/reply-too-large"),
            ("endless", 413, "records/reply-too-large"),
            ("many", 502, "records/api-page"),
            ("away", 502, "records/api-redirect"),
            ("port", 502, "records/api-redirect"),
            ("round", 502, "records/api-redirect"),
            ("400", 400, "records/api-refused"),
            ("401", 503, "backend/refused"),
            ("403", 403, "42501"),
            ("404", 502, "records/api-path"),
            ("409", 409, "23505"),
            ("429", 429, "records/api-rate"),
            ("500", 503, "PGRST001"),
            ("503", 503, "PGRST001"),
        ] {
            let reply = get(&own, &format!("t{kind}")).await;
            assert_eq!(
                reply.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{kind}: {}",
                reply.text
            );
            assert!(!reply.text.contains("planted"), "{kind}: {}", reply.text);
            if kind == "429" || kind == "503" {
                assert_eq!(reply.header("retry-after"), "7", "{kind}");
            }
        }
        // Within the API a read is led on; a next part elsewhere is not fetched.
        assert_eq!(get(&own, "tnear?select=id&limit=7").await.status, StatusCode::OK);
        let reply = get(&own, "tlink?limit=2").await;
        assert_eq!(reply.code(StatusCode::BAD_GATEWAY), "records/api-redirect");
        // An API that ignores a filter must not show its rows as if they had passed.
        let reply = get(&own, "tnear?id=eq.7&limit=7").await;
        assert_eq!(reply.code(StatusCode::BAD_GATEWAY), "records/api-filter");
        assert!(!crate::logs::logged().contains(SECRET), "the token was logged");
    });
}

#[test]
fn a_read_is_tried_once_more_and_a_write_never() {
    run(async {
        let api = Api::start(Door::Open).await;
        let own = own(&api).await;
        get(&own, "people?limit=1").await.expect(StatusCode::OK);
        api.trouble("GET", 502, 1);
        get(&own, "people?limit=1").await.expect(StatusCode::OK);
        api.trouble("GET", 502, 2);
        assert_eq!(
            get(&own, "people?limit=1").await.code(StatusCode::SERVICE_UNAVAILABLE),
            "PGRST001"
        );

        let post = || world_post(&own);
        api.calls();
        api.trouble("POST", 503, 1);
        assert_eq!(
            post().await.code(StatusCode::GATEWAY_TIMEOUT),
            "records/outcome-unknown"
        );
        assert_eq!(api.calls(), ["POST /v1/offset/people"]);
        api.trouble("POST", 422, 1);
        assert_eq!(post().await.code(StatusCode::BAD_REQUEST), "records/api-refused");
        assert_eq!(post().await.status, StatusCode::CREATED);
    });
}

async fn world_post(own: &Own) -> crate::world::Reply {
    let call = world().await.post(&own.rest("people")).key(&own.secret);
    call.json(&json!({ "name": "Lee" })).send().await
}

/// A way to the API that can be spoilt.
struct Spoilt {
    port: u16,
    way: Arc<Mutex<Way>>,
}

impl Spoilt {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(Mutex::new(Way::Cut(usize::MAX)));
        let chosen = way.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let way = chosen.lock().unwrap().clone();
                tokio::spawn(go(way, client, server));
            }
        });
        Self { port, way }
    }
}

#[test]
fn a_way_that_breaks_is_told_in_time() {
    run(async {
        let api = Api::start(Door::Open).await;
        let spoilt = Spoilt::to(api.port).await;
        let platform = platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1");
        let platform = platform.with("PLINTH_REQUEST_TIMEOUT_MS", "1000");
        let hasty = World::of(&platform, Arc::new(SystemClock));
        let mut credentials = super::credentials(
            &api,
            &json!({ "people": { "list": "/whole/people", "create": "/whole/people",
                "columns": { "id": "bigint", "name": "text" } } }),
        );
        credentials["baseUrl"] = format!("http://127.0.0.1:{}/v1", spoilt.port).into();
        let own = Own::of(world().await, &body(&credentials)).await;
        let read = || hasty.get(&own.rest("people")).key(&own.secret).send();
        let write = || {
            let call = hasty.post(&own.rest("people")).key(&own.secret);
            call.json(&json!({ "name": "Max" })).send()
        };
        for (fault, of_read, of_write) in [
            (Way::Silence, "records/deadline", "records/outcome-unknown"),
            (Way::Stall(40), "records/deadline", "records/outcome-unknown"),
            (
                Way::Drip(Duration::from_millis(200)),
                "records/deadline",
                "records/outcome-unknown",
            ),
            (Way::Cut(40), "PGRST001", "records/outcome-unknown"),
            (Way::Reset, "PGRST001", "records/outcome-unknown"),
            (
                Way::Says(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                "PGRST001",
                "records/outcome-unknown",
            ),
        ] {
            *spoilt.way.lock().unwrap() = fault.clone();
            let began = Instant::now();
            assert_eq!(code(&read().await.text), of_read, "{fault:?}");
            assert_eq!(code(&write().await.text), of_write, "{fault:?}");
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{fault:?}: {:?}",
                began.elapsed()
            );
        }
        *spoilt.way.lock().unwrap() = Way::Cut(usize::MAX);
        assert_eq!(write().await.status, StatusCode::CREATED);

        credentials["baseUrl"] = api.credentials("http")["baseUrl"].clone();
        let gone = Own::of(world().await, &body(&credentials)).await;
        api.close();
        for call in [
            hasty.get(&gone.rest("people")),
            hasty.post(&gone.rest("people")).json(&json!({ "name": "Max" })),
        ] {
            // Nothing was sent.
            let reply = call.key(&gone.secret).send().await;
            assert_eq!(reply.code(StatusCode::SERVICE_UNAVAILABLE), "PGRST001");
        }
    });
}

fn code(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    body["code"].as_str().unwrap_or(text).to_owned()
}
