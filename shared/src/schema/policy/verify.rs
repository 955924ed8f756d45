//! What policies must fulfil beside their shape.

use super::{Command, PolicySpec, Template, owner_column, rules};
use crate::ident::Ident;
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::ddl::looks_back;
use crate::schema::expr::{Allow, Scope};
use crate::schema::fault::Fault;
use crate::schema::known::Known;
use crate::schema::spec::{Reading, TableSpec};

/// Checks the policies of a design; expressions become canonical.
pub(crate) fn verify(spec: &mut TableSpec, known: &Known, reading: &mut Reading) {
    for index in 0..spec.policies.len() {
        let path = if spec.policies.len() == 1 && reading.single_policy {
            "policy".to_owned()
        } else {
            format!("policies[{index}]")
        };
        match spec.policies[index].clone() {
            PolicySpec::Template { template, column } => {
                verify_template(spec, &path, template, column.as_ref(), reading);
                let asks = matches!(template, Template::Owner | Template::PublicRead);
                let column = if asks {
                    owner_column(spec, column.as_ref()).cloned()
                } else {
                    column
                };
                spec.policies[index] = PolicySpec::Template { template, column };
            }
            PolicySpec::Custom {
                name,
                command,
                using,
                check,
                to,
            } => {
                verify_shape(&path, name.as_str(), command, using.is_some(), check.is_some(), reading);
                let scope = Scope::new(spec, known, Allow::POLICY);
                let mut canonical = |key: &str, text: Option<String>| {
                    let text = text?;
                    match scope.parse(&text) {
                        Ok(tree) => Some(tree.to_string()),
                        Err(faults) => {
                            reading.faults.extend_under(&format!("{path}.{key}"), faults);
                            Some(text)
                        }
                    }
                };
                let (using, check) = (canonical("using", using), canonical("check", check));
                spec.policies[index] = PolicySpec::Custom {
                    name,
                    command,
                    to,
                    using,
                    check,
                };
            }
        }
    }
    if looks_back(spec, known) {
        let message = format!(
            "A policy looks into a table whose policies look back into {}",
            spec.name
        );
        let fault = Fault::new("policies", "expression/recursion", message);
        reading
            .faults
            .push(fault.hint("Each look is subject to the other table's policies, without end; let one look only"));
    }
    let mut seen = vec!["service".to_owned()];
    for rule in rules(spec) {
        if seen.contains(&rule.name) {
            let fault = Fault::new(
                "policies",
                "schema/duplicate",
                format!("There are two policies {}", rule.name),
            );
            reading
                .faults
                .push(fault.hint("Give each its own name; service is ours"));
        }
        seen.push(rule.name);
    }
}

fn verify_template(spec: &TableSpec, path: &str, template: Template, column: Option<&Ident>, reading: &mut Reading) {
    let mut fault = |message: String, hint: &str| {
        reading
            .faults
            .push(Fault::new(path, "schema/policy", message).hint(hint))
    };
    match (template, column) {
        (Template::Authenticated | Template::Private, Some(_)) => {
            fault("This template takes no column".to_owned(), "Leave the column out");
        }
        (_, Some(name)) => match spec.column(name.as_str()) {
            None => fault(
                format!("There is no column {name}"),
                "Name the uuid column that holds the user's id",
            ),
            Some(column)
                if column.data_type != DataType::scalar(Scalar::Uuid) && !reading.untyped.contains(name.as_str()) =>
            {
                reading.faults.push(
                    Fault::new(
                        path,
                        "schema/policy",
                        format!("{name} is {}, not uuid", column.data_type),
                    )
                    .hint("A user's id is a uuid"),
                );
            }
            Some(_) => {}
        },
        (Template::Owner, None) if owner_column(spec, None).is_none() => {
            fault(
                "The table has no owner column".to_owned(),
                "Add a uuid column user_id, or name the column",
            );
        }
        _ => {}
    }
}

/// Which of `using` and `check` a command takes, as Postgres has it.
fn verify_shape(path: &str, name: &str, command: Command, using: bool, check: bool, reading: &mut Reading) {
    let mut fault = |key: &str, message: &str, hint: &str| {
        reading
            .faults
            .push(Fault::new(format!("{path}.{key}"), "schema/policy", message).hint(hint));
    };
    if name == "service" {
        fault("name", "The name service is ours", "Choose another name");
    }
    if command.reads() && !using {
        fault(
            "using",
            "The policy does not say which rows it is about",
            "Give using, such as user_id = auth.uid()",
        );
    }
    if !command.reads() && using {
        fault("using", "insert has no rows to look at yet", "Give check instead");
    }
    if !command.reads() && !check {
        fault(
            "check",
            "The policy does not say which rows may be added",
            "Give check, such as user_id = auth.uid()",
        );
    }
    if !command.writes() && check {
        fault("check", "Nothing is written by this command", "Give using alone");
    }
}
