//! A filter as the query string of a request.

use std::fmt::Display;

use super::{BoolTest, Filter, IntColumn, Op, Order, SetOp, Test};

/// Where a condition stands decides how its value is quoted.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Parameter,
    Tree,
}

pub(super) fn query(filters: &[Filter]) -> String {
    let parameters = filters.iter().map(|filter| {
        let (name, value) = match filter {
            Filter::Test { not, test } => {
                let (column, operation) = operation(test, Place::Parameter);
                (column, format!("{}{operation}", if *not { "not." } else { "" }))
            }
            Filter::Group { not, any, parts } => (word(*not, *any), list(parts)),
        };
        format!("{}={}", encode(&name), encode(&value))
    });
    parameters.collect::<Vec<_>>().join("&")
}

fn word(not: bool, any: bool) -> String {
    format!("{}{}", if not { "not." } else { "" }, if any { "or" } else { "and" })
}

fn list(parts: &[Filter]) -> String {
    let parts = parts.iter().map(|part| match part {
        Filter::Group { not, any, parts } => format!("{}{}", word(*not, *any), list(parts)),
        Filter::Test { not, test } => {
            let (column, operation) = operation(test, Place::Tree);
            // Both spellings of a negation.
            match (not, matches!(test, Test::Int(..))) {
                (false, _) => format!("{column}.{operation}"),
                (true, false) => format!("{column}.not.{operation}"),
                (true, true) => format!("not.{column}.{operation}"),
            }
        }
    });
    format!("({})", parts.collect::<Vec<_>>().join(","))
}

/// Column, and operator with value.
fn operation(test: &Test, place: Place) -> (String, String) {
    let (column, operation) = match test {
        Test::Int(IntColumn::A, op) => ("a", op_text(op, place)),
        Test::Int(IntColumn::B, op) => ("b", op_text(op, place)),
        Test::Text(op) => ("t", op_text(op, place)),
        Test::Like { fold, pattern } => {
            let op = if *fold { "ilike" } else { "like" };
            ("t", format!("{op}.{}", value(pattern, place)))
        }
        Test::Bool(BoolTest::Eq(flag)) => ("f", format!("eq.{flag}")),
        Test::Bool(BoolTest::Is(Some(flag))) => ("f", format!("is.{flag}")),
        Test::Bool(BoolTest::Is(None)) => ("f", "is.unknown".to_owned()),
        Test::IsNull { column, not_null } => (*column, format!("is.{}", if *not_null { "not_null" } else { "null" })),
        Test::Tags(op, all) => ("tags", format!("{}.{}", set_word(*op), array(all))),
        Test::Nums(op, all) => ("nums", format!("{}.{}", set_word(*op), array(all))),
        Test::JsonText(op) => ("j->>k", op_text(op, place)),
        Test::JsonNumber { distinct, equal, value } => {
            let op = match (distinct, equal) {
                (true, _) => "isdistinct",
                (false, true) => "eq",
                (false, false) => "neq",
            };
            ("j->n", format!("{op}.{value}"))
        }
        Test::Json {
            contains,
            value: object,
        } => {
            let op = if *contains { "cs" } else { "cd" };
            let json = serde_json::to_string(object).unwrap();
            ("j", format!("{op}.{}", value(&json, place)))
        }
    };
    (column.to_owned(), operation)
}

fn op_text<T: Display>(op: &Op<T>, place: Place) -> String {
    match op {
        Op::Compare(order, there) => format!("{}.{}", order_word(*order), value(&there.to_string(), place)),
        Op::Each(order, any, all) => {
            let quantifier = if *any { "any" } else { "all" };
            format!("{}({quantifier}).{}", order_word(*order), array(all))
        }
        Op::In(all) => {
            let elements: Vec<String> = all
                .iter()
                .map(|element| value(&element.to_string(), Place::Tree))
                .collect();
            format!("in.({})", elements.join(","))
        }
        Op::Distinct(there) => format!("isdistinct.{}", value(&there.to_string(), place)),
    }
}

fn order_word(order: Order) -> &'static str {
    match order {
        Order::Eq => "eq",
        Order::Neq => "neq",
        Order::Gt => "gt",
        Order::Gte => "gte",
        Order::Lt => "lt",
        Order::Lte => "lte",
    }
}

fn set_word(op: SetOp) -> &'static str {
    match op {
        SetOp::Eq => "eq",
        SetOp::Contains => "cs",
        SetOp::ContainedBy => "cd",
        SetOp::Overlaps => "ov",
    }
}

/// In a tree, and in a list, what would end the value is quoted.
fn value(text: &str, place: Place) -> String {
    let plain = !text.is_empty() && !text.contains([',', '.', ':', '(', ')', '"', '\\', '{', '}', ' ']);
    if place == Place::Parameter || plain {
        return text.to_owned();
    }
    quoted(text)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn array<T: Display>(elements: &[T]) -> String {
    let elements: Vec<String> = elements.iter().map(|element| quoted(&element.to_string())).collect();
    format!("{{{}}}", elements.join(","))
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
