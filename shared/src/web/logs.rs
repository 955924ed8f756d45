//! Logs are JSON lines on standard output, as CloudWatch and every collector take them.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to `writer`; `RUST_LOG` chooses what (default `info`).
pub fn init_logs(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (tests) keeps the first subscriber.
    let _already = tracing_subscriber::registry()
        .with(filter)
        .with(log_layer_for(writer))
        .try_init();
}

/// The JSON layer, writing to `writer`.
pub fn log_layer_for<S, W>(writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(writer)
}
