//! The `worker` function's process.
// The runtime, the work and its connections are one deeply nested future.
#![recursion_limit = "256"]

use lambda_runtime::{LambdaEvent, service_fn};
use plinth::app::App;
use worker::Event;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    plinth::web::start();
    let app = App::from_env(vec![
        plinth::drivers::postgres::driver(),
        plinth::drivers::postgres::cockroach(),
        plinth::drivers::mysql::driver(),
        plinth::drivers::rest::driver(),
    ])?;
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        // Lambda ends the process then.
        let until = i64::try_from(event.context.deadline).ok();
        let until = until.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        worker::handle(app, &event.payload, until)
            .await
            .map_err(lambda_runtime::Error::from)
    }))
    .await
}
