//! The `gdpr-delete` function's process.

use plinth::app::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    plinth::web::start();
    let app = App::from_env(vec![
        plinth::drivers::postgres::driver(),
        plinth::drivers::postgres::cockroach(),
        plinth::drivers::mysql::driver(),
        plinth::drivers::rest::driver(),
    ])?;
    plinth::web::run(gdpr_delete::routes(), app).await
}
