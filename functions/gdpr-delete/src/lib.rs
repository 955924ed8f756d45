//! The `gdpr-delete` function: a person's data is removed, and a receipt proves it.

use plinth::web::Routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
}
