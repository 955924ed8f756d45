//! The `connections` function: what a connection to each kind of database needs.

mod providers;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(providers::list_providers))
}
