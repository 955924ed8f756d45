//! Row rules of tables whose engine has no row-level security: kept here, written into every statement of an end user.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{managed, managed_provision, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::backend::{Place, Snapshot};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident};
use crate::projects::versions;
use crate::query::row_rules;
use crate::schema::policy::PolicySpec;
use crate::tenancy::{External, Project, ProjectAccess, not_found};

/// The row rules of one table.
#[derive(Debug, Clone)]
pub struct TablePolicies {
    /// The table, as its database names it.
    pub table: Ident,
    /// Moves with every change; 0 before the first.
    pub version: i64,
    /// The rules, expressions in canonical text. Without any, end users have no access to the table.
    pub policies: Vec<PolicySpec>,
}

/// The row rules of a table.
///
/// # Errors
/// `policies/unknown-table` (404), `policies/designed` and `policies/native` (409) where rules are kept elsewhere; as the
/// database's, when it must be asked.
pub async fn policies(app: &App, access: &ProjectAccess, backend: BackendId, table: &str) -> Result<TablePolicies> {
    let site = Site::find(app, access, backend).await?;
    let kept = store::policies(&*app.control.get().await?, backend, table).await?;
    if let (Some((policies, version)), Ok(table)) = (kept, Ident::new(table)) {
        return Ok(TablePolicies {
            table,
            version,
            policies,
        });
    }
    let snapshot = site.snapshot(app).await?;
    let found = row_rules::table(table, &snapshot.catalog).map_err(|near| unknown(table, near))?;
    Ok(TablePolicies {
        table: found.name.clone(),
        version: 0,
        policies: Vec::new(),
    })
}

/// Replaces the row rules of a table, which are still at `version`. Needs the role `admin`.
///
/// # Errors
/// As [`policies`]; `tables/invalid-schema` (400) with every fault, `tables/stale` (409) with the present version.
pub async fn set_policies(
    app: &App,
    access: &ProjectAccess,
    backend: BackendId,
    table: &str,
    version: i64,
    given: &Map<String, Value>,
) -> Result<TablePolicies> {
    managed_provision::require_admin(access)?;
    let site = Site::find(app, access, backend).await?;
    let snapshot = site.snapshot(app).await?;
    let relation = row_rules::table(table, &snapshot.catalog).map_err(|near| unknown(table, near))?;
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(managed::LIMITS).await.map_err(failure)?;
    managed::lock_project(&tx, access.project()).await?;
    let name = relation.name.as_str();
    let present = store::policies(&tx, backend, name)
        .await?
        .map_or(0, |(_, version)| version);
    if present != version {
        return Err(stale(present));
    }
    let others = store::all_policies(&tx, backend).await?;
    let policies = row_rules::read(given, relation, &others, &snapshot.catalog)?;
    let version = store::keep_policies(app, &tx, backend, name, &policies).await?;
    let entry = Entry::by(access.caller(), Some(access.project()), "tables.policies", name)
        .with(json!({ "version": version, "policies": policies.len() }));
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, access.project()).await?;
    tx.commit().await.map_err(failure)?;
    drop(client);
    Box::pin(versions::push(app, access.project())).await?;
    Ok(TablePolicies {
        table: relation.name.clone(),
        version,
        policies,
    })
}

/// A backend whose rows are guarded here.
struct Site(Arc<Project>);

impl Site {
    async fn find(app: &App, access: &ProjectAccess, id: BackendId) -> Result<Self> {
        let project = app.tenancy.refresh(access.reference()).await?;
        if project.id != access.project() || project.ready_backend()?.id != id {
            return Err(not_found());
        }
        let site = Self(project);
        let family = site.external(app).await?.family;
        if family.guards_rows() {
            let message = "This database has row-level security of its own";
            return Err(Error::new(ErrorKind::Conflict, "policies/native", message)
                .with_hint("Create the policies there: create policy … on … using (…)"));
        }
        if !family.takes_row_rules() {
            let message = "Rows of this kind of database cannot be guarded yet";
            return Err(Error::new(ErrorKind::Unsupported, "policies/unsupported", message));
        }
        Ok(site)
    }

    async fn external(&self, app: &App) -> Result<&External> {
        app.tenancy.external(&self.0).await?.ok_or_else(|| {
            let message = "Policies of this backend's tables are part of their designs";
            Error::new(ErrorKind::Conflict, "policies/designed", message).with_hint(
                "PATCH /api/database/{id}/tables/{tableId} with {\"op\": \"set_policies\", \"policies\": […]}",
            )
        })
    }

    /// What is in the database now.
    async fn snapshot(&self, app: &App) -> Result<Snapshot> {
        let external = self.external(app).await?;
        let schema = external.settings.rest.schemas.first();
        let place = Place {
            reference: self.0.reference.clone(),
            schema: schema.cloned().ok_or_else(|| Error::internal("no schema"))?,
            extra_search_path: Vec::new(),
            reader: None,
            versioned: false,
            generation: self.0.version,
            declared: external.settings.rest.declared(),
        };
        let target = app.data_target(&self.0, self.0.ready_backend()?).await?;
        let records = app.backends.records(&target)?;
        records.catalog(&place, app.config.web.request_timeout).await
    }
}

fn unknown(table: &str, near: Option<String>) -> Error {
    let message = format!("There is no table {} in this database", crate::query::shown(table));
    let error = Error::new(ErrorKind::NotFound, "policies/unknown-table", message);
    match near {
        Some(near) => error.with_hint(format!("Perhaps you meant {near}")),
        None => error,
    }
}

fn stale(present: i64) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "tables/stale",
        "The policies have changed meanwhile",
    )
    .with_details(format!("They are at version {present} now"))
    .with_hint("Read them again and make the change on what is there: send that ETag as If-Match")
}
