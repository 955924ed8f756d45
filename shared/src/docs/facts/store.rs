//! What the control database knows of a project.

use crate::app::App;
use crate::control::{failure, time, uuid};
use crate::docgen::KeyFacts;
use crate::error::{Error, Result};
use crate::ident::{ProjectId, Ref};
use crate::tenancy::not_found;

/// A project's ref and name.
pub(super) async fn project(app: &App, project: ProjectId) -> Result<(Ref, String)> {
    let sql = "select ref, name from plinth.projects where id = $1 and deleted_at is null";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let row = rows.first().ok_or_else(not_found)?;
    let reference: &str = row.get(0);
    Ok((
        reference
            .parse()
            .map_err(|_| Error::internal("a ref of another shape"))?,
        row.get(1),
    ))
}

/// The names of its keys that work.
pub(super) async fn keys(app: &App, project: ProjectId) -> Result<Vec<KeyFacts>> {
    let sql = "
        select name, class from plinth.keys
        where project_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
        order by class, created_at, id";
    let now = app.clock.now();
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[uuid(&project.0), time(&now)])
        .await
        .map_err(failure)?;
    let key = |row: &tokio_postgres::Row| KeyFacts {
        name: row.get(0),
        secret: row.get::<_, &str>(1) == "secret",
    };
    Ok(rows.iter().map(key).collect())
}
