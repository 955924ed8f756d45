//! All SQL of documents.

use uuid::Uuid;

use super::VersionView;
use crate::app::App;
use crate::control::page::Page;
use crate::control::{failure, int8, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

pub(super) async fn versions(app: &App, project: ProjectId, page: &Page) -> Result<Vec<VersionView>> {
    let sql = "
        select id, change_summary, author, created_at from plinth.document_versions
        where project_id = $1 and deleted_at is null and ($2::timestamptz is null or (created_at, id) < ($2, $3))
        order by created_at desc, id desc limit $4";
    let (after_time, after_id) = page.after.map(|after| (after.0, after.1)).unzip();
    let fetched = page.fetched();
    let params = [uuid(&project.0), time(&after_time), uuid(&after_id), int8(&fetched)];
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows
        .iter()
        .map(|row| VersionView {
            version_id: row.get(0),
            change_summary: row.get(1),
            author: row.get::<_, Option<Uuid>>(2).map(UserId),
            created_at: row.get(3),
        })
        .collect())
}
