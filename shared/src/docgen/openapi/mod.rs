//! OpenAPI 3.1: of one project, from its catalog and what the caller may do; and what turns the routers' own declarations
//! into the platform's. See <https://spec.openapis.org/oas/v3.1.1.html>.

mod accounts;
pub mod examples;
mod functions;
pub mod page;
mod parameters;
pub mod platform;
pub mod policies;
mod problem;
mod records;
mod rows;
#[cfg(test)]
mod tests;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::query::Feature;
use crate::query::openapi::{Rights, Visible};
use crate::schema::catalog::{Catalog, Relation};
use crate::schema::spec::TableSpec;
use types::Types;

/// The media type that names the document for what it is; it is JSON too.
pub const MEDIA_TYPE: &str = "application/vnd.oai.openapi+json";

/// Whose API it is, where it is, and for whom it is described.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The project's URL, as `createClient` takes it: without a slash at the end.
    pub url: &'a str,
    /// The project's ref.
    pub reference: &'a str,
    /// Which state of the project this is.
    pub version: &'a str,
    /// As whom the caller works: `anon`, `authenticated` or `service_role`.
    pub role: &'a str,
    /// Whether requests need a key of the project.
    pub needs_key: bool,
    /// Whether 64-bit integers are shown as texts.
    pub wide_integers_as_text: bool,
    /// What the engine can do.
    pub features: &'a [Feature],
    /// By table: who may do what with its rows, each a sentence.
    pub policies: &'a BTreeMap<String, Vec<String>>,
    /// What is known of tables beside the catalog: the checks of their columns.
    pub designs: &'a [TableSpec],
}

impl Site<'_> {
    fn can(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

/// A relation that the caller may use.
struct Table<'a> {
    relation: &'a Relation,
    rights: Rights,
    /// Its name in the document, where names are made of few letters.
    key: String,
}

/// What the parts of the document are made from.
struct Context<'a> {
    catalog: &'a Catalog,
    site: &'a Site<'a>,
    types: Types<'a>,
}

/// The description of a project's API, as far as `visible` says the caller may use it.
pub fn document(catalog: &Catalog, visible: &Visible, site: &Site<'_>) -> Value {
    let context = Context {
        catalog,
        site,
        types: Types {
            catalog,
            wide_integers_as_text: site.wide_integers_as_text,
        },
    };
    let tables = tables(catalog, visible);
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for table in &tables {
        paths.insert(
            format!("/rest/v1/{}", encoded(table.relation.name.as_str())),
            records::path(&context, table),
        );
        tags.push(tag(table.relation.name.as_str(), table.relation.comment.as_deref()));
    }
    let called = functions::all(&context, visible);
    if !called.is_empty() {
        tags.push(tag("functions", Some("Functions of the database.")));
    }
    paths.extend(called);
    paths.extend(accounts::paths());
    tags.push(tag("accounts", Some("The people who sign in to the app.")));
    let mut schemas = problem::schemas();
    schemas.extend(accounts::schemas());
    for table in &tables {
        schemas.extend(rows::schemas(&context, table));
    }
    let key = json!({ "apikey": [] });
    let user = json!({ "apikey": [], "bearer": [] });
    let security = if site.needs_key {
        json!([key, user])
    } else {
        json!([key, user, {}])
    };
    json!({
        "openapi": "3.1.0",
        "info": info(visible, site),
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "servers": [{ "url": site.url, "description": "This project" }],
        "security": security,
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::all(site),
            "responses": problem::responses(),
            "securitySchemes": {
                "apikey": {
                    "type": "apiKey", "in": "header", "name": "apikey",
                    "description": "A key of the project: `plinth_publishable_…` in apps, `plinth_secret_…` on servers only.",
                },
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The access token of somebody who has signed in, beside the publishable key.",
                },
            },
        },
    })
}

fn info(visible: &Visible, site: &Site<'_>) -> Value {
    let comment = visible.description.as_deref().unwrap_or_default();
    let about = format!(
        "What the role `{}` may use of project `{}`. Ask with another key, or with a user's token, and the description is theirs.",
        site.role, site.reference
    );
    let description = if comment.is_empty() {
        about
    } else {
        format!("{comment}\n\n{about}")
    };
    json!({
        "title": format!("Project {}", site.reference),
        "version": site.version,
        "description": description,
        "x-role": site.role,
    })
}

/// The relations that the caller may use, each with a key of its own.
fn tables<'a>(catalog: &'a Catalog, visible: &Visible) -> Vec<Table<'a>> {
    let mut taken = BTreeSet::new();
    let mut tables = Vec::new();
    for (name, relation) in &catalog.relations {
        let Some(granted) = visible.tables.get(name) else {
            continue;
        };
        let rights = Rights::of(relation, *granted);
        if rights.any() {
            let key = key(name, &mut taken);
            tables.push(Table { relation, rights, key });
        }
    }
    tables
}

/// A name of letters, digits, `_` and `-` for one that may hold anything; never the same twice.
fn key(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let cleaned: String = name
        .chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .collect();
    let mut key = cleaned.clone();
    let mut next = 2;
    while !taken.insert(key.clone()) {
        key = format!("{cleaned}-{next}");
        next += 1;
    }
    key
}

fn tag(name: &str, description: Option<&str>) -> Value {
    let mut tag = Map::new();
    tag.insert("name".into(), name.into());
    if let Some(description) = description {
        tag.insert("description".into(), description.into());
    }
    tag.into()
}

fn reference(part: &str, key: &str) -> Value {
    json!({ "$ref": format!("#/components/{part}/{key}") })
}

/// What a URI may hold literally; the rest percent-encoded.
fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}
