//! The `gdpr-export` function: which rows belong to a person, and a copy of them.

mod export;
mod file;
mod subject_map;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(subject_map::read))
        .routes(routes!(subject_map::confirm))
        .routes(routes!(export::ask))
        .routes(routes!(export::state))
        .routes(routes!(export::link))
        .routes(routes!(file::fetch))
}
