//! What the client sees of the names that a statement gives to its relations.

use super::super::plan::{Embed, From, Node, Plan};
use crate::error::Error;

/// How each alias starts.
const PREFIX: &str = "plinth_";

/// An error of the statement of `plan`, with its relations called as PostgREST calls them: the relation of the path by its
/// name, what is embedded by its name and how deep it stands.
pub fn in_clients_words(plan: &Plan, error: Error) -> Error {
    let texts = [Some(error.public()), error.details(), error.hint()];
    if !texts.into_iter().flatten().any(|text| text.contains(PREFIX)) {
        return error;
    }
    let mut names = vec![plan.table.to_string()];
    collect(&plan.shown, 1, &mut names);
    error.reworded(|text| reworded(text, &names))
}

/// In the order in which aliases are given.
fn collect(node: &Node, depth: usize, names: &mut Vec<String>) {
    for Embed { node, name, .. } in &node.embeds {
        names.push(match &node.from {
            From::Relation { name, .. } => format!("{name}_{depth}"),
            From::Computed(function) => format!("{}_{depth}", function.name),
            From::Written | From::Called => name.to_string(),
        });
        collect(node, depth + 1, names);
    }
}

fn reworded(text: &str, names: &[String]) -> String {
    let mut parts = text.split(PREFIX);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let name = part[..digits].parse().ok().and_then(|number: usize| names.get(number));
        match name {
            // Anything else that begins so is not an alias of a relation.
            Some(name) if part[digits..].starts_with(['.', '"']) => {
                out.push_str(name);
                out.push_str(&part[digits..]);
            }
            _ => {
                out.push_str(PREFIX);
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{parsed, related};
    use super::super::super::plan::{Rules, plan};
    use super::super::super::request::Method::Get;
    use super::*;

    #[test]
    fn aliases_are_told_as_relations() {
        let query = "select=nope,clients(latest(nope)),tasks(id)";
        let request = parsed(Get, "projects", query, &[], "").unwrap();
        let plan = plan(request, &related(), &Rules::external(), crate::query::RowAccess::All).unwrap();
        for (text, expected) in [
            (
                "column plinth_0.nope does not exist",
                "column projects.nope does not exist",
            ),
            (
                "column plinth_2.nope does not exist",
                "column latest_2.nope does not exist",
            ),
            ("the column \"plinth_3.id\"", "the column \"tasks_1.id\""),
            (
                "plinth_9.x plinth_row_1.y plinth_0x",
                "plinth_9.x plinth_row_1.y plinth_0x",
            ),
        ] {
            let error = Error::invalid("42703", text).with_hint(text);
            let error = in_clients_words(&plan, error);
            assert_eq!((error.public(), error.hint()), (expected, Some(expected)));
        }
    }
}
