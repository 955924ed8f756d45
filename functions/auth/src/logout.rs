//! `POST /logout?scope=…`

use axum::extract::State;
use http::StatusCode;
use plinth::accounts::{self, Scope};
use plinth::app::App;
use plinth::error::Result;

use crate::request::{QueryOf, SignedIn};

/// Sign out.
#[utoipa::path(post, path = "/logout", operation_id = "auth_logout", tag = "auth",
    params(("scope" = Option<String>, Query, description = "global (default), local or others")),
    responses((status = 204), (status = 401, description = "no_authorization"), (status = 403, description = "bad_jwt, session_not_found")))]
pub async fn logout(State(app): State<App>, signed_in: SignedIn, query: QueryOf) -> Result<StatusCode> {
    let SignedIn {
        audience,
        origin,
        bearer,
    } = signed_in;
    let scope = Scope::parse(query.first("scope"))?;
    accounts::sign_out(&app, &audience, &bearer, scope, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
