//! One backend as one request meets it: the exposed schema that it chose, the rules, what the database is told.

use http::{HeaderMap, Method};

use super::facts::{self, Facts};
use crate::app::App;
use crate::backend::{OwnSettings, Place};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::query::{CastRule, ColumnRule, Rules, SearchConfigRule};
use crate::schema::catalog::Declared;
use crate::tenancy::{DataAccess, External, Family, Isolation, Project, ProjectBackend};

/// The one schema that clients of a managed backend see, whatever it is called in the database.
const PUBLIC: &str = "public";

/// How a request is answered, but for what it asks.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) rules: Rules,
    /// `request.headers`.
    pub(super) headers: String,
    /// What a user's own database is told beside.
    pub(super) own: Option<OwnSettings>,
    /// The schema's name for the reply, where there are several.
    pub(super) profile: Option<String>,
    /// The schema's name as clients know it.
    pub(super) schema: String,
    /// Whether the database itself sees to it which rows a role touches.
    pub(super) guards_rows: bool,
}

impl Site {
    /// For a request with these headers.
    ///
    /// # Errors
    /// 406 `PGRST106` for a schema that is not exposed.
    pub(super) async fn of(
        app: &App,
        access: &DataAccess,
        backend: &ProjectBackend,
        facts: &Facts,
        headers: &HeaderMap,
    ) -> Result<Self> {
        Self::of_project(app, access.project(), backend, facts, headers).await
    }

    /// The same for nobody in particular: for who describes a backend.
    pub(super) async fn of_project(
        app: &App,
        project: &Project,
        backend: &ProjectBackend,
        facts: &Facts,
        headers: &HeaderMap,
    ) -> Result<Self> {
        let mut site = match app.tenancy.external(project).await? {
            Some(external) => Self::external(project, external, facts, headers)?,
            None => Self::managed(app, project, backend, facts, headers)?,
        };
        site.rules.max_reply = Some(app.config.web.max_reply);
        Ok(site)
    }

    fn managed(
        app: &App,
        project: &Project,
        backend: &ProjectBackend,
        facts: &Facts,
        headers: &HeaderMap,
    ) -> Result<Self> {
        if let Some(asked) = profile(&facts.method, headers).filter(|asked| *asked != PUBLIC.as_bytes()) {
            return Err(not_exposed(asked, PUBLIC));
        }
        let isolation = backend.isolation.unwrap_or(Isolation::Schema);
        let names = project.names();
        Ok(Self {
            place: Place {
                reference: project.reference.clone(),
                schema: names.schema(isolation),
                extra_search_path: Vec::new(),
                reader: Some(names.service()),
                versioned: true,
                generation: 0,
                declared: Declared::default(),
            },
            rules: managed_rules(app, project, isolation),
            headers: facts.headers.clone(),
            own: None,
            profile: None,
            schema: PUBLIC.to_owned(),
            guards_rows: true,
        })
    }

    fn external(project: &Project, external: &External, facts: &Facts, headers: &HeaderMap) -> Result<Self> {
        let rest = &external.settings.rest;
        let postgres = external.family.is_like_postgres();
        let asked = profile(&facts.method, headers);
        // Where there is no choice of schemas, clients that always name one mean the only one.
        let asked = asked.filter(|asked| postgres || *asked != PUBLIC.as_bytes());
        let schema = exposed(&rest.schemas, asked)?;
        let several = rest.schemas.len() > 1;
        Ok(Self {
            place: Place {
                reference: project.reference.clone(),
                schema: schema.clone(),
                extra_search_path: rest
                    .extra_search_path
                    .iter()
                    .filter(|extra| *extra != schema)
                    .cloned()
                    .collect(),
                reader: None,
                versioned: false,
                generation: project.version,
                declared: rest.declared(),
            },
            rules: Rules {
                // What a name of a column or a type stands for, the catalog and our list alone decide there.
                casts: if postgres { CastRule::Any } else { CastRule::Listed },
                columns: if postgres { ColumnRule::Any } else { ColumnRule::Catalog },
                max_rows: rest.max_rows,
                allow_tx_override: rest.tx_override,
                aggregates: rest.aggregates,
                plan: rest.plan,
                openapi: rest.openapi,
                // What it generates as ids, JavaScript's numbers cannot hold.
                wide_integers_as_text: external.family == Family::Cockroach,
                ..Rules::external()
            },
            headers: facts::all_headers(headers),
            own: Some(OwnSettings {
                cookies: facts::cookies(headers),
                app: external.app_settings.clone(),
                pre_request: rest.pre_request.clone(),
            }),
            profile: several.then(|| schema.to_string()),
            schema: schema.to_string(),
            guards_rows: external.family.guards_rows(),
        })
    }
}

