//! Entity-relationship diagrams in Mermaid. Every name is quoted or replaced, so none can end a line or a label; what a
//! diagram calls otherwise than the database is said beside it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use super::facts::{ColumnFacts, Facts, TableFacts};

/// Tables that one diagram shows; with more nobody finds anything.
const MOST_TABLES: usize = 20;
/// Diagrams that are shown.
const MOST_DIAGRAMS: usize = 12;
/// Columns of a table that are shown beside those of keys.
const MOST_COLUMNS: usize = 10;

/// The diagrams of a schema, and what they leave out.
#[derive(Debug, Default)]
pub(super) struct Diagrams {
    /// The tables of each, with the Mermaid text.
    pub(super) shown: Vec<(Vec<String>, String)>,
    /// Tables that are in none of them.
    pub(super) left_out: usize,
    /// Tables without any relation, shown in none of several diagrams.
    pub(super) alone: usize,
}

/// One diagram of everything, or, for a schema too large for that, one for each group of tables that belong together.
pub(super) fn diagrams(facts: &Facts) -> Diagrams {
    let drawn: Vec<&TableFacts> = facts.tables.iter().filter(|table| is_drawn(table)).collect();
    if drawn.is_empty() {
        return Diagrams::default();
    }
    if drawn.len() <= MOST_TABLES {
        return Diagrams {
            shown: vec![(names(&drawn), diagram(&drawn))],
            ..Diagrams::default()
        };
    }
    let mut groups = groups(&drawn);
    groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group[0].name.clone()));
    let (mut related, alone): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.len() > 1);
    let left_out = related.iter().skip(MOST_DIAGRAMS).map(Vec::len).sum();
    related.truncate(MOST_DIAGRAMS);
    Diagrams {
        shown: related.iter().map(|group| (names(group), diagram(group))).collect(),
        left_out,
        alone: alone.len(),
    }
}

/// Views have no keys of their own.
fn is_drawn(table: &TableFacts) -> bool {
    use super::facts::TableKind::{ForeignTable, Resource, Table};
    matches!(table.kind, Table | ForeignTable | Resource)
}

fn names(tables: &[&TableFacts]) -> Vec<String> {
    tables.iter().map(|table| table.name.clone()).collect()
}

/// Tables that hang together, no more than fit into a diagram: from the most connected one outwards.
fn groups<'a>(tables: &[&'a TableFacts]) -> Vec<Vec<&'a TableFacts>> {
    let by_name: BTreeMap<&str, &TableFacts> = tables.iter().map(|table| (table.name.as_str(), *table)).collect();
    let mut neighbours: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for table in tables {
        for key in table
            .foreign_keys
            .iter()
            .filter(|key| by_name.contains_key(key.table.as_str()))
        {
            neighbours.entry(&table.name).or_default().insert(&key.table);
            neighbours.entry(&key.table).or_default().insert(&table.name);
        }
    }
    let degree = |name: &str| neighbours.get(name).map_or(0, BTreeSet::len);
    let mut order: Vec<&str> = by_name.keys().copied().collect();
    order.sort_by_key(|name| (std::cmp::Reverse(degree(name)), *name));
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for start in order {
        if placed.contains(start) {
            continue;
        }
        let mut group = Vec::new();
        let mut queue = VecDeque::from([start]);
        while let Some(name) = queue.pop_front().filter(|_| group.len() < MOST_TABLES) {
            if placed.insert(name) {
                group.push(name);
                let next = neighbours.get(name).into_iter().flatten();
                queue.extend(next.filter(|next| !placed.contains(**next)));
            }
        }
        found.push(
            group
                .into_iter()
                .filter_map(|name| by_name.get(name).copied())
                .collect(),
        );
    }
    found
}

fn diagram(tables: &[&TableFacts]) -> String {
    let mut labels = Labels::default();
    let entities: BTreeMap<&str, String> = tables
        .iter()
        .map(|table| (table.name.as_str(), labels.of(&table.name)))
        .collect();
    let mut text = String::from("erDiagram\n");
    for table in tables {
        let Some(entity) = entities.get(table.name.as_str()) else {
            continue;
        };
        let columns = shown_columns(table);
        if columns.is_empty() {
            let _ = writeln!(text, "  {entity}");
            continue;
        }
        let _ = writeln!(text, "  {entity} {{");
        let mut words = Words::default();
        for column in columns {
            let _ = writeln!(text, "    {}", attribute(table, column, &mut words));
        }
        text.push_str("  }\n");
    }
    for table in tables {
        for key in &table.foreign_keys {
            let (Some(from), Some(to)) = (entities.get(table.name.as_str()), entities.get(key.table.as_str())) else {
                continue;
            };
            let optional = key
                .columns
                .iter()
                .any(|name| table.column(name).is_some_and(|column| column.nullable));
            let there = if optional { "|o" } else { "||" };
            let here = if is_unique(table, &key.columns) { "o|" } else { "o{" };
            let _ = writeln!(
                text,
                "  {to} {there}--{here} {from} : \"{}\"",
                label(&key.columns.join(", "))
            );
        }
    }
    text
}

fn is_unique(table: &TableFacts, columns: &[String]) -> bool {
    let wanted: BTreeSet<_> = columns.iter().collect();
    let same = |key: &Vec<String>| key.iter().collect::<BTreeSet<_>>() == wanted;
    same(&table.primary_key) || table.unique_keys.iter().any(same)
}

