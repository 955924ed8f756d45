//! The query of every list.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::control::page::Page;
use crate::error::{Error, Result};

/// `limit` and `cursor`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items at most: 1-100, 50 if left out.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    /// The page that is asked for.
    ///
    /// # Errors
    /// `http/limit`, `http/cursor`.
    pub fn page(&self) -> Result<Page> {
        Page::parse(self.limit, self.cursor.as_deref())
    }
}

/// A query string; another shape than the expected one is `http/query`.
#[derive(Debug, Clone)]
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
