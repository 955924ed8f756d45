//! What the worker can do, by the `kind` of a job.

use plinth::app::App;
use plinth::docs;
use plinth::error::{Error, ErrorKind, Result};
use plinth::jobs::{Done, Handler, Job};
use plinth::privacy::{erase, export};
use plinth::projects::versions::{self, Propagation};
use serde_json::{Value, json};

/// The kinds. What is not listed fails with an error in its row.
pub const KINDS: &[(&str, Handler)] = &[
    ("versions.push", push),
    (docs::GENERATE, generate_docs),
    (export::EXPORT, copy_of_person),
    (erase::ERASE, erase_person),
];

fn copy_of_person<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(export::make(app, job))
}

fn erase_person<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(erase::erase(app, job))
}

fn generate_docs<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(docs::generate(app, job))
}

fn push<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(push_versions(app, job))
}

/// Tells one project's backends of its version, or all that are open when the job names no project.
async fn push_versions(app: &App, job: &Job) -> Result<Value> {
    let Some(project) = job.project else {
        return Ok(json!({ "told": versions::push_open(app).await? }));
    };
    match versions::push(app, project).await? {
        Propagation::Done => Ok(json!({ "told": 1 })),
        Propagation::Pending { .. } => Err(Error::new(
            ErrorKind::Unavailable,
            "jobs/backend-away",
            "A backend of the project cannot be reached right now",
        )),
    }
}
