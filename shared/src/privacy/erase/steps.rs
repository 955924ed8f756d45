//! The job's steps: each asks first whether an earlier try has done it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::KeptPlan;
use super::copies::Unrenewed;
use super::data::{Counts, Site};
use super::run::{Done, RECEIPT, merged};
use super::scrub;
use super::store::Documents;
use super::values::Values;
use crate::accounts;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::backend::BulkTransaction;
use crate::control::failure;
use crate::error::{Error, Result};
use crate::jobs::Job;
use crate::privacy::export;
use crate::privacy::identity::{self, Person};
use crate::privacy::receipt::{self, ChainHead, Statement, TYPE};
use crate::privacy::requests::{self, Request, Who};
use crate::tenancy::RequestInfo;

/// A try of a job.
pub(super) struct Work<'a> {
    pub app: &'a App,
    pub job: &'a Job,
    pub request: Request,
    /// What earlier tries have done.
    pub items: BTreeMap<String, Value>,
}

/// What there was before anything was done.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    pub map_version: Option<i32>,
    pub users: u64,
    pub identities: u64,
    pub sessions: u64,
    pub exports: u64,
}

/// What the map says about their rows, done and not yet to last.
pub(super) struct Swept {
    name: &'static str,
    counts: Counts,
    /// None where an earlier try has made it last.
    open: Option<Box<dyn BulkTransaction>>,
}

