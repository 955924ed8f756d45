//! The facts that a documentation is written from, gathered.

mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::App;
use crate::docgen::openapi::{Site, document};
use crate::docgen::{self, AuthFacts, BackendFacts, Facts, LimitFacts, ProjectFacts};
use crate::error::Result;
use crate::ident::ProjectId;
use crate::query::Feature;
use crate::records::{Survey, survey};
use crate::tenancy::{Family, Project, ProjectBackend, Tier};

/// Least length of an end user's password.
const PASSWORD_LENGTH: usize = 6;
/// Bytes that a request's body has at most.
const BODY: &str = "1 MB";

/// All there is to know of a project. Whoever calls has seen to it that somebody who may has asked.
///
/// # Errors
/// 404 when the project is gone; as [`survey`].
pub async fn gather(app: &App, project: ProjectId) -> Result<Facts> {
    let (reference, name) = store::project(app, project).await?;
    let keys = store::keys(app, project).await?;
    let project = app.tenancy.refresh(&reference).await?;
    let backend = project.ready_backend()?;
    let found = Box::pin(survey(app, &project)).await?;
    let url = app.config.web.project_url(&reference);
    Ok(Facts {
        keys,
        backend: backend_facts(backend, &found),
        tables: docgen::tables(&found.catalog, &found.details, found.family == Some(Family::Rest)),
        functions: docgen::functions(&found.catalog, &found.details),
        auth: auth(app, backend, &found),
        limits: limits(app, &project, &found),
        errors: errors(&found),
        openapi: openapi(&url, reference.as_str(), &found),
        enums: found.catalog.enums,
        project: ProjectFacts {
            name,
            reference: reference.to_string(),
            url,
        },
    })
}

fn backend_facts(backend: &ProjectBackend, found: &Survey) -> BackendFacts {
    let tier = match backend.tier {
        Tier::Managed => "managed",
        Tier::Dedicated => "dedicated",
        Tier::External => "external",
    };
    let engine = match found.family {
        None | Some(Family::Postgres) => "PostgreSQL",
        Some(Family::Cockroach) => "CockroachDB",
        Some(Family::MySql) => "MySQL",
        Some(Family::Rest) => "REST API",
    };
    let name = |feature: &Feature| feature.name().to_owned();
    let missing = Feature::ALL
        .iter()
        .filter(|feature| !found.capabilities.contains(feature));
    BackendFacts {
        tier: tier.to_owned(),
        engine: engine.to_owned(),
        schema: found
            .family
            .filter(|family| family.is_like_postgres() && found.schema != "public")
            .map(|_| found.schema.clone()),
        isolation: backend.isolation.map(|isolation| isolation.as_str().to_owned()),
        // Of a schema of ours it says nothing that its owner wrote.
        description: found
            .details
            .description
            .clone()
            .filter(|text| !text.starts_with("standard public schema")),
        capabilities: found.capabilities.iter().map(name).collect(),
        missing: missing.map(name).collect(),
    }
}

/// End users of the app are ours beside managed backends.
fn auth(app: &App, backend: &ProjectBackend, found: &Survey) -> AuthFacts {
    let offered = backend.tier == Tier::Managed;
    AuthFacts {
        offered,
        sign_up: offered,
        autoconfirm: app.config.accounts.autoconfirm,
        password_length: PASSWORD_LENGTH,
        token_seconds: app.config.accounts.access_token.as_secs(),
        outside: found.outside_issuer,
    }
}

fn limits(app: &App, project: &Project, found: &Survey) -> Vec<LimitFacts> {
    let web = &app.config.web;
    let limit = |what: &str, value: String, beyond: &str| LimitFacts {
        what: what.to_owned(),
        value,
        beyond: beyond.to_owned(),
    };
    let mut all = vec![
        limit("Body of a request", BODY.to_owned(), "413 http/too-large"),
        limit(
            "Body of a reply",
            megabytes(web.max_reply),
            "413 records/reply-too-large",
        ),
        limit(
            "Time for a request",
            seconds(web.request_timeout),
            "504 records/deadline",
        ),
    ];
    if let Some(rows) = found.max_rows {
        all.push(limit(
            "Rows of a reply",
            format!("{rows} rows"),
            "the first of them; ask for the next page by offset",
        ));
    }
    let managed = project
        .backend
        .as_ref()
        .is_some_and(|backend| backend.tier == Tier::Managed);
    if managed {
        let tables = app.config.designer.max_tables;
        all.push(limit(
            "Tables made by the designer",
            format!("{tables} tables"),
            "403 tables/quota",
        ));
    }
    all
}

fn megabytes(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
    let megabytes = bytes as f64 / f64::from(1 << 20);
    format!("{megabytes:.1} MB").replace(".0 MB", " MB")
}

fn seconds(time: Duration) -> String {
    format!("{} seconds", time.as_secs_f64())
}

fn errors(found: &Survey) -> Vec<docgen::ErrorFacts> {
    let can = |feature| found.capabilities.contains(&feature);
    let sql = found.family.is_none_or(Family::is_like_postgres);
    docgen::errors(
        sql,
        can(Feature::Functions),
        found.capabilities.len() < Feature::ALL.len(),
    )
}

/// As a secret key sees it: all that there is.
fn openapi(url: &str, reference: &str, found: &Survey) -> serde_json::Value {
    let site = Site {
        url,
        reference,
        version: "",
        role: "service_role",
        needs_key: true,
        wide_integers_as_text: found.wide_integers_as_text,
        features: found.capabilities,
        // Of these the documentation has more to say itself.
        policies: &BTreeMap::new(),
        designs: &[],
    };
    document(&found.catalog, &found.visible_to_secret(), &site)
}
