//! The `connection-test` function: tries connections to databases of users. It dials hosts that users name, and so has the
//! fewest rights of all: it can read where one project's own database is, and nothing else.

mod given;
mod saved;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(given::test_connection))
        .routes(routes!(saved::test_backend))
}
