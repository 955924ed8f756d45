//! What to show: the tables that most hang together, rows that the database takes as they stand, rights that the shown key
//! has.

use serde_json::Value;

use crate::docgen::access::{Caller, Reach, reach};
use crate::docgen::example::{self, new_row};
use crate::docgen::facts::{Facts, FunctionFacts, TableFacts, TableKind};
use crate::schema::policy::Command;

/// Tables that every managed backend begins with; a project's own come first.
const STARTERS: [&str; 3] = ["app_users", "app_data", "users"];

/// What is shown.
#[derive(Default)]
pub(in crate::docgen) struct Choice<'a> {
    pub(in crate::docgen) read: Option<Read<'a>>,
    pub(in crate::docgen) embed: Option<Embed<'a>>,
    pub(in crate::docgen) write: Option<Write<'a>>,
    pub(in crate::docgen) call: Option<Call<'a>>,
    pub(in crate::docgen) own: Option<Own<'a>>,
}

/// Rows of one table.
pub(in crate::docgen) struct Read<'a> {
    pub(in crate::docgen) table: &'a TableFacts,
    pub(in crate::docgen) secret: bool,
}

/// Rows of one table with those that they refer to.
pub(in crate::docgen) struct Embed<'a> {
    pub(in crate::docgen) table: &'a TableFacts,
    pub(in crate::docgen) column: &'a str,
    pub(in crate::docgen) other: &'a TableFacts,
    pub(in crate::docgen) other_column: &'a str,
    pub(in crate::docgen) secret: bool,
}

/// A row that comes and goes.
pub(in crate::docgen) struct Write<'a> {
    pub(in crate::docgen) table: &'a TableFacts,
    pub(in crate::docgen) key: &'a str,
    pub(in crate::docgen) values: Vec<(String, Value)>,
    /// A column to change, with its new value.
    pub(in crate::docgen) change: Option<(String, Value)>,
}

impl Write<'_> {
    /// The key's value, where it is given and not made by the database.
    pub(in crate::docgen) fn given(&self) -> Option<&Value> {
        self.values
            .iter()
            .find(|(name, _)| name == self.key)
            .map(|(_, value)| value)
    }
}

/// A call of a function that changes nothing.
pub(in crate::docgen) struct Call<'a> {
    pub(in crate::docgen) function: &'a FunctionFacts,
    pub(in crate::docgen) arguments: Vec<(String, Value)>,
    pub(in crate::docgen) secret: bool,
}

/// A row of a user's own.
pub(in crate::docgen) struct Own<'a> {
    pub(in crate::docgen) table: &'a TableFacts,
    pub(in crate::docgen) columns: Vec<String>,
    pub(in crate::docgen) values: Vec<(String, Value)>,
}

/// Chooses.
pub(in crate::docgen) fn choose(facts: &Facts) -> Choice<'_> {
    let mut tables: Vec<&TableFacts> = facts.tables.iter().filter(|table| is_simple(&table.name)).collect();
    tables.sort_by_key(|table| {
        let starter = STARTERS.contains(&table.name.as_str());
        let stored = matches!(table.kind, TableKind::Table | TableKind::Resource);
        (
            starter,
            !stored,
            std::cmp::Reverse(connections(facts, table)),
            &table.name,
        )
    });
    let can = |feature: &str| facts.backend.capabilities.iter().any(|known| known == feature);
    let read = read(&tables);
    Choice {
        embed: can("embeds").then(|| embed(facts, &tables)).flatten(),
        write: (can("return-inserted") && can("write-by-filter"))
            .then(|| write(facts, &tables))
            .flatten(),
        call: can("functions").then(|| call(facts)).flatten(),
        own: (facts.auth.offered && facts.auth.sign_up && facts.auth.autoconfirm && can("return-inserted"))
            .then(|| own(facts, &tables))
            .flatten(),
        read,
    }
}

/// How many keys lead from and to a table.
pub(in crate::docgen) fn connections(facts: &Facts, table: &TableFacts) -> usize {
    let keys = facts.tables.iter().flat_map(|other| &other.foreign_keys);
    table.foreign_keys.len() + keys.filter(|key| key.table == table.name).count()
}

fn is_simple(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn reads(table: &TableFacts, caller: Caller) -> bool {
    reach(table, caller, Command::Select) != Reach::None
}

fn read<'a>(tables: &[&'a TableFacts]) -> Option<Read<'a>> {
    let of = |caller, secret| {
        let found = tables
            .iter()
            .find(|table| reads(table, caller) && !STARTERS.contains(&table.name.as_str()));
        found.map(|table| Read { table, secret })
    };
    let any = || {
        let found = tables.iter().find(|table| reads(table, Caller::Secret));
        found.map(|table| Read { table, secret: true })
    };
    of(Caller::Anyone, false)
        .or_else(|| of(Caller::Secret, true))
        .or_else(any)
}

