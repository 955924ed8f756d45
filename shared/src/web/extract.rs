//! What handlers take: the caller, proof of access, parsed input. Every rejection is one of our errors.

use std::marker::PhantomData;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::layers::rejected;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId};
use crate::tenancy::{Caller, MemberRole, Operator, ProjectAccess, RequestInfo};

/// A JSON body or reply.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        match axum::Json::<T>::from_request(request, app).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(error)) => {
                Err(Error::invalid("http/body", "The body does not have the expected shape")
                    .with_details(error.body_text()))
            }
            Err(JsonRejection::JsonSyntaxError(error)) => {
                Err(Error::invalid("http/json", "The body is not valid JSON").with_details(error.body_text()))
            }
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Error::new(
                ErrorKind::UnsupportedMedia,
                "http/content-type",
                "The body must be JSON",
            )
            .with_hint("Send Content-Type: application/json")),
            Err(error) if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE => {
                Err(
                    Error::new(ErrorKind::TooLarge, "http/too-large", "The body is larger than 1 MB")
                        .with_hint("Send less at a time"),
                )
            }
            Err(error) => Err(rejected(error)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Path parameters.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) if error.status().is_client_error() => {
                Err(Error::invalid("http/path", "A part of the path is malformed").with_details(error.body_text()))
            }
            Err(error) => Err(rejected(error)),
        }
    }
}

/// The platform user who calls.
#[derive(Debug, Clone)]
pub struct Actor(pub Caller);

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let user = app.tenancy.platform_user(&parts.headers).await?;
        Ok(Self(Caller {
            user,
            request: request_info(parts),
        }))
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Actor(caller) = Actor::from_request_parts(parts, app).await?;
        Self::of(caller)
    }
}

fn request_info(parts: &Parts) -> RequestInfo {
    parts.extensions.get::<RequestInfo>().cloned().unwrap_or_default()
}

impl FromRequestParts<App> for RequestInfo {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(request_info(parts))
    }
}

/// The least role an [`Access`] proves.
pub trait Least: Send {
    /// The role.
    const ROLE: MemberRole;
}

/// What the `{id}` of a path names.
pub trait Part: Send {
    /// Whether it is a backend (`databaseId`) rather than a project.
    const BACKEND: bool;
}

/// Marker types for [`Access`].
pub mod least {
    use super::{Least, MemberRole, Part};

    macro_rules! roles {
        ($($name:ident),+) => {
            $(
                #[doc = concat!("At least ", stringify!($name), ".")]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;
                impl Least for $name {
                    const ROLE: MemberRole = MemberRole::$name;
                }
            )+
        };
    }
    roles!(Viewer, Developer, Admin, Owner);

    /// `{id}` is a project's id.
    #[derive(Debug, Clone, Copy)]
    pub struct InProject;
    impl Part for InProject {
        const BACKEND: bool = false;
    }

    /// `{id}` is a backend's id.
    #[derive(Debug, Clone, Copy)]
    pub struct InBackend;
    impl Part for InBackend {
        const BACKEND: bool = true;
    }
}

/// Proof that the caller has at least role `L` in the project (or, with [`least::InBackend`], in the project of the
/// backend) that the path's `{id}` names. A stranger's id, a malformed one and none at all look alike: 404.
#[derive(Debug, Clone)]
pub struct Access<L, P = least::InProject>(pub ProjectAccess, PhantomData<(L, P)>);

impl<L: Least, P: Part> FromRequestParts<App> for Access<L, P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Actor(caller) = Actor::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(rejected)?;
        let id = params
            .iter()
            .find(|(name, _)| *name == "id")
            .and_then(|(_, id)| id.parse::<Uuid>().ok());
        let id = id.ok_or_else(crate::tenancy::not_found)?;
        let access = if P::BACKEND {
            app.tenancy.require_backend(caller, BackendId(id), L::ROLE).await?
        } else {
            app.tenancy.require(caller, ProjectId(id), L::ROLE).await?
        };
        Ok(Self(access, PhantomData))
    }
}
