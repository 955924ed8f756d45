//! Keys by name, and the tables behind views.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{Facts, KeyFact, Number, Oid};
use super::node_tree::{self, Origin};
use crate::ident::Ident;
use crate::schema::catalog::{ComputedRelationship, KeyBetween, Keys, Qualified, Shown};

/// Views over views at most; Postgres refuses circles.
const DEEPEST: usize = 64;

/// Relations and their columns by number.
pub(super) struct Names(HashMap<Oid, (Qualified, HashMap<Number, Ident>)>);

impl Names {
    pub(super) fn new(schema: &Ident, facts: &Facts) -> Self {
        let exposed = facts.relations.iter().map(|fact| {
            let columns = fact.columns.iter().map(|column| (column.0, column.1.clone()));
            (fact.oid, (schema.clone(), fact.name.clone()), columns.collect())
        });
        let hidden = facts.hidden.iter().map(|fact| {
            let columns = fact.columns.iter().cloned();
            (fact.oid, (fact.schema.clone(), fact.name.clone()), columns.collect())
        });
        let named = exposed
            .chain(hidden)
            .map(|(oid, (schema, name), columns)| (oid, (Qualified { schema, name }, columns)));
        Self(named.collect())
    }

    pub(super) fn name(&self, relation: Oid) -> Option<&Qualified> {
        self.0.get(&relation).map(|(name, _)| name)
    }

    /// `None` if any is not known: a column may have been dropped meanwhile.
    pub(super) fn columns(&self, relation: Oid, numbers: &[Number]) -> Option<Vec<Ident>> {
        let (_, columns) = self.0.get(&relation)?;
        numbers.iter().map(|number| columns.get(number).cloned()).collect()
    }
}

/// All that relationships follow from.
pub(super) fn keys(facts: &Facts, names: &Names, computed: Vec<ComputedRelationship>) -> Keys {
    Keys {
        between: between(facts, names),
        primary: primary(facts, names),
        shown: shown(facts, names),
        computed,
    }
}

fn between(facts: &Facts, names: &Names) -> Vec<KeyBetween> {
    let mut unique: HashMap<Oid, Vec<HashSet<Number>>> = HashMap::new();
    // As upstream: a unique index that no constraint stands behind does not make a relationship one to one.
    for key in facts.keys.iter().filter(|key| key.constraint) {
        let columns = key.columns.iter().copied().collect();
        unique.entry(key.relation).or_default().push(columns);
    }
    let key = |fact: &super::facts::ForeignKeyFact| {
        let columns: HashSet<Number> = fact.columns.iter().copied().collect();
        Some(KeyBetween {
            constraint: fact.name.clone(),
            table: names.name(fact.relation)?.clone(),
            columns: names.columns(fact.relation, &fact.columns)?,
            target: names.name(fact.target)?.clone(),
            references: names.columns(fact.target, &fact.references)?,
            unique: unique.get(&fact.relation).is_some_and(|keys| keys.contains(&columns)),
        })
    };
    facts.foreign_keys.iter().filter_map(key).collect()
}

fn primary(facts: &Facts, names: &Names) -> BTreeMap<Qualified, Vec<Ident>> {
    let primary = facts.keys.iter().filter(|key| key.primary);
    let named = |key: &KeyFact| {
        Some((
            names.name(key.relation)?.clone(),
            names.columns(key.relation, &key.columns)?,
        ))
    };
    primary.filter_map(named).collect()
}

/// The columns of exposed views that are columns of tables.
fn shown(facts: &Facts, names: &Names) -> Vec<Shown> {
    let origins: HashMap<Oid, Vec<Origin>> = facts
        .views
        .iter()
        .map(|(view, action)| (*view, node_tree::origins(action)))
        .collect();
    let mut found = Vec::new();
    for view in &facts.relations {
        for origin in origins.get(&view.oid).into_iter().flatten() {
            let traced = trace(*origin, &origins);
            let one = |relation, number| names.columns(relation, &[number])?.pop();
            if let (Some(of), Some(table), Some(column), Some(origin)) = (
                names.name(view.oid),
                names.name(traced.relation),
                one(view.oid, origin.column),
                one(traced.relation, traced.origin),
            ) {
                found.push(Shown {
                    view: of.clone(),
                    column,
                    table: table.clone(),
                    origin,
                });
            }
        }
    }
    found
}

/// Follows a column through views to where it is stored.
fn trace(mut origin: Origin, origins: &HashMap<Oid, Vec<Origin>>) -> Origin {
    for _ in 0..DEEPEST {
        let through = origins.get(&origin.relation);
        let next = through.and_then(|view| view.iter().find(|inner| inner.column == origin.origin));
        let Some(next) = next else { break };
        origin = *next;
    }
    origin
}
