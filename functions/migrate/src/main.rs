//! The `migrate` function's process.

use lambda_http::lambda_runtime::{self, service_fn};
use plinth::app::App;
use plinth::config::{Env, Migration};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    plinth::web::start();
    let app = &App::from_env(Vec::new())?;
    let settings = &Migration::from_env(&Env::process())?;
    lambda_runtime::run(service_fn(|event| Box::pin(migrate::handle(app, settings, event)))).await
}
