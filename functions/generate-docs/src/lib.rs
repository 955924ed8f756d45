//! The `generate-docs` function: a project's documentation and its versions.

mod versions;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(versions::list))
}
