//! Paths and operations of OpenAPI 3 and of Swagger 2.0, as far as they are shown.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A description.
pub(super) struct Description<'a>(&'a Value);

/// A path with its operations.
pub(super) struct Path<'a> {
    /// As it stands in the description.
    pub(super) path: String,
    /// The table or function that it is about: its last part, decoded.
    pub(super) name: String,
    pub(super) operations: Vec<Operation<'a>>,
}

/// One method of a path.
pub(super) struct Operation<'a> {
    pub(super) method: &'static str,
    pub(super) summary: Option<String>,
    /// What a request's body is: an object with `schema`, and perhaps `example` or `examples`.
    pub(super) body: Option<&'a Value>,
    /// The same of a reply.
    pub(super) reply: Option<&'a Value>,
    /// The status of that reply.
    pub(super) status: String,
    /// Whether it is about the rows of a table, not a function.
    pub(super) lists: bool,
}

impl<'a> Description<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self(document)
    }

    /// All paths of rows and functions: neither the description's own nor those of accounts.
    pub(super) fn paths(&self) -> Vec<Path<'a>> {
        let Some(paths) = self.0.get("paths").and_then(Value::as_object) else {
            return vec![];
        };
        let shown = paths.iter().filter(|(path, _)| {
            path.as_str() != "/" && !path.contains("openapi.json") && !path.starts_with("/auth/v1/")
        });
        let mut found: Vec<_> = shown.map(|(path, item)| self.path(path, item)).collect();
        found.retain(|path| !path.operations.is_empty());
        // Functions come behind tables.
        found.sort_by_key(|path| (path.path.contains("/rpc/"), path.path.clone()));
        found
    }

    fn path(&self, path: &str, item: &'a Value) -> Path<'a> {
        let last = path.rsplit('/').next().unwrap_or_default();
        let function = path.contains("/rpc/");
        let operations = METHODS.iter().filter_map(|method| {
            let operation = item.get(method)?;
            Some(self.operation(method, operation, !function))
        });
        Path {
            name: percent_decode_str(last).decode_utf8_lossy().into_owned(),
            path: path.strip_prefix("/rest/v1").unwrap_or(path).to_owned(),
            operations: operations.collect(),
        }
    }

    fn operation(&self, method: &'static str, operation: &'a Value, lists: bool) -> Operation<'a> {
        let summary = ["summary", "description"]
            .iter()
            .find_map(|name| operation.get(name)?.as_str());
        let (status, reply) = self.reply(operation);
        Operation {
            method,
            summary: summary.map(str::to_owned),
            body: self.request(operation),
            reply,
            status,
            lists,
        }
    }

    fn request(&self, operation: &'a Value) -> Option<&'a Value> {
        if let Some(body) = operation.get("requestBody") {
            return json_of(self.resolve(body).get("content")?);
        }
        let parameters = operation.get("parameters")?.as_array()?;
        let mut parameters = parameters.iter().map(|parameter| self.resolve(parameter));
        parameters.find(|parameter| parameter.get("in").and_then(Value::as_str) == Some("body"))
    }

    /// The best of the replies: the first that is a success.
    fn reply(&self, operation: &'a Value) -> (String, Option<&'a Value>) {
        let none = || ("200".to_owned(), None);
        let Some(responses) = operation.get("responses").and_then(Value::as_object) else {
            return none();
        };
        let Some((status, response)) = first_success(responses) else {
            return none();
        };
        let response = self.resolve(response);
        let content = response.get("content").and_then(json_of);
        let reply = content.or_else(|| response.get("schema").map(|_| response));
        (status.to_owned(), reply)
    }

    /// What a reference stands for; itself if it is none.
    pub(super) fn resolve(&self, value: &'a Value) -> &'a Value {
        let mut found = value;
        // A reference may lead to another one, but not on and on.
        for _ in 0..8 {
            let Some(reference) = found.get("$ref").and_then(Value::as_str) else {
                return found;
            };
            let Some(pointer) = reference.strip_prefix('#') else {
                return found;
            };
            let pointer = percent_decode_str(pointer).decode_utf8_lossy();
            match self.0.pointer(&pointer) {
                Some(target) => found = target,
                None => return found,
            }
        }
        found
    }
}

fn first_success(responses: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut successes: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
    successes.sort_by_key(|(status, _)| status.as_str());
    successes.first().map(|(status, response)| (status.as_str(), *response))
}

/// The JSON among the media types.
fn json_of(content: &Value) -> Option<&Value> {
    let content = content.as_object()?;
    let exact = content.get("application/json");
    exact.or_else(|| {
        content
            .iter()
            .find(|(media, _)| media.contains("json"))
            .map(|(_, of)| of)
    })
}
