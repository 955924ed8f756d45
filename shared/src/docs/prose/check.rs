//! What of the model's text is let through: sentences all of whose names exist, and that are nothing but text.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::client::Failure;
use super::prompt::Part;
use crate::docgen::{Facts, Prose, ReturnFacts};

/// Characters of a text at most; what is longer ends with the last sentence that fits.
const OVERVIEW: usize = 3_000;
const TABLE: usize = 600;
const COLUMN: usize = 200;
const FUNCTION: usize = 400;
/// Names that are reported, and characters of each.
const REPORTED: usize = 20;
const NAME: usize = 60;

/// Words that look like names and are none.
const WORDS: &[&str] = &[
    "PostgreSQL",
    "MySQL",
    "MariaDB",
    "CockroachDB",
    "JavaScript",
    "TypeScript",
    "GraphQL",
    "OpenAPI",
    "OAuth",
    "GitHub",
    "IDs",
    "URLs",
    "UUIDs",
    "PDFs",
    "DVDs",
    "CDs",
];
/// What may stand in backticks beside names.
const LITERALS: &[&str] = &["true", "false", "null", "GET", "POST", "PUT", "PATCH", "DELETE"];

/// What was not let through.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    /// Sentences, and texts about things that do not exist.
    pub sentences: usize,
    /// The names that do not exist, the first of them, reduced to what names are made of.
    pub names: Vec<String>,
}

impl Removed {
    fn name(&mut self, name: &str) {
        self.sentences += 1;
        let plain = |c: &char| c.is_alphanumeric() || "_.-$".contains(*c);
        let name: String = name.chars().filter(plain).take(NAME).collect();
        if !name.is_empty() && self.names.len() < REPORTED && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn markup(&mut self) {
        self.sentences += 1;
    }
}

/// The names of a project.
pub(super) struct Known<'a> {
    names: HashSet<&'a str>,
    tables: HashMap<&'a str, BTreeSet<&'a str>>,
    functions: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let columns = |table: &'a crate::docgen::TableFacts| table.columns.iter().map(|column| column.name.as_str());
        let tables: HashMap<_, BTreeSet<_>> = facts
            .tables
            .iter()
            .map(|table| (table.name.as_str(), columns(table).collect()))
            .collect();
        let functions: HashSet<_> = facts.functions.iter().map(|function| function.name.as_str()).collect();
        let mut names: HashSet<&str> = tables.keys().copied().chain(functions.iter().copied()).collect();
        names.extend(tables.values().flatten());
        names.extend([facts.project.name.as_str(), facts.backend.engine.as_str()]);
        names.extend(
            facts
                .enums
                .iter()
                .flat_map(|(name, labels)| labels.iter().chain([name]))
                .map(String::as_str),
        );
        for table in &facts.tables {
            names.extend(
                table
                    .columns
                    .iter()
                    .flat_map(|column| [column.data_type.as_str(), column.value_type()]),
            );
        }
        for function in &facts.functions {
            names.extend(
                function
                    .arguments
                    .iter()
                    .flat_map(|argument| [argument.name.as_str(), &argument.data_type]),
            );
            match &function.returns {
                ReturnFacts::Value(name) | ReturnFacts::Row(name) => drop(names.insert(name)),
                ReturnFacts::Columns(columns) => {
                    names.extend(columns.iter().flat_map(|(name, of)| [name.as_str(), of]))
                }
                ReturnFacts::Nothing | ReturnFacts::Anything => {}
            }
        }
        Self {
            names,
            tables,
            functions,
        }
    }

    fn has(&self, name: &str) -> bool {
        let name = name.strip_suffix("()").unwrap_or(name);
        if self.names.contains(name)
            || name
                .split_once('.')
                .is_some_and(|(table, column)| self.has_column(table, column))
        {
            return true;
        }
        let label = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        label.is_some_and(|label| self.names.contains(label))
    }

    fn has_column(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|columns| columns.contains(column))
    }
}

/// Takes a reply's texts into the prose.
///
/// # Errors
/// [`Failure::Malformed`] when it has not the form that the part asked for.
pub(super) fn take(
    known: &Known<'_>,
    part: &Part<'_>,
    reply: &Value,
    prose: &mut Prose,
    removed: &mut Removed,
) -> Result<(), Failure> {
    match part {
        Part::Overview => {
            let text = reply["overview"].as_str().ok_or(Failure::Malformed)?;
            prose.overview = kept(known, text, OVERVIEW, removed);
        }
        Part::Tables(_) => {
            for (name, told) in object(&reply["tables"])? {
                if known.tables.contains_key(name.as_str()) {
                    take_table(known, name, told, prose, removed);
                } else {
                    removed.name(name);
                }
            }
        }
        Part::Functions(_) => {
            for (name, told) in object(&reply["functions"])? {
                if !known.functions.contains(name.as_str()) {
                    removed.name(name);
                } else if let Some(text) = told.as_str().and_then(|text| kept(known, text, FUNCTION, removed)) {
                    prose.functions.entry(name.clone()).or_insert(text);
                }
            }
        }
    }
    Ok(())
}

