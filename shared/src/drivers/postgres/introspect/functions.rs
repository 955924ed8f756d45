//! Functions, and those of them that act as columns and relationships.

use std::collections::{BTreeMap, HashMap};

use super::facts::{Facts, FunctionFact, Mode, Oid};
use super::types::{PLAIN, Types};
use crate::ident::Ident;
use crate::schema::catalog::{
    Argument, ComputedColumn, ComputedRelationship, Function, Qualified, Returns, Shape, Volatility,
};

/// Functions that take a row, by what they are taken for.
#[derive(Default)]
pub(super) struct Computed {
    /// By the relation's name.
    pub(super) columns: HashMap<String, Vec<ComputedColumn>>,
    pub(super) relationships: Vec<ComputedRelationship>,
}

/// Functions that can be called, by name; fewest arguments first.
pub(super) fn functions(facts: &Facts, types: &Types) -> BTreeMap<String, Vec<Function>> {
    let mut all: BTreeMap<String, Vec<Function>> = BTreeMap::new();
    for fact in facts.functions.iter().filter(|fact| callable(fact, types)) {
        all.entry(fact.name.to_string())
            .or_default()
            .push(function(fact, types));
    }
    all
}

/// What takes one row of an exposed relation: a relationship if it returns rows of one, a column if it returns values.
pub(super) fn computed(facts: &Facts, types: &Types, schema: &Ident) -> Computed {
    let exposed: HashMap<Oid, &Ident> = facts.relations.iter().map(|fact| (fact.oid, &fact.name)).collect();
    let relation = |of: Oid| {
        let known = types.get(of, PLAIN).filter(|known| known.kind == 'c')?;
        exposed.get(&known.relation).copied()
    };
    let mut found = Computed::default();
    for fact in facts.functions.iter().filter(|fact| fact.inputs == 1) {
        let Some(from) = inputs(fact).next().and_then(|at| relation(fact.types[at])) else {
            continue;
        };
        if let Some(target) = relation(fact.returns) {
            found.relationships.push(ComputedRelationship {
                from: from.clone(),
                target: target.clone(),
                function: Qualified {
                    schema: schema.clone(),
                    name: fact.name.clone(),
                },
                single: !fact.set || fact.rows <= 1.0,
            });
        } else if one_value(fact, types) {
            found.columns.entry(from.to_string()).or_default().push(ComputedColumn {
                name: fact.name.clone(),
                schema: schema.clone(),
                data_type: types.text(fact.returns, PLAIN),
                set: fact.set,
            });
        }
    }
    found
}

fn one_value(fact: &FunctionFact, types: &Types) -> bool {
    let nothing = |known: &&super::facts::TypeFact| known.is("void") || known.is("record");
    types.get(fact.returns, PLAIN).is_some_and(|known| !nothing(&known))
}

fn mode(fact: &FunctionFact, at: usize) -> Mode {
    let modes = fact.modes.as_deref();
    modes.and_then(|modes| modes.get(at)).copied().unwrap_or(Mode::In)
}

fn name(fact: &FunctionFact, at: usize) -> &str {
    let names = fact.names.as_deref();
    names.and_then(|names| names.get(at)).map_or("", String::as_str)
}

/// Positions of the arguments that go in.
fn inputs(fact: &FunctionFact) -> impl Iterator<Item = usize> {
    (0..fact.types.len()).filter(|at| mode(fact, *at).goes_in())
}

/// Arguments are given by name. One may have none if it is alone and takes a whole body.
fn callable(fact: &FunctionFact, types: &Types) -> bool {
    const WHOLE: [&str; 5] = ["json", "jsonb", "text", "xml", "bytea"];
    let inputs: Vec<_> = inputs(fact).collect();
    let takes_body = |at: usize| {
        let known = types.get(fact.types[at], PLAIN);
        known.is_some_and(|known| WHOLE.iter().any(|name| known.is(name)))
    };
    match inputs.as_slice() {
        [only] if name(fact, *only).is_empty() => takes_body(*only),
        several => several.iter().all(|at| !name(fact, *at).is_empty()),
    }
}

/// A setting that takes no effect where Postgres applies it, in the middle of the statement.
fn hoisted(setting: &str) -> Option<(String, String)> {
    let (name, value) = setting.split_once('=')?;
    let names = [
        "statement_timeout",
        "default_transaction_isolation",
        "plan_filter.statement_cost_limit",
    ];
    names.contains(&name).then(|| (name.to_owned(), value.to_owned()))
}

fn function(fact: &FunctionFact, types: &Types) -> Function {
    let required = fact.inputs.saturating_sub(fact.defaults);
    let argument = |(position, at): (usize, usize)| Argument {
        name: name(fact, at).to_owned(),
        data_type: types.text(fact.types[at], PLAIN),
        required: position < required,
        variadic: mode(fact, at) == Mode::Variadic,
    };
    Function {
        name: fact.name.clone(),
        arguments: inputs(fact).enumerate().map(argument).collect(),
        returns: Returns {
            set: fact.set,
            shape: shape(fact, types),
        },
        volatility: match fact.volatility {
            'i' => Volatility::Immutable,
            's' => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        settings: fact.settings.iter().filter_map(|setting| hoisted(setting)).collect(),
        comment: fact.comment.clone(),
    }
}

fn shape(fact: &FunctionFact, types: &Types) -> Shape {
    let out = (0..fact.types.len()).filter(|at| mode(fact, *at).comes_out());
    let columns: Vec<_> = out
        .enumerate()
        .map(|(position, at)| {
            let name = Ident::new(name(fact, at)).or_else(|_| Ident::new(format!("column{}", position + 1)));
            name.map(|name| (name, types.text(fact.types[at], PLAIN)))
        })
        .filter_map(Result::ok)
        .collect();
    if !columns.is_empty() {
        return Shape::Columns(columns);
    }
    match types.base(fact.returns, PLAIN) {
        Some(known) if known.is("void") => Shape::Void,
        Some(known) if known.is("record") => Shape::Record,
        Some(known) if known.kind == 'c' => Shape::Row(known.qualified()),
        _ => Shape::Scalar(types.text(fact.returns, PLAIN)),
    }
}
