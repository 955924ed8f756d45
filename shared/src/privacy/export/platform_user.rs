//! What the platform has of one of its own users.

use serde_json::Value;

use super::archive::Archive;
use super::index::Index;
use super::make::Work;
use super::pages;
use crate::backend::{Fut, Sink, TextRow};
use crate::error::{Error, Result};
use crate::ident::UserId;
use crate::privacy::Snapshot;
use crate::privacy::identity::Person;
use crate::privacy::people::{facts_of_user, sections};
use crate::privacy::requests;

/// The section whose rows are documents, each a file of its own too.
const DOCUMENTS: &str = "documents";

pub(super) async fn copy(work: &Work<'_>, archive: &mut Archive, index: &mut Index) -> Result<()> {
    let subject = work.who.subject();
    let user = subject.person().and_then(|id| id.parse().ok()).map(UserId);
    let user = user.ok_or_else(requests::not_found)?;
    let parts = sections().len() + 2;
    for (at, section) in sections().iter().enumerate() {
        work.progress(at, parts).await?;
        pages::section(work.app, user, section, archive, index).await?;
    }
    work.progress(parts - 2, parts).await?;
    documents(work, user, archive, index).await?;
    work.progress(parts - 1, parts).await?;
    pages::audit(work.app, Person::User(user), archive, index).await
}

async fn documents(work: &Work<'_>, user: UserId, archive: &mut Archive, index: &mut Index) -> Result<()> {
    let Some(section) = sections().iter().find(|section| section.name == DOCUMENTS) else {
        return Ok(());
    };
    let mut client = work.app.control.get().await?;
    let snapshot = Snapshot::of(&mut client).await?;
    let mut files = Files(archive);
    let some = facts_of_user(&snapshot, user, section, &mut files).await? > 0;
    if some {
        index.file(
            "documents/",
            "Versions of documentation that they wrote or asked for, as Markdown: <project>-<number>.md",
        );
    }
    Ok(())
}

/// Each document as a file of its own.
struct Files<'a>(&'a mut Archive);

impl Files<'_> {
    async fn add(&mut self, rows: Vec<TextRow>) -> Result<()> {
        for row in rows.iter().flatten().flatten() {
            let row: Value = serde_json::from_str(row).map_err(Error::internal)?;
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let number = row.get("number").and_then(Value::as_i64).unwrap_or_default();
            let title = format!("{}-{number}", text("project"));
            let content = text("content").as_bytes();
            self.0.file("documents/", &title, "md", content).await?;
        }
        Ok(())
    }
}

impl Sink for Files<'_> {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        Box::pin(self.add(rows))
    }
}
