//! What every handler asks of a request: whose accounts, from where, as whom.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use plinth::accounts::{Audience, Bearer, Origin};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::ident::{BackendId, Ref};
use plinth::tenancy::{RequestInfo, not_found};

/// Whose accounts, and from where. A path with `{ref}` is a project's and wants a key of it; one with `{id}` names a
/// backend of the project whose key is sent; any other is the platform's, where a key is tolerated.
pub struct Asked {
    pub audience: Audience,
    pub origin: Origin,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let request = RequestInfo::from_request_parts(parts, app).await?;
        let origin = Origin::new(request, &parts.headers);
        let audience = if let Some(reference) = param(parts, app, "ref").await? {
            Audience::of_project(app, &reference.parse::<Ref>()?, &parts.headers).await?
        } else if let Some(id) = param(parts, app, "id").await? {
            let id = id.parse().map_err(|_| not_found())?;
            Audience::of_backend(app, BackendId(id), &parts.headers).await?
        } else {
            Audience::platform()
        };
        Ok(Self { audience, origin })
    }
}

/// The same, and a user's access token that verified.
pub struct SignedIn {
    pub audience: Audience,
    pub origin: Origin,
    pub bearer: Bearer,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Asked { audience, origin } = Asked::from_request_parts(parts, app).await?;
        let bearer = Bearer::of(app, &audience, &parts.headers).await?;
        Ok(Self {
            audience,
            origin,
            bearer,
        })
    }
}

/// The project that a path names, for what is public.
pub struct Named(pub Option<Ref>);

impl FromRequestParts<App> for Named {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let reference = param(parts, app, "ref").await?;
        reference.map(|text| text.parse()).transpose().map(Self)
    }
}

pub async fn param(parts: &mut Parts, app: &App, name: &str) -> Result<Option<String>> {
    let malformed = |_| Error::invalid("validation_failed", "A part of the path is malformed");
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(malformed)?;
    let found = params.iter().find(|(known, _)| *known == name);
    Ok(found.map(|(_, value)| value.to_owned()))
}

/// The first value of a name in the query.
pub struct QueryOf(Vec<(String, String)>);

impl QueryOf {
    pub fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl FromRequestParts<App> for QueryOf {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        let query = query.map_err(|_| Error::invalid("validation_failed", "The query is malformed"))?;
        Ok(Self(query.0))
    }
}
