//! The `projects` function: projects, their members, keys and audit log, jobs and what is in the trash.

mod audit;
mod board;
mod headers;
mod jobs;
mod keys;
mod members;
mod projects;
mod trash;

use plinth::web::Routes;
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(projects::create, projects::list))
        .routes(routes!(
            projects::show,
            projects::patch,
            projects::put,
            projects::delete
        ))
        .routes(routes!(projects::restore))
        .routes(routes!(members::list, members::add))
        .routes(routes!(members::change, members::remove))
        .routes(routes!(members::restore))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::restore))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::verify))
        .routes(routes!(audit::list_platform))
        .routes(routes!(audit::export_platform))
        .routes(routes!(audit::verify_platform))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::list_of_project))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
        .routes(routes!(trash::list))
}
