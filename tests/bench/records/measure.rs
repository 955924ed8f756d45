//! Calls at a time, and how long each took.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

/// What measurements found.
#[derive(Default)]
pub struct Found {
    took: Vec<Duration>,
    span: Duration,
}

impl Found {
    /// Calls per second.
    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.span.as_secs_f64()
    }

    /// The time that this part of the calls stayed below.
    pub fn at(&self, part: f64) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        let place = (took.len() as f64 * part) as usize;
        took.get(place).or(took.last()).copied().unwrap_or_default()
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.took.extend(other.took);
        self.span += other.span;
    }
}

/// `clients` callers, each calling again as soon as it is answered, for as long as `span`.
pub async fn measure<F>(clients: usize, span: Duration, call: impl Fn() -> F + Clone + Send + 'static) -> Found
where
    F: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let callers = (0..clients).map(|_| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut took = Vec::new();
            while started.elapsed() < span {
                let before = Instant::now();
                call().await;
                took.push(before.elapsed());
            }
            took
        })
    });
    let took = join_all(callers).await;
    Found {
        took: took.into_iter().flat_map(Result::unwrap).collect(),
        span: started.elapsed(),
    }
}
