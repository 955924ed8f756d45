//! What policies and functions in the database may know of the HTTP request.

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

/// `request.method`, `request.path` and `request.headers`.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: String,
}

impl Facts {
    /// Of a request for `path` (below the API's base). Credentials are left out: a tenant's code has no use for an end
    /// user's token beyond its claims.
    pub fn new(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let mut told = Map::new();
        for name in headers.keys() {
            let secret = *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION || *name == COOKIE || name == "apikey";
            if secret {
                continue;
            }
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            told.insert(name.as_str().to_owned(), Value::from(values.join(", ")));
        }
        // Postgres keeps no NUL in a text; a path may be anything.
        Self {
            method: method.as_str().to_owned(),
            path: path.replace('\0', ""),
            headers: Value::Object(told).to_string(),
        }
    }
}

/// `request.headers` for a user's own database: all of them, as PostgREST tells them, but cookies (which have a setting of
/// their own) and our own keys.
pub(super) fn all_headers(headers: &HeaderMap) -> String {
    let mut told = Map::new();
    for name in headers.keys().filter(|name| *name != COOKIE) {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if values.iter().any(|value| value.contains("plinth_")) {
            continue;
        }
        told.insert(name.as_str().to_owned(), Value::from(values.join(", ")));
    }
    Value::Object(told).to_string()
}

/// `request.cookies`: a JSON object.
pub(super) fn cookies(headers: &HeaderMap) -> String {
    let mut told = Map::new();
    for header in headers.get_all(COOKIE) {
        let text = String::from_utf8_lossy(header.as_bytes());
        for (name, value) in text.split(';').filter_map(|pair| pair.trim().split_once('=')) {
            told.insert(name.to_owned(), Value::from(value));
        }
    }
    Value::Object(told).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_database_is_told_everything_but_our_keys() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("apikey", "plinth_secret_x"),
            ("authorization", "Bearer token"),
            ("cookie", "a=1; b=x=y; broken"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        assert_eq!(all_headers(&headers), r#"{"authorization":"Bearer token"}"#);
        assert_eq!(cookies(&headers), r#"{"a":"1","b":"x=y"}"#);
        assert_eq!(cookies(&HeaderMap::new()), "{}");
    }

    #[test]
    fn credentials_are_left_out() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("apikey", "planted"),
            ("authorization", "Bearer planted"),
            ("cookie", "planted"),
            ("x-tenant", "a"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers.append("x-tenant", "b".parse().unwrap());
        let facts = Facts::new(&Method::GET, "/todos", &headers);
        assert_eq!(facts.headers, r#"{"x-tenant":"a, b"}"#);
    }
}
