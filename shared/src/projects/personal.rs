//! The project that holds a platform user's own database: an ordinary one, made for them.

use serde_json::Map;

use super::create::{insert, refuse_guests};
use super::{NewProject, refuse_barred, store};
use crate::accounts;
use crate::app::App;
use crate::control::failure;
use crate::error::Result;
use crate::ident::ProjectId;
use crate::tenancy::Caller;

/// The caller's personal project, made if there is none. Two calls at once find the same one.
///
/// # Errors
/// 403 `projects/guest` for Guests who have none.
pub async fn personal(app: &App, caller: &Caller) -> Result<ProjectId> {
    let user = caller.user.id;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    store::lock_creator(&transaction, user).await?;
    if let Some(found) = store::personal_of(&transaction, user).await? {
        return Ok(found);
    }
    refuse_guests(caller)?;
    refuse_barred(app, &transaction, &caller.user).await?;
    accounts::remember_outside(app, &transaction, &caller.user).await?;
    let new = NewProject {
        name: "Personal database".to_owned(),
        description: Some("Holds the database of your own: /api/user/database-connection".to_owned()),
        status: "active".to_owned(),
        settings: Map::new(),
    };
    let made = insert(app, &transaction, caller, &new, true).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(made.id)
}
