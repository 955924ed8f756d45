//! curl in a shell.

use serde_json::{Map, Value};

use super::{Own, PUBLISHABLE, SECRET, Task, Write, variable};

pub(super) fn code(url: &str, task: &Task<'_>) -> String {
    match task {
        Task::Read(read) => get(url, &format!("{}?limit=5", read.table.name), read.secret),
        Task::Embed(embed) => {
            let select = format!("{},{}({})", embed.column, embed.other.name, embed.other_column);
            get(
                url,
                &format!("{}?select={select}&limit=5", embed.table.name),
                embed.secret,
            )
        }
        Task::Call(call) => format!(
            "curl --fail-with-body -sS {} \\\n  -H \"apikey: ${}\" -H 'Content-Type: application/json' \\\n  -d {}",
            quoted(&format!("{url}/rest/v1/rpc/{}", call.function.name)),
            variable(call.secret),
            body(&call.arguments)
        ),
        Task::Write(write) => self::write(url, write),
        Task::Own(own) => self::own(url, own),
    }
}

fn get(url: &str, path: &str, secret: bool) -> String {
    let address = quoted(&format!("{url}/rest/v1/{path}"));
    format!(
        "curl --fail-with-body -sS {address} \\\n  -H \"apikey: ${}\"",
        variable(secret)
    )
}

fn write(url: &str, write: &Write<'_>) -> String {
    let (table, key) = (&write.table.name, write.key);
    let api = quoted(&format!("{url}/rest/v1"));
    let row = body(&write.values);
    let headers = format!("-H \"apikey: ${SECRET}\" -H 'Content-Type: application/json'");
    let (add, id) = match write.given() {
        Some(given) => {
            let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            let id: String =
                percent_encoding::utf8_percent_encode(&given, percent_encoding::NON_ALPHANUMERIC).to_string();
            (
                format!("curl --fail-with-body -sS \"$API/{table}\" \\\n  {headers} \\\n  -d {row}"),
                id,
            )
        }
        None => (
            format!(
                "ID=$(curl --fail-with-body -sS \"$API/{table}?select={key}\" \\\n  {headers} \\\n  -H 'Prefer: return=representation' -H 'Accept: text/csv' \\\n  -d {row} | tail -n 1)\necho \"added $ID\""
            ),
            "$ID".to_owned(),
        ),
    };
    let change = write.change.as_ref().map(|changed| {
        let changed = body(std::slice::from_ref(changed));
        format!("\n# Change it.\ncurl --fail-with-body -sS -X PATCH \"$API/{table}?{key}=eq.{id}\" \\\n  {headers} \\\n  -d {changed}\n")
    });
    let asked = match write.given() {
        Some(_) => "# Add a row.",
        None => "# Add a row, and ask for its key as CSV: a heading and the value.",
    };
    format!(
        "API={api}

{asked}
{add}
{}
# Delete it again.
curl --fail-with-body -sS -X DELETE \"$API/{table}?{key}=eq.{id}\" \\
  -H \"apikey: ${SECRET}\"",
        change.unwrap_or_default()
    )
}

fn own(url: &str, own: &Own<'_>) -> String {
    let api = quoted(url);
    let values: Map<_, _> = own.values.iter().cloned().collect();
    let mut row = Value::Object(values).to_string();
    row.pop();
    let comma = if own.values.is_empty() { "" } else { "," };
    let ids: Vec<_> = own
        .columns
        .iter()
        .map(|column| format!("\"{column}\":\"'\"$USER_ID\"'\""))
        .collect();
    let row = format!("'{}{comma}{}}}'", single(&row), ids.join(","));
    format!(
        "API={api}

# Sign somebody up, and take their id and token from the reply.
REPLY=$(curl --fail-with-body -sS \"$API/auth/v1/signup\" \\
  -H \"apikey: ${PUBLISHABLE}\" -H 'Content-Type: application/json' \\
  -d '{{\"email\":\"ada.'\"$(date +%s%N)\"'@example.com\",\"password\":\"correct horse battery\"}}')
TOKEN=$(echo \"$REPLY\" | sed -E 's/.*\"access_token\":\"([^\"]+)\".*/\\1/')
USER_ID=$(echo \"$REPLY\" | sed -E 's/.*\"user\":\\{{[^}}]*\"id\":\"([^\"]+)\".*/\\1/')

# Add a row that is theirs, and read it back.
curl --fail-with-body -sS \"$API/rest/v1/{}\" \\
  -H \"apikey: ${PUBLISHABLE}\" -H \"Authorization: Bearer $TOKEN\" \\
  -H 'Content-Type: application/json' -H 'Prefer: return=representation' \\
  -d {row}",
        own.table.name
    )
}

fn body(values: &[(String, Value)]) -> String {
    let members: Map<_, _> = values.iter().cloned().collect();
    quoted(&Value::Object(members).to_string())
}

/// In single quotes nothing is read by a shell.
fn quoted(raw: &str) -> String {
    format!("'{}'", single(raw))
}

fn single(raw: &str) -> String {
    raw.replace('\'', r"'\''").replace('\n', " ")
}
