//! The project's description in OpenAPI 3.1, and the page made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::openapi::{fits, switched_on, visible};
use super::site::Site;
use crate::app::App;
use crate::backend::{Records, Scope, Snapshot};
use crate::designer;
use crate::docgen::openapi::{self, page, policies};
use crate::error::Result;
use crate::query::{Reply, RowAccess};
use crate::tenancy::{DataAccess, ProjectBackend};

/// How the description is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Json,
    /// As a page for people.
    Page,
}

/// The project as this request meets it.
pub(super) struct Seen<'a> {
    pub(super) access: &'a DataAccess,
    pub(super) backend: &'a ProjectBackend,
    pub(super) records: &'a dyn Records,
    pub(super) site: &'a Site,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) rows: &'a RowAccess,
}

/// One round trip, as the caller's role; on managed backends one to the control database beside it, for the policies.
///
/// # Errors
/// 404 `PGRST126` where it is switched off; else as [`Records::visible`].
pub(super) async fn document(app: &App, seen: &Seen<'_>, scope: &Scope, form: Form) -> Result<Reply> {
    let Seen { records, site, .. } = seen;
    switched_on(*records, site, scope).await?;
    let visible = visible(*records, seen.rows, scope).await?;
    let project = seen.access.project();
    let external = app.tenancy.external(project).await?;
    let designs = match external {
        Some(_) => Vec::new(),
        None => designer::designs(app, seen.access, seen.backend.id).await?,
    };
    let role = seen.access.role();
    let designed = designs.iter().map(|design| (design.name.to_string(), &design.policies));
    let written = seen.backend.policies().iter();
    let told: BTreeMap<_, _> = designed
        .chain(written.map(|(table, specs)| (table.clone(), specs)))
        .map(|(table, specs)| (table, policies::sentences(specs, role.as_str())))
        .collect();
    let url = app.config.web.project_url(&site.place.reference);
    let version = format!("{}.{}", project.version, seen.snapshot.version);
    let described = openapi::document(
        &seen.snapshot.catalog,
        &visible,
        &openapi::Site {
            url: &url,
            reference: site.place.reference.as_str(),
            version: &version,
            role: role.as_str(),
            needs_key: external.is_none_or(|external| external.settings.require_api_key),
            wide_integers_as_text: site.rules.wide_integers_as_text,
            features: records.capabilities(),
            policies: &told,
            designs: &designs,
        },
    );
    let text = match form {
        Form::Json => described.to_string(),
        Form::Page => page::render(&described),
    };
    fits(site, &text)?;
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..9]);
    let mut headers = vec![("etag".to_owned(), format!("\"{version}-{digest}\""))];
    if let Some(profile) = &site.profile {
        headers.push(("content-profile".to_owned(), profile.clone()));
    }
    Ok(Reply {
        status: 200,
        headers,
        body: Some(text.into()),
    })
}
