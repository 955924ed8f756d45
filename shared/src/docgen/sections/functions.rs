//! Every function.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::tables;
use crate::docgen::escape::{cell, code, text};
use crate::docgen::example;
use crate::docgen::facts::{FunctionFacts, ReturnFacts};
use crate::docgen::prose;
use crate::docgen::render::Context;

pub(super) fn body(context: &Context<'_>) -> String {
    let facts = context.facts;
    if facts.functions.is_empty() {
        return "There are no functions.".to_owned();
    }
    let mut out = String::new();
    if context.newcomer() {
        out.push_str(
            "A function is called by `POST /rest/v1/rpc/<name>` with its arguments as a JSON object, or \
             `supabase.rpc('<name>', { … })`. One that only reads may also be called by `GET`, with its arguments in the \
             query.\n\n",
        );
    }
    for function in &facts.functions {
        let _ = writeln!(out, "### Function {}\n", code(&function.name));
        describe(&mut out, context, function);
    }
    out
}

fn describe(out: &mut String, context: &Context<'_>, function: &FunctionFacts) {
    if let Some(comment) = &function.comment {
        let _ = writeln!(out, "{}\n", text(comment));
    }
    if let Some(told) = context.prose.functions.get(&function.name) {
        let _ = writeln!(out, "{}\n", prose::shown(told));
    }
    let effect = if function.read_only {
        "It only reads."
    } else {
        "It may change data."
    };
    let who = match (function.anyone, function.signed_in) {
        (true, true) => "Everybody may call it.",
        (true, false) => "It may be called without signing in, and by secret keys.",
        (false, true) => "Signed-in users and secret keys may call it.",
        (false, false) => "Only secret keys may call it.",
    };
    let _ = writeln!(out, "{} {effect} {who}\n", returns(context, function));
    if function.arguments.is_empty() {
        out.push_str("It takes no arguments.\n\n");
        return;
    }
    if let [whole] = function.arguments.as_slice()
        && whole.name.is_empty()
    {
        let _ = writeln!(
            out,
            "It takes the whole body of the request, as {}.\n",
            code(&whole.data_type)
        );
        return;
    }
    out.push_str("| Argument | Type | Required |\n| --- | --- | --- |\n");
    for argument in &function.arguments {
        let required = if argument.required { "yes" } else { "no" };
        let _ = writeln!(
            out,
            "| {} | {} | {required} |",
            cell(&argument.name),
            cell(&argument.data_type)
        );
    }
    let values = function
        .arguments
        .iter()
        .filter(|argument| argument.required)
        .map(|argument| {
            let value = example::argument(context.facts, &argument.name, &argument.data_type);
            (argument.name.clone(), value.unwrap_or(Value::Null))
        });
    let values: Map<_, _> = values.collect();
    let _ = writeln!(out, "\nA request's body:\n\n```json\n{}\n```\n", Value::Object(values));
}

fn returns(context: &Context<'_>, function: &FunctionFacts) -> String {
    let each = |one: String, many: String| if function.set { many } else { one };
    match &function.returns {
        ReturnFacts::Nothing => "It returns nothing.".to_owned(),
        ReturnFacts::Value(data_type) => {
            let shown = code(data_type);
            each(
                format!("It returns a value of type {shown}."),
                format!("It returns a list of values of type {shown}."),
            )
        }
        ReturnFacts::Row(name) => {
            let shown = context.facts.table(name).map_or_else(|| code(name), tables::linked);
            each(
                format!("It returns a row of {shown}."),
                format!("It returns rows of {shown}."),
            )
        }
        ReturnFacts::Columns(columns) => {
            let columns: Vec<_> = columns
                .iter()
                .map(|(name, of)| format!("{} ({})", code(name), code(of)))
                .collect();
            let columns = columns.join(", ");
            each(
                format!("It returns an object of {columns}."),
                format!("It returns a list of objects of {columns}."),
            )
        }
        ReturnFacts::Anything => "What it returns, a call tells.".to_owned(),
    }
}
