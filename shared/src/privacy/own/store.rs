//! All SQL of what people ask for about themselves.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{OwnExport, Status};
use crate::app::App;
use crate::control::{failure, text, uuid};
use crate::error::Result;
use crate::ident::ProjectId;

/// The copy they asked for last.
pub(super) async fn latest(app: &App, project: ProjectId, user: Uuid) -> Result<Option<OwnExport>> {
    let sql = "
        select e.id, j.state, e.bytes, e.created_at, e.expires_at, e.fetched_at
        from plinth.privacy_requests r
        join plinth.exports e on e.id = r.id
        left join plinth.jobs j on j.id = r.job_id
        where r.project_id = $1 and r.kind = 'export' and r.self and r.subject ->> 'id' = $2
        order by r.created_at desc, r.id desc limit 1";
    let client = app.control.get().await?;
    let user = user.to_string();
    let params = [uuid(&project.0), text(&user)];
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(read))
}

fn read(row: &Row) -> OwnExport {
    let (state, bytes): (Option<&str>, Option<i64>) = (row.get(1), row.get(2));
    OwnExport {
        id: row.get(0),
        status: match (bytes, state) {
            (Some(_), _) => Status::Ready,
            (None, Some("failed" | "cancelled")) => Status::Failed,
            _ => Status::Preparing,
        },
        bytes,
        created_at: row.get(3),
        expires_at: row.get(4),
        fetched_at: row.get(5),
        link: None,
    }
}
