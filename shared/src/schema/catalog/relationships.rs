//! From foreign keys, and what views show of their columns, to everything that may be embedded.
//!
//! A view stands in for a table at either end of a key whose columns it shows all of; a column that it shows several
//! times makes several relationships. See
//! <https://postgrest.org/en/stable/references/api/resource_embedding.html#foreign-key-joins-on-views>.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Junction, Link, Qualified, Relationship};
use crate::ident::Ident;

/// Relationships of one catalog at most, of each kind. Views multiply them: a thousand views on each side of one key
/// would be a million.
const MOST: usize = 50_000;
/// Keys of one junction at most that are paired.
const MOST_OF_JUNCTION: usize = 1_000;

/// What relationships follow from.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Foreign keys, of any schema.
    pub between: Vec<KeyBetween>,
    /// Primary keys, of any schema.
    pub primary: BTreeMap<Qualified, Vec<Ident>>,
    /// What exposed views show, in the order of their columns.
    pub shown: Vec<Shown>,
    /// Functions that stand for a relationship.
    pub computed: Vec<ComputedRelationship>,
}

/// A foreign key.
#[derive(Debug, Clone)]
pub struct KeyBetween {
    /// The constraint.
    pub constraint: Ident,
    /// The table it is on.
    pub table: Qualified,
    /// Its columns there.
    pub columns: Vec<Ident>,
    /// The table it points to.
    pub target: Qualified,
    /// The columns it points to, pairwise.
    pub references: Vec<Ident>,
    /// Whether a primary key or unique constraint has the same columns.
    pub unique: bool,
}

/// A view's column that is a table's.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The view.
    pub view: Qualified,
    /// Its column.
    pub column: Ident,
    /// The table.
    pub table: Qualified,
    /// The table's column.
    pub origin: Ident,
}

/// A function from a row of one exposed relation to rows of another.
#[derive(Debug, Clone)]
pub struct ComputedRelationship {
    /// The relation it takes a row of.
    pub from: Ident,
    /// The relation it returns rows of.
    pub target: Ident,
    /// The function.
    pub function: Qualified,
    /// Whether it returns one row at most.
    pub single: bool,
}

impl Keys {
    /// The primary keys of views: those of the tables they show all key columns of, by the first column that shows each.
    pub fn of_views(&self) -> BTreeMap<Qualified, Vec<Ident>> {
        let mut tables: BTreeMap<&Qualified, BTreeMap<&Qualified, HashMap<&Ident, &Ident>>> = BTreeMap::new();
        for shown in &self.shown {
            let of_table = tables.entry(&shown.view).or_default().entry(&shown.table).or_default();
            of_table.entry(&shown.origin).or_insert(&shown.column);
        }
        let key = |table: &Qualified, first: &HashMap<&Ident, &Ident>| -> Option<Vec<Ident>> {
            let columns = self.primary.get(table)?.iter();
            columns
                .map(|column| first.get(column).map(|shown| (*shown).clone()))
                .collect()
        };
        let whole = |(view, tables): (&Qualified, BTreeMap<&Qualified, _>)| {
            let keys = tables.into_iter().filter_map(|(table, first)| key(table, &first));
            (view.clone(), keys.flatten().collect())
        };
        tables.into_iter().map(whole).collect()
    }

    /// Everything that may be embedded in the relations of `schema` that `exposed` names.
    pub fn relationships(
        &self,
        schema: &Ident,
        exposed: impl Fn(&Ident) -> bool,
    ) -> BTreeMap<String, Vec<Relationship>> {
        let visible = |table: &Qualified| table.schema == *schema && exposed(&table.name);
        let forward = self.forward(&visible);
        let mut all = All::default();
        for key in forward.iter().filter(|key| visible(&key.from)) {
            all.both_ways(key);
        }
        let (open, closed): (Vec<_>, Vec<_>) = self
            .many_to_many(&forward)
            .into_iter()
            .partition(|(_, junction, _)| visible(&junction.table));
        for (from, junction, target) in open {
            all.add(from, target, Link::ManyToMany(junction));
        }
        // A junction that is not exposed joins only what nothing else does: it must not make a request ambiguous that
        // has one answer without it.
        let joined: BTreeSet<_> = all.pairs();
        for (from, junction, target) in closed {
            if !joined.contains(&(from.to_string(), target.clone())) {
                all.add(from, target, Link::ManyToMany(junction));
            }
        }
        for computed in &self.computed {
            all.compute(computed);
        }
        all.sorted()
    }

    /// Every key that leads to something visible, with views in place of tables wherever they can be.
    fn forward(&self, visible: &impl Fn(&Qualified) -> bool) -> Vec<Forward> {
        let views = self.views();
        let mut found = Vec::new();
        for key in &self.between {
            let near = ends(&key.table, &key.columns, &views);
            let far = ends(&key.target, &key.references, &views);
            for (target, there) in far.iter().filter(|(target, _)| visible(target)) {
                for (from, here) in &near {
                    if found.len() == MOST {
                        return found;
                    }
                    found.push(Forward {
                        from: from.clone(),
                        target: target.name.clone(),
                        constraint: key.constraint.clone(),
                        columns: here.iter().cloned().zip(there.iter().cloned()).collect(),
                        unique: key.unique,
                    });
                }
            }
        }
        found
    }