/// Those of keys, and the first of the others.
fn shown_columns(table: &TableFacts) -> Vec<&ColumnFacts> {
    let mut others = MOST_COLUMNS;
    let is_key = |name: &String| {
        table.primary_key.contains(name) || table.foreign_keys.iter().any(|key| key.columns.contains(name))
    };
    let keep = |column: &&ColumnFacts| {
        let kept = is_key(&column.name) || others > 0;
        others -= usize::from(kept && !is_key(&column.name));
        kept
    };
    table.columns.iter().filter(keep).collect()
}

/// `type name PK, FK "its real name"`.
fn attribute(table: &TableFacts, column: &ColumnFacts, words: &mut Words) -> String {
    let mut keys = Vec::new();
    if table.primary_key.contains(&column.name) {
        keys.push("PK");
    }
    if table.foreign_keys.iter().any(|key| key.columns.contains(&column.name)) {
        keys.push("FK");
    }
    if table
        .unique_keys
        .iter()
        .any(|key| key.len() == 1 && key.contains(&column.name))
    {
        keys.push("UK");
    }
    let name = words.of(&column.name);
    let mut line = format!("{} {name}", word(&column.data_type));
    if !keys.is_empty() {
        line.push(' ');
        line.push_str(&keys.join(", "));
    }
    if name != column.name {
        let _ = write!(line, " \"{}\"", label(&column.name));
    }
    line
}

/// What Mermaid takes for a mark of a key, in any case.
fn is_mark(word: &str) -> bool {
    ["pk", "fk", "uk"].iter().any(|mark| word.eq_ignore_ascii_case(mark))
}

/// What Mermaid takes as a word.
fn word(raw: &str) -> String {
    let mut out = String::new();
    for c in raw.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        None => "x".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("x{out}"),
        Some(_) if is_mark(out) => format!("{out}_"),
        Some(_) => out.to_owned(),
    }
}

/// What Mermaid takes between quotes.
fn label(raw: &str) -> String {
    let kept = |c: char| match c {
        '"' => '\'',
        '%' | '\\' | '<' | '>' | '&' | '#' | ';' | '{' | '}' | '`' => '_',
        c if c.is_control() => ' ',
        c => c,
    };
    let shown: String = super::escape::one_line(raw).chars().map(kept).collect();
    if shown.trim().is_empty() { "_".to_owned() } else { shown }
}

/// Quoted names of entities, each of them once.
#[derive(Default)]
struct Labels(BTreeSet<String>);

impl Labels {
    fn of(&mut self, raw: &str) -> String {
        let wanted = label(raw);
        let mut names = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted} ({number})")));
        let name = names.find(|name| self.0.insert(name.clone())).unwrap_or(wanted);
        format!("\"{name}\"")
    }
}

/// Names of columns, each of them once.
#[derive(Default)]
struct Words(BTreeSet<String>);

impl Words {
    fn of(&mut self, raw: &str) -> String {
        // An underscore of the name itself stays.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let simple = raw.chars().all(plain) && raw.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let mut wanted = if simple { raw.to_owned() } else { word(raw) };
        if is_mark(&wanted) {
            wanted.push('_');
        }
        let mut names = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}_{number}")));
        names.find(|name| self.0.insert(name.clone())).unwrap_or(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::ForeignKeyFacts;
    use super::*;

    fn table(name: &str, to: &[&str]) -> TableFacts {
        let column = |name: &str| ColumnFacts {
            name: name.to_owned(),
            data_type: "character varying(5)".to_owned(),
            ..ColumnFacts::default()
        };
        let mut columns = vec![column("id")];
        columns.extend(to.iter().map(|to| column(&format!("{to} id"))));
        TableFacts {
            name: name.to_owned(),
            primary_key: vec!["id".to_owned()],
            foreign_keys: to
                .iter()
                .map(|to| ForeignKeyFacts {
                    name: "k".to_owned(),
                    columns: vec![format!("{to} id")],
                    table: (*to).to_owned(),
                    references: vec!["id".to_owned()],
                    on_delete: None,
                })
                .collect(),
            columns,
            ..TableFacts::default()
        }
    }

    #[test]
    fn a_small_schema_is_one_diagram() {
        let facts = Facts {
            tables: vec![table("a \"b\"", &[]), table("order", &["a \"b\""])],
            ..Facts::default()
        };
        let found = diagrams(&facts);
        insta::assert_snapshot!(found.shown[0].1, @r#"
        erDiagram
          "a 'b'" {
            character_varying_5 id PK
          }
          "order" {
            character_varying_5 id PK
            character_varying_5 a_b_id FK "a 'b' id"
          }
          "a 'b'" ||--o{ "order" : "a 'b' id"
        "#);
    }

    #[test]
    fn what_means_something_to_mermaid_is_called_otherwise() {
        let mut words = Words::default();
        let found = ["pk", "FK", "pk_", "1st", "a b", "a-b"].map(|name| words.of(name));
        assert_eq!(found, ["pk_", "FK_", "pk__2", "x1st", "a_b", "a_b_2"]);
        assert_eq!(word("uk"), "uk_");
    }

    #[test]
    fn a_large_schema_is_parted_and_what_is_left_out_is_counted() {
        let mut tables: Vec<TableFacts> = (0..300)
            .map(|n| table(&format!("t{n}"), &[&*format!("t{}", n / 7)]))
            .collect();
        tables.extend((0..5).map(|n| table(&format!("alone{n}"), &[])));
        let facts = Facts {
            tables,
            ..Facts::default()
        };
        let found = diagrams(&facts);
        assert!(found.shown.iter().all(|(tables, _)| tables.len() <= MOST_TABLES));
        assert_eq!(found.shown.len(), MOST_DIAGRAMS);
        let shown: usize = found.shown.iter().map(|(tables, _)| tables.len()).sum();
        assert_eq!(shown + found.left_out + found.alone, 305);
    }
}
