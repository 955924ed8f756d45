//! Every endpoint, with examples, as the API's own description has it.

mod description;
mod sample;

use std::fmt::Write as _;

use serde_json::Value;

use crate::docgen::access::listed;
use crate::docgen::escape::{cell, code, text};
use crate::docgen::render::Context;
use description::{Description, Operation};

/// With more paths than this, only those of the most connected tables get examples.
const MOST_EXAMPLES: usize = 40;
/// How many of them.
const FEWER_EXAMPLES: usize = 20;

pub(super) fn body(context: &Context<'_>) -> String {
    let description = Description::new(&context.facts.openapi);
    let mut out = String::new();
    let base = format!("{}/rest/v1", context.facts.project.url);
    let _ = writeln!(out, "All paths are below {}.\n", code(&base));
    if context.newcomer() {
        parameters(&mut out, context);
    }
    let paths = description.paths();
    if paths.is_empty() {
        out.push_str("There is no endpoint yet.\n");
        return out;
    }
    out.push_str("| Path | Methods | What it is |\n| --- | --- | --- |\n");
    for path in &paths {
        let methods: Vec<_> = path
            .operations
            .iter()
            .map(|operation| operation.method.to_uppercase())
            .collect();
        let about = path
            .operations
            .iter()
            .find_map(|operation| operation.summary.as_deref())
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            cell(&path.path),
            methods.join(", "),
            text(about)
        );
    }
    out.push('\n');
    let mut shown: Vec<_> = paths.iter().collect();
    if shown.len() > MOST_EXAMPLES {
        shown.sort_by_key(|path| std::cmp::Reverse(context.connections(&path.name)));
        shown.truncate(FEWER_EXAMPLES);
        let _ = writeln!(
            out,
            "Examples follow for the {FEWER_EXAMPLES} paths whose tables most others hang together with; the others work \
             alike.\n"
        );
    }
    for path in shown {
        let _ = writeln!(out, "### Requests to {}\n", code(&path.path));
        for operation in &path.operations {
            example(&mut out, context, &description, &path.path, &path.name, operation);
        }
    }
    out
}

fn parameters(out: &mut String, context: &Context<'_>) {
    let facts = context.facts;
    let can = |feature: &str| facts.backend.capabilities.iter().any(|known| known == feature);
    out.push_str("What the query of a request may say:\n\n| Parameter | Meaning |\n| --- | --- |\n");
    if can("embeds") {
        out.push_str("| `select=a,b,other(c)` | only these columns, and those of a table that is referred to |\n");
    } else {
        out.push_str("| `select=a,b` | only these columns |\n");
    }
    if can("filters") {
        out.push_str(
            "| `a=eq.5` | only rows where `a` is 5; likewise `neq`, `gt`, `gte`, `lt`, `lte` |\n\
             | `a=in.(1,2)` | where `a` is one of these |\n\
             | `a=is.null` | where `a` is empty |\n",
        );
    }
    if can("patterns") {
        out.push_str("| `a=ilike.*word*` | where `a` contains the word, in any case |\n");
    }
    if can("order") {
        out.push_str("| `order=a.desc,b` | sorted |\n");
    }
    if can("pages") {
        out.push_str("| `limit=10&offset=20` | the third ten rows |\n");
    }
    out.push('\n');
    let mut prefer = Vec::new();
    if can("return-inserted") {
        prefer.push("`return=representation` (answer with the rows that were written)");
    }
    if can("count-exact") {
        prefer.push("`count=exact` (count all rows; the number stands at the end of the `Content-Range` header)");
    }
    if can("upsert") {
        prefer.push("`resolution=merge-duplicates` (change rows that are there already)");
    }
    if !prefer.is_empty() {
        let _ = writeln!(out, "The `Prefer` header asks for more: {}.\n", listed(&prefer, "and"));
    }
}

fn example(
    out: &mut String,
    context: &Context<'_>,
    description: &Description<'_>,
    path: &str,
    name: &str,
    operation: &Operation<'_>,
) {
    let of = sample::Samples {
        description,
        facts: context.facts,
        table: context.facts.table(name),
    };
    let (query, filtered) = match operation.method {
        "get" if operation.lists => ("?limit=1", true),
        "patch" | "delete" => ("", true),
        _ => ("", false),
    };
    let filter = of
        .filter()
        .filter(|_| filtered && matches!(operation.method, "patch" | "delete"));
    let query = filter.map_or_else(|| query.to_owned(), |filter| format!("?{filter}"));
    let _ = writeln!(
        out,
        "{}",
        code(&format!("{} {path}{query}", operation.method.to_uppercase()))
    );
    let request = operation.body.map(|body| of.request(body, operation.method));
    let reply = operation.reply.and_then(|reply| of.reply(reply));
    if let Some(request) = request {
        let _ = writeln!(out, "\nRequest:\n\n```json\n{}\n```", pretty(&request));
    }
    match reply {
        Some(reply) => {
            let _ = writeln!(
                out,
                "\nReply ({}):\n\n```json\n{}\n```",
                operation.status,
                pretty(&reply)
            );
        }
        None => {
            let _ = writeln!(out, "\nReply: status {}{}.", operation.status, nothing(operation));
        }
    }
    out.push('\n');
}

fn nothing(operation: &Operation<'_>) -> &'static str {
    match operation.method {
        "post" if operation.lists => "; with `Prefer: return=representation` the row as it was added",
        "patch" => "; with `Prefer: return=representation` the rows as they are now",
        "delete" => "; with `Prefer: return=representation` the rows as they were",
        _ => "",
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
