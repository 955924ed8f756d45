//! Generating a documentation: a request makes a job, the job a version.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::versions::{NewVersion, Origin, latest, save};
use super::{gather, prose};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::docgen::{self, Audience, Document, Options};
use crate::error::{Error, Result};
use crate::jobs::{self, Job, Key, NewJob};
use crate::projects::IdempotencyKey;
use crate::tenancy::{ProjectAccess, RequestInfo};

/// The kind of its jobs.
pub const GENERATE: &str = "docs.generate";
/// What such a job has done once its version is there, with its result for an outcome.
const KEPT: &str = "version";
/// Characters of instructions at most.
const LONGEST_INSTRUCTIONS: usize = 2000;

/// What somebody wants to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NewDocumentation {
    /// The sections to write: `overview`, `quick-start`, `data-model`, `tables`, `functions`, `endpoints`,
    /// `authentication`, `limits`, `errors`, `changes`. The others are taken over from the last version, if there is one.
    /// All of them when left out.
    pub sections: Vec<String>,
    /// For whom: `newcomer` (the default) has terms and rules explained, `developer` gets every condition as the database
    /// has it instead.
    #[schema(value_type = String)]
    pub audience: Audience,
    /// What an AI that writes the prose should heed, if one is configured. At most 2,000 characters.
    pub instructions: Option<String>,
}

/// Asks for a documentation; returns the job that makes it. The same key of the same caller gets the same job.
///
/// # Errors
/// 400 `documents/sections`, `documents/instructions`; 404 `backend/not-provisioned`; 422 `http/idempotency-key`.
pub async fn ask(
    app: &App,
    access: &ProjectAccess,
    new: &NewDocumentation,
    key: Option<&IdempotencyKey>,
) -> Result<Uuid> {
    docgen::sections(&new.sections)?;
    let length = new.instructions.as_ref().map_or(0, |text| text.chars().count());
    if length > LONGEST_INSTRUCTIONS || new.instructions.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(Error::invalid(
            "documents/instructions",
            "Instructions have at most 2,000 characters, and no NUL among them",
        ));
    }
    app.tenancy.refresh(access.reference()).await?.ready_backend()?;
    let payload = serde_json::to_value(new).map_err(Error::internal)?;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let job = NewJob {
        kind: GENERATE,
        project: Some(access.project()),
        payload: &payload,
        by: Some(access.caller().user.id),
    };
    let asked = jobs::ask_once(app, &transaction, &job, key.map(Key::OfCaller)).await?;
    if asked.new {
        let entry = Entry::by(access.caller(), Some(access.project()), "documents.request", asked.id);
        audit::record(app, &transaction, &entry.with(json!({ "sections": new.sections }))).await?;
    }
    transaction.commit().await.map_err(failure)?;
    Ok(asked.id)
}

/// Does such a job: reads what is there, writes it down, keeps it as a version. Done twice, it makes one version.
///
/// # Errors
/// As [`gather`] and [`save`].
pub async fn generate(app: &App, job: &Job) -> Result<Value> {
    let project = job
        .project
        .ok_or_else(|| Error::internal("a documentation of no project"))?;
    if let Some(result) = job.items(app).await?.remove(KEPT) {
        return Ok(result);
    }
    let asked: NewDocumentation = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
    job.progress(app, 5, "Reading what is there").await?;
    let facts = Box::pin(gather(app, project)).await?;
    job.progress(app, 50, "Writing").await?;
    let options = Options {
        audience: asked.audience,
        sections: docgen::sections(&asked.sections)?,
    };
    let written = prose::write(app.config.ai.as_ref(), &facts, &options, asked.instructions.as_deref()).await;
    let before = latest(&*app.control.get().await?, project).await?;
    let previous = before.as_ref().map(|version| Document::parse(&version.content));
    let content = docgen::render(&facts, &options, previous.as_ref(), &written.prose).to_markdown();
    job.progress(app, 90, "Keeping it").await?;

    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let new = NewVersion {
        project,
        content: &content,
        origin: Origin::Generated,
        based_on: before.map(|version| version.view.version_id),
        author: job.by,
        job: Some(job.id),
    };
    let request = RequestInfo {
        id: job.id.to_string(),
        address: None,
    };
    let made = save(app, &transaction, &new, &request).await?.view;
    let result = json!({
        "versionId": made.version_id,
        "number": made.number,
        "changeSummary": made.change_summary,
        "tables": facts.tables.len(),
        "bytes": content.len(),
        "prose": written.report,
    });
    job.done(app, &transaction, KEPT, &result).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(result)
}
