//! The `sql` function: scripts of developers, on their project's own login.

mod run;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(run::run_script))
}
