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

#[cfg(test)]
mod tests {
    use super::*;

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
