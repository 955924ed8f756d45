//! `/admin/users` of a project, with its secret key: what `supabase.auth.admin` asks for.

use axum::extract::{FromRequestParts, State};
use axum::response::IntoResponse;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use plinth::accounts::{self, Administrator, Origin, UserView};
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::ident::Ref;
use plinth::tenancy::RequestInfo;
use plinth::web::Json;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::request::{QueryOf, param};

static TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// Users of a page when the caller does not say, and at most.
const PER_PAGE: i64 = 50;
const MOST: i64 = 1_000;

/// Who asks, from where, and about whom if the path says so.
pub struct ByAdmin {
    admin: Administrator,
    origin: Origin,
    user: Option<Uuid>,
}

impl FromRequestParts<App> for ByAdmin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let request = RequestInfo::from_request_parts(parts, app).await?;
        let reference = param(parts, app, "ref").await?.unwrap_or_default();
        let admin = Administrator::of_project(app, &reference.parse::<Ref>()?, &parts.headers).await?;
        let user = param(parts, app, "userId").await?;
        Ok(Self {
            admin,
            origin: Origin::new(request, &parts.headers),
            user: user.map(|id| id.parse()).transpose().map_err(|_| not_an_id())?,
        })
    }
}

impl ByAdmin {
    fn named(&self) -> Result<Uuid> {
        self.user.ok_or_else(not_an_id)
    }
}

fn not_an_id() -> Error {
    Error::new(ErrorKind::NotFound, "validation_failed", "user_id must be an UUID")
}

/// A page of users.
#[derive(Serialize, ToSchema)]
pub struct UserList {
    users: Vec<UserView>,
    aud: &'static str,
}

/// A project's end users, newest first.
#[utoipa::path(get, path = "/admin/users", operation_id = "auth_admin_list_users", tag = "auth",
    params(("page" = Option<String>, Query, description = "From 1"),
        ("per_page" = Option<String>, Query, description = "1-1000, 50 if left out")),
    responses((status = 200, body = UserList, description = "Also `x-total-count` and `link`"),
        (status = 403, description = "not_admin")))]
pub async fn list(State(app): State<App>, by: ByAdmin, query: QueryOf) -> Result<impl IntoResponse> {
    let page = number(query.first("page"), 1)?;
    let per_page = number(query.first("per_page"), PER_PAGE)?.min(MOST);
    let found = accounts::list_users(&app, &by.admin, page, per_page).await?;
    let headers = [
        (TOTAL.clone(), HeaderValue::from(found.total)),
        (header::LINK, links(page, per_page, found.total)?),
    ];
    let body = UserList {
        users: found.users,
        aud: "authenticated",
    };
    Ok((headers, Json(body)))
}

/// A positive number; an empty one is none.
fn number(text: Option<&str>, otherwise: i64) -> Result<i64> {
    match text {
        None | Some("") => Ok(otherwise),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Error::invalid("validation_failed", "Bad Pagination Parameters")),
    }
}

/// GoTrue's, with the page first: supabase-js reads the number behind the first `=`.
fn links(page: i64, per_page: i64, total: i64) -> Result<HeaderValue> {
    let last = total.saturating_add(per_page - 1) / per_page;
    let link = |page: i64, what: &str| format!("</admin/users?page={page}&per_page={per_page}>; rel=\"{what}\"");
    let mut links = Vec::new();
    if last > page {
        links.push(link(page + 1, "next"));
    }
    links.push(link(last, "last"));
    HeaderValue::try_from(links.join(", ")).map_err(Error::internal)
}

/// One end user.
#[utoipa::path(get, path = "/admin/users/{userId}", operation_id = "auth_admin_user", tag = "auth",
    params(("userId" = Uuid, Path, description = "The user's id")),
    responses((status = 200, body = UserView), (status = 403, description = "not_admin"), (status = 404, description = "user_not_found")))]
pub async fn show(State(app): State<App>, by: ByAdmin) -> Result<Json<UserView>> {
    accounts::find_user(&app, &by.admin, by.named()?).await.map(Json)
}

/// How a user is deleted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the body, which changes nothing")]
pub struct DeleteBody {
    /// Tolerated. Every deletion can be taken back for 30 days; then the user is gone, whatever this says.
    should_soft_delete: Option<bool>,
}

/// Delete an end user. Their sessions end at once; for 30 days they can be restored.
#[utoipa::path(delete, path = "/admin/users/{userId}", operation_id = "auth_admin_delete_user", tag = "auth",
    params(("userId" = Uuid, Path, description = "The user's id")), request_body(content = Option<DeleteBody>),
    responses((status = 200, description = "An empty object"), (status = 403, description = "not_admin"), (status = 404, description = "user_not_found")))]
pub async fn delete(State(app): State<App>, by: ByAdmin) -> Result<Json<Value>> {
    accounts::delete_user(&app, &by.admin, by.named()?, &by.origin).await?;
    Ok(Json(json!({})))
}

/// Bring a deleted end user back. (Not a route of GoTrue's.)
#[utoipa::path(post, path = "/admin/users/{userId}/restore", operation_id = "auth_admin_restore_user", tag = "auth",
    params(("userId" = Uuid, Path, description = "The user's id")),
    responses((status = 200, body = UserView), (status = 403, description = "not_admin"), (status = 404, description = "user_not_found"),
        (status = 422, description = "email_exists, phone_exists, profile_refused")))]
pub async fn restore(State(app): State<App>, by: ByAdmin) -> Result<Json<UserView>> {
    accounts::restore_user(&app, &by.admin, by.named()?, &by.origin)
        .await
        .map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_gotrues_with_the_page_first() {
        for (page, total, expected) in [
            (
                1,
                120,
                "</admin/users?page=2&per_page=50>; rel=\"next\", </admin/users?page=3&per_page=50>; rel=\"last\"",
            ),
            (3, 120, "</admin/users?page=3&per_page=50>; rel=\"last\""),
            (1, 0, "</admin/users?page=0&per_page=50>; rel=\"last\""),
        ] {
            assert_eq!(links(page, 50, total).unwrap(), expected);
        }
    }

    #[test]
    fn pages_are_positive_numbers_or_left_out() {
        assert_eq!(number(None, 7).unwrap(), 7);
        assert_eq!(number(Some(""), 7).unwrap(), 7);
        assert_eq!(number(Some("3"), 7).unwrap(), 3);
        for bad in ["0", "-1", "x", "1.5", "99999999999999999999"] {
            assert_eq!(number(Some(bad), 7).unwrap_err().code(), "validation_failed", "{bad}");
        }
    }
}
