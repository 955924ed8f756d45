//! What the process keeps after many requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use crate::handmade::Handmade;
use crate::routed::Routed;
use crate::shapes::SHAPES;

const CLIENTS: usize = 50;

/// Prints the resident memory before and after 100,000 requests.
pub async fn show(project: &Handmade, connections: usize) {
    let request = Routed::new(project, &SHAPES[0], connections).await;
    repeat(&request, 10_000).await;
    let before = resident();
    repeat(&request, 50_000).await;
    let between = resident();
    repeat(&request, 50_000).await;
    println!(
        "\nResident memory after 10,000 requests {before:.1} MB, 50,000 later {between:.1} MB, 100,000 later {:.1} MB.",
        resident()
    );
}

async fn repeat(request: &Routed, count: usize) {
    let left = Arc::new(AtomicUsize::new(count));
    let callers = (0..CLIENTS).map(|_| {
        let (call, left) = (request.caller(), left.clone());
        tokio::spawn(async move {
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
            {
                call().await;
            }
        })
    });
    for done in join_all(callers).await {
        done.unwrap();
    }
}

/// In megabytes.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = pages
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    pages * 4_096.0 / 1e6
}
