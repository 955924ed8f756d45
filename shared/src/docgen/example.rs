//! Values that a column could hold: plausible by its name and type, and within what its checks ask for.

mod kinds;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::condition::{Comparison, Condition, Subject, read};
use super::facts::{ColumnFacts, Facts, TableFacts};
use kinds::Kind;

/// What checks say of one column.
#[derive(Debug, Clone, Default)]
struct Bounds {
    least: Option<f64>,
    most: Option<f64>,
    shortest: Option<usize>,
    longest: Option<usize>,
    one_of: Option<Vec<String>>,
    /// Whether something is said that is not understood.
    unclear: bool,
}

/// A row that could be added.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Its values, in the order of the columns.
    pub(super) values: Vec<(String, Value)>,
    /// Whether the database should take it as it stands: nothing in it refers to other rows, and all that must hold is
    /// understood.
    pub(super) certain: bool,
}

impl Row {
    /// As a JSON object. (Its keys are sorted by name.)
    pub(super) fn json(&self) -> Value {
        Value::Object(self.values.iter().cloned().collect::<Map<_, _>>())
    }
}

/// A row to add: what must be given but for `given`, which somebody else fills in, and up to `more` columns beyond that.
pub(super) fn new_row(facts: &Facts, table: &TableFacts, given: &[&str], more: usize) -> Row {
    let bounds = bounds(table);
    let mut row = Row {
        values: Vec::new(),
        certain: checks_are_clear(table),
    };
    let mut optional = more;
    let open = |column: &&ColumnFacts| !column.generated && !given.contains(&column.name.as_str());
    for column in table.columns.iter().filter(open) {
        let refers = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
        let needed = !column.nullable && column.default.is_none();
        let wanted = !needed && !refers && optional > 0 && column.default.is_none() && column.nullable;
        if !needed && !wanted {
            continue;
        }
        let of = bounds.get(column.name.as_str()).cloned().unwrap_or_default();
        let value = value(facts, table, column, &of);
        if wanted {
            if let (Some(value), false) = (value, of.unclear) {
                optional -= 1;
                row.values.push((column.name.clone(), value));
            }
            continue;
        }
        row.certain &= !refers && !of.unclear && value.is_some();
        row.values.push((column.name.clone(), value.unwrap_or(Value::Null)));
    }
    row
}

/// A row as a reply shows it: a value for every column.
pub(super) fn whole_row(facts: &Facts, table: &TableFacts) -> Value {
    let bounds = bounds(table);
    let values = table.columns.iter().map(|column| {
        let of = bounds.get(column.name.as_str()).cloned().unwrap_or_default();
        let value = value(facts, table, column, &of).unwrap_or(Value::Null);
        (column.name.clone(), value)
    });
    Value::Object(values.collect())
}

/// A value of that type, as an argument of that name.
pub(super) fn argument(facts: &Facts, name: &str, data_type: &str) -> Option<Value> {
    let column = ColumnFacts {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        ..ColumnFacts::default()
    };
    value(facts, &TableFacts::default(), &column, &Bounds::default())
}

fn value(facts: &Facts, table: &TableFacts, column: &ColumnFacts, bounds: &Bounds) -> Option<Value> {
    let labels = |name: &str| {
        let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
        facts.enums.get(bare).and_then(|labels| labels.first()).cloned()
    };
    if let Some(first) = bounds.one_of.as_ref().and_then(|values| values.first()) {
        let number = matches!(
            Kind::of(column.value_type()),
            Kind::Integer(_) | Kind::Decimal(_) | Kind::Float
        );
        let parsed = first.parse::<serde_json::Number>().ok().filter(|_| number);
        return Some(parsed.map_or_else(|| json!(first), Value::Number));
    }
    let data_type = column.value_type();
    if let Some(element) = data_type.strip_suffix("[]") {
        if let Some(label) = labels(element) {
            return Some(json!([label]));
        }
        let column = ColumnFacts {
            data_type: element.to_owned(),
            base_type: None,
            ..column.clone()
        };
        return value(facts, &TableFacts::default(), &column, &Bounds::default()).map(|value| json!([value]));
    }
    if let Some(label) = labels(data_type) {
        return Some(json!(label));
    }
    let key = table.primary_key.contains(&column.name) && column.default.is_none();
    let refers = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
    match Kind::of(data_type) {
        Kind::Integer(most) => Some(json!(integer(bounds, most, key && !refers))),
        Kind::Float => Some(json!(within(bounds, 9.5))),
        Kind::Decimal(places) => decimal(bounds, places),
        Kind::Text(longest) => {
            let longest = longest.into_iter().chain(bounds.longest).min();
            text(&column.name, bounds.shortest.unwrap_or(0), longest, key)
        }
        Kind::Fixed(value) => Some(value),
        Kind::Label(label) => Some(json!(label)),
        Kind::Unknown => None,
    }
}

