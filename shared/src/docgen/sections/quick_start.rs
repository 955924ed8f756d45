//! Working code.

use std::fmt::Write as _;

use crate::docgen::code::{PUBLISHABLE, SECRET, Task, choose, in_all_languages};
use crate::docgen::escape::code;
use crate::docgen::render::Context;

pub(super) fn body(context: &Context<'_>) -> String {
    let (facts, newcomer) = (context.facts, context.newcomer());
    let choice = choose(facts);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Put the project's keys into the environment. JavaScript needs `npm install @supabase/supabase-js`; Python needs \
         nothing beyond its standard library.\n\n```sh\nexport {PUBLISHABLE}='…'\nexport {SECRET}='…'\n```\n"
    );
    if newcomer {
        out.push_str("Each piece of code below runs as it stands, once the keys are set.\n\n");
    }
    if let Some(read) = &choice.read {
        let _ = writeln!(
            out,
            "### Read rows\n\nThe first five rows of {}.{}\n",
            code(&read.table.name),
            server(read.secret)
        );
        let _ = writeln!(out, "{}\n", in_all_languages(facts, &Task::Read(read)));
    }
    if let Some(embed) = &choice.embed {
        let _ = writeln!(
            out,
            "### Read rows together with what they refer to\n\nRows of {} with the row of {} that each refers to, in one \
             request.{}\n",
            code(&embed.table.name),
            code(&embed.other.name),
            server(embed.secret)
        );
        let _ = writeln!(out, "{}\n", in_all_languages(facts, &Task::Embed(embed)));
    }
    if let Some(write) = &choice.write {
        let change = if write.change.is_some() { "change it, " } else { "" };
        let _ = writeln!(
            out,
            "### Add, change and delete rows\n\nAdd a row to {}, {change}and delete it again. This uses the secret key, \
             so it belongs on a server.\n",
            code(&write.table.name)
        );
        let _ = writeln!(out, "{}\n", in_all_languages(facts, &Task::Write(write)));
    }
    if let Some(call) = &choice.call {
        let _ = writeln!(
            out,
            "### Call a function\n\nCall {}.{}\n",
            code(&call.function.name),
            server(call.secret)
        );
        let _ = writeln!(out, "{}\n", in_all_languages(facts, &Task::Call(call)));
    }
    if let Some(own) = &choice.own {
        let _ = writeln!(
            out,
            "### Sign somebody up and keep rows of theirs\n\nIn {} each user has rows of their own. The publishable key \
             and the user's token are enough for them; other users do not get to see them unless a rule says so.\n",
            code(&own.table.name)
        );
        let _ = writeln!(out, "{}\n", in_all_languages(facts, &Task::Own(own)));
    }
    if choice.read.is_none() {
        out.push_str("There is nothing to read yet; make a table first.\n");
    }
    out
}

fn server(secret: bool) -> &'static str {
    if secret {
        " This uses the secret key, so it belongs on a server."
    } else {
        ""
    }
}
