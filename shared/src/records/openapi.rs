//! The API's description, as far as the caller may use it.

use http::HeaderMap;

use super::site::Site;
use crate::app::App;
use crate::backend::{Records, Scope};
use crate::error::{Error, ErrorKind, Result};
use crate::query::openapi::{MEDIA_TYPE, Site as Address, Visible, document};
use crate::query::{Reply, RowAccess, shown};
use crate::schema::catalog::Catalog;

/// One round trip, as the caller's role.
///
/// # Errors
/// 404 `PGRST126` where it is switched off, 406 `PGRST107` for a media type that is not JSON; else as
/// [`Records::visible`].
pub(super) async fn describe(
    app: &App,
    records: &dyn Records,
    site: &Site,
    (catalog, rows): (&Catalog, &RowAccess),
    scope: &Scope,
    headers: &HeaderMap,
) -> Result<Reply> {
    switched_on(records, site, scope).await?;
    acceptable(headers)?;
    let visible = visible(records, rows, scope).await?;
    let url = format!("{}/rest/v1", app.config.web.project_url(&site.place.reference));
    let address = Address {
        url: &url,
        schema: &site.schema,
        wide_integers_as_text: site.rules.wide_integers_as_text,
    };
    let document = document(catalog, &visible, &address).to_string();
    fits(site, &document)?;
    let mut headers = vec![("content-type".to_owned(), format!("{MEDIA_TYPE}; charset=utf-8"))];
    if let Some(profile) = &site.profile {
        headers.push(("content-profile".to_owned(), profile.clone()));
    }
    let body = (scope.method != http::Method::HEAD.as_str()).then(|| document.into());
    Ok(Reply {
        status: 200,
        headers,
        body,
    })
}

/// 404 `PGRST126` where descriptions are switched off.
pub(super) async fn switched_on(records: &dyn Records, site: &Site, scope: &Scope) -> Result<()> {
    if site.rules.openapi {
        return Ok(());
    }
    records.check(scope).await?;
    let message = "Root endpoint metadata is disabled";
    Err(Error::new(ErrorKind::NotFound, "PGRST126", message))
}

/// What the caller may use: by grant, and where the database has no row-level security, by row rules too.
pub(super) async fn visible(records: &dyn Records, rows: &RowAccess, scope: &Scope) -> Result<Visible> {
    let mut visible = records.visible(scope).await?;
    if let RowAccess::Only(rules) = rows {
        for (table, rights) in &mut visible.tables {
            *rights = rights.and(rules.rights(table));
        }
    }
    Ok(visible)
}

/// Refuses a text that no reply can carry.
pub(super) fn fits(site: &Site, document: &str) -> Result<()> {
    if site.rules.max_reply.is_none_or(|most| escaped_length(document) <= most) {
        return Ok(());
    }
    let message = "The description of this API is larger than a reply may be";
    Err(Error::new(ErrorKind::TooLarge, "records/reply-too-large", message)
        .with_hint("Ask with a key whose role may use fewer tables"))
}

/// Bytes of a text as a JSON string: the gateway takes bodies so.
fn escaped_length(text: &str) -> u64 {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    (text.len() + escaped) as u64
}

/// Whether any media type that the client takes is one of a JSON document.
fn acceptable(headers: &HeaderMap) -> Result<()> {
    const KNOWN: [&str; 4] = [MEDIA_TYPE, "application/json", "application/*", "*/*"];
    let values = headers.get_all(http::header::ACCEPT).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let asked: Vec<&str> = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|part| part.split(';').next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty())
        .collect();
    let known = |name: &&str| KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known));
    if asked.is_empty() || asked.iter().any(known) {
        return Ok(());
    }
    let names: Vec<_> = asked.iter().map(|name| shown(name)).collect();
    let message = format!("None of these media types are available: {}", names.join(", "));
    Err(Error::new(ErrorKind::NotAcceptable, "PGRST107", message).with_hint(format!("Ask for {MEDIA_TYPE}")))
}
