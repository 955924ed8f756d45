//! Python, by its standard library alone.

use serde_json::Value;

use super::{PUBLISHABLE, Task, object, variable};

pub(super) fn code(url: &str, task: &Task<'_>) -> String {
    let (secret, body) = match task {
        Task::Read(read) => (
            read.secret,
            show("GET", &format!("/rest/v1/{}?limit=5", read.table.name), None),
        ),
        Task::Embed(embed) => {
            let select = format!("{},{}({})", embed.column, embed.other.name, embed.other_column);
            let path = format!("/rest/v1/{}?select={select}&limit=5", embed.table.name);
            (embed.secret, show("GET", &path, None))
        }
        Task::Call(call) => {
            let path = format!("/rest/v1/rpc/{}", call.function.name);
            (
                call.secret,
                show("POST", &path, Some(object(&call.arguments, &[], true, value))),
            )
        }
        Task::Write(write) => {
            let table = &write.table.name;
            let row = object(&write.values, &[], true, value);
            let change = write.change.as_ref().map(|changed| {
                let changed = object(std::slice::from_ref(changed), &[], true, value);
                format!("call(\"PATCH\", row, {changed})\n")
            });
            let body = format!(
                "added = call(\"POST\", \"/rest/v1/{table}\", {row}, prefer=\"return=representation\")[0]
print(\"added\", added)

# The row's address: a filter on its key.
row = \"/rest/v1/{table}?{key}=eq.\" + urllib.parse.quote(str(added[\"{key}\"]))
{}call(\"DELETE\", row)",
                change.unwrap_or_default(),
                key = write.key
            );
            (true, body)
        }
        Task::Own(own) => {
            let columns: Vec<_> = own
                .columns
                .iter()
                .map(|column| (column.as_str(), "user[\"user\"][\"id\"]"))
                .collect();
            let row = object(&own.values, &columns, true, value);
            let body = format!(
                "# Sign somebody up; their token goes along from here on.
email = \"ada.%d@example.com\" % time.time_ns()
user = call(\"POST\", \"/auth/v1/signup\", {{\"email\": email, \"password\": \"correct horse battery\"}})
token = user[\"access_token\"]

# Add a row that is theirs, and read it back.
print(call(\"POST\", \"/rest/v1/{}\", {row}, prefer=\"return=representation\", token=token))",
                own.table.name
            );
            (false, body)
        }
    };
    let own = matches!(task, Task::Own(_));
    let write = matches!(task, Task::Write(_));
    format!(
        "{}\n\n\n{body}",
        head(url, if own { PUBLISHABLE } else { variable(secret) }, own, write)
    )
}

fn show(method: &str, path: &str, body: Option<String>) -> String {
    let body = body.map(|body| format!(", {body}")).unwrap_or_default();
    format!("print(call(\"{method}\", \"{path}\"{body}))")
}

fn head(url: &str, variable: &str, own: bool, write: bool) -> String {
    let url = Value::from(url);
    let (imports, token, sent) = match (own, write) {
        (true, _) => (
            "import time\nimport urllib.request",
            ", token=None",
            "    if token:\n        headers[\"Authorization\"] = \"Bearer \" + token\n",
        ),
        (false, true) => ("import urllib.parse\nimport urllib.request", "", ""),
        (false, false) => ("import urllib.request", "", ""),
    };
    format!(
        "import json
import os
{imports}

URL = {url}
KEY = os.environ[\"{variable}\"]


def call(method, path, body=None, prefer=\"\"{token}):
    headers = {{\"apikey\": KEY, \"Content-Type\": \"application/json\", \"Prefer\": prefer}}
{sent}    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
    return json.loads(text) if text else None"
    )
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, of)| format!("{}: {}", Value::from(key.as_str()), self::value(of)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}