/// At level `schema` tenants share a database, so nothing may be named that looks outside of the project; in a database
/// of its own anything may be.
fn managed_rules(app: &App, project: &Project, isolation: Isolation) -> Rules {
    let mut rules = Rules::managed();
    rules.max_rows = Some(app.config.web.max_rows);
    if isolation == Isolation::Database {
        rules.casts = CastRule::Any;
        rules.search_configs = SearchConfigRule::Any;
        rules.functions = true;
        rules.columns = ColumnRule::Any;
    }
    let chosen = |name: &str| project.settings.get("rest").and_then(|rest| rest.get(name)?.as_bool());
    rules.aggregates = chosen("aggregates").unwrap_or(rules.aggregates);
    rules.plan = chosen("plan").unwrap_or(rules.plan);
    rules.openapi = chosen("openapi").unwrap_or(rules.openapi);
    rules
}

/// The schema that a request names: `Accept-Profile` of a read, `Content-Profile` of the rest.
fn profile<'a>(method: &str, headers: &'a HeaderMap) -> Option<&'a [u8]> {
    let reads = method == Method::GET.as_str() || method == Method::HEAD.as_str();
    let name = if reads { "accept-profile" } else { "content-profile" };
    headers.get(name).map(http::HeaderValue::as_bytes)
}

fn exposed<'a>(schemas: &'a [Ident], asked: Option<&[u8]>) -> Result<&'a Ident> {
    let found = match asked {
        None => schemas.first(),
        Some(asked) => schemas.iter().find(|schema| schema.as_str().as_bytes() == asked),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = schemas.iter().map(Ident::as_str).collect();
        not_exposed(asked.unwrap_or_default(), &names.join(", "))
    })
}

fn not_exposed(asked: &[u8], exposed: &str) -> Error {
    let asked: String = String::from_utf8_lossy(asked).chars().take(63).collect();
    Error::new(ErrorKind::NotAcceptable, "PGRST106", format!("Invalid schema: {asked}"))
        .with_hint(format!("Only the following schemas are exposed: {exposed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_chooses_among_the_exposed_schemas() {
        let schemas = ["api", "v2"].map(|name| Ident::new(name).unwrap());
        for (asked, expected) in [
            (None, Ok("api")),
            (Some("api"), Ok("api")),
            (Some("v2"), Ok("v2")),
            (Some("V2"), Err("Invalid schema: V2")),
            (Some("public"), Err("Invalid schema: public")),
        ] {
            let found = exposed(&schemas, asked.map(str::as_bytes));
            match (&found, expected) {
                (Ok(found), expected) => assert_eq!(Ok(found.as_str()), expected),
                (Err(error), expected) => {
                    assert_eq!(Err(error.public()), expected);
                    assert_eq!(error.hint(), Some("Only the following schemas are exposed: api, v2"));
                }
            }
        }
    }

    #[test]
    fn a_read_names_it_in_one_header_and_a_write_in_another() {
        let mut headers = HeaderMap::new();
        headers.insert("accept-profile", "read".parse().unwrap());
        headers.insert("content-profile", "write".parse().unwrap());
        for (method, name) in [
            ("GET", "read"),
            ("HEAD", "read"),
            ("POST", "write"),
            ("DELETE", "write"),
        ] {
            assert_eq!(profile(method, &headers), Some(name.as_bytes()), "{method}");
        }
    }
}
