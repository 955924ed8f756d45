//! What is known of a project's tables, and the way to their rows: what a map, a copy and an erasure begin with.
//!
//! Nothing of ours is hidden here: rows that were deleted and columns and tables that lie aside hold people's data too.

use std::sync::Arc;

use crate::app::App;
use crate::backend::{BulkScope, BulkTransaction, Place, Records, Roles, TextRow};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::query::row_rules;
use crate::records;
use crate::schema::catalog::{Catalog, Declared};
use crate::schema::details::Details;
use crate::schema::starter::APP_USERS;
use crate::subject::{Dialect, Facts, Gap, Marks, Schema, SubjectMap, Trashed, collations, gaps, keys};
use crate::tenancy::{External, Family, Isolation, Project, ProjectBackend};

use super::map::store;

/// A project's tables, and the way to their rows.
pub(crate) struct Ground {
    /// The tables, with all that lies aside, and their links.
    pub(crate) facts: Facts,
    /// What statements about them are written in.
    pub(crate) dialect: Dialect,
    /// Where they run, by its [`bulk`](Records::bulk).
    pub(crate) records: Arc<dyn Records>,
    /// As whom; it only reads and has a request's time until the caller says otherwise.
    pub(crate) scope: BulkScope,
    /// The schemas that were looked at, as their owner knows them.
    pub(crate) covers: Vec<String>,
    /// What this kind of backend does not tell: sentences for the owner.
    pub(crate) limits: Vec<String>,
}

/// Looks at a project's tables as they are now. Whoever calls has seen to it that somebody who may has asked.
///
/// # Errors
/// 404 `backend/not-provisioned`, 503 `backend/not-ready`; 501 `privacy/unsupported` for a backend whose rows cannot be
/// reached by statements of ours; else the engine's.
pub(crate) async fn ground(app: &App, project: &Project) -> Result<Ground> {
    let backend = project.ready_backend()?;
    match app.tenancy.external(project).await? {
        Some(external) => Box::pin(of_external(app, project, backend, external)).await,
        None => Box::pin(of_managed(app, project, backend)).await,
    }
}

/// The system tables tell this function's own cell login what is there; the rows are reached as the owner of the tables, at
/// level `database` on the project's own login.
async fn of_managed(app: &App, project: &Project, backend: &ProjectBackend) -> Result<Ground> {
    let isolation = backend.isolation.unwrap_or(Isolation::Schema);
    let names = project.names();
    let target = app.catalog_target(project, backend).await?;
    let system = app.backends.records(&target)?;
    let roles = Roles {
        anyone: Some(names.anon()),
        signed_in: Some(names.authenticated()),
        secret: Some(names.service()),
    };
    let declared = Declared::default();
    let deadline = app.config.web.request_timeout;
    let live = place(project, names.schema(isolation), &declared);
    let trash = place(project, names.trash(isolation), &declared);
    let (catalog, details) = seen(&*system, &live, &roles, deadline).await?;
    let aside = system.catalog(&trash, deadline).await?.catalog;
    let designs = store::designs(app, backend.id).await?;

    let mut facts = Facts {
        accounts: true,
        ..Facts::default()
    };
    let elsewhere = facts.add(&Schema {
        catalog: &catalog,
        details: &details,
        declared: &declared,
        prefixed: false,
        named: true,
    });
    facts.people = facts.tables.contains_key(APP_USERS).then(|| APP_USERS.to_owned());
    for design in designs.iter().filter(|design| design.trash_name.is_none()) {
        facts.add_removed(design.spec.name.as_str(), &design.spec);
    }
    let trashed: Vec<Trashed<'_>> = designs.iter().filter_map(store::Design::trashed).collect();
    facts.add_trashed(&aside, &trashed);

    let mut limits = limits_of(&elsewhere);
    if isolation == Isolation::Database {
        limits.push("Only the schema public is looked at: what your own SQL keeps in other schemas is not".to_owned());
    }
    // Beside a level `schema`, where it is the same login, the rows are reached on another connection.
    let rows = app.data_target(project, backend).await?;
    let mut ground = Ground {
        facts,
        dialect: Dialect::Postgres,
        records: app.backends.records(&rows)?,
        scope: scope(app, Some(names.owner()), [names.schema(isolation)]),
        covers: vec!["public".to_owned()],
        limits,
    };
    ground.look_closer(&[live.schema, trash.schema]).await?;
    Ok(ground)
}

