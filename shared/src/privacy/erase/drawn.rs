//! Drawing up a plan.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::data::Site;
use super::plan::{Plan, PlannedAccount, PlannedTable};
use super::scrub;
use super::store::Documents;
use super::user::{known, values_of};
use super::values::Known;
use crate::app::App;
use crate::error::Result;
use crate::ident::{ProjectId, UserId};
use crate::privacy::identity::{self, Person};
use crate::privacy::people;
use crate::privacy::receipt::KeptFor;
use crate::privacy::requests::{About, Scope, Who};
use crate::tenancy::Project;

/// What would be done about somebody.
pub(super) struct Drawn {
    /// Without id, token and term: those are a request's.
    pub plan: Plan,
    /// What a confirmation binds.
    pub binding: String,
}

/// The plan for an end user.
///
/// # Errors
/// 409 `privacy/map-unconfirmed`, `privacy/map-stale`; 501 `privacy/unsupported`; the engine's.
pub(super) async fn of_end_user(app: &App, project: Arc<Project>, who: &Who) -> Result<Drawn> {
    let id = project.id;
    let site = Box::pin(Site::of(app, project, who)).await?;
    let version = site.confirmed()?;
    let person = site.person.as_ref();
    let (tables, others, values) = {
        let mut rows = site.begin().await?;
        let tables = site.tables(&mut *rows).await?;
        let others = site.others(&mut *rows).await?;
        let values = site.values(&mut *rows, Known::Said).await?;
        (tables, others, values)
    };
    let mut plan = blank(Scope::EndUser, Some(id));
    plan.kept = kept(&tables);
    plan.map_version = Some(version);
    plan.tables = tables;
    plan.others = others;
    plan.gaps = site.gaps();
    plan.account = person.map(|person| PlannedAccount {
        deleted: person.deleted_at.is_some(),
        identities: person.identities.unsigned_abs(),
    });
    plan.sessions = person.map_or(0, |person| person.sessions.unsigned_abs());
    let control = app.control.get().await?;
    plan.documents = scrub::mentioning(&*control, Documents::Project(id), &values).await?;
    let about = About {
        scope: Scope::EndUser,
        project: Some(id),
        who,
    };
    plan.exports = about.exports(&*control).await?.len() as u64;
    plan.requests = about.count(&*control).await?;
    if let Some(id) = end_user(id, who) {
        plan.audit = identity::count(&*control, id).await?;
    }
    plan.notes = notes(site.account.is_some(), Known::Said);
    let binding = plan.binding(None);
    Ok(Drawn { plan, binding })
}

/// The plan for a platform user, for whoever asks for it. `projects`: those of theirs that go too.
///
/// # Errors
/// 422 `privacy/erase-projects`.
pub(super) async fn of_user(app: &App, user: UserId, by: Option<UserId>, projects: &[ProjectId]) -> Result<Drawn> {
    let known = known(user, by);
    let control = app.control.get().await?;
    let theirs = people::plan_of_user(&*control, user, projects).await?;
    let bound: Value = theirs.binding();
    let who = Who::Id(user.to_string());
    let values = values_of(&*control, user, known).await?;
    let mut plan = blank(Scope::PlatformUser, None);
    plan.sessions = theirs.rows("sessions");
    plan.tables = theirs.tables.iter().map(super::user::planned).collect();
    plan.projects = theirs.projects;
    plan.blockers = theirs.blockers;
    plan.documents = scrub::mentioning(&*control, Documents::Member(user), &values).await?;
    let about = About {
        scope: Scope::PlatformUser,
        project: None,
        who: &who,
    };
    plan.exports = about.exports(&*control).await?.len() as u64;
    plan.requests = about.count(&*control).await?;
    plan.audit = identity::count(&*control, Person::User(user)).await?;
    plan.notes = notes(true, known);
    // The rows are bound as far as they last.
    let shown = std::mem::take(&mut plan.tables);
    let binding = plan.binding(Some(&bound));
    plan.tables = shown;
    Ok(Drawn { plan, binding })
}

/// Who they are in the audit log.
pub(super) fn end_user(project: ProjectId, who: &Who) -> Option<Person> {
    match who {
        Who::Id(id) => id.parse().ok().map(|id: Uuid| Person::EndUser { project, id }),
        Who::Key(_) => None,
    }
}

/// What stays after an erasure.
fn kept(tables: &[PlannedTable]) -> Vec<KeptFor> {
    let kept = tables
        .iter()
        .filter_map(|table| rows_kept(&table.table, table.rows, table.reason.as_deref()));
    kept.chain([audit_log()]).collect()
}

/// That rows of a table stay, where there are any and there is a reason.
pub(super) fn rows_kept(table: &str, rows: u64, reason: Option<&str>) -> Option<KeptFor> {
    let reason = reason.filter(|_| rows > 0)?;
    Some(KeptFor {
        what: table.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Why the audit log stays.
pub(super) fn audit_log() -> KeptFor {
    KeptFor {
        what: "audit_log".to_owned(),
        reason: "Entries stay, as each proves the ones before it; who acted, and from where, is forgotten".to_owned(),
    }
}

fn notes(accounts: bool, known: Known) -> Vec<String> {
    let first = if accounts {
        "The person is signed out first. An access token that was issued before holds until it expires: what is written with \
         one once the account is gone is not removed"
    } else {
        "Accounts of this backend are kept elsewhere: sign the person out there, and remove the account"
    };
    let words = match known {
        Known::Said => {
            "Documents lose the e-mail addresses, the numbers of seven digits or more, and the names of two words and eight \
             letters or more that the account and the person's own row have"
        }
        Known::Confirmed => {
            "Documents lose the confirmed e-mail address and number. What people write of themselves without proof, such as a \
             name, is looked for where one of those who run the platform asks for the erasure"
        }
    };
    let last = "Backups, and copies that somebody has fetched, are not reached";
    [first, words, last].map(str::to_owned).to_vec()
}

fn blank(scope: Scope, project: Option<ProjectId>) -> Plan {
    Plan {
        request_id: Uuid::nil(),
        scope,
        project_id: project,
        map_version: None,
        tables: Vec::new(),
        others: Vec::new(),
        gaps: Vec::new(),
        account: None,
        sessions: 0,
        documents: 0,
        exports: 0,
        requests: 0,
        audit: 0,
        projects: Vec::new(),
        blockers: Vec::new(),
        kept: vec![audit_log()],
        notes: Vec::new(),
        confirm_token: String::new(),
        expires_at: Timestamp::UNIX_EPOCH,
    }
}
