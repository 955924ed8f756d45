//! The `generate-docs` function: a project's documentation and its versions.

mod diff;
mod format;
mod generate;
mod reference;
mod versions;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(generate::generate_docs))
        .routes(routes!(versions::list, versions::create))
        .routes(routes!(versions::latest))
        .routes(routes!(versions::read, versions::edit, versions::delete))
        .routes(routes!(versions::revert))
        .routes(routes!(versions::restore))
        .routes(routes!(diff::diff))
        .routes(routes!(reference::platform_document))
        .routes(routes!(reference::platform_page))
        .routes(routes!(reference::project_document))
        .routes(routes!(reference::project_page))
}
