//! Policies in words.

use crate::schema::policy::{Command, Grantee, PolicySpec, Template};

/// One sentence for each policy. The text of a rule is for the service role alone: it may hold what callers need not know.
pub fn sentences(policies: &[PolicySpec], role: &str) -> Vec<String> {
    let trusted = role == "service_role";
    policies.iter().map(|policy| sentence(policy, trusted)).collect()
}

fn sentence(policy: &PolicySpec, trusted: bool) -> String {
    match policy {
        PolicySpec::Template { template, column } => {
            let own = match column {
                Some(column) => format!("the rows whose `{column}` is their id"),
                None => "the rows that bear their id".to_owned(),
            };
            match template {
                Template::Owner => format!("Signed-in users read and write {own}."),
                Template::PublicRead if column.is_none() => "Everybody reads all rows.".to_owned(),
                Template::PublicRead => format!("Everybody reads all rows; signed-in users write {own}."),
                Template::Authenticated => "Signed-in users read and write all rows.".to_owned(),
                Template::Private => "Only secret keys read and write.".to_owned(),
            }
        }
        PolicySpec::Custom {
            name,
            command,
            to,
            using,
            check,
        } => {
            let people: Vec<_> = to.iter().map(people).collect();
            let done = match command {
                Command::Select => "read",
                Command::Insert => "added",
                Command::Update => "changed",
                Command::Delete => "deleted",
                Command::All => "read and written",
            };
            let mut sentence = format!("By `{name}`, rows are {done} by {}", people.join(" and "));
            for (word, rule) in [("where", using), ("as long as", check)] {
                if let Some(rule) = rule.as_ref().filter(|_| trusted) {
                    sentence.push_str(&format!(" {word} `{rule}`"));
                }
            }
            if !trusted && (using.is_some() || check.is_some()) {
                sentence.push_str(" under a condition");
            }
            sentence + "."
        }
    }
}

fn people(grantee: &Grantee) -> &'static str {
    match grantee {
        Grantee::Anon => "anybody who is not signed in",
        Grantee::Authenticated => "signed-in users",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rules_text_is_for_the_service_role() {
        let specs: Vec<PolicySpec> = serde_json::from_value(json!([
            { "template": "owner", "column": "author" },
            { "name": "open", "command": "select", "to": ["anon"], "using": "state = 'open'" },
        ]))
        .unwrap();
        insta::assert_snapshot!(sentences(&specs, "service_role").join("\n"), @r"
        Signed-in users read and write the rows whose `author` is their id.
        By `open`, rows are read by anybody who is not signed in where `state = 'open'`.
        ");
        insta::assert_snapshot!(sentences(&specs, "anon").join("\n"), @r"
        Signed-in users read and write the rows whose `author` is their id.
        By `open`, rows are read by anybody who is not signed in under a condition.
        ");
    }
}
