//! A condition in plain English.

use super::{Comparison, Condition, Subject};
use crate::docgen::escape::code;

impl Condition {
    /// The condition as a clause: "`state` is `done`".
    pub(in crate::docgen) fn words(&self) -> String {
        match self {
            Self::True => "always".to_owned(),
            Self::False => "never".to_owned(),
            Self::All(parts) if parts.is_empty() => "always".to_owned(),
            Self::All(parts) => joined(parts, " and "),
            Self::Any(parts) => joined(parts, " or "),
            Self::Not(part) => format!("not: {}", part.words()),
            Self::Own(column) => format!("{} is the user's own id", code(column)),
            Self::SignedIn => "the user is signed in".to_owned(),
            Self::Claim(name, value) => match name.as_str() {
                "role" => format!("the caller's role is {}", code(value)),
                "email" => format!("the user's email address is {}", code(value)),
                _ => format!("the {} in the user's token is {}", code(name), code(value)),
            },
            Self::Empty(column, true) => format!("{} is empty", code(column)),
            Self::Empty(column, false) => format!("{} is not empty", code(column)),
            Self::Truth(column, value) => format!("{} is {value}", code(column)),
            Self::Compare(subject, how, value) => compared(subject, *how, value),
            Self::OneOf(column, values, one) => {
                let values: Vec<_> = values.iter().map(|value| code(value)).collect();
                let which = if *one { "one of" } else { "none of" };
                format!("{} is {which} {}", code(column), values.join(", "))
            }
            Self::Columns(left, how, right) => {
                let how = match how {
                    Comparison::Equal => "equals",
                    Comparison::Different => "differs from",
                    Comparison::Less => "is less than",
                    Comparison::AtMost => "is at most",
                    Comparison::More => "is more than",
                    Comparison::AtLeast => "is at least",
                };
                format!("{} {how} {}", code(left), code(right))
            }
            Self::Exists(table, filter) if **filter == Self::True => format!("there is a row in {}", code(table)),
            Self::Exists(table, filter) => format!("there is a row in {} where {}", code(table), filter.words()),
            Self::Sql(sql) => format!("{} holds", code(sql)),
        }
    }
}

fn joined(parts: &[Condition], by: &str) -> String {
    let mixed = |part: &Condition| matches!(part, Condition::All(_) | Condition::Any(_));
    let shown: Vec<_> = parts
        .iter()
        .map(|part| {
            if mixed(part) {
                format!("({})", part.words())
            } else {
                part.words()
            }
        })
        .collect();
    shown.join(by)
}

fn compared(subject: &Subject, how: Comparison, value: &str) -> String {
    let number = value.parse::<f64>().is_ok();
    let shown = if number { value.to_owned() } else { code(value) };
    match subject {
        Subject::Column(column) => {
            let how = match how {
                Comparison::Equal => "is",
                Comparison::Different => "is not",
                Comparison::Less => "is less than",
                Comparison::AtMost => "is at most",
                Comparison::More => "is more than",
                Comparison::AtLeast => "is at least",
            };
            format!("{} {how} {shown}", code(column))
        }
        Subject::Length(column) => {
            let how = match how {
                Comparison::Equal => "has exactly",
                Comparison::Different => "does not have",
                Comparison::Less => "has fewer than",
                Comparison::AtMost => "has at most",
                Comparison::More => "has more than",
                Comparison::AtLeast => "has at least",
            };
            let unit = if value == "1" { "character" } else { "characters" };
            format!("{} {how} {shown} {unit}", code(column))
        }
    }
}
