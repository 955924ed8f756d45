//! The `connections` function: what a connection to each kind of database needs, and the caller's own database.

mod database_connection;
mod providers;
mod setup;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(providers::list_providers))
        .routes(routes!(
            database_connection::show,
            database_connection::connect,
            database_connection::disconnect
        ))
        .routes(routes!(setup::show, setup::advance, setup::reset))
}
