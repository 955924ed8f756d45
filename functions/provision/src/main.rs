//! The `provision` function's process.

use plinth::app::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    plinth::web::start();
    let app = App::from_env(vec![plinth::drivers::mysql::driver(), plinth::drivers::rest::driver()])?;
    plinth::web::run(provision::routes(), app).await
}
