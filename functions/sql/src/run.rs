//! `POST /api/database/{id}/sql`

use axum::extract::State;
use http::HeaderMap;
use plinth::app::App;
use plinth::error::Result;
use plinth::ident::BackendId;
use plinth::sql::{self, Answer, NewScript};
use plinth::tenancy::{RequestInfo, not_found};
use plinth::web::{Json, Path};

/// Runs a script as the owner of the project's objects, in one transaction. It is read-only unless `readOnly` is false.
#[utoipa::path(
    post, path = "/api/database/{id}/sql", tag = "sql",
    params(("id" = String, Path, description = "The backend's id")),
    request_body = NewScript,
    responses(
        (status = 200, description = "The rows of the last statement that answers rows", body = Answer),
        (status = 400, description = "`sql/…`, or the SQLSTATE of the statement that failed; the details tell where"),
        (status = 403, description = "`projects/role`, `sql/role`, `sql/isolation`"),
        (status = 504, description = "`sql/timeout`: nothing was kept; `sql/outcome-unknown`"),
    )
)]
pub(crate) async fn run_script(
    State(app): State<App>,
    id: Result<Path<BackendId>>,
    request: RequestInfo,
    headers: HeaderMap,
    input: Result<Json<NewScript>>,
) -> Result<Json<Answer>> {
    let Path(id) = id.map_err(|_| not_found())?;
    let input = input.map(|Json(input)| input);
    sql::run(&app, id, &headers, &request, input).await.map(Json)
}
