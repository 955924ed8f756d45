//! The job: everything is read, written into an archive as it comes, and kept.

use serde_json::{Value, json};
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::archive::Archive;
use super::files::{Files, Upload};
use super::index::Index;
use super::{end_user, ends, platform_user, store};
use crate::app::App;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::jobs::Job;
use crate::privacy::requests::{self, Kind, Request, Who};

/// What such a job has done once its file is there, with its result for an outcome.
const KEPT: &str = "file";

/// What an export is made of.
pub(super) struct Work<'a> {
    pub app: &'a App,
    pub job: &'a Job,
    pub asked: &'a Request,
    pub who: &'a Who,
}

/// Does a job that makes an export. Done twice, it makes the same file under the same name.
///
/// # Errors
/// 404 `privacy/export-gone` when nobody wants it any more; `files/unavailable`; the engine's.
pub async fn make(app: &App, job: &Job) -> Result<Value> {
    if let Some(result) = job.items(app).await?.remove(KEPT) {
        return Ok(result);
    }
    let id = job
        .payload
        .get("request")
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok());
    let id: Uuid = id.ok_or_else(|| Error::internal("an export of no request"))?;
    let (asked, kept) = {
        let client = app.control.get().await?;
        (requests::find(&*client, id).await?, store::find(&*client, id).await?)
    };
    let asked = asked.filter(|asked| asked.kind == Kind::Export);
    let (Some(asked), Some(kept)) = (asked, kept) else {
        return Err(unwanted());
    };
    let Some(who) = asked.subject.clone() else {
        return Err(unwanted());
    };
    let work = Work {
        app,
        job,
        asked: &asked,
        who: &who,
    };
    job.progress(app, 5, "Looking at what there is").await?;
    let upload = Files::of(app).await?.create(&kept.object).await?;
    let mut archive = Archive::new(upload, asked.created_at);
    match Box::pin(work.fill(&mut archive)).await {
        Ok(index) => work.keep(archive.finish().await?, &index).await,
        Err(error) => {
            archive.abort().await;
            Err(error)
        }
    }
}

impl Work<'_> {
    async fn fill(&self, archive: &mut Archive) -> Result<Index> {
        let mut index = Index::new(self.asked, self.app.clock.now());
        match self.asked.project {
            Some(project) => end_user::copy(self, project, archive, &mut index).await?,
            None => platform_user::copy(self, archive, &mut index).await?,
        }
        self.job.progress(self.app, 95, "Keeping it").await?;
        index.write(archive).await?;
        Ok(index)
    }

    /// Tells how far it is: `at` of `of` parts.
    pub async fn progress(&self, at: usize, of: usize) -> Result<()> {
        let percent = 5 + 90 * at / of.max(1);
        let percent = u8::try_from(percent).unwrap_or(95);
        let message = format!("Copying part {} of {of}", at + 1);
        self.job.progress(self.app, percent, &message).await
    }

    async fn keep(&self, upload: Upload, index: &Index) -> Result<Value> {
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        let result = match self.note(&transaction, upload.bytes(), index).await {
            Ok(result) => result,
            Err(error) => {
                upload.abort().await;
                return Err(error);
            }
        };
        // Both rows are held until the file is there: whoever withdraws the export comes before or after, and no other worker
        // writes the same file meanwhile.
        upload.complete().await?;
        transaction.commit().await.map_err(failure)?;
        Ok(result)
    }

    async fn note(&self, transaction: &Transaction<'_>, bytes: u64, index: &Index) -> Result<Value> {
        let (id, now) = (self.asked.id, self.app.clock.now());
        let expires_at = ends(self.app, now)?;
        let bytes = i64::try_from(bytes).map_err(Error::internal)?;
        if !store::made(transaction, id, bytes, now, expires_at).await? {
            return Err(unwanted());
        }
        let result = json!({
            "exportId": id,
            "bytes": bytes,
            "rows": index.rows(),
            "tables": index.tables(),
            "expiresAt": expires_at.to_string(),
            "link": format!("/api/gdpr/exports/{id}/link"),
        });
        self.job.done(self.app, transaction, KEPT, &result).await?;
        Ok(result)
    }
}

fn unwanted() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/export-gone",
        "Nobody waits for this export any more",
    )
}
