//! What the control database says of a person in texts: documents and jobs.

use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store::{self, Documents};
use super::values::Values;
use crate::error::Result;
use crate::privacy::people::{self, JobsOf};

/// What stands in a document where somebody was named.
const ERASED: &str = "[erased]";

/// How many versions of documents name somebody.
///
/// # Errors
/// When the database fails.
pub(super) async fn mentioning(executor: &impl GenericClient, documents: Documents, values: &Values) -> Result<u64> {
    match values.pattern() {
        Some(pattern) => store::mentioning(executor, documents, &pattern).await,
        None => Ok(0),
    }
}

/// Takes somebody's e-mail addresses, numbers and names out of documents and jobs, in the caller's transaction. `id`: how
/// else jobs may name them. How many versions of documents there were.
///
/// # Errors
/// When the database fails.
pub(super) async fn scrub(
    executor: &impl GenericClient,
    documents: Documents,
    values: &Values,
    id: Option<String>,
    but: Uuid,
) -> Result<u64> {
    let jobs = match documents {
        Documents::Project(project) => JobsOf::Project(project),
        Documents::Member(user) => JobsOf::Member(user),
    };
    let texts: Vec<String> = values.all().into_iter().chain(id).collect();
    people::scrub_jobs(executor, jobs, &texts, Some(but)).await?;
    match values.pattern() {
        Some(pattern) => store::scrub(executor, documents, &pattern, ERASED).await,
        None => Ok(0),
    }
}
