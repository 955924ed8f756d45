//! Requests through the router, in process.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use plinth::clock::{SharedClock, SystemClock};
use tower::ServiceExt;

use crate::handmade::Handmade;
use crate::shapes::Shape;
use crate::world::platform;

/// One request, to be sent again and again.
#[derive(Clone)]
pub struct Routed(Arc<Parts>);

struct Parts {
    router: Router,
    shape: &'static Shape,
    path: String,
    key: String,
    body: axum::body::Bytes,
}

impl Routed {
    /// With so many connections, every one of them warm.
    pub async fn new(project: &Handmade, shape: &'static Shape, connections: usize) -> Self {
        let made = Self::with(project, shape, &[("PLINTH_POOL_SIZE", &connections.to_string())]).await;
        crate::measure::measure(connections, std::time::Duration::from_millis(200), made.caller()).await;
        made
    }

    /// With these settings.
    pub async fn with(project: &Handmade, shape: &'static Shape, settings: &[(&str, &str)]) -> Self {
        let mut platform = platform().await.with("PLINTH_POOL_WAIT_MS", "20000");
        for (name, value) in settings {
            platform = platform.with(name, value);
        }
        let clock: SharedClock = Arc::new(SystemClock);
        Self(Arc::new(Parts {
            router: plinth_local::router::router(&platform, &clock).unwrap(),
            shape,
            path: project.rest(shape.path),
            key: project.secret.clone(),
            body: (shape.body)().into(),
        }))
    }

    /// What calls it.
    pub fn caller(&self) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Clone + Send + 'static {
        let this = self.clone();
        move || {
            let this = this.clone();
            Box::pin(async move {
                let (status, body) = this.send().await;
                assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(&body));
            })
        }
    }

    /// Sends it once.
    pub async fn send(&self) -> (StatusCode, axum::body::Bytes) {
        let Parts {
            router,
            shape,
            path,
            key,
            body,
        } = &*self.0;
        let mut request = Request::builder().method(shape.method).uri(path).header("apikey", key);
        if !shape.prefer.is_empty() {
            request = request.header("prefer", shape.prefer);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        (head.status, body.collect().await.unwrap().to_bytes())
    }
}
