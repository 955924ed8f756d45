//! Random requests that are valid over the catalog, with a token in every place of a value.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::query::request::Method;

/// In every value of a request, and in nothing else.
pub(super) const TOKEN: &str = "zqTOKENqz";

/// A request as it comes.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Path below the base and query string, encoded.
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// A value; every one has the token.
fn value() -> impl Strategy<Value = String> {
    select(&["", "'", "''", "\\'", "\"", ";", "--", "$1", "/*", "%", "é"][..])
        .prop_map(|spice| format!("{TOKEN}{spice}{TOKEN}"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn column() -> impl Strategy<Value = String> {
    let path = vec(
        (
            any::<bool>(),
            prop_oneof![value().prop_map(|name| quoted(&name)), word(&["0", "-1"])],
        ),
        1..3,
    );
    let json = path.prop_map(|steps| {
        let steps = steps
            .into_iter()
            .map(|(text, key)| format!("{}{key}", if text { "->>" } else { "->" }));
        // Only the last may be text.
        let steps: Vec<String> = steps.collect();
        let last = steps.len() - 1;
        let steps = steps.iter().enumerate().map(|(at, step)| {
            if at < last {
                step.replace("->>", "->")
            } else {
                step.clone()
            }
        });
        format!("data{}", steps.collect::<String>())
    });
    prop_oneof![
        6 => word(&["id", "name", "mood", "tags", "numbers", "span", "at", "search", "raw", "done", "amount", "owner", "label", "parts"]),
        1 => Just("\"odd \\\"name\"".to_owned()),
        2 => json,
    ]
}

fn operation() -> impl Strategy<Value = String> {
    let list = || vec(value(), 0..4).prop_map(|all| all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(","));
    prop_oneof![
        4 => (word(&["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "cs", "cd", "ov", "isdistinct"]), value())
            .prop_map(|(op, value)| format!("{op}.{}", quoted(&value))),
        1 => (word(&["eq", "gt", "like", "imatch"]), any::<bool>(), list())
            .prop_map(|(op, any, list)| format!("{op}({}).{{{list}}}", if any { "any" } else { "all" })),
        1 => list().prop_map(|list| format!("in.({list})")),
        1 => word(&["null", "not_null", "true", "false", "unknown"]).prop_map(|word| format!("is.{word}")),
        1 => (word(&["fts", "plfts", "phfts", "wfts"]), option::of(word(&["english", "simple"])), value())
            .prop_map(|(op, config, value)| match config {
                Some(config) => format!("{op}({config}).{}", quoted(&value)),
                None => format!("{op}.{}", quoted(&value)),
            }),
    ]
}

fn not() -> impl Strategy<Value = &'static str> {
    select(&["", "not."][..])
}

fn tree() -> impl Strategy<Value = String> {
    let leaf = (column(), not(), operation()).prop_map(|(column, not, operation)| format!("{column}.{not}{operation}"));
    leaf.prop_recursive(3, 12, 3, |inner| {
        (not(), word(&["and", "or"]), vec(inner, 1..4))
            .prop_map(|(not, word, parts)| format!("{not}{word}({})", parts.join(",")))
    })
}

fn filters() -> impl Strategy<Value = Vec<(String, String)>> {
    let one = (column(), not(), operation()).prop_map(|(column, not, operation)| (column, format!("{not}{operation}")));
    let many = (not(), word(&["and", "or"]), vec(tree(), 1..4))
        .prop_map(|(not, word, parts)| (format!("{not}{word}"), format!("({})", parts.join(","))));
    vec(prop_oneof![3 => one, 1 => many], 0..4)
}

fn selected() -> impl Strategy<Value = String> {
    let alias = option::of(word(&["a", "\"b c\"", "\"d\\\"; --\"", "é"]));
    let cast = option::of(word(&["text", "int4", "mood", "json"]));
    let plain = (alias, column(), cast).prop_map(|(alias, column, cast)| {
        // A place in JSON lends its key as a name: it is quoted in the text.
        let alias = alias.or_else(|| column.contains("->").then(|| "place".to_owned()));
        let alias = alias.map(|alias| format!("{alias}:")).unwrap_or_default();
        let cast = cast.map(|cast| format!("::{cast}")).unwrap_or_default();
        format!("{alias}{column}{cast}")
    });
    let plain = prop_oneof![4 => plain, 1 => Just("*".to_owned())];
    const EMBEDS: &[&str] = &[
        "clients(id,name)",
        "clients!inner(*)",
        "c:clients!projects_client_id_fkey(name,n:notes->>x)",
        "...clients(client:name)",
        "tasks(id,users(email))",
        "tasks!left(title,tasks!parent_id(title))",
        "...tasks(titles:title)",
        "users(email)",
        "tasks()",
    ];
    (vec(plain, 1..4), option::of(word(EMBEDS))).prop_map(|(items, embed)| {
        let mut items = items;
        items.extend(embed);
        items.join(",")
    })
}

fn ordered() -> impl Strategy<Value = String> {
    let term = (
        column(),
        select(&["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst"][..]),
    );
    vec(term.prop_map(|(column, how)| format!("{column}{how}")), 1..3).prop_map(|terms| terms.join(","))
}

type Pairs = Vec<(String, String)>;

fn shape() -> impl Strategy<Value = Pairs> {
    let parameter = |name: &'static str, value: Option<String>| value.map(|value| (name.to_owned(), value));
    let numbers = (option::of(0..9_u32), option::of(0..9_u32));
    (option::of(selected()), option::of(ordered()), numbers).prop_map(move |(select, order, (limit, offset))| {
        let all = [
            parameter("select", select),
            parameter("order", order),
            parameter("limit", limit.map(|limit| limit.to_string())),
            parameter("offset", offset.map(|offset| offset.to_string())),
        ];
        all.into_iter().flatten().collect()
    })
}

fn encode(pairs: &[(String, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    query.finish()
}

fn accepted() -> impl Strategy<Value = Option<String>> {
    const TYPES: &[&str] = &[
        "application/json",
        "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.array+json;nulls=stripped",
        "text/csv",
        "*/*",
    ];
    option::weighted(0.3, word(TYPES))
}

fn preferred(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(select(words), 0..3).prop_map(|words| words.join(", "))
}

fn reads() -> impl Strategy<Value = Asked> {
    let prefer = preferred(&[
        "count=exact",
        "count=planned",
        "count=estimated",
        "handling=lenient",
        "tx=rollback",
    ]);
    (any::<bool>(), shape(), filters(), accepted(), prefer).prop_map(|(head, shape, filters, accept, prefer)| {
        let pairs: Pairs = shape.into_iter().chain(filters).collect();
        let mut headers = vec![("prefer", prefer)];
        headers.extend(accept.map(|accept| ("accept", accept)));
        Asked {
            method: if head { Method::Head } else { Method::Get },
            target: format!("projects?{}", encode(&pairs)),
            headers,
            body: String::new(),
        }
    })
}

fn rows() -> impl Strategy<Value = String> {
    let row = || {
        vec(value(), 3).prop_map(
            |values| serde_json::json!({ "name": values[0], "tags": [values[1]], "data": { &values[2]: &values[2] } }),
        )
    };
    prop_oneof![
        row().prop_map(|row| row.to_string()),
        vec(row(), 0..3).prop_map(|rows| serde_json::Value::from(rows).to_string())
    ]
}

fn writes() -> impl Strategy<Value = Asked> {
    const PREFER: &[&str] = &[
        "return=representation",
        "return=headers-only",
        "return=minimal",
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
        "missing=default",
        "count=exact",
        "handling=strict, max-affected=3",
        "tx=rollback",
    ];
    let columns = option::of(word(&["name", "name,tags,data", "\"name\",\"data\""]));
    let method = select(&[Method::Post, Method::Patch, Method::Delete][..]);
    (
        method,
        selected(),
        filters(),
        columns,
        preferred(PREFER),
        accepted(),
        rows(),
    )
        .prop_map(|(method, select, filters, columns, prefer, accept, body)| {
            let mut pairs: Pairs = vec![("select".to_owned(), select)];
            let post = method == Method::Post;
            pairs.extend(columns.filter(|_| post).map(|columns| ("columns".to_owned(), columns)));
            pairs.extend(filters.into_iter().filter(|_| !post));
            let mut headers = vec![("prefer", prefer)];
            headers.extend(accept.map(|accept| ("accept", accept)));
            let object = |body: String| if body.starts_with('[') { "{}".to_owned() } else { body };
            Asked {
                method,
                target: format!("projects?{}", encode(&pairs)),
                headers,
                body: if post { body } else { object(body) },
            }
        })
}

fn calls() -> impl Strategy<Value = Asked> {
    let table = (shape(), filters(), value(), any::<bool>()).prop_map(|(shape, filters, value, post)| {
        let mut pairs: Pairs = shape.into_iter().chain(filters).collect();
        let body = serde_json::json!({ "term": value }).to_string();
        if !post {
            pairs.push(("term".to_owned(), value));
        }
        Asked {
            method: if post { Method::Post } else { Method::Get },
            target: format!("rpc/found?{}", encode(&pairs)),
            headers: vec![("prefer", "count=exact".to_owned())],
            body,
        }
    });
    let simple = (
        select(
            &[
                "add?a=T&b=T",
                "total?v=T&v=T",
                "letters?order=pgrst_scalar&limit=1",
                "any",
                "pair?select=a,x:b::text&a=gt.T",
                "elsewhere",
                "first",
            ][..],
        ),
        value(),
        any::<bool>(),
    )
        .prop_map(|(target, value, head)| Asked {
            method: if head { Method::Head } else { Method::Get },
            target: format!(
                "rpc/{}",
                target.replace(
                    'T',
                    &form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>()
                )
            ),
            headers: Vec::new(),
            body: String::new(),
        });
    const BODIES: &[(&str, &str, &str)] = &[
        ("whole", "application/json", "[\"T\"]"),
        ("plain", "text/plain", "T"),
        ("bytes", "application/octet-stream", "T"),
        ("done", "application/json", "{\"id\":\"T\"}"),
        ("done", "application/x-www-form-urlencoded", "id=T&mood=T"),
        ("odd%22;%20fn", "application/json", "{\"a\\\"; --\":\"T\"}"),
        ("table", "text/csv", "n\nT"),
    ];
    let posted = select(BODIES).prop_map(|(function, content, body)| Asked {
        method: Method::Post,
        target: format!("rpc/{}", function.replace("%22", "\"").replace("%20", " ")),
        headers: vec![("content-type", content.to_owned())],
        body: body.replace('T', TOKEN),
    });
    prop_oneof![3 => table, 1 => simple, 1 => posted]
}

pub(super) fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![3 => reads(), 2 => writes(), 2 => calls()]
}
