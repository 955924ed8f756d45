//! The `gdpr-export` function: which rows belong to a person, and a copy of them.

use plinth::web::Routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
}
