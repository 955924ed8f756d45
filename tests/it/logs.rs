//! Logs are JSON lines with a request id, and hold no secret.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use http::StatusCode;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::{run, unique, world};

/// All that this test process has logged, at every level.
static LOGGED: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(Arc::default);

#[derive(Clone)]
struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Called once, before the first request of the test process.
pub fn capture() {
    let everything = tracing_subscriber::filter::LevelFilter::TRACE;
    let layer = plinth::web::log_layer_for(|| Sink);
    tracing_subscriber::registry().with(everything).with(layer).init();
}

pub fn logged() -> String {
    String::from_utf8_lossy(&LOGGED.lock().unwrap()).into_owned()
}

/// The lines about one request.
pub fn of_request(id: &str) -> String {
    let logs = logged();
    let lines: Vec<&str> = logs.lines().filter(|line| line.contains(id)).collect();
    lines.join("\n")
}

#[test]
fn a_request_logs_one_json_line_with_id_route_status_and_duration() {
    run(async {
        let path = format!("/p/aaaaaaaaaaaaaaaaaaaa/rest/v1/{}", unique());
        let reply = world().await.get(&path).send().await;
        let id = reply.header("x-request-id").to_owned();
        let logs = logged();
        let lines: Vec<Value> = logs
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["request_id"] == id.as_str())
            .collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["status"], reply.status.as_u16());
        assert_eq!(lines[0]["method"], "GET");
        assert_eq!(lines[0]["route"], "/p/{ref}/rest/v1/{*path}");
        assert!(lines[0]["duration_ms"].as_f64().is_some());
        assert!(!logs.contains(&path), "the path itself is people's data");
    });
}

#[test]
fn planted_secrets_never_reach_a_log() {
    run(async {
        let world = world().await;
        let planted = format!("planted{}", unique());
        let password = format!("{planted}password");
        let email = format!("{}@example.com", unique());
        let body = json!({ "email": email, "password": password });
        let session = world
            .post("/auth/v1/signup")
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        world
            .post("/auth/v1/token?grant_type=password")
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        let wrong = json!({ "email": email, "password": format!("{planted}wrong") });
        world
            .post("/auth/v1/token?grant_type=password")
            .json(&wrong)
            .send()
            .await
            .expect(StatusCode::BAD_REQUEST);
        let project = world.project("database").await;
        let user = world.end_user(&project).await;
        let row = json!({ "data_type": format!("{planted}value"), "user_id": user.id });
        let rest = project.rest("app_data");
        world
            .post(&rest)
            .key(&project.secret)
            .json(&row)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let filtered = format!("{rest}?data_type=eq.{planted}filter");
        world
            .get(&filtered)
            .key(&project.publishable)
            .bearer(&user.token)
            .send()
            .await
            .expect(StatusCode::OK);
        let refused = format!("{rest}?data_type=eq.{planted}filter&nothing=eq.{planted}");
        world
            .get(&refused)
            .key(&project.secret)
            .send()
            .await
            .expect(StatusCode::BAD_REQUEST);
        let forged = format!("plinth_secret_{}_{:x<43}", project.reference, planted);
        world
            .get(&rest)
            .key(&forged)
            .send()
            .await
            .expect(StatusCode::UNAUTHORIZED);
        world.get(&rest).key(&project.secret).bearer(&planted).send().await;

        let logs = logged();
        assert!(
            logs.contains(&project.id) || logs.contains("request"),
            "nothing was captured"
        );
        let secrets = [
            planted.as_str(),
            session["access_token"].as_str().unwrap(),
            session["refresh_token"].as_str().unwrap(),
            &project.publishable,
            &project.secret,
            &project.owner.token,
            &user.token,
        ];
        for secret in secrets {
            assert!(!logs.contains(secret), "{secret} was logged");
        }
    });
}
