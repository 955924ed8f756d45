//! A map out of links: the shortest ways from every table to a person, and a rule for each.

mod gaps;
mod root;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use gaps::gaps;
pub(super) use root::ids_are_people;
pub(super) use rules::is_cut;
use serde::Serialize;

use super::{Dialect, Facts, Hop, Kind, Link, LinkOrigin, Marks, Path, Relation, Root, SubjectMap, TableEntry, Why};

/// Ways of one table that are kept at most: of tables that lead to each other by several keys each, there are many more.
const MOST_PATHS: usize = 64;
/// Longer ways that are shown of one table.
const MOST_ALTERNATIVES: usize = 8;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// A map that may be confirmed as it is.
    pub map: SubjectMap,
    /// By table: longer ways, which the map leaves out.
    pub alternatives: BTreeMap<String, Vec<Path>>,
    /// By table: why its owner has to decide what an erasure does with its rows.
    pub decisions: BTreeMap<String, String>,
    /// What looks personal and is linked to nobody.
    pub gaps: Vec<Gap>,
}

/// A column that looks personal, of a table that is linked to nobody.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it seems to hold.
    pub kind: Kind,
    /// How that is known.
    pub why: Why,
    /// A relation that would link the table, if it is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Relation>,
}

/// Finds all that belongs to people. Of `said`, the root (if it names a table that is there), the relations and the ignored
/// columns count.
pub fn find(dialect: Dialect, facts: &Facts, marks: &Marks, said: &SubjectMap) -> Found {
    let ways = Ways::new(facts, marks, said);
    let mut found = Found {
        map: SubjectMap {
            root: ways.root.clone(),
            tables: BTreeMap::new(),
            relations: said.relations.clone(),
            ignored: said.ignored.clone(),
        },
        alternatives: ways.alternatives(),
        decisions: BTreeMap::new(),
        gaps: Vec::new(),
    };
    for (label, paths) in &ways.paths {
        let (rule, undecided) = ways.rule(dialect, label, marks);
        let undecided = undecided.or_else(|| (paths.len() == MOST_PATHS).then(rules::too_many));
        found.decisions.extend(undecided.map(|why| (label.clone(), why)));
        let paths = paths.clone();
        found.map.tables.insert(label.clone(), TableEntry { paths, rule });
    }
    found.gaps = gaps(facts, marks, &found.map);
    found
}

/// The links of all tables, declared ones among them, and the shortest ways along them.
struct Ways<'a> {
    facts: &'a Facts,
    root: Root,
    links: BTreeMap<&'a str, Vec<Link>>,
    /// How many links away from a person.
    depths: BTreeMap<String, usize>,
    paths: BTreeMap<String, Vec<Path>>,
}

impl<'a> Ways<'a> {
    fn new(facts: &'a Facts, marks: &Marks, said: &SubjectMap) -> Self {
        let mut links: BTreeMap<&str, Vec<Link>> = BTreeMap::new();
        for (label, table) in &facts.tables {
            let of = links.entry(label).or_default();
            of.extend(table.links.iter().cloned());
            let declared = said.relations.iter().filter(|relation| relation.table == *label);
            for link in declared.filter_map(|relation| relation.link(facts)) {
                if !of.iter().any(|other| other.leads_as(&link)) {
                    of.push(link);
                }
            }
        }
        let root = root::root(facts, marks, said);
        let ids = ids_are_people(facts, &root);
        let mut ways = Self {
            facts,
            root,
            links,
            depths: BTreeMap::new(),
            paths: BTreeMap::new(),
        };
        ways.search(ids);
        ways
    }

    /// Breadth first, from the person backwards: all tables that lead to one of the step before make the next step.
    fn search(&mut self, ids: bool) {
        let mut step: BTreeSet<String> = BTreeSet::new();
        if let Some(root) = self
            .root
            .table
            .clone()
            .filter(|root| self.facts.tables.contains_key(root))
        {
            self.depths.insert(root.clone(), 0);
            self.paths.insert(root.clone(), vec![Path::default()]);
            step.insert(root);
        }
        let mut depth = 0;
        loop {
            depth += 1;
            let mut next: BTreeMap<String, Vec<Path>> = BTreeMap::new();
            for (label, links) in &self.links {
                if self.depths.contains_key(*label) {
                    continue;
                }
                let mut paths: Vec<Path> = Vec::new();
                for link in links {
                    match &link.to {
                        None if ids && depth == 1 => paths.push(Path(vec![link.hop()])),
                        Some(to) if step.contains(to) => paths.extend(self.through(link, to)),
                        _ => {}
                    }
                }
                paths.sort();
                paths.dedup();
                paths.truncate(MOST_PATHS);
                if !paths.is_empty() {
                    next.insert((*label).to_owned(), paths);
                }
            }
            if next.is_empty() {
                return;
            }
            step = next.keys().cloned().collect();
            self.depths.extend(next.keys().map(|label| (label.clone(), depth)));
            self.paths.append(&mut next);
        }
    }

    /// The ways of `to`, each with that link before it.
    fn through<'b>(&'b self, link: &'b Link, to: &str) -> impl Iterator<Item = Path> + 'b {
        let paths = self.paths.get(to).map_or(&[] as &[Path], Vec::as_slice);
        paths.iter().map(|path| {
            let hops = std::iter::once(link.hop()).chain(path.0.iter().cloned());
            Path(hops.collect())
        })
    }

    /// Ways by links that are no shortest ones, and by one more to the table itself; none that comes by the table twice after
    /// its first step.
    fn alternatives(&self) -> BTreeMap<String, Vec<Path>> {
        let mut all = BTreeMap::new();
        for (label, links) in &self.links {
            let Some(shortest) = self
                .paths
                .get(*label)
                .filter(|_| self.root.table.as_deref() != Some(label))
            else {
                continue;
            };
            let longer = links.iter().filter_map(|link| Some((link, link.to.as_deref()?)));
            let longer = longer.flat_map(|(link, to)| self.through(link, to));
            let again = |path: &Path| {
                path.0
                    .iter()
                    .skip(1)
                    .any(|hop| hop.references.as_deref() == Some(label))
            };
            let mut longer: Vec<Path> = longer.filter(|path| !shortest.contains(path) && !again(path)).collect();
            longer.sort_by_key(|path| (path.0.len(), path.clone()));
            longer.dedup();
            longer.truncate(MOST_ALTERNATIVES);
            if !longer.is_empty() {
                all.insert((*label).to_owned(), longer);
            }
        }
        all
    }
}

impl Link {
    /// The same as a hop.
    pub(super) fn hop(&self) -> Hop {
        Hop {
            columns: self.columns.iter().map(ToString::to_string).collect(),
            references: self.to.clone(),
            referenced_columns: self.references.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Relation {
    /// The same as a link, if both its ends are there.
    fn link(&self, facts: &Facts) -> Option<Link> {
        let names = |label: &str, columns: &[String]| {
            let table = facts.tables.get(label)?;
            let name = |column: &String| Some(table.column(column)?.name.clone());
            columns.iter().map(name).collect::<Option<Vec<_>>>()
        };
        Some(Link {
            columns: names(&self.table, &self.columns)?,
            references: match &self.references {
                Some(to) => names(to, &self.referenced_columns)?,
                None => Vec::new(),
            },
            to: self.references.clone(),
            origin: LinkOrigin::Declared,
        })
    }
}
