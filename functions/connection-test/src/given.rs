//! `POST /api/connections/test`.

use axum::extract::State;
use plinth::app::App;
use plinth::connections::{self, NewTest, Report};
use plinth::error::Result;
use plinth::web::{Actor, Json};

/// Tests a connection before it is saved, of PostgreSQL's or MySQL's family. Nothing is kept of it, and nothing is changed in
/// the database.
#[utoipa::path(
    post, path = "/api/connections/test", tag = "connections",
    request_body = NewTest,
    responses(
        (status = 200, description = "How far it went; `ok` tells whether all went well", body = Report),
        (status = 400, description = "`connections/credentials`, with a line for every fault"),
        (status = 501, description = "`connections/provider-unsupported`"),
    )
)]
pub(crate) async fn test_connection(
    Actor(caller): Actor,
    State(app): State<App>,
    Json(new): Json<NewTest>,
) -> Result<Json<Report>> {
    connections::test(&app, &caller, &new).await.map(Json)
}
