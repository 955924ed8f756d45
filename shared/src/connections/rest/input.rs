//! Reads `credentials` of a REST API: where it is, how requests prove who sends them, what its resources are.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use serde_json::Value;

use crate::config::Outbound;
use crate::connections::section::{Section, shown};
use crate::control::outbound::{self, Refused};
use crate::query::rest::{Api, Auth, ClientCredentials, SCHEMA, Source, describe, path_fault, resources};
use crate::tenancy::Credentials;

/// What is kept of an API takes at most so many bytes.
const MOST: usize = 48 << 10;
const MOST_HEADERS: usize = 20;
/// Headers that are ours to set.
const OURS: &[&str] = &[
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What belongs to which kind of `auth`.
const OF_KINDS: &[(&str, &[&str])] = &[
    ("none", &[]),
    ("bearer", &["token"]),
    ("basic", &["username", "password"]),
    ("header", &["headerName", "token"]),
    ("query", &["queryName", "token"]),
    ("oauth2", &["tokenUrl", "clientId", "clientSecret", "scope"]),
];

/// The credentials, unless something is wrong with them.
pub fn credentials(section: &mut Section<'_, '_>, allowed: &Outbound) -> Option<Credentials> {
    let base = section.parsed("baseUrl", |text| base_url(text, allowed));
    if section.value("baseUrl").is_none() {
        section.fault("baseUrl", "it is missing");
    }
    let auth = auth(section, allowed);
    let headers = headers(section);
    let health_path = section.parsed("healthPath", path);
    let source = source(section);
    let ca_certificate = section.parsed("caCertificate", crate::connections::credentials::certificates);
    let base = base?;
    let api = Api {
        base_url: base.as_str().trim_end_matches('/').to_owned(),
        auth: auth?,
        headers,
        health_path,
        source: source?,
    };
    if serde_json::to_string(&api).is_ok_and(|text| text.len() > MOST) {
        section.fault(
            "resources",
            format!(
                "all of it may take {} kB; a document can be named by openapiPath",
                MOST >> 10
            ),
        );
    }
    Some(Credentials {
        host: base.host_str()?.trim_matches(['[', ']']).to_owned(),
        port: base.port_or_known_default()?,
        database: SCHEMA.to_owned(),
        username: String::new(),
        password: String::new(),
        plain: base.scheme() == "http",
        ca_certificate,
        iam: None,
        family: None,
        pooler: false,
        api: Some(api),
    })
}

fn base_url(text: &str, allowed: &Outbound) -> Result<Url, String> {
    let url = url(text, allowed)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a URL without ? and # is expected".to_owned());
    }
    Ok(url)
}

/// One that may be fetched as far as its text tells; where its host is, the guard looks when it is dialled.
fn url(text: &str, allowed: &Outbound) -> Result<Url, String> {
    if text.len() > 2_048 || outbound::check_url(allowed, text) == Err(Refused::Url) {
        let why = "an https:// URL without a user name is expected; plain http is for hosts that the operator allows";
        return Err(why.to_owned());
    }
    Url::parse(text).map_err(|_| "a URL is expected".to_owned())
}

fn path(text: &str) -> Result<String, String> {
    path_fault(text, false).map_or_else(|| Ok(text.to_owned()), |why| Err(why.to_owned()))
}

