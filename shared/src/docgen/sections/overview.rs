//! What the project is, where it is, and which keys open it.

use std::fmt::Write as _;

use super::count;
use crate::docgen::access::{Caller, Reach, listed, reach};
use crate::docgen::code::{PUBLISHABLE, SECRET};
use crate::docgen::escape::{cell, code, text};
use crate::docgen::facts::{Facts, TableKind};
use crate::docgen::prose;
use crate::docgen::render::Context;
use crate::docgen::sections::tables;
use crate::schema::policy::Command;

/// Tables that are named here.
const NAMED: usize = 6;

pub(super) fn body(context: &Context<'_>) -> String {
    let facts = context.facts;
    let mut out = String::new();
    if let Some(told) = &context.prose.overview {
        let _ = writeln!(out, "{}\n", prose::shown(told));
    }
    if let Some(description) = &facts.backend.description {
        let _ = writeln!(out, "{}\n", text(description));
    }
    let _ = writeln!(out, "{}\n", what(facts));
    let _ = writeln!(out, "{}\n", whose(facts));
    if context.newcomer() {
        out.push_str(
            "Programs reach the data over HTTPS; there is no server of your own to run. Every request carries a *key* \
             that says which project it is for, and, once somebody has signed in, a token that says who they are.\n\n",
        );
    }
    addresses(&mut out, facts);
    keys(&mut out, facts, context.newcomer());
    main_tables(&mut out, context);
    missing(&mut out, facts);
    out
}

fn what(facts: &Facts) -> String {
    let of = |view: bool| {
        let is_view = |kind| matches!(kind, TableKind::View | TableKind::MaterializedView);
        facts.tables.iter().filter(|table| is_view(table.kind) == view).count()
    };
    let resource = facts.tables.iter().any(|table| table.kind == TableKind::Resource);
    let (one, many) = if resource {
        ("resource", "resources")
    } else {
        ("table", "tables")
    };
    let mut parts = vec![count(of(false), one, many)];
    if of(true) > 0 {
        parts.push(count(of(true), "view", "views"));
    }
    if !facts.functions.is_empty() {
        parts.push(count(facts.functions.len(), "function", "functions"));
    }
    format!("**{}** has {}.", text(&facts.project.name), listed(&parts, "and"))
}

fn whose(facts: &Facts) -> String {
    let engine = &facts.backend.engine;
    match (facts.backend.tier.as_str(), facts.backend.isolation.as_deref()) {
        ("external", _) if engine == "REST API" => {
            "Its data is behind a REST API of its owner's; Plinth passes requests on to it.".to_owned()
        }
        ("external", _) => {
            format!("Its data is in a {engine} database of its owner's; Plinth puts an API in front of it.")
        }
        (_, Some("database")) => format!("Its data is in a {engine} database of its own, run by Plinth."),
        (_, Some(_)) => format!("Its data is in a schema of its own in a {engine} database run by Plinth."),
        _ => format!("Its data is in {engine}."),
    }
}

fn addresses(out: &mut String, facts: &Facts) {
    let url = &facts.project.url;
    out.push_str("| What | Where |\n| --- | --- |\n");
    let _ = writeln!(out, "| Project URL (for `createClient`) | {} |", cell(url));
    let _ = writeln!(
        out,
        "| Records: tables, views, functions | {} |",
        cell(&format!("{url}/rest/v1"))
    );
    if facts.auth.offered {
        let _ = writeln!(out, "| Sign-up and sign-in | {} |", cell(&format!("{url}/auth/v1")));
    }
    if let Some(schema) = &facts.backend.schema {
        let _ = writeln!(out, "| Exposed schema | {} |", cell(schema));
    }
    let _ = writeln!(out, "| Project ref | {} |\n", cell(&facts.project.reference));
}

fn keys(out: &mut String, facts: &Facts, newcomer: bool) {
    if newcomer {
        let _ = writeln!(
            out,
            "There are two kinds of keys. A **publishable** key may be seen by everybody: it belongs into apps and web \
             pages, and reaches what the rules of each table allow. A **secret** key passes every rule: it belongs on \
             servers only. The code below reads them from the environment variables `{PUBLISHABLE}` and `{SECRET}`; the \
             keys themselves are shown once, when they are made, and never stand in this document.\n"
        );
    }
    if facts.keys.is_empty() {
        out.push_str("The project has no key yet; make one with `POST /api/projects/{id}/keys`.\n\n");
        return;
    }
    out.push_str("| Key | Kind | Put it into |\n| --- | --- | --- |\n");
    for key in &facts.keys {
        let (kind, variable) = if key.secret {
            ("secret", SECRET)
        } else {
            ("publishable", PUBLISHABLE)
        };
        let _ = writeln!(out, "| {} | {kind} | `{variable}` |", cell(&key.name));
    }
    out.push('\n');
}

fn main_tables(out: &mut String, context: &Context<'_>) {
    let facts = context.facts;
    let mut sorted: Vec<_> = facts.tables.iter().collect();
    sorted.sort_by_key(|table| std::cmp::Reverse(context.connections(&table.name)));
    if sorted.is_empty() {
        out.push_str("There is no table yet.\n\n");
        return;
    }
    if sorted.len() > NAMED {
        out.push_str("The tables that most others hang together with:\n\n");
    } else {
        out.push_str("What is in it:\n\n");
    }
    for table in sorted.into_iter().take(NAMED) {
        let _ = write!(out, "- {}", tables::linked(table));
        if let Some(comment) = &table.comment {
            let _ = write!(out, ": {}", text(comment));
        }
        out.push('\n');
    }
    out.push('\n');
    let open: Vec<String> = facts
        .tables
        .iter()
        .filter(|table| reach(table, Caller::Anyone, Command::Select) != Reach::None)
        .map(|table| code(&table.name))
        .collect();
    match open.len() {
        0 => out.push_str("Nothing can be read without signing in or a secret key.\n\n"),
        1..=12 => {
            let _ = writeln!(
                out,
                "With the publishable key alone one may read from {}.\n",
                listed(&open, "and")
            );
        }
        many => {
            let _ = writeln!(
                out,
                "With the publishable key alone one may read from {many} of the tables and views.\n"
            );
        }
    }
}

fn missing(out: &mut String, facts: &Facts) {
    if !facts.backend.missing.is_empty() {
        let names: Vec<_> = facts.backend.missing.iter().map(|name| code(name)).collect();
        let _ = writeln!(
            out,
            "This kind of backend cannot answer requests for {}: they get 501 `PGRST127`.",
            listed(&names, "and")
        );
    }
}
