//! The `gdpr-delete` function: a person's data is removed, and a receipt proves it.

mod delete;
mod receipts;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(delete::delete))
        .routes(routes!(receipts::receipt))
        .routes(routes!(receipts::keys))
}
