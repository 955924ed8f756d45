//! What is bounded, and what goes wrong.

use std::fmt::Write as _;

use crate::docgen::escape::{cell, text};
use crate::docgen::render::Context;

pub(super) fn limits(context: &Context<'_>) -> String {
    let mut out = String::new();
    out.push_str("| What | Limit | Beyond it |\n| --- | --- | --- |\n");
    for limit in &context.facts.limits {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            text(&limit.what),
            text(&limit.value),
            text(&limit.beyond)
        );
    }
    out
}

pub(super) fn errors(context: &Context<'_>) -> String {
    let mut out = String::new();
    out.push_str(
        "Every error is JSON with the same four members: `code` is stable and what programs should look at, `message` says \
         what is wrong, `details` and `hint` say more where there is more to say (else they are null). The `x-request-id` \
         header of a reply names the request in the project's logs.\n\n\
         ```json\n{\n  \"code\": \"PGRST205\",\n  \"message\": \"Could not find the table 'public.filmz' in the schema cache\",\n  \
         \"details\": null,\n  \"hint\": \"Perhaps you meant the table 'public.film'\"\n}\n```\n\n",
    );
    if context.facts.auth.offered {
        out.push_str("The sign-in API answers as GoTrue does: `code` (the status), `error_code` and `msg`.\n\n");
    }
    out.push_str("| Status | Code | Meaning | What to do |\n| --- | --- | --- | --- |\n");
    for error in &context.facts.errors {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            error.status,
            cell(&error.code),
            text(&error.meaning),
            text(&error.action)
        );
    }
    out
}
