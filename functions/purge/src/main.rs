//! The `purge` function's process.
// The runtime, the work and its connections are one deeply nested future.
#![recursion_limit = "256"]

use lambda_runtime::{LambdaEvent, service_fn};
use plinth::app::App;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    plinth::web::start();
    let app = App::from_env(Vec::new())?;
    let app = &app;
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async move {
        purge::handle(app).await.map_err(lambda_runtime::Error::from)
    }))
    .await
}
