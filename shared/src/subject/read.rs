//! Facts out of what a database tells of itself and what our designs say of tables that wait in the trash.

use std::collections::BTreeMap;

use super::facts::{Denied, Facts, Link, LinkOrigin, Table};
use super::owner::owner_columns;
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Declared, ForeignKey, Relation, RelationKind};
use crate::schema::details::{Details, TableDetails};
use crate::schema::spec::{ColumnSpec, OnDelete, TableSpec};

/// One schema of a database.
#[derive(Debug)]
pub(crate) struct Schema<'a> {
    /// Its tables, nothing of ours hidden.
    pub(crate) catalog: &'a Catalog,
    /// What the catalog leaves out.
    pub(crate) details: &'a Details,
    /// Links that the owner declared for embedding.
    pub(crate) declared: &'a Declared,
    /// Whether its tables go by `schema.table`: of several schemas only the first one's go by their names alone.
    pub(crate) prefixed: bool,
    /// Whether the engine has schemas inside of a database.
    pub(crate) named: bool,
}

/// A deleted table that waits in the trash.
#[derive(Debug)]
pub(crate) struct Trashed<'a> {
    /// Its label.
    pub(crate) label: String,
    /// What it is called meanwhile.
    pub(crate) name: &'a str,
    /// Its design.
    pub(crate) spec: &'a TableSpec,
}

impl Facts {
    /// Adds the tables of a schema; the names of foreign tables, whose rows are elsewhere.
    pub(crate) fn add(&mut self, schema: &Schema<'_>) -> Vec<Ident> {
        let mut elsewhere = Vec::new();
        for relation in schema.catalog.relations.values() {
            match relation.kind {
                RelationKind::Table => {
                    let table = schema.table(relation);
                    self.tables.insert(schema.label(&relation.name), table);
                }
                RelationKind::MaterializedView => {
                    let of = schema.catalog.schema.clone();
                    self.copies.extend(of.map(|of| (of, relation.name.clone())));
                }
                RelationKind::ForeignTable => elsewhere.push(relation.name.clone()),
                RelationKind::View => {}
            }
        }
        elsewhere
    }

    /// Adds what secret keys may not do with a schema's tables, where it is as them that rows are erased.
    pub(crate) fn add_denied(&mut self, schema: &Schema<'_>) {
        for (name, details) in &schema.details.tables {
            let Some(relation) = schema.catalog.relation(name) else {
                continue;
            };
            let denied = Denied {
                delete: !details.secret.delete,
                update: !details.secret.update,
            };
            if relation.kind == RelationKind::Table && denied != Denied::default() {
                self.denied.insert(schema.label(&relation.name), denied);
            }
        }
    }

    /// Adds tables of the trash: as they are in its schema, with the links of their designs.
    pub(crate) fn add_trashed(&mut self, catalog: &Catalog, trashed: &[Trashed<'_>]) {
        for waiting in trashed {
            let Some(relation) = catalog.relation(waiting.name) else {
                continue;
            };
            let mut table = table(relation, catalog.schema.clone());
            table.trashed = true;
            table.links = waiting.links(self, trashed);
            tell_names(&mut table, waiting.spec);
            for column in owner_columns(&relation.columns, &[]) {
                add_owner(&mut table.links, column);
            }
            self.tables.insert(waiting.label.clone(), table);
        }
    }

    /// Adds the links of columns that lie aside in a live table, and the names they had.
    pub(crate) fn add_removed(&mut self, name: &str, spec: &TableSpec) {
        let there = |name: &str| Some(label_of(name)).filter(|label| self.tables.contains_key(label));
        let links: Vec<Link> = removed_links(spec, there).collect();
        if let Some(table) = self.tables.get_mut(&label_of(name)) {
            tell_names(table, spec);
            for link in links {
                let there = link
                    .columns
                    .iter()
                    .all(|column| table.column(column.as_str()).is_some());
                // A key that the database still has, it tells itself.
                if there && !table.links.iter().any(|other| other.leads_as(&link)) {
                    table.links.push(link);
                }
            }
        }
    }
}

/// Lets the comments of columns that lie aside tell the names they had: nobody would know them in a copy otherwise.
fn tell_names(table: &mut Table, spec: &TableSpec) {
    for removed in &spec.removed {
        let hidden = removed.hidden();
        let column = table.columns.iter_mut().find(|column| column.name == hidden);
        if let Some(column) = column {
            column.comment = Some(removed.column.name.to_string());
        }
    }
}

/// What a table of the first schema goes by. A name that would read as another label does is quoted: `"s.letters"` is no table
/// of the schema `s`.
pub(crate) fn label_of(name: &str) -> String {
    match name.contains('.') || name.starts_with('"') || name.starts_with(super::TRASH) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    }
}

