//! The query of every list.

use axum::extract::FromRequestParts;
use http::request::Parts;
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::projects::Page;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// `limit` and `cursor`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items at most: 1-100, 50 if left out.
    pub limit: Option<i64>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    /// The page that is asked for.
    pub fn page(&self) -> Result<Page> {
        Page::parse(self.limit, self.cursor.as_deref())
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| {
                Error::invalid("http/query", "The query string does not have the expected shape")
                    .with_details(error.body_text())
            })
    }
}
