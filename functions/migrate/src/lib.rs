//! The `migrate` function, invoked on every deploy: prepares the databases and raises the backends to this version.

use lambda_http::lambda_runtime::{Error, LambdaEvent};
use plinth::app::App;
use plinth::config::Migration;
use plinth::provisioning::{self, Report};
use serde_json::Value;

/// Runs one deploy's migrations. The event's content does not matter; a repeat is harmless.
///
/// # Errors
/// The step that failed: the invocation counts as failed and may be repeated.
pub async fn handle(app: &App, settings: &Migration, _: LambdaEvent<Value>) -> Result<Report, Error> {
    let report = provisioning::migrate(app, settings).await?;
    let secrets = report.secrets;
    tracing::info!(
        upgraded = report.upgraded,
        failed = report.failed,
        resealed = secrets.resealed,
        left = secrets.left,
        "migrated"
    );
    if secrets.left > 0 {
        tracing::warn!(left = secrets.left, "secrets are still sealed with old master keys");
    }
    Ok(report)
}
