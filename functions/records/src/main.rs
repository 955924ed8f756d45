//! The `records` function's process.

use std::time::Duration;

use plinth::app::App;

/// How long the control database may take beside the start; the first request asks again.
const WARM_UP: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    plinth::web::start();
    let app = App::from_env(vec![
        plinth::drivers::postgres::driver(),
        plinth::drivers::postgres::cockroach(),
        plinth::drivers::mysql::driver(),
        plinth::drivers::rest::driver(),
    ])?;
    let warming = app.clone();
    tokio::spawn(async move {
        // A connection that comes in time goes into the pool.
        let _connected = tokio::time::timeout(WARM_UP, warming.control.get()).await;
    });
    plinth::web::run(records::routes(), app).await
}
