//! Working code for a project: what it shows is chosen from what is there, so that it runs as it stands.

mod choose;
mod curl;
mod javascript;
mod python;

use std::fmt::Write as _;

use serde_json::Value;

use super::facts::Facts;

pub(super) use choose::{Call, Embed, Own, Read, Write, choose};

/// The environment variable that code reads a publishable key from.
pub(super) const PUBLISHABLE: &str = "PLINTH_PUBLISHABLE_KEY";
/// The one for a secret key.
pub(super) const SECRET: &str = "PLINTH_SECRET_KEY";

/// What a piece of code does.
pub(super) enum Task<'a> {
    /// Reads rows.
    Read(&'a Read<'a>),
    /// Reads rows with what they refer to.
    Embed(&'a Embed<'a>),
    /// Adds a row, changes it and deletes it.
    Write(&'a Write<'a>),
    /// Calls a function.
    Call(&'a Call<'a>),
    /// Signs somebody up and adds a row of theirs.
    Own(&'a Own<'a>),
}

/// The same in three languages, as fenced code.
pub(super) fn in_all_languages(facts: &Facts, task: &Task<'_>) -> String {
    let url = &facts.project.url;
    let mut text = String::new();
    for (title, language, code) in [
        ("JavaScript", "js", javascript::code(facts, task)),
        ("Python", "python", python::code(url, task)),
        ("curl", "bash", curl::code(url, task)),
    ] {
        let _ = writeln!(text, "{title}:\n\n```{language}\n{}\n```\n", code.trim_end());
    }
    text.trim_end().to_owned()
}

/// The variable with the key.
fn variable(secret: bool) -> &'static str {
    if secret { SECRET } else { PUBLISHABLE }
}

/// `{ title: "x", price: 9.5 }`, with a piece of code for some members.
fn object(values: &[(String, Value)], own: &[(&str, &str)], quoted: bool, render: fn(&Value) -> String) -> String {
    let name = |name: &str| {
        if quoted {
            Value::from(name).to_string()
        } else {
            name.to_owned()
        }
    };
    let values = values
        .iter()
        .map(|(key, value)| format!("{}: {}", name(key), render(value)));
    let own = own.iter().map(|(key, code)| format!("{}: {code}", name(key)));
    let members: Vec<_> = values.chain(own).collect();
    if quoted {
        format!("{{{}}}", members.join(", "))
    } else {
        format!("{{ {} }}", members.join(", "))
    }
}
