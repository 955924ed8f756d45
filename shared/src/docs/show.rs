//! Versions as their readers want them: compared with one another, or as a page.

use serde::Serialize;
use uuid::Uuid;

use super::diff::{Lines, SectionChange};
use super::{Version, VersionView, diff, html, store, versions};
use crate::app::App;
use crate::error::{Error, Result};
use crate::tenancy::ProjectAccess;

/// What is different between two versions, section by section.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Comparison {
    /// The earlier one; null stands for nothing at all.
    pub from: Option<VersionView>,
    /// The later one.
    pub to: VersionView,
    /// Lines that came and went in all.
    pub lines: Lines,
    /// The sections that are different, in the order of the later version; those that are gone come last.
    pub sections: Vec<SectionChange>,
}

/// Two versions side by side.
#[derive(Debug)]
pub struct Pair {
    from: Option<Version>,
    to: Version,
}

/// A version and the one it is compared with: that of this id, else the one before it.
///
/// # Errors
/// 404 `documents/not-found` for either.
pub async fn pair(app: &App, access: &ProjectAccess, to: Uuid, from: Option<Uuid>) -> Result<Pair> {
    let (client, project) = (app.control.get().await?, access.project());
    let to = versions::find(&*client, project, to).await?;
    let from = match from {
        Some(from) => Some(versions::find(&*client, project, from).await?),
        None => store::before(&*client, project, to.view.number).await?,
    };
    Ok(Pair { from, to })
}

impl Pair {
    /// As one unified diff; empty where the texts are equal.
    ///
    /// # Errors
    /// Never in practice.
    pub async fn unified(self) -> Result<String> {
        aside(move || {
            let name = |version: &Version| format!("version {}", version.view.number);
            let from = self.from.as_ref();
            let names = (from.map_or_else(|| "/dev/null".to_owned(), name), name(&self.to));
            let old = from.map_or("", |from| from.content.as_str());
            diff::unified(old, &self.to.content, (&names.0, &names.1))
        })
        .await
    }

    /// Section by section.
    ///
    /// # Errors
    /// Never in practice.
    pub async fn sections(self) -> Result<Comparison> {
        aside(move || {
            let old = self.from.as_ref().map_or("", |from| from.content.as_str());
            Comparison {
                lines: diff::lines(old, &self.to.content),
                sections: diff::by_section(old, &self.to.content),
                from: self.from.map(|from| from.view),
                to: self.to.view,
            }
        })
        .await
    }
}

/// A document as a web page.
#[derive(Debug)]
pub struct Page {
    /// The page.
    pub html: String,
    /// The `Content-Security-Policy` it must go with.
    pub policy: &'static str,
}

/// Renders and sanitises a version.
///
/// # Errors
/// Never in practice.
pub async fn page(version: Version) -> Result<Page> {
    let html = aside(move || {
        let VersionView { number, created_at, .. } = &version.view;
        let note = format!("Version {number} · {created_at} · {}", version.view.change_summary);
        html::page(&version.content, &note)
    });
    Ok(Page {
        html: html.await?,
        policy: html::POLICY.as_str(),
    })
}

/// Long documents take their time: other requests of the process go on meanwhile.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