fn object(value: &Value) -> Result<&Map<String, Value>, Failure> {
    value.as_object().ok_or(Failure::Malformed)
}

fn take_table(known: &Known<'_>, table: &str, told: &Value, prose: &mut Prose, removed: &mut Removed) {
    let text = told.as_str().or_else(|| told["description"].as_str());
    if let Some(text) = text.and_then(|text| kept(known, text, TABLE, removed)) {
        prose.tables.entry(table.to_owned()).or_insert(text);
    }
    let mut columns: BTreeMap<String, String> = BTreeMap::new();
    for (column, told) in told["columns"].as_object().into_iter().flatten() {
        if !known.has_column(table, column) {
            removed.name(column);
        } else if let Some(text) = told.as_str().and_then(|text| kept(known, text, COLUMN, removed)) {
            // It stands in a cell, where backticks are shown as they are.
            columns.insert(column.clone(), text.replace('`', "").replace('\n', " "));
        }
    }
    if !columns.is_empty() {
        prose.columns.entry(table.to_owned()).or_insert(columns);
    }
}

/// The sentences of a text that may stay, up to `longest` characters; none if there are none.
fn kept(known: &Known<'_>, text: &str, longest: usize, removed: &mut Removed) -> Option<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut room = longest;
    for paragraph in plain(text).split("\n\n") {
        let mut sentences = Vec::new();
        for sentence in sentences_of(paragraph) {
            let fault = fault(known, sentence);
            let sentence = balanced(sentence);
            match fault {
                Some(Fault::Name(name)) => removed.name(&name),
                Some(Fault::Markup) => removed.markup(),
                None => match room.checked_sub(sentence.chars().count() + 1) {
                    Some(left) => {
                        room = left;
                        sentences.push(sentence);
                    }
                    None => room = 0,
                },
            }
        }
        if !sentences.is_empty() {
            paragraphs.push(sentences.join(" "));
        }
    }
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}

