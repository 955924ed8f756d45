//! The `provision` function: a project's backend, made, shown, given up.

mod body;
mod create_database;
mod deprovision;
mod policies;
mod provision;
mod reload;
mod restore;
mod show;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(
            provision::provision,
            show::show_backend,
            deprovision::deprovision
        ))
        .routes(routes!(reload::reload_backend))
        .routes(routes!(restore::restore_backend))
        .routes(routes!(policies::get_policies, policies::set_policies))
        .routes(routes!(create_database::create_database))
}