fn auth(section: &mut Section<'_, '_>, allowed: &Outbound) -> Option<Auth> {
    let kind = section.text("auth").unwrap_or("none");
    let Some((_, own)) = OF_KINDS.iter().find(|(known, _)| *known == kind) else {
        let kinds: Vec<_> = OF_KINDS.iter().map(|(known, _)| *known).collect();
        section.fault("auth", format!("one of {} is expected", kinds.join(", ")));
        return None;
    };
    for name in OF_KINDS.iter().flat_map(|(_, names)| *names) {
        if section.has(name) && !own.contains(name) {
            section.fault(name, format!("it has no meaning with auth {kind}"));
        }
    }
    for name in own.iter().filter(|name| **name != "scope") {
        if section.value(name).is_none() {
            section.fault(name, format!("it is missing: auth {kind} needs it"));
        }
    }
    Some(match kind {
        "bearer" => Auth::Bearer {
            token: section.parsed("token", header_value)?,
        },
        "basic" => Auth::Basic {
            username: section.parsed("username", |text| match text.contains(':') {
                true => Err("a user name without : is expected".to_owned()),
                false => Ok(text.to_owned()),
            })?,
            password: section.text("password")?.to_owned(),
        },
        "header" => Auth::Header {
            name: section.parsed("headerName", header_name)?,
            value: section.parsed("token", header_value)?,
        },
        "query" => Auth::Query {
            name: section.text("queryName")?.to_owned(),
            value: section.text("token")?.to_owned(),
        },
        "oauth2" => Auth::OAuth2(ClientCredentials {
            token_url: section.parsed("tokenUrl", |text| url(text, allowed))?.to_string(),
            client_id: section.text("clientId")?.to_owned(),
            client_secret: section.text("clientSecret")?.to_owned(),
            scope: section.text("scope").map(str::to_owned),
        }),
        _ => Auth::None,
    })
}

fn headers(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(given) = section.value("headers") else {
        return headers;
    };
    let Some(given) = given.as_object().filter(|given| given.len() <= MOST_HEADERS) else {
        section.fault(
            "headers",
            format!("an object of texts is expected, {MOST_HEADERS} at most"),
        );
        return headers;
    };
    for (name, value) in given {
        let read = value.as_str().ok_or_else(|| "a text is expected".to_owned());
        match header_name(name).and_then(|name| Ok((name, read.and_then(header_value)?))) {
            Ok((name, _)) if OURS.contains(&name.as_str()) => {
                section.fault(&format!("headers.{name}"), "this header is not yours to set");
            }
            Ok((name, value)) => drop(headers.insert(name, value)),
            Err(why) => section.fault(&format!("headers.{}", shown(name)), why),
        }
    }
    headers
}

fn header_name(text: &str) -> Result<String, String> {
    let name = HeaderName::try_from(text).map_err(|_| "the name of a header is expected".to_owned())?;
    Ok(name.as_str().to_owned())
}

fn header_value(text: &str) -> Result<String, String> {
    let fits = HeaderValue::try_from(text).is_ok();
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a text that a header can carry is expected".to_owned())
}

/// The map of resources, or where it is; one of the three.
fn source(section: &mut Section<'_, '_>) -> Option<Source> {
    let given = ["resources", "openapi", "openapiPath"];
    let there: Vec<_> = given.into_iter().filter(|name| section.value(name).is_some()).collect();
    match there.as_slice() {
        ["resources"] => match resources(section.value("resources")?) {
            Ok(map) => Some(Source::Resources(map)),
            Err(wrong) => {
                for (at, why) in wrong {
                    section.fault(&format!("resources{at}"), why);
                }
                None
            }
        },
        ["openapi"] => match describe(section.value("openapi")?) {
            Ok(map) => Some(Source::Resources(map)),
            Err(why) => {
                section.fault("openapi", why);
                None
            }
        },
        ["openapiPath"] => section.parsed("openapiPath", path).map(Source::Document),
        [] => {
            section.fault("resources", "it is missing, or openapi, or openapiPath in its place");
            None
        }
        [_, others @ ..] => {
            for other in others {
                section.fault(other, "one of resources, openapi and openapiPath is expected");
            }
            None
        }
    }
}