/// Without controls, and without characters that nobody sees or that turn others round.
fn plain(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let text = text.replace("\r\n", "\n");
    let seen = text.chars().filter(|c| !hidden(*c));
    seen.map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

/// Sentences end with their mark and a space, or with a line; not within backticks, and not before a small letter.
fn sentences_of(paragraph: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in paragraph.char_indices() {
        let rest = &paragraph[at + c.len_utf8()..];
        // Fences are no quotes.
        let quote = c == '`' && before != '`' && !rest.starts_with('`');
        quoted = if quote { !quoted } else { quoted && c != '\n' };
        before = c;
        let goes_on = || rest.trim_start().chars().next().is_some_and(char::is_lowercase);
        let ends = matches!(c, '.' | '!' | '?') && !quoted && rest.starts_with([' ', '\t']) && !goes_on();
        if ends || c == '\n' {
            found.push(&paragraph[start..at + c.len_utf8()]);
            start = at + c.len_utf8();
        }
    }
    found.push(&paragraph[start..]);
    found
        .into_iter()
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .collect()
}

/// A backtick without its partner would turn what follows into code.
fn balanced(sentence: &str) -> String {
    if sentence.matches('`').count().is_multiple_of(2) {
        sentence.to_owned()
    } else {
        sentence.replace('`', "")
    }
}

enum Fault {
    /// It names this, which does not exist.
    Name(String),
    /// It is more than text.
    Markup,
}

fn fault(known: &Known<'_>, sentence: &str) -> Option<Fault> {
    let mut tags = sentence.split('<').skip(1);
    let is_tag = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
    if tags.any(is_tag)
        || ["](", "```", "://", "www.", "@"]
            .iter()
            .any(|mark| sentence.contains(mark))
    {
        return Some(Fault::Markup);
    }
    for (at, piece) in balanced(sentence).split('`').enumerate() {
        let unknown = if at % 2 == 1 {
            let name = piece.trim();
            (!known.has(name) && !LITERALS.contains(&name) && !is_number(name)).then(|| name.to_owned())
        } else {
            unknown_word(known, piece)
        };
        if let Some(name) = unknown {
            return Some(Fault::Name(name));
        }
    }
    None
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// The first word that is written as names are, and that is none.
fn unknown_word(known: &Known<'_>, text: &str) -> Option<String> {
    let parted = |c: char| c.is_whitespace() || matches!(c, '/' | '|' | '=' | ',' | ';' | '—' | '–');
    for word in text.split(parted) {
        let call = word.contains("()");
        let edge = |c: char| !c.is_alphanumeric() && c != '_';
        let word = word.trim_matches(edge);
        let word = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("’s"))
            .unwrap_or(word);
        if (call || looks_like_name(word)) && !known.has(word) && !WORDS.contains(&word) {
            return Some(word.to_owned());
        }
    }
    None
}

/// `snake_case`, `camelCase`, `table.column`.
fn looks_like_name(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    let hump = chars
        .windows(2)
        .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase());
    let letters = |part: &str| part.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    let dotted = word.contains('.') && word.split('.').all(letters);
    let snake = word.contains('_') && word.chars().any(char::is_alphanumeric);
    hump || dotted || snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docgen::{ColumnFacts, TableFacts};

    fn facts() -> Facts {
        let column = |name: &str| ColumnFacts {
            name: name.to_owned(),
            data_type: "character varying(20)".to_owned(),
            ..ColumnFacts::default()
        };
        Facts {
            tables: vec![TableFacts {
                name: "order_items".to_owned(),
                columns: vec![column("id"), column("unitPrice")],
                ..TableFacts::default()
            }],
            enums: [("state".to_owned(), vec!["open".to_owned()])].into(),
            ..Facts::default()
        }
    }

    fn checked(text: &str) -> (Option<String>, Removed) {
        let (facts, mut removed) = (facts(), Removed::default());
        let kept = kept(&Known::of(&facts), text, 200, &mut removed);
        (kept, removed)
    }

    #[test]
    fn sentences_with_names_that_do_not_exist_go_and_the_others_stay() {
        for (text, left, names) in [
            (
                "Each row is a part of an order.",
                Some("Each row is a part of an order."),
                &[][..],
            ),
            (
                "See `order_items`. See `invoices`. Done.",
                Some("See `order_items`. Done."),
                &["invoices"],
            ),
            (
                "An order_items row. A line_items row.",
                Some("An order_items row."),
                &["line_items"],
            ),
            (
                "It has unitPrice, e.g. the price. It has unitCost.",
                Some("It has unitPrice, e.g. the price."),
                &["unitCost"],
            ),
            (
                "The `order_items.id`. The `order_items.total`.",
                Some("The `order_items.id`."),
                &["order_items.total"],
            ),
            ("Its order_items.total is computed.", None, &["order_items.total"]),
            ("Call `purge()` now.", None, &["purge"]),
            ("Call purge() now.", None, &["purge"]),
            (
                "States are `open` and `'open'`. Also `closed`.",
                Some("States are `open` and `'open'`."),
                &["closed"],
            ),
            (
                "`null` or `3.5` of `character varying(20)`.",
                Some("`null` or `3.5` of `character varying(20)`."),
                &[],
            ),
            (
                "Served by PostgreSQL. It's 2.5 times faster, i.e. good.",
                Some("Served by PostgreSQL. It's 2.5 times faster, i.e. good."),
                &[],
            ),
            ("An `unclosed tick", Some("An unclosed tick"), &[]),
            ("An `unclosed\nfoo_bar tick.", Some("An unclosed"), &["foo_bar"]),
            ("One\n\n\n\nTwo", Some("One\n\nTwo"), &[]),
        ] {
            let (kept, removed) = checked(text);
            assert_eq!(
                (kept.as_deref(), removed.names.as_slice()),
                (
                    left,
                    names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().as_slice()
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_more_than_text_goes() {
        for text in [
            "<script>alert(1)</script>",
            "Look <!-- here -->",
            "</td> ends",
            "A [link](x)",
            "Visit https://evil.example",
            "Visit www.evil.example now",
            "Visit evil.example now",
            "Mail me@evil.example",
            "```sql drop",
        ] {
            let (kept, removed) = checked(&format!("Fine. {text}. Fine too."));
            assert_eq!(
                (kept.as_deref(), removed.sentences),
                (Some("Fine. Fine too."), 1),
                "{text}"
            );
        }
        assert_eq!(checked("a\u{202e}b\u{200b}\u{7}c < d").0.as_deref(), Some("ab c < d"));
    }

    #[test]
    fn texts_end_with_the_last_sentence_that_fits() {
        let (kept, removed) = checked(&"Twelve chars. ".repeat(100));
        assert_eq!(kept.unwrap().len(), 14 * 14 - 1);
        assert_eq!(removed, Removed::default());
        assert_eq!(checked(&"x".repeat(1000)).0, None);
        assert_eq!(checked("").0, None);
        assert_eq!(checked(" \n\n \n").0, None);
    }

    #[test]
    fn reported_names_are_few_and_harmless() {
        let text: String = (0..100).map(|n| format!("`&{n}_{}`. ", "x".repeat(100))).collect();
        let (_, removed) = checked(&text);
        assert_eq!(removed.names.len(), REPORTED);
        assert!(
            removed
                .names
                .iter()
                .all(|name| name.chars().count() <= NAME && !name.contains('&'))
        );
    }
}
