//! `GET /api/projects/{id}/docs/{versionId}/diff`

use axum::extract::State;
use axum::response::Response;
use plinth::app::App;
use plinth::docs::{self, Comparison};
use plinth::error::{Error, Result};
use plinth::web::least::Viewer;
use plinth::web::{Access, Path, Query};
use serde::Deserialize;
use uuid::Uuid;

use crate::format::typed;
use crate::versions::named;

/// What is compared, and how it is shown.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The earlier version; the one before this one if left out.
    from: Option<Uuid>,
    /// `unified` (the default): one diff as text; `sections`: as JSON, section by section.
    format: Option<String>,
}

/// Shows what is different between two versions.
#[utoipa::path(get, path = "/api/projects/{id}/docs/{versionId}/diff", tag = "documents",
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path), Asked),
    responses((status = 200, content((String = "text/x-diff"), (Comparison = "application/json"))),
        (status = 404), (status = 413)))]
pub async fn diff(
    access: Access<Viewer>,
    Path((_, version)): Path<(String, String)>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let by_section = match asked.format.as_deref() {
        None | Some("unified") => false,
        Some("sections") => true,
        Some(_) => return Err(Error::invalid("documents/format", "format is unified or sections")),
    };
    let pair = docs::pair(&app, &access.0, named(&version)?, asked.from).await?;
    let hint = "Compare versions that lie closer together";
    if by_section {
        let body = serde_json::to_string(&pair.sections().await?).map_err(Error::internal)?;
        return typed(&app, body, "application/json", hint);
    }
    typed(&app, pair.unified().await?, "text/x-diff; charset=utf-8", hint)
}
