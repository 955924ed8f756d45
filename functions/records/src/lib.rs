//! The `records` function: rows of projects' tables, in the PostgREST dialect and as plain JSON.

mod board;
mod database;
mod later;
mod path;
mod rest;
mod v1;

use axum::extract::DefaultBodyLimit;
use plinth::web::Routes;
use utoipa_axum::routes;

/// Largest body: what Lambda takes.
const BODY_LIMIT: usize = 6 << 20;

/// Its routes.
pub fn routes() -> Routes {
    // Every other method gets an answer of the dialect, `OPTIONS` among them.
    let (schemas, paths, methods) = routes!(rest::table);
    let table = (schemas, paths, methods.fallback(rest::table));
    Routes::new()
        .routes(routes!(rest::root))
        .routes(routes!(rest::root_with_slash))
        .routes(table)
        .routes(routes!(database::query))
        .routes(routes!(database::create))
        .routes(routes!(database::update_many))
        .routes(routes!(database::delete_many))
        .routes(routes!(database::restore_many))
        .routes(routes!(database::update, database::delete))
        .routes(routes!(v1::list, v1::create, v1::update_many, v1::delete_many))
        .routes(routes!(v1::read, v1::update, v1::delete))
        .routes(routes!(board::list_tasks, board::create_task))
        .routes(routes!(board::list_team, board::create_member))
        .routes(routes!(later::storage))
        .routes(routes!(later::realtime))
        .routes(routes!(later::functions))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}