/// All exposed schemas, as the role of secret keys or as the login itself.
async fn of_external(app: &App, project: &Project, backend: &ProjectBackend, external: &External) -> Result<Ground> {
    let dialect = match external.family {
        Family::Postgres => Dialect::Postgres,
        Family::Cockroach => Dialect::Cockroach,
        Family::MySql => Dialect::MySql,
        Family::Rest => return Err(unsupported()),
    };
    let target = app.data_target(project, backend).await?;
    let handle = app.backends.records(&target)?;
    let rest = &external.settings.rest;
    let roles = Roles {
        anyone: rest.anon_role.clone(),
        signed_in: Some(Ident::fixed("authenticated")),
        secret: rest.service_role.clone(),
    };
    let declared = rest.declared();
    let deadline = app.config.web.request_timeout;
    let mut facts = Facts::default();
    let mut elsewhere = Vec::new();
    for (at, schema) in rest.schemas.iter().enumerate() {
        let place = place(project, schema.clone(), &declared);
        let found = seen(&*handle, &place, &roles, deadline).await;
        records::forget_refused(app, &target, &found);
        let (catalog, mut details) = found?;
        for (table, policies) in row_rules::told(backend.policies(), &catalog) {
            details.tables.entry(table).or_default().policies = policies;
        }
        let schema = Schema {
            catalog: &catalog,
            details: &details,
            declared: &declared,
            prefixed: at > 0,
            named: dialect != Dialect::MySql,
        };
        elsewhere.extend(facts.add(&schema));
        // The others do not tell.
        if dialect == Dialect::Postgres {
            facts.add_denied(&schema);
        }
    }
    let extra = rest
        .extra_search_path
        .iter()
        .filter(|extra| !rest.schemas.contains(extra));
    let path = rest.schemas.iter().chain(extra).cloned();

    let mut limits = limits_of(&elsewhere);
    limits.extend(match dialect {
        Dialect::MySql => vec![
            "Only tables of this database are looked at: rows of other ones count as others', by the foreign keys that this \
             login may see"
                .to_owned(),
            "Tables of engines without foreign keys, such as MyISAM, tell no links: declare them as relations".to_owned(),
        ],
        _ => vec![
            "Only the exposed schemas are looked at: rows of other ones count as others', by their foreign keys".to_owned(),
        ],
    });
    let mut ground = Ground {
        facts,
        dialect,
        records: handle,
        scope: scope(app, rest.service_role.clone(), path),
        covers: rest.schemas.iter().map(Ident::to_string).collect(),
        limits,
    };
    ground.look_closer(&rest.schemas).await?;
    ground.facts.accounts = ground.facts.has_owner_columns();
    Ok(ground)
}

fn place(project: &Project, schema: Ident, declared: &Declared) -> Place {
    Place {
        reference: project.reference.clone(),
        schema,
        extra_search_path: Vec::new(),
        // Read by the login itself, now: no role is to be taken, nothing to be proven fresh, and nothing hidden.
        reader: None,
        versioned: false,
        generation: project.version,
        declared: declared.clone(),
    }
}

async fn seen(
    records: &dyn Records,
    place: &Place,
    roles: &Roles,
    deadline: std::time::Duration,
) -> Result<(Catalog, Details)> {
    let catalog = records.catalog(place, deadline).await?.catalog;
    let details = records.details(place, roles, deadline).await?;
    Ok((catalog, details))
}

fn scope(app: &App, role: Option<Ident>, schemas: impl IntoIterator<Item = Ident>) -> BulkScope {
    BulkScope {
        role,
        schemas: schemas.into_iter().collect(),
        read_only: true,
        deadline: app.config.web.request_timeout,
    }
}

fn limits_of(elsewhere: &[Ident]) -> Vec<String> {
    let foreign = elsewhere.iter();
    foreign
        .map(|table| format!("The rows of the foreign table {table} are kept elsewhere: look there"))
        .collect()
}

fn unsupported() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "privacy/unsupported",
        "What belongs to a person cannot be told of a REST API",
    )
    .with_hint("Ask the API itself for its export and its erasure")
}

impl Ground {
    /// Columns that look personal by their names, and lead to nobody by the map.
    pub(crate) fn gaps(&self, map: &SubjectMap) -> Vec<Gap> {
        gaps(&self.facts, &Marks::by_name(&self.facts), map)
    }

    /// Begins to read, in a request's time.
    ///
    /// # Errors
    /// 501 `privacy/unsupported`; the engine's.
    pub(crate) async fn begin(&self) -> Result<Box<dyn BulkTransaction>> {
        self.records.bulk().ok_or_else(unsupported)?.begin(&self.scope).await
    }

    /// Adds what the catalogs of those schemas leave out: the foreign keys that lead there from anywhere, and how texts are
    /// compared. As the login itself: everybody may read of that.
    async fn look_closer(&mut self, schemas: &[Ident]) -> Result<()> {
        let scope = BulkScope {
            role: None,
            ..self.scope.clone()
        };
        let mut reading = self.records.bulk().ok_or_else(unsupported)?.begin(&scope).await?;
        let rows = reading.rows(&keys(self.dialect, schemas)).await?;
        self.facts.add_keys(&rows)?;
        if let (Dialect::MySql, [database]) = (self.dialect, schemas) {
            self.facts.add_collations(reading.rows(&collations(database)).await?)?;
        }
        reading.commit().await
    }
}

/// The one number of an answer.
pub(crate) fn number(rows: Vec<TextRow>) -> u64 {
    let first = rows.into_iter().next().and_then(|row| row.into_iter().next());
    first.flatten().and_then(|text| text.parse().ok()).unwrap_or_default()
}
