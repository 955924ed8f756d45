//! A project's `app_users`: the profile row that belongs to each end user, written by `sync_profile`, a function of the
//! tables' owner.
//!
//! Whose connection calls it is what keeps tenants apart. Level `schema` has no SQL of tenants, so it is called within
//! our own transaction. At level `database` the tenant owns table and function: it may hang triggers on the one (a
//! deferred one runs at commit, as the session's login, not as the definer) and alter the other. With our login
//! underneath, `alter role current_user password …` would hand over every project's accounts. So there it is called on
//! a fresh connection of the project's own login and committed just before our own commit. Should the process die
//! between the two, a profile without an account is left: a new sign-up with that address answers 422 until it is
//! removed.

use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::Audience;
use super::audience::place;
use super::refusal::unprocessable;
use super::store::{SETTINGS, Store, User, failed};
use crate::app::App;
use crate::backend::dial::dial;
use crate::control;
use crate::error::{Error, Result};
use crate::tenancy::{Isolation, Project};

/// Brings the profile row up to date. Nothing for the platform's users, nor where there is no profile table any more.
///
/// # Errors
/// 422 `profile_refused` when a rule of the table, or code of the tenant, says no: the account is not made then.
pub(super) async fn sync(app: &App, audience: &Audience, store: &Store<'_>, user: &User) -> Result<()> {
    change(app, audience, store, &Profile::Sync(user)).await
}

/// What happens to a profile row.
pub(super) enum Profile<'a> {
    /// It says what the account says.
    Sync(&'a User),
    /// It keeps everything but the address: a deleted account's is free again.
    Address(Uuid, Option<&'a str>),
    /// It goes, as the app's foreign keys say, or forgets the person.
    Forget(Uuid),
}

impl Profile<'_> {
    /// Calls the function in `schema`.
    pub(super) async fn call(&self, executor: &impl GenericClient, schema: &str) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Sync(user) => {
                let metadata = serde_json::Value::from(user.user_metadata.clone());
                let params = [
                    control::uuid(&user.id),
                    control::text(&user.email),
                    control::json(&metadata),
                ];
                let sql = format!("select {schema}.sync_profile($1, $2, $3)");
                executor.query_typed(&sql, &params).await?;
            }
            Self::Address(id, address) => {
                let sql = format!("select {schema}.address_profile($1, $2)");
                let params = [control::uuid(id), control::text(address)];
                executor.query_typed(&sql, &params).await?;
            }
            Self::Forget(id) => {
                let sql = format!("select {schema}.forget_profile($1)");
                executor.query_typed(&sql, &[control::uuid(id)]).await?;
            }
        }
        Ok(())
    }
}

/// Changes the profile row of a project's user.
///
/// # Errors
/// As [`sync`].
pub(super) async fn change(app: &App, audience: &Audience, store: &Store<'_>, profile: &Profile<'_>) -> Result<()> {
    let Some(project) = audience.project() else {
        return Ok(());
    };
    let done = match place(project)?.1 {
        Isolation::Schema => store.change_profile(profile).await,
        Isolation::Database => on_own_login(app, project, profile).await?,
    };
    match done {
        Err(error) if !is_gone(&error) => Err(refused(error)),
        _ => Ok(()),
    }
}

async fn on_own_login(
    app: &App,
    project: &Project,
    profile: &Profile<'_>,
) -> Result<Result<(), tokio_postgres::Error>> {
    let target = app.data_target(project, project.ready_backend()?).await?;
    let mut client = dial(&target.address, &target.trust).await?;
    Ok(call(&mut client, project, profile).await)
}

async fn call(
    client: &mut tokio_postgres::Client,
    project: &Project,
    profile: &Profile<'_>,
) -> Result<(), tokio_postgres::Error> {
    let tx = client.transaction().await?;
    tx.batch_execute("set transaction read write").await?;
    tx.batch_execute(SETTINGS).await?;
    let names = project.names();
    tx.batch_execute(&format!("set local role {}", names.owner().quoted()))
        .await?;
    let schema = names.auth(Isolation::Database);
    profile.call(&tx, &schema.quoted().to_string()).await?;
    tx.commit().await
}

/// The owner of the project may have deleted the profile table: people still sign up.
fn is_gone(error: &tokio_postgres::Error) -> bool {
    let gone = [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_FUNCTION];
    error.code().is_some_and(|state| gone.contains(state))
}

fn refused(error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return failed(error);
    };
    let class = &db.code().code()[..2];
    if !matches!(class, "22" | "23" | "42" | "44" | "P0") {
        return failed(error);
    }
    let refusal = unprocessable(
        "profile_refused",
        "The app's profile table does not accept this account",
    );
    // `raise exception` in the app's own trigger: its text was written for this moment. Any other text may quote rows.
    let said = (db.code() == &SqlState::RAISE_EXCEPTION).then(|| db.message().to_owned());
    match said {
        Some(said) => refusal.with_details(said),
        None => refusal,
    }
    .with_source(error)
}