/// What is shown of an API: where it is and what it is called by, and no secret.
pub fn shown_api(api: &Api) -> Value {
    let resources: Option<Vec<&String>> = match &api.source {
        Source::Resources(map) => Some(map.keys().collect()),
        Source::Document(_) => None,
    };
    serde_json::json!({ "auth": api.auth.kind(), "resources": resources })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connections::Provider;
    use crate::schema::fault::Faults;

    fn read(given: &Value) -> Result<Credentials, String> {
        let allowed = Outbound::parse("127.0.0.1").unwrap();
        let mut faults = Faults::default();
        let read = crate::connections::credentials(Provider::Rest, "c", "x", given, &allowed, &mut faults);
        read.filter(|_| faults.is_empty()).ok_or_else(|| faults.to_string())
    }

    fn with(more: Value) -> Value {
        let mut whole = json!({ "baseUrl": "https://api.example.com/v1/", "resources": { "t": { "list": "/t" } } });
        for (name, value) in more.as_object().unwrap() {
            whole[name] = value.clone();
        }
        whole
    }

    #[test]
    fn every_kind_of_auth_is_read_with_what_belongs_to_it() {
        for (more, kind) in [
            (json!({}), "none"),
            (json!({ "auth": "bearer", "token": "t" }), "bearer"),
            (json!({ "auth": "basic", "username": "u", "password": "p" }), "basic"),
            (
                json!({ "auth": "header", "headerName": "X-Key", "token": "t" }),
                "header",
            ),
            (json!({ "auth": "query", "queryName": "key", "token": "t" }), "query"),
            (
                json!({ "auth": "oauth2", "tokenUrl": "https://id.example.com/token", "clientId": "i", "clientSecret": "s" }),
                "oauth2",
            ),
        ] {
            let read = read(&with(more)).unwrap();
            let api = read.api.unwrap();
            assert_eq!((api.auth.kind(), &*api.base_url), (kind, "https://api.example.com/v1"));
            assert_eq!((&*read.host, read.port, read.plain), ("api.example.com", 443, false));
        }
        let plain = read(&with(json!({ "baseUrl": "http://127.0.0.1:8080" }))).unwrap();
        assert_eq!((plain.port, plain.plain), (8080, true));
    }

    #[test]
    fn every_fault_is_named_and_no_value_quoted() {
        for (more, expected) in [
            (json!({ "baseUrl": null }), "c.baseUrl: it is missing"),
            (
                json!({ "baseUrl": "http://planted.example.com" }),
                "c.baseUrl: an https://",
            ),
            (
                json!({ "baseUrl": "https://planted@example.com" }),
                "c.baseUrl: an https://",
            ),
            (
                json!({ "baseUrl": "https://example.com?planted" }),
                "c.baseUrl: a URL without ?",
            ),
            (json!({ "auth": "planted" }), "c.auth: one of none, bearer"),
            (
                json!({ "auth": "bearer" }),
                "c.token: it is missing: auth bearer needs it",
            ),
            (
                json!({ "auth": "bearer", "token": "a\nplanted" }),
                "c.token: a text that a header",
            ),
            (
                json!({ "auth": "none", "token": "planted" }),
                "c.token: it has no meaning with auth none",
            ),
            (
                json!({ "auth": "basic", "username": "a:planted", "password": "p" }),
                "c.username: a user name",
            ),
            (
                json!({ "headers": { "Host": "planted" } }),
                "c.headers.host: this header is not yours",
            ),
            (
                json!({ "headers": { "x y": "planted" } }),
                "c.headers.x y: the name of a header",
            ),
            (json!({ "headers": "planted" }), "c.headers: an object of texts"),
            (json!({ "healthPath": "planted" }), "c.healthPath: a path that begins"),
            (json!({ "resources": null }), "c.resources: it is missing, or openapi"),
            (
                json!({ "resources": { "t": { "list": "planted" } } }),
                "c.resources.t.list: a path that begins",
            ),
            (json!({ "openapiPath": "/planted" }), "c.openapiPath: one of resources"),
            (
                json!({ "resources": null, "openapi": {} }),
                "c.openapi: it is no OpenAPI document",
            ),
            (json!({ "nope": 1 }), "c.nope: there is no such setting"),
            (
                json!({ "caCertificate": "planted" }),
                "c.caCertificate: it holds no certificate",
            ),
        ] {
            let faults = read(&with(more)).unwrap_err();
            assert!(faults.contains(expected), "{expected}: {faults}");
            assert!(!faults.contains("planted"), "{faults}");
        }
    }

    #[test]
    fn a_map_that_could_not_be_kept_is_refused() {
        let list = format!("/{}", "a".repeat(900));
        let resources: serde_json::Map<_, _> = (0..100).map(|at| (format!("t{at}"), json!({ "list": list }))).collect();
        let faults = read(&with(json!({ "resources": resources }))).unwrap_err();
        assert!(faults.contains("may take 48 kB"), "{faults}");
    }
}
