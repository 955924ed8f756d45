//! What happens in the cell, as the provisioning login.

use futures_util::future;

use super::steps::{Step, Steps};
use super::{Backend, render};
use crate::app::App;
use crate::control::{Client, failure, scram_verifier, text};
use crate::error::Result;
use crate::sensitive::Sensitive;
use crate::tenancy::Isolation;

/// Makes everything of a backend's that lives in its cell. Returns the password of the project's own login, if it has
/// one.
pub(super) async fn create(app: &App, backend: &Backend, version: i64, steps: &Steps) -> Result<Option<Sensitive>> {
    match backend.isolation {
        Isolation::Schema => {
            let sql = render::schema_level(&backend.reference, version)?;
            let client = app.cells.shared(&backend.cell)?.get().await?;
            client.batch_execute(&sql).await.map_err(failure)?;
            drop(client);
            steps.passed(Step::Schema).await?;
            Ok(None)
        }
        Isolation::Database => create_database(app, backend, version, steps).await.map(Some),
    }
}

async fn create_database(app: &App, backend: &Backend, version: i64, steps: &Steps) -> Result<Sensitive> {
    let reference = &backend.reference;
    // 43 letters and digits are 256 bits.
    let password = Sensitive::new(app.random.token(43));
    let verifier = scram_verifier(&password, &app.random.bytes());
    let client = app.cells.shared(&backend.cell)?.get().await?;
    let roles = render::database_roles(reference, &verifier);
    client.batch_execute(&roles).await.map_err(failure)?;
    steps.passed(Step::Roles).await?;
    alone(&client, &render::database_create(reference)).await?;
    steps.passed(Step::Database).await?;
    let admit = render::database_admit(reference);
    client.batch_execute(&admit).await.map_err(failure)?;
    drop(client);
    steps.passed(Step::Admit).await?;
    furnish(app, backend, version).await?;
    steps.passed(Step::Furnish).await?;
    Ok(password)
}

async fn furnish(app: &App, backend: &Backend, version: i64) -> Result<()> {
    let own = backend.names().own();
    let sql = render::database_furnish(&backend.reference, version)?;
    let client = app.cells.named(&backend.cell, &own)?.get().await?;
    client.batch_execute(&sql).await.map_err(failure)
}

/// Closes the connection to a database of its own: nobody here needs it again soon.
pub(super) fn let_go(app: &App, backend: &Backend) {
    if backend.isolation == Isolation::Database {
        app.cells.forget(&backend.cell, &backend.names().own());
    }
}

/// Takes away whatever there is of a backend in its cell; repeatable.
pub(super) async fn clear(app: &App, backend: &Backend) -> Result<()> {
    let client = app.cells.shared(&backend.cell)?.get().await?;
    let reference = &backend.reference;
    let last = match backend.isolation {
        Isolation::Schema => render::schema_drop(reference),
        Isolation::Database => {
            let_go(app, backend);
            alone(&client, &render::database_drop(reference)).await?;
            render::database_roles_drop(reference)
        }
    };
    client.batch_execute(&last).await.map_err(failure)
}

/// Runs a statement that takes no transaction, with its own limits, in one round trip. The settings are the session's,
/// whose text is all ours.
async fn alone(client: &Client, sql: &str) -> Result<()> {
    let (_, outcome, _) = future::join3(
        client.batch_execute("set lock_timeout = '5s'; set statement_timeout = '20s'"),
        client.batch_execute(sql),
        client.batch_execute("reset lock_timeout; reset statement_timeout"),
    )
    .await;
    outcome.map_err(failure)
}

/// Makes everybody forget what they know of a backend's tables.
pub(super) async fn move_schema(app: &App, backend: &Backend) -> Result<()> {
    let database = app
        .cells
        .of_project(&backend.cell, &backend.reference, backend.isolation)?;
    let client = database.get().await?;
    let sql = "update plinth.version set schema = schema + 1 where ref = $1";
    let reference = backend.reference.as_str();
    client.query_typed(sql, &[text(&reference)]).await.map_err(failure)?;
    Ok(())
}
