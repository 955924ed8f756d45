//! `/api/gdpr/subject-map`: which rows belong to a person.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::ident::ProjectId;
use plinth::privacy::map::{self, SubjectMapView, Wanted};
use plinth::tenancy::MemberRole;
use plinth::web::least::Admin;
use plinth::web::{Access, Actor, IfMatch, Json, Query, Tagged};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Of which project, and which version.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The project.
    project_id: Uuid,
    /// A version that was confirmed earlier, as it fits the tables now; without it the one in force.
    version: Option<i32>,
}

/// Shows which rows of a project's tables belong to a person, by which links, what an erasure does with them, and what looks
/// personal and is linked to nobody. Before anybody has confirmed a map it is what was found.
#[utoipa::path(get, path = "/api/gdpr/subject-map", tag = "privacy", params(Asked),
    responses((status = 200, body = SubjectMapView), (status = 403), (status = 404), (status = 501)))]
pub async fn read(
    Actor(caller): Actor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Tagged<Json<SubjectMapView>>> {
    let least = MemberRole::Admin;
    let access = app.tenancy.require(caller, ProjectId(asked.project_id), least).await?;
    map::read(&app, &access, asked.version).await.map(tagged)
}

/// What is confirmed: what was shown, or a map.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(
    dead_code,
    reason = "it documents a body that is read in two steps, so that its faults are told by their places"
)]
pub enum Confirmed {
    /// `{"confirm": true}`: what `GET /api/gdpr/subject-map` shows.
    Shown {
        /// Always true.
        confirm: bool,
    },
    /// `map` of `GET /api/gdpr/subject-map`, changed.
    Written(plinth::subject::SubjectMap),
}

/// Confirms or corrects which rows belong to a person: the next version of the map, for the tables as they are now. With
/// `If-Match` only while that version is in force (`"0"`: none).
#[utoipa::path(put, path = "/api/projects/{id}/subject-map", tag = "privacy", request_body = Confirmed,
    params(("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version it is based on")),
    responses((status = 200, body = SubjectMapView), (status = 403), (status = 404), (status = 409), (status = 422),
        (status = 501)))]
pub async fn confirm(
    access: Access<Admin>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
    Json(body): Json<Value>,
) -> Result<Tagged<Json<SubjectMapView>>> {
    let wanted = Wanted::parse(body)?;
    map::confirm(&app, &access.0, wanted, seen).await.map(tagged)
}

fn tagged(view: SubjectMapView) -> Tagged<Json<SubjectMapView>> {
    Tagged(view.version.unwrap_or_default().into(), Json(view))
}
