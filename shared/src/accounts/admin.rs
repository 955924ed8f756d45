//! What a project's secret key may do with its end users, as `supabase.auth.admin` asks for it.

use http::HeaderMap;
use uuid::Uuid;

use super::refusal::{forbidden, no_such_user};
use super::store::Store;
use super::{Audience, Origin, UserView};
use crate::app::App;
use crate::audit::Entry;
use crate::error::Result;
use crate::ident::{KeyId, ProjectId, Ref};
use crate::tenancy::DataRole;
use crate::token::bearer;

/// Proof that a request comes with a secret key of the project, right now.
#[derive(Debug, Clone)]
pub struct Administrator {
    pub(super) audience: Audience,
    pub(super) project: ProjectId,
    key: Option<KeyId>,
}

impl Administrator {
    /// Who asks for the project's users.
    ///
    /// # Errors
    /// As [`Audience::of_project`]; 403 `not_admin` for a publishable key, and for a user behind any key.
    pub async fn of_project(app: &App, reference: &Ref, headers: &HeaderMap) -> Result<Self> {
        let access = app.tenancy.identify_key_now(Some(reference), headers).await?;
        let user = bearer(headers).is_some_and(|token| !token.starts_with("plinth_"));
        if access.role() != DataRole::Service || user {
            return Err(forbidden("not_admin", "User not allowed").with_hint("Send the project's secret key"));
        }
        Ok(Self {
            project: access.project().id,
            key: access.key(),
            audience: Audience::of(access.project().clone()),
        })
    }

    /// An entry of the project's audit chain.
    pub(super) fn entry<'a>(&self, action: &'static str, user: Uuid, origin: &'a Origin) -> Entry<'a> {
        Entry {
            project: Some(self.project),
            action,
            target: user.to_string(),
            details: serde_json::Value::Null,
            actor: self.key.map_or_else(|| "key".to_owned(), |key| format!("key:{key}")),
            request: &origin.request,
        }
    }
}

/// A page of users.
#[derive(Debug)]
pub struct UserPage {
    /// Newest first.
    pub users: Vec<UserView>,
    /// How many there are on all pages.
    pub total: i64,
}

/// A project's users that are not deleted, newest first: the page of that number, from 1.
///
/// # Errors
/// 501 beside a backend that keeps no accounts.
pub async fn list_users(app: &App, admin: &Administrator, page: i64, per_page: i64) -> Result<UserPage> {
    let mut client = admin.audience.connect(app).await?;
    let store = Store::begin(&admin.audience, &mut client).await?;
    let offset = page.saturating_sub(1).saturating_mul(per_page);
    let (found, total) = store.users(per_page, offset).await?;
    let mut users = Vec::with_capacity(found.len());
    for user in found {
        let identities = store.identities(user.id).await?;
        users.push(UserView::new(user, identities));
    }
    store.commit().await?;
    Ok(UserPage { users, total })
}

/// One user.
///
/// # Errors
/// 404 `user_not_found`.
pub async fn find_user(app: &App, admin: &Administrator, id: Uuid) -> Result<UserView> {
    let mut client = admin.audience.connect(app).await?;
    let store = Store::begin(&admin.audience, &mut client).await?;
    let user = store.user(id).await?.ok_or_else(no_such_user)?;
    let identities = store.identities(user.id).await?;
    store.commit().await?;
    Ok(UserView::new(user, identities))
}
