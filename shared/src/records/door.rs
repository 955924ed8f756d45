//! The ways in.

use http::HeaderMap;

use crate::app::App;
use crate::error::Result;
use crate::ident::{BackendId, Ref};
use crate::tenancy::{Caller, DataAccess, MemberRole, RequestInfo};

use crate::ident::Ident;
use crate::query::Owner;

/// The column of a user's own tables that says whose a row is.
const OWNER: &str = "user_id";

/// How a request says which project it means and who it comes from. It may be asked twice in one request: a key that was
/// good for the first plan may be revoked by the second.
#[derive(Debug, Clone)]
pub enum Door {
    /// The path names the project: `/p/{ref}`.
    Project(Ref),
    /// The key does: `/api/v1`.
    Key,
    /// The path names the backend: `/api/database/{id}`. A key of that project opens it, or a member with at least this
    /// role.
    Backend(BackendId, RequestInfo, MemberRole),
    /// A platform user asks for rows of theirs in their own database. Whatever is asked for through this door, it is asked
    /// for their rows alone.
    Own(Box<Caller>),
}

impl Door {
    /// Who comes in.
    ///
    /// # Errors
    /// As [`crate::tenancy::Tenancy::identify`] and its siblings.
    pub async fn open(&self, app: &App, headers: &HeaderMap) -> Result<DataAccess> {
        match self {
            Self::Project(reference) => app.tenancy.identify(reference, headers).await,
            Self::Key => app.tenancy.identify_by_key(headers).await,
            Self::Backend(backend, info, least) => {
                let info = info.clone();
                app.tenancy.identify_for_backend(*backend, headers, info, *least).await
            }
            Self::Own(caller) => app.tenancy.own_database(caller).await,
        }
    }

    /// Whose rows alone may be asked for through it.
    pub(super) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Own(caller) => Some(Owner::new(caller.user.id.to_string(), Ident::fixed(OWNER))),
            Self::Project(_) | Self::Key | Self::Backend(..) => None,
        }
    }
}