impl Schema<'_> {
    fn label(&self, name: &Ident) -> String {
        match (&self.catalog.schema, self.prefixed) {
            (Some(schema), true) => format!("{}.{}", label_of(schema.as_str()), label_of(name.as_str())),
            _ => label_of(name.as_str()),
        }
    }

    fn table(&self, relation: &Relation) -> Table {
        let none = TableDetails::default();
        let details = self.details.tables.get(relation.name.as_str()).unwrap_or(&none);
        let mut table = table(relation, self.catalog.schema.clone().filter(|_| self.named));
        table.checks = details.checks.iter().map(|check| check.expression.clone()).collect();
        for key in &relation.foreign_keys {
            table.links.push(Link {
                columns: key.columns.clone(),
                to: Some(self.label(&key.table)),
                references: key.references.clone(),
                origin: self.origin(&relation.name, key, details),
            });
        }
        for key in &self.declared.keys {
            let link = Link {
                columns: key.columns.clone(),
                to: Some(self.label(&key.references)),
                references: key.referenced_columns.clone(),
                origin: LinkOrigin::Declared,
            };
            let target = self.catalog.relation(key.references.as_str());
            let has = |relation: &Relation, columns: &[Ident]| {
                columns.iter().all(|it| relation.column(it.as_str()).is_some())
            };
            let joins = key.table == relation.name
                && has(relation, &key.columns)
                && target
                    .is_some_and(|target| target.kind == RelationKind::Table && has(target, &key.referenced_columns));
            if joins && !table.links.iter().any(|other| other.leads_as(&link)) {
                table.links.push(link);
            }
        }
        for column in owner_columns(&relation.columns, &details.policies) {
            add_owner(&mut table.links, column);
        }
        table
    }

    fn origin(&self, table: &Ident, key: &ForeignKey, details: &TableDetails) -> LinkOrigin {
        let enforced = details.on_delete.get(key.name.as_str());
        let declared = |it: &&crate::schema::catalog::DeclaredKey| it.table == *table && it.columns == key.columns;
        if enforced.is_none() && self.declared.keys.iter().any(|it| declared(&it)) {
            return LinkOrigin::Declared;
        }
        LinkOrigin::ForeignKey {
            name: key.name.clone(),
            on_delete: enforced.cloned().unwrap_or_else(|| "no action".to_owned()),
        }
    }
}

fn table(relation: &Relation, schema: Option<Ident>) -> Table {
    Table {
        schema,
        name: relation.name.clone(),
        columns: relation.columns.clone(),
        primary_key: relation.primary_key.clone(),
        unique_keys: relation.unique_keys.clone(),
        links: Vec::new(),
        checks: Vec::new(),
        whole: Vec::new(),
        collations: BTreeMap::new(),
        trashed: false,
    }
}

/// A key of the database says more than that: where one leads from the same column, it is enough.
fn add_owner(links: &mut Vec<Link>, column: Ident) {
    if links.iter().any(|link| link.columns == [column.clone()]) {
        return;
    }
    links.push(Link {
        columns: vec![column],
        to: None,
        references: Vec::new(),
        origin: LinkOrigin::Owner,
    });
}

impl Link {
    /// Whether it leads from the same columns to the same ones.
    pub fn leads_as(&self, other: &Self) -> bool {
        let pairs = |link: &Self| -> BTreeMap<Ident, Option<Ident>> {
            let there = link.references.iter().cloned().map(Some).chain(std::iter::repeat(None));
            link.columns.iter().cloned().zip(there).collect()
        };
        self.to == other.to && pairs(self) == pairs(other)
    }
}

impl Trashed<'_> {
    /// What its columns refer to. A table of that name may wait in the trash too; a live one has taken its place since.
    fn links(&self, facts: &Facts, all: &[Trashed<'_>]) -> Vec<Link> {
        let target = |name: &str| {
            if name == self.spec.name.as_str() {
                return Some(self.label.clone());
            }
            let live = label_of(name);
            if facts.tables.contains_key(&live) {
                return Some(live);
            }
            let aside = all.iter().rev().find(|other| other.spec.name.as_str() == name);
            aside.map(|other| other.label.clone())
        };
        let own = self.spec.columns.iter();
        let own = own.filter_map(|column| reference(&self.spec.name, &column.name, column, target));
        own.chain(removed_links(self.spec, target)).collect()
    }
}

/// What columns that lie aside refer to; the database holds them to it no more.
fn removed_links<'a>(
    spec: &'a TableSpec,
    target: impl Fn(&str) -> Option<String> + Copy + 'a,
) -> impl Iterator<Item = Link> + 'a {
    spec.removed.iter().filter_map(move |removed| {
        let link = reference(&spec.name, &removed.hidden(), &removed.column, target)?;
        Some(Link {
            origin: LinkOrigin::Declared,
            ..link
        })
    })
}

/// The link of a column of a deleted table. What would keep rows of live tables from going was taken off it.
fn reference(
    table: &Ident,
    name: &Ident,
    column: &ColumnSpec,
    target: impl Fn(&str) -> Option<String>,
) -> Option<Link> {
    let reference = column.references.as_ref()?;
    let kept = !matches!(reference.on_delete, OnDelete::NoAction | OnDelete::Restrict);
    let constraint = Ident::new(format!("{table}_{name}_fkey")).ok().filter(|_| kept);
    Some(Link {
        columns: vec![name.clone()],
        to: Some(target(reference.table.as_str())?),
        references: vec![reference.column.clone()],
        origin: match constraint {
            Some(name) => LinkOrigin::ForeignKey {
                name,
                on_delete: reference.on_delete.sql().to_owned(),
            },
            None => LinkOrigin::Declared,
        },
    })
}