/// A key that nobody has taken yet, in all likelihood; else a small number.
fn integer(bounds: &Bounds, most: i64, key: bool) -> i64 {
    let wanted = if key {
        most.min(990_001).min(most - most / 100)
    } else {
        1
    };
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "examples are small"
    )]
    let number = within(bounds, wanted as f64).round() as i64;
    number.min(most)
}

fn within(bounds: &Bounds, wanted: f64) -> f64 {
    let raised = bounds.least.map_or(wanted, |least| wanted.max(least));
    bounds.most.map_or(raised, |most| raised.min(most))
}

fn decimal(bounds: &Bounds, places: Option<(i32, i32)>) -> Option<Value> {
    let wanted = match places {
        None => 9.99,
        Some((precision, scale)) => {
            let whole = if precision > scale { 9.0 } else { 0.0 };
            let parts = 10_f64.powi(scale.clamp(0, 6));
            whole + ((parts - 1.0) / parts).min(0.99)
        }
    };
    let mut number = within(bounds, wanted);
    if let Some((_, scale)) = places {
        let parts = 10_f64.powi(scale.clamp(0, 6));
        number = (number * parts).floor() / parts;
    } else {
        number = (number * 100.0).floor() / 100.0;
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// A text that says what the column may hold, of a length that fits.
fn text(name: &str, shortest: usize, longest: Option<usize>, key: bool) -> Option<Value> {
    let lower = name.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let known = match () {
        () if has("email") || has("e_mail") => "ada@example.com",
        () if has("url") || has("link") || has("website") || has("homepage") => "https://example.com",
        () if has("phone") || has("fax") => "+1 555 0100",
        () if has("first") && has("name") => "Ada",
        () if has("last") && has("name") || has("surname") => "Lovelace",
        () if has("company") => "Example Ltd",
        () if has("city") => "London",
        () if has("country") => "UK",
        () if has("postal") || has("zip") => "12345",
        () if has("address") || has("street") => "1 Example Street",
        () if has("currency") => "EUR",
        () if has("lang") || has("locale") => "en",
        () if has("color") || has("colour") => "blue",
        () if has("title") => "An example title",
        () if has("description") || has("notes") || has("comment") || has("body") || has("content") => {
            "An example text"
        }
        () if has("name") => "Example name",
        () if key => "EXAMPLE",
        () => "example",
    };
    let mut text = known.to_owned();
    while text.chars().count() < shortest.min(1000) {
        text.push_str(" and more");
    }
    if let Some(longest) = longest {
        text = text.chars().take(longest).collect();
    }
    let fits = text.chars().count() >= shortest;
    fits.then(|| json!(text.trim_end()))
}

fn checks_are_clear(table: &TableFacts) -> bool {
    let known = |condition: &&Condition| {
        let simple = matches!(
            condition,
            Condition::True | Condition::Compare(..) | Condition::OneOf(_, _, true) | Condition::Empty(..)
        );
        // What may be empty, or is left out, is not checked.
        simple
    };
    table
        .checks
        .iter()
        .all(|check| read(&check.expression).parts().iter().all(known))
}

fn bounds(table: &TableFacts) -> BTreeMap<String, Bounds> {
    let mut found: BTreeMap<String, Bounds> = BTreeMap::new();
    for check in &table.checks {
        let condition = read(&check.expression);
        for part in condition.parts() {
            note(part, &mut found);
        }
    }
    found
}

fn note(part: &Condition, found: &mut BTreeMap<String, Bounds>) {
    match part {
        Condition::Compare(Subject::Column(name), how, value) => {
            let of = found.entry(name.clone()).or_default();
            let Ok(number) = value.parse::<f64>() else {
                match how {
                    Comparison::Equal => of.one_of = Some(vec![value.clone()]),
                    // An empty text is the usual one.
                    Comparison::Different => of.unclear |= !value.is_empty(),
                    _ => of.unclear = true,
                }
                return;
            };
            let step = if value.contains('.') { 0.01 } else { 1.0 };
            match how {
                Comparison::Equal => of.one_of = Some(vec![value.clone()]),
                Comparison::AtLeast => of.least = Some(number),
                Comparison::More => of.least = Some(number + step),
                Comparison::AtMost => of.most = Some(number),
                Comparison::Less => of.most = Some(number - step),
                Comparison::Different => of.unclear = number == 1.0,
            }
        }
        Condition::Compare(Subject::Length(name), how, value) => {
            let of = found.entry(name.clone()).or_default();
            let Ok(length) = value.parse::<usize>() else {
                of.unclear = true;
                return;
            };
            match how {
                Comparison::Equal => (of.shortest, of.longest) = (Some(length), Some(length)),
                Comparison::AtLeast => of.shortest = Some(length),
                Comparison::More => of.shortest = Some(length + 1),
                Comparison::AtMost => of.longest = Some(length),
                Comparison::Less => of.longest = Some(length.saturating_sub(1)),
                Comparison::Different => of.shortest = Some(length + 1),
            }
        }
        Condition::OneOf(name, values, true) => found.entry(name.clone()).or_default().one_of = Some(values.clone()),
        // Of the alternatives one must do; the first that names a value is taken.
        Condition::Any(parts) => {
            if let Some(part) = parts
                .iter()
                .find(|part| matches!(part, Condition::OneOf(..) | Condition::Compare(..)))
            {
                note(part, found);
            }
        }
        Condition::Truth(name, value) => {
            found.entry(name.clone()).or_default().one_of = Some(vec![value.to_string()]);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::CheckFacts;
    use super::*;

    fn column(name: &str, data_type: &str) -> ColumnFacts {
        ColumnFacts {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            ..ColumnFacts::default()
        }
    }

    #[test]
    fn values_fit_types_and_checks() {
        let mut facts = Facts::default();
        facts
            .enums
            .insert("mood".to_owned(), vec!["good".to_owned(), "bad".to_owned()]);
        for (data_type, check, expected) in [
            ("integer", "", json!(1)),
            ("smallint", "(v >= 18)", json!(18)),
            ("integer", "((v >= 5) AND (v < 10))", json!(5)),
            ("integer", "(v > 5)", json!(6)),
            ("numeric(5,2)", "", json!(9.99)),
            ("numeric(2,2)", "", json!(0.99)),
            ("numeric(4,1)", "(v <= 2.5)", json!(2.5)),
            ("numeric", "((v >= (0)::numeric))", json!(9.99)),
            ("character(2)", "", json!("ex")),
            ("character varying(5)", "", json!("examp")),
            ("text", "(char_length(v) >= 10)", json!("example and more")),
            ("text", "(v = ANY (ARRAY['a'::text, 'b'::text]))", json!("a")),
            ("mood", "", json!("good")),
            ("mood[]", "", json!(["good"])),
            ("text[]", "", json!(["example"])),
            ("boolean", "", json!(true)),
            ("enum('x','y')", "", json!("x")),
            ("tinyint(1)", "", json!(1)),
            ("int unsigned", "", json!(1)),
            ("uuid", "", json!("00000000-0000-4000-8000-000000000001")),
            ("timestamp with time zone", "", json!("2026-01-31T09:30:00Z")),
        ] {
            let mut table = TableFacts {
                columns: vec![column("v", data_type)],
                ..TableFacts::default()
            };
            if !check.is_empty() {
                table.checks.push(CheckFacts {
                    name: "c".to_owned(),
                    expression: check.to_owned(),
                });
            }
            let row = new_row(&facts, &table, &[], 0);
            assert_eq!(row.values, [("v".to_owned(), expected)], "{data_type} {check}");
            assert!(row.certain, "{data_type} {check}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_certain() {
        let mut table = TableFacts {
            columns: vec![column("v", "text")],
            ..TableFacts::default()
        };
        table.checks.push(CheckFacts {
            name: "c".to_owned(),
            expression: "(v ~ '^[A-Z]{9}$'::text)".to_owned(),
        });
        assert!(!new_row(&Facts::default(), &table, &[], 0).certain);
        table.checks.clear();
        table.columns[0].data_type = "geometry(Point,4326)".to_owned();
        assert!(!new_row(&Facts::default(), &table, &[], 0).certain);
    }
}
