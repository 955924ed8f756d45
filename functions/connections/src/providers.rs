//! `GET /api/providers`.

use plinth::connections::{self, Catalogue};
use plinth::web::Json;

/// All kinds of databases, with the fields that a connection to each needs. For everybody: it holds nothing of anybody's.
#[utoipa::path(
    get, path = "/api/providers", tag = "connections",
    responses((status = 200, description = "The catalogue, the popular kinds first", body = Catalogue))
)]
pub(crate) async fn list_providers() -> Json<Catalogue> {
    Json(connections::catalogue())
}
