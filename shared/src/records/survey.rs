//! All that there is to know of a project's backend, for who describes it. Metadata only: no row is read.

use http::{HeaderMap, Method};

use super::Facts;
use super::site::Site;
use crate::app::App;
use crate::backend::{Roles, Scope};
use crate::error::Result;
use crate::ident::Ident;
use crate::query::openapi::Visible;
use crate::query::{Feature, row_rules};
use crate::schema::catalog::Catalog;
use crate::schema::details::{Callers, Details, Grants};
use crate::tenancy::{External, Family, Project, ProjectBackend};

/// What was found.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Tables, views, functions, types.
    pub catalog: Catalog,
    /// What the catalog leaves out.
    pub details: Details,
    /// What the kind of database can do.
    pub capabilities: &'static [Feature],
    /// The exposed schema's name as clients know it.
    pub schema: String,
    /// Whether 64-bit integers are shown as texts.
    pub wide_integers_as_text: bool,
    /// Rows that a read answers at most.
    pub max_rows: Option<u64>,
    /// What kind of database of the owner's it is; `None` for one of ours.
    pub family: Option<Family>,
    /// Whether signed-in users come with tokens of an issuer of the owner's.
    pub outside_issuer: bool,
}

/// Looks at a project's backend. Whoever calls has seen to it that somebody who may has asked.
///
/// # Errors
/// 404 `backend/not-provisioned`, 503 `backend/not-ready`; else as [`super::look`].
pub async fn survey(app: &App, project: &Project) -> Result<Survey> {
    let backend = project.ready_backend()?;
    let facts = Facts::new(&Method::GET, "/", &HeaderMap::new());
    let mut site = Box::pin(Site::of_project(app, project, backend, &facts, &HeaderMap::new())).await?;
    // Read by this function's own login, now: there is nothing to be proven fresh, and no role to be taken.
    site.place.reader = None;
    site.place.versioned = false;
    let external = app.tenancy.external(project).await?;
    let target = app.catalog_target(project, backend).await?;
    let records = app.backends.records(&target)?;
    let deadline = app.config.web.request_timeout;
    let roles = match external {
        None => managed_roles(project),
        Some(external) => Roles {
            anyone: external.settings.rest.anon_role.clone(),
            // Without an issuer nobody signs in: whoever has a publishable key is everybody.
            signed_in: match has_issuer(external) {
                true => Some(Ident::fixed("authenticated")),
                false => external.settings.rest.anon_role.clone(),
            },
            secret: external.settings.rest.service_role.clone(),
        },
    };
    let found = Box::pin(async {
        let catalog = records.catalog(&site.place, deadline).await?.catalog;
        let mut details = records.details(&site.place, &roles, deadline).await?;
        if let Some(external) = external
            && external.family != Family::Postgres
        {
            let visible = records.visible(&scope(app, project, &site)).await?;
            complete(&mut details, visible, &catalog, backend, external.family);
        }
        Ok((catalog, details))
    });
    let found = found.await;
    super::forget_refused(app, &target, &found);
    let (mut catalog, mut details) = found?;
    if external.is_none() {
        catalog.hide();
        details.hide();
    }
    Ok(Survey {
        catalog,
        details,
        capabilities: records.capabilities(),
        schema: site.schema,
        wide_integers_as_text: site.rules.wide_integers_as_text,
        max_rows: site.rules.max_rows,
        family: external.map(|external| external.family),
        outside_issuer: external.is_some_and(has_issuer),
    })
}

/// Whether tokens of somebody's own are taken.
fn has_issuer(external: &External) -> bool {
    external.has_keys() || external.settings.rest.jwks_url.is_some()
}

fn managed_roles(project: &Project) -> Roles {
    let names = project.names();
    Roles {
        anyone: Some(names.anon()),
        signed_in: Some(names.authenticated()),
        secret: Some(names.service()),
    }
}

/// What a secret key sees there, the rules of ours where there are any, and nothing for others.
fn complete(details: &mut Details, visible: Visible, catalog: &Catalog, backend: &ProjectBackend, family: Family) {
    for (name, rights) in visible.tables {
        let table = details.tables.entry(name).or_default();
        table.secret_unbound = true;
        table.secret = Grants {
            select: rights.select,
            insert: rights.insert,
            update: rights.update,
            delete: rights.delete,
        };
    }
    for name in visible.functions {
        details.functions.entry(name).or_default().secret = true;
    }
    if !family.takes_row_rules() {
        return;
    }
    for (table, policies) in row_rules::told(backend.policies(), catalog) {
        let table = details.tables.entry(table).or_default();
        table.row_security = true;
        let all = Grants {
            select: true,
            insert: true,
            update: true,
            delete: true,
        };
        // Without a policy for a command nothing is allowed, so the policies alone decide.
        (table.anyone, table.signed_in) = (all, all);
        table.policies = policies;
    }
}

/// As the login itself.
fn scope(app: &App, project: &Project, site: &Site) -> Scope {
    Scope {
        place: site.place.clone(),
        role: None,
        anonymous: false,
        claims: "{}".to_owned(),
        method: Method::GET.to_string(),
        path: "/".to_owned(),
        headers: "{}".to_owned(),
        own: None,
        tenant: project.id.to_string(),
        defaults: Default::default(),
        timezone: None,
        versions: (0, 0),
        read_only: true,
        rollback: false,
        marker: app.random.token(24),
        deadline: app.config.web.request_timeout,
    }
}

impl Survey {
    /// What a secret key may use, as the API's description asks for it.
    pub fn visible_to_secret(&self) -> Visible {
        let tables = self.details.tables.iter().map(|(name, table)| {
            let Grants {
                select,
                insert,
                update,
                delete,
            } = table.secret;
            let rights = crate::query::openapi::Rights {
                select,
                insert,
                update,
                delete,
            };
            (name.clone(), rights)
        });
        let callable = |callers: &&Callers| callers.secret;
        let functions = self.details.functions.iter().filter(|(_, callers)| callable(callers));
        Visible {
            tables: tables.collect(),
            functions: functions.map(|(name, _)| name.clone()).collect(),
            description: self.details.description.clone(),
        }
    }
}
