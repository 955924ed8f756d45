//! The `records` function.

use plinth::web::Routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
}
