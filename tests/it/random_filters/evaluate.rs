//! What a filter means, without a database. `None` is SQL's unknown.

use serde_json::{Map, Value};

use super::{BoolTest, Filter, IntColumn, Op, Order, Row, SetOp, Test};

pub(super) fn holds(filter: &Filter, row: &Row) -> Option<bool> {
    let (not, truth) = match filter {
        Filter::Test { not, test } => (*not, test_holds(test, row)),
        Filter::Group { not, any: true, parts } => (*not, some(parts.iter().map(|part| holds(part, row)))),
        Filter::Group { not, any: false, parts } => (*not, every(parts.iter().map(|part| holds(part, row)))),
    };
    if not { truth.map(|truth| !truth) } else { truth }
}

fn some(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut so_far = Some(false);
    for truth in truths {
        match truth {
            Some(true) => return Some(true),
            Some(false) => {}
            None => so_far = None,
        }
    }
    so_far
}

fn every(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    some(truths.map(|truth| truth.map(|truth| !truth))).map(|truth| !truth)
}

fn test_holds(test: &Test, row: &Row) -> Option<bool> {
    match test {
        Test::Int(IntColumn::A, op) => op_holds(row.a.as_ref(), op),
        Test::Int(IntColumn::B, op) => op_holds(row.b.as_ref(), op),
        Test::Text(op) => op_holds(row.t.as_ref(), op),
        Test::Like { fold, pattern } => {
            let pattern = pattern.replace('*', "%");
            let text = row.t.as_deref()?;
            Some(if *fold {
                like(&text.to_ascii_lowercase(), &pattern.to_ascii_lowercase())
            } else {
                like(text, &pattern)
            })
        }
        Test::Bool(BoolTest::Eq(value)) => row.f.map(|f| f == *value),
        Test::Bool(BoolTest::Is(value)) => Some(row.f == *value),
        Test::IsNull { column, not_null } => Some(is_null(column, row) != *not_null),
        Test::Tags(op, value) => Some(sets(*op, row.tags.as_deref()?, value)),
        Test::Nums(op, value) => Some(sets(*op, row.nums.as_deref()?, value)),
        Test::JsonText(op) => {
            let word = member(row, "k").and_then(Value::as_str).map(str::to_owned);
            op_holds(word.as_ref(), op)
        }
        Test::JsonNumber { distinct, equal, value } => {
            let found = member(row, "n");
            let same = found.map(|found| found.as_i64() == Some(i64::from(*value)));
            if *distinct {
                return Some(same != Some(true));
            }
            same.map(|same| same == *equal)
        }
        Test::Json { contains, value } => {
            let here = row.j.as_ref()?;
            Some(if *contains {
                within(value, here)
            } else {
                within(here, value)
            })
        }
    }
}

fn op_holds<T: Ord>(here: Option<&T>, op: &Op<T>) -> Option<bool> {
    let compare = |order: Order, there: &T| {
        let here = here?;
        Some(match order {
            Order::Eq => here == there,
            Order::Neq => here != there,
            Order::Gt => here > there,
            Order::Gte => here >= there,
            Order::Lt => here < there,
            Order::Lte => here <= there,
        })
    };
    match op {
        Op::Compare(order, there) => compare(*order, there),
        Op::Each(order, true, all) => some(all.iter().map(|there| compare(*order, there))),
        Op::Each(order, false, all) => every(all.iter().map(|there| compare(*order, there))),
        Op::In(all) => some(all.iter().map(|there| compare(Order::Eq, there))),
        Op::Distinct(there) => Some(here != Some(there)),
    }
}

fn sets<T: PartialEq>(op: SetOp, here: &[T], there: &[T]) -> bool {
    let within = |inner: &[T], outer: &[T]| inner.iter().all(|element| outer.contains(element));
    match op {
        SetOp::Eq => here == there,
        SetOp::Contains => within(there, here),
        SetOp::ContainedBy => within(here, there),
        SetOp::Overlaps => here.iter().any(|element| there.contains(element)),
    }
}

fn within(inner: &Map<String, Value>, outer: &Map<String, Value>) -> bool {
    inner.iter().all(|(name, value)| outer.get(name) == Some(value))
}

fn member<'a>(row: &'a Row, name: &str) -> Option<&'a Value> {
    row.j.as_ref()?.get(name)
}

fn is_null(column: &str, row: &Row) -> bool {
    match column {
        "a" => row.a.is_none(),
        "b" => row.b.is_none(),
        "t" => row.t.is_none(),
        "f" => row.f.is_none(),
        "tags" => row.tags.is_none(),
        "nums" => row.nums.is_none(),
        "j" => row.j.is_none(),
        "j->k" => member(row, "k").is_none(),
        // JSON's null is no text.
        "j->>k" => member(row, "k").is_none_or(Value::is_null),
        "j->n" => member(row, "n").is_none(),
        other => panic!("no column {other}"),
    }
}

/// SQL's `like`: `%`, `_`, and `\` before what is meant as it stands.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    matches(&text, &pattern)
}

fn matches(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| matches(&text[skipped..], rest)),
        ['_', rest @ ..] => !text.is_empty() && matches(&text[1..], rest),
        ['\\', wanted, rest @ ..] | [wanted, rest @ ..] => text.first() == Some(wanted) && matches(&text[1..], rest),
    }
}