impl Work<'_> {
    /// What a step has noted, if it is done.
    pub fn noted<T: DeserializeOwned>(&self, item: &str) -> Result<Option<T>> {
        let noted = self.items.get(item).cloned();
        noted.map(serde_json::from_value).transpose().map_err(Error::internal)
    }

    /// Notes that a step is done.
    pub async fn note(&mut self, item: &str, outcome: &impl Serialize) -> Result<()> {
        let outcome = serde_json::to_value(outcome).map_err(Error::internal)?;
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        self.job.done(self.app, &transaction, item, &outcome).await?;
        transaction.commit().await.map_err(failure)?;
        self.items.insert(item.to_owned(), outcome);
        Ok(())
    }

    /// What was confirmed; none where people ask for their own end.
    pub fn plan(&self) -> Result<Option<KeptPlan>> {
        let plan = self.request.plan.clone();
        plan.map(serde_json::from_value).transpose().map_err(Error::internal)
    }

    pub async fn sign_out(&mut self, site: &Site) -> Result<()> {
        if self.items.contains_key("sessions") {
            return Ok(());
        }
        if let Some(id) = site.account {
            accounts::sign_person_out(self.app, &site.project, id).await?;
        }
        self.note("sessions", &true).await
    }

    /// Takes what names them out of documents and jobs; how many versions of documents there were.
    pub async fn scrub(&mut self, documents: Documents, values: &Values, id: Option<String>) -> Result<u64> {
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        let count = scrub::scrub(&transaction, documents, values, id, self.job.id).await?;
        self.job
            .done(self.app, &transaction, "documents", &json!(count))
            .await?;
        transaction.commit().await.map_err(failure)?;
        Ok(count)
    }

    /// Copies of their data.
    pub async fn exports(&self, who: &Who) -> Result<Vec<Uuid>> {
        let client = self.app.control.get().await?;
        self.request.about(who).exports(&*client).await
    }

    pub async fn withdraw_exports(&mut self, who: &Who) -> Result<()> {
        if self.items.contains_key("exports") {
            return Ok(());
        }
        for id in self.exports(who).await? {
            Box::pin(export::withdraw(self.app, id)).await?;
        }
        self.note("exports", &true).await
    }

    /// Withdraws what was copied while the rows were there; how many copies there were. Asked anew by every try: none may be
    /// left when who they were about is forgotten.
    pub async fn withdraw_late_exports(&self, who: &Who) -> Result<u64> {
        let late = self.exports(who).await?;
        for id in &late {
            Box::pin(export::withdraw(self.app, *id)).await?;
        }
        Ok(late.len() as u64)
    }

    /// Does what the map says about their rows, and keeps it open; how many there were is noted.
    pub async fn sweep(&mut self, site: &Site, name: &'static str) -> Result<Swept> {
        if let Some(counts) = self.noted(name)? {
            let open = None;
            return Ok(Swept { name, counts, open });
        }
        let (found, rows) = Box::pin(site.sweep()).await?;
        let mut counts = merged(&self.items, name);
        let before = counts.clone();
        for (label, now) in found {
            let known = counts.entry(label).or_default();
            *known = now.max(*known);
        }
        if counts != before {
            // Before the rows go: whatever happens, how many there were is known.
            let item = format!("{name}:{}", self.job.attempt);
            self.note(&item, &counts).await?;
        }
        let open = Some(rows);
        Ok(Swept { name, counts, open })
    }

    /// Makes it last.
    pub async fn keep(&mut self, swept: Swept) -> Result<Counts> {
        let Swept { name, counts, open } = swept;
        if let Some(rows) = open {
            rows.commit().await?;
            self.note(name, &counts).await?;
        }
        Ok(counts)
    }

    pub async fn remove_account(&mut self, site: &Site) -> Result<()> {
        if self.items.contains_key("account") {
            return Ok(());
        }
        if let Some(id) = site.account {
            accounts::remove_person(self.app, &site.project, id).await?;
        }
        self.note("account", &true).await
    }

    /// Renews copies of rows; those that could not be.
    pub async fn renew(&mut self, site: &Site) -> Result<BTreeMap<String, Unrenewed>> {
        if let Some(left) = self.noted("copies")? {
            return Ok(left);
        }
        let left = Box::pin(site.renew(self.app)).await?;
        self.note("copies", &left).await?;
        Ok(left)
    }

    /// Forgets who acted; in how many entries.
    pub async fn forget(&mut self, person: Option<Person>) -> Result<u64> {
        if let Some(count) = self.noted("audit")? {
            return Ok(count);
        }
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        let count = match person {
            Some(person) => identity::forget(&transaction, person).await?,
            None => 0,
        };
        self.job.done(self.app, &transaction, "audit", &json!(count)).await?;
        transaction.commit().await.map_err(failure)?;
        Ok(count)
    }

    /// Forgets who it was about, and writes the receipt.
    pub async fn receipt(&mut self, done: Done) -> Result<Value> {
        let (app, request) = (self.app, &self.request);
        self.job.progress(app, 95, "Writing the receipt").await?;
        let signer = Box::pin(receipt::current(app)).await?;
        let result = json!({ "receiptId": request.id, "receipt": format!("/api/gdpr/receipts/{}", request.id) });
        let mut client = app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        let requests = match &request.subject {
            Some(who) if request.about(who).lock(&transaction).await? => return Err(copied_meanwhile()),
            Some(who) => request.about(who).forget(&transaction).await?,
            None => 0,
        };
        // Whoever has asked again meanwhile was told a token of their own.
        let hashes = requests::receipt_hash(&transaction, request.id).await?;
        let from = RequestInfo {
            id: self.job.id.to_string(),
            address: None,
        };
        let entry = Entry::by_system("privacy", &from, request.project, "privacy.erased", request.id);
        audit::record(
            app,
            &transaction,
            &entry.with(json!({ "scope": request.scope.as_str() })),
        )
        .await?;
        let head = receipt::chain_head(&transaction, request.project).await?;
        let statement = self.statement(done, requests.saturating_sub(1), head);
        receipt::keep(
            app,
            &transaction,
            &signer,
            request.id,
            request.project,
            &statement,
            hashes.as_deref(),
        )
        .await?;
        self.job.done(app, &transaction, RECEIPT, &result).await?;
        transaction.commit().await.map_err(failure)?;
        Ok(result)
    }

    fn statement(&self, done: Done, requests: u64, head: ChainHead) -> Statement {
        let now = self.app.clock.now();
        Statement {
            kind: TYPE.to_owned(),
            iss: self.app.config.web.base_url.clone(),
            iat: now.as_second(),
            jti: self.request.id,
            scope: self.request.scope,
            project_id: self.request.project,
            map_version: done.map_version,
            requested_at: self.request.created_at,
            completed_at: now,
            tables: done.tables,
            account: done.account,
            documents: done.documents,
            exports: done.exports,
            requests,
            audit: done.audit,
            kept: done.kept,
            audit_chain: head,
        }
    }
}

/// Rare: a copy was asked for between the last look for one and this one. The next try finds it.
fn copied_meanwhile() -> Error {
    super::conflict("privacy/copied-meanwhile", "A copy was made while the erasure ended")
}