    fn views(&self) -> Views<'_> {
        let mut views = Views::new();
        for shown in &self.shown {
            let view = views.entry(&shown.table).or_default().entry(&shown.view).or_default();
            view.entry(&shown.origin).or_default().push(&shown.column);
        }
        views
    }

    /// By tables, and views of them, whose primary key has the columns of two foreign keys.
    fn many_to_many(&self, forward: &[Forward]) -> Vec<(Ident, Junction, Ident)> {
        let mut by_junction: BTreeMap<&Qualified, Vec<&Forward>> = BTreeMap::new();
        for key in forward.iter().filter(|key| !key.unique) {
            by_junction.entry(&key.from).or_default().push(key);
        }
        let of_views = self.of_views();
        let mut found = Vec::new();
        for (table, keys) in by_junction {
            let Some(primary) = self.primary.get(table).or_else(|| of_views.get(table)) else {
                continue;
            };
            let within = |key: &&Forward| key.columns.iter().all(|(here, _)| primary.contains(here));
            let keys: Vec<_> = keys.into_iter().filter(within).take(MOST_OF_JUNCTION).collect();
            let pairs = keys.iter().flat_map(|near| keys.iter().map(move |far| (near, far)));
            for (near, far) in pairs.filter(|(near, far)| near.constraint != far.constraint) {
                if found.len() == MOST {
                    return found;
                }
                let junction = Junction {
                    table: table.clone(),
                    near: near.constraint.clone(),
                    near_columns: swapped(&near.columns),
                    far: far.constraint.clone(),
                    far_columns: far.columns.clone(),
                };
                found.push((near.target.clone(), junction, far.target.clone()));
            }
        }
        found
    }
}

/// Table → view of it → column of the table → the view's columns that show it.
type Views<'a> = HashMap<&'a Qualified, BTreeMap<&'a Qualified, HashMap<&'a Ident, Vec<&'a Ident>>>>;

/// A key seen from the side it is on.
struct Forward {
    from: Qualified,
    target: Ident,
    constraint: Ident,
    /// `(here, there)`
    columns: Vec<(Ident, Ident)>,
    unique: bool,
}

/// The table with these columns, and every view that shows all of them, once for each way to choose among columns.
fn ends(table: &Qualified, columns: &[Ident], views: &Views<'_>) -> Vec<(Qualified, Vec<Ident>)> {
    let mut ends = vec![(table.clone(), columns.to_vec())];
    for (view, shown) in views.get(table).into_iter().flatten() {
        let mut ways: Vec<Vec<Ident>> = vec![Vec::new()];
        for column in columns {
            let choices = shown.get(column).map_or(&[][..], Vec::as_slice);
            ways = ways
                .iter()
                .flat_map(|way| {
                    choices
                        .iter()
                        .map(move |choice| [way, &[(*choice).clone()][..]].concat())
                })
                .take(MOST)
                .collect();
        }
        ends.extend(ways.into_iter().map(|way| ((*view).clone(), way)));
    }
    ends
}

fn swapped(columns: &[(Ident, Ident)]) -> Vec<(Ident, Ident)> {
    let swap = |(here, there): &(Ident, Ident)| (there.clone(), here.clone());
    columns.iter().map(swap).collect()
}

/// Relationships by where they start.
#[derive(Default)]
struct All(BTreeMap<String, Vec<Relationship>>);

impl All {
    fn add(&mut self, from: Ident, target: Ident, link: Link) {
        let of_it = self.0.entry(from.to_string()).or_default();
        of_it.push(Relationship { target, link });
    }

    fn both_ways(&mut self, key: &Forward) {
        let constraint = || key.constraint.clone();
        let (there, back) = (key.columns.clone(), swapped(&key.columns));
        let (forward, inverse) = if key.unique {
            let one = |columns, here| Link::OneToOne {
                constraint: constraint(),
                columns,
                here,
            };
            (one(there, true), one(back, false))
        } else {
            let forward = Link::ManyToOne {
                constraint: constraint(),
                columns: there,
            };
            let inverse = Link::OneToMany {
                constraint: constraint(),
                columns: back,
            };
            (forward, inverse)
        };
        self.add(key.from.name.clone(), key.target.clone(), forward);
        self.add(key.target.clone(), key.from.name.clone(), inverse);
    }

    fn pairs(&self) -> BTreeSet<(String, Ident)> {
        let pairs = self.0.iter().flat_map(|(from, of_it)| {
            of_it
                .iter()
                .map(move |relationship| (from.clone(), relationship.target.clone()))
        });
        pairs.collect()
    }

    /// A function with the name of a relation replaces what leads there.
    fn compute(&mut self, computed: &ComputedRelationship) {
        let of_it = self.0.entry(computed.from.to_string()).or_default();
        of_it.retain(|other| matches!(other.link, Link::Computed { .. }) || other.target != computed.function.name);
        of_it.push(Relationship {
            target: computed.target.clone(),
            link: Link::Computed {
                function: computed.function.clone(),
                single: computed.single,
            },
        });
    }

    /// In the order that refusals list them.
    fn sorted(mut self) -> BTreeMap<String, Vec<Relationship>> {
        for of_it in self.0.values_mut() {
            of_it.sort_by_cached_key(|relationship| (relationship.target.to_string(), rank(&relationship.link)));
        }
        self.0.retain(|_, of_it| !of_it.is_empty());
        self.0
    }
}

fn rank(link: &Link) -> (u8, String, Vec<(Ident, Ident)>) {
    match link {
        Link::OneToMany { constraint, columns } => (0, constraint.to_string(), columns.clone()),
        Link::ManyToOne { constraint, columns } => (1, constraint.to_string(), columns.clone()),
        Link::OneToOne {
            constraint, columns, ..
        } => (2, constraint.to_string(), columns.clone()),
        Link::ManyToMany(by) => (
            3,
            format!("{}.{} {} {}", by.table.schema, by.table.name, by.near, by.far),
            [by.near_columns.clone(), by.far_columns.clone()].concat(),
        ),
        Link::Computed { function, .. } => (4, function.name.to_string(), Vec::new()),
    }
}

#[cfg(test)]
mod tests;