fn embed<'a>(facts: &'a Facts, tables: &[&'a TableFacts]) -> Option<Embed<'a>> {
    let of = |caller, secret| {
        tables.iter().find_map(|table| {
            let mut keys = table
                .foreign_keys
                .iter()
                .filter(|key| key.columns.len() == 1 && key.table != table.name);
            keys.find_map(|key| {
                let other = tables.iter().find(|other| other.name == key.table)?;
                let allowed = reads(table, caller) && reads(other, caller) && is_only_way(facts, table, other);
                allowed.then(|| Embed {
                    table,
                    column: telling(table),
                    other,
                    other_column: telling(other),
                    secret,
                })
            })
        })
    };
    of(Caller::Anyone, false).or_else(|| of(Caller::Secret, true))
}

/// Whether nobody has to choose among several ways from one to the other.
fn is_only_way(facts: &Facts, one: &TableFacts, other: &TableFacts) -> bool {
    let between =
        |from: &TableFacts, to: &TableFacts| from.foreign_keys.iter().filter(|key| key.table == to.name).count();
    let direct = between(one, other) + between(other, one);
    let third = |table: &&TableFacts| table.name != one.name && table.name != other.name;
    let joined = facts
        .tables
        .iter()
        .filter(third)
        .any(|table| between(table, one) > 0 && between(table, other) > 0);
    direct == 1 && !joined && is_simple(telling(one)) && is_simple(telling(other))
}

/// The column that says most about a row: the first text, else the first.
fn telling(table: &TableFacts) -> &str {
    let is_text = |data_type: &str| {
        let lower = data_type.to_ascii_lowercase();
        ["text", "char", "citext", "string"]
            .iter()
            .any(|part| lower.contains(part))
            && !lower.ends_with("[]")
    };
    let named = |name: &str| {
        ["name", "title", "label"]
            .iter()
            .any(|part| name.to_lowercase().contains(part))
    };
    let columns = || table.columns.iter().filter(|column| is_simple(&column.name));
    let best = columns().find(|column| is_text(column.value_type()) && named(&column.name));
    let found = best
        .or_else(|| columns().find(|column| is_text(column.value_type())))
        .or_else(|| columns().next());
    found.map_or("", |column| column.name.as_str())
}

fn write<'a>(facts: &'a Facts, tables: &[&'a TableFacts]) -> Option<Write<'a>> {
    tables.iter().find_map(|table| {
        let may = |command| reach(table, Caller::Secret, command) == Reach::All;
        let [key] = table.primary_key.as_slice() else {
            return None;
        };
        let row = new_row(facts, table, &[], 0);
        let row = if row.values.is_empty() {
            new_row(facts, table, &[], 1)
        } else {
            row
        };
        let fits = may(Command::Insert)
            && may(Command::Delete)
            && may(Command::Select)
            && row.certain
            && table.kind == TableKind::Table;
        if !fits || row.values.is_empty() || !is_simple(key) || !row.values.iter().all(|(name, _)| is_simple(name)) {
            return None;
        }
        let unique = |name: &String| table.unique_keys.iter().any(|key| key.contains(name));
        let change = row
            .values
            .iter()
            .find(|(name, value)| name != key && !unique(name) && value.is_string());
        let change = change.map(|(name, value)| (name.clone(), another(table, value)));
        Some(Write {
            table,
            key,
            change: change.filter(|_| may(Command::Update)),
            values: row.values,
        })
    })
}

/// Another value, no longer than that one; the same where something is said about it.
fn another(table: &TableFacts, value: &Value) -> Value {
    let text = value.as_str().filter(|_| table.checks.is_empty());
    let changed = text.map(|text| {
        let title = text.replacen("An example", "Another", 1);
        title.replacen("Example name", "Another name", 1)
    });
    changed.map_or_else(|| value.clone(), Value::from)
}

/// With the secret key: a function may read what its caller may not.
fn call(facts: &Facts) -> Option<Call<'_>> {
    facts.functions.iter().find_map(|function| {
        let needed = || function.arguments.iter().filter(|argument| argument.required);
        let named = needed().all(|argument| is_simple(&argument.name));
        let alone = facts
            .functions
            .iter()
            .filter(|other| other.name == function.name)
            .count()
            == 1;
        if !(function.read_only && named && alone && is_simple(&function.name)) {
            return None;
        }
        let value = |name: &str, data_type: &str| example::argument(facts, name, data_type);
        let arguments = needed().map(|it| Some((it.name.clone(), value(&it.name, &it.data_type)?)));
        Some(Call {
            function,
            arguments: arguments.collect::<Option<Vec<_>>>()?,
            secret: true,
        })
    })
}

fn own<'a>(facts: &'a Facts, tables: &[&'a TableFacts]) -> Option<Own<'a>> {
    tables.iter().find_map(|table| {
        let Reach::Some(condition) = reach(table, Caller::SignedIn, Command::Insert) else {
            return None;
        };
        let columns: Vec<String> = condition.own_columns().into_iter().map(str::to_owned).collect();
        let only = condition.parts().len() == columns.len() && !columns.is_empty();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let row = new_row(facts, table, &names, 0);
        let simple = row
            .values
            .iter()
            .map(|(name, _)| name)
            .chain(&columns)
            .all(|name| is_simple(name));
        let readable = reads(table, Caller::SignedIn);
        (only && row.certain && simple && readable).then(|| Own {
            table,
            columns: columns.clone(),
            values: row.values,
        })
    })
}
