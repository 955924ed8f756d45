//! What a database enforces beyond what a catalog tells of each schema alone: foreign keys from wherever they come.

use std::collections::BTreeMap;

use super::Dialect;
use super::facts::{Facts, Link, LinkOrigin, Table};
use super::read::label_of;
use super::sql::{Sql, Statement};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::catalog::Column;

/// Reads the foreign keys that lead to tables of those schemas, one row for each of their columns, in order. Of MySQL, where
/// the schema is the database, those from other databases.
pub(crate) fn keys(dialect: Dialect, schemas: &[Ident]) -> Statement {
    let mut sql = Sql::new(dialect);
    let (before, after) = match dialect {
        Dialect::Postgres => (POSTGRES, POSTGRES_ROOT),
        Dialect::Cockroach => (POSTGRES, COCKROACH_ROOT),
        Dialect::MySql => (MYSQL, ""),
    };
    sql.push(before);
    sql.push(after);
    sql.push(match dialect {
        Dialect::MySql => " where k.referenced_table_schema",
        _ => POSTGRES_REST,
    });
    sql.push(" in (");
    for (at, schema) in schemas.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { "" });
        sql.bind(schema.as_str());
    }
    sql.push(match dialect {
        Dialect::MySql => {
            ") and k.table_schema <> k.referenced_table_schema
             order by k.table_schema, k.table_name, k.constraint_name, k.ordinal_position"
        }
        _ => ") order by n.nspname, c.relname, k.conname, u.place",
    });
    sql.done()
}

const POSTGRES: &str = "
    select n.nspname::text, c.relname::text, k.conname::text,
      case k.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default'
        when 'r' then 'restrict' else 'no action' end,
      s.nspname::text, t.relname::text, a.attname::text, b.attname::text,
      pg_catalog.format_type(coalesce(nullif(y.typbasetype, 0), y.oid),
        case when y.typbasetype = 0 then a.atttypmod else y.typtypmod end),
      k.confmatchtype::text
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_class c on c.oid = k.conrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_class t on t.oid = ";
/// What leads to a partition leads to rows of its parent.
const POSTGRES_ROOT: &str = "coalesce(pg_catalog.pg_partition_root(k.confrelid)::oid, k.confrelid)";
const COCKROACH_ROOT: &str = "k.confrelid";
const POSTGRES_REST: &str = "
    join pg_catalog.pg_namespace s on s.oid = t.relnamespace
    cross join lateral unnest(k.conkey) with ordinality u (own, place)
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.own
    join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[u.place::int]
    join pg_catalog.pg_type y on y.oid = a.atttypid
    where k.contype = 'f' and k.conparentid = 0 and s.nspname";
const MYSQL: &str = "
    select k.table_schema, k.table_name, k.constraint_name, lower(r.delete_rule), k.referenced_table_schema,
      k.referenced_table_name, k.column_name, k.referenced_column_name, c.column_type, 's'
    from information_schema.key_column_usage k
    join information_schema.referential_constraints r on r.constraint_schema = k.constraint_schema
      and r.constraint_name = k.constraint_name and r.table_name = k.table_name
    join information_schema.columns c on c.table_schema = k.table_schema and c.table_name = k.table_name
      and c.column_name = k.column_name";

/// A foreign key, of as many rows as it has columns.
struct Key {
    schema: Ident,
    table: Ident,
    name: Ident,
    on_delete: String,
    to_schema: Ident,
    to: Ident,
    columns: Vec<(Column, Ident)>,
    /// Whether its columns are empty together or not at all.
    whole: bool,
}

impl Facts {
    /// Adds what the rows of [`keys`] say and nothing has said so far: links between tables of several schemas, and tables
    /// outside of what is looked at.
    ///
    /// # Errors
    /// When a row is none of [`keys`].
    pub(crate) fn add_keys(&mut self, rows: &[Vec<Option<String>>]) -> Result<()> {
        let mut keys: Vec<Key> = Vec::new();
        for row in rows {
            let next = Key::read(row)?;
            match keys.last_mut().filter(|last| last.is_of(&next)) {
                Some(last) => last.columns.extend(next.columns),
                None => keys.push(next),
            }
        }
        for key in keys {
            self.add_key(key);
        }
        Ok(())
    }

    fn add_key(&mut self, key: Key) {
        // Of MySQL one database is looked at, and nothing of another one's.
        let to = self.label(&key.to, |schema| schema.is_none_or(|own| *own == key.to_schema));
        let Some(to) = to else { return };
        let (columns, references): (Vec<Column>, Vec<Ident>) = key.columns.into_iter().unzip();
        let link = Link {
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            to: Some(to),
            references,
            origin: LinkOrigin::ForeignKey {
                name: key.name,
                on_delete: key.on_delete,
            },
        };
        let known = self.label(&key.table, |schema| schema == Some(&key.schema));
        if let Some(table) = known.and_then(|label| self.tables.get_mut(&label)) {
            if key.whole && link.columns.len() > 1 {
                table.whole.push(link.columns.clone());
            }
            table.enforce(link);
            return;
        }
        let label = format!("{}.{}", label_of(key.schema.as_str()), label_of(key.table.as_str()));
        let table = self.outside.entry(label).or_insert_with(|| Table {
            schema: Some(key.schema),
            name: key.table,
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique_keys: Vec::new(),
            links: Vec::new(),
            whole: Vec::new(),
            collations: BTreeMap::new(),
            checks: Vec::new(),
            trashed: false,
        });
        for column in columns {
            if table.column(column.name.as_str()).is_none() {
                table.columns.push(column);
            }
        }
        table.links.push(link);
    }

    /// The label of the table of that name in such a schema, if it is looked at.
    fn label(&self, name: &Ident, of: impl Fn(Option<&Ident>) -> bool) -> Option<String> {
        let mut tables = self.tables.iter();
        let found = tables.find(|(_, table)| table.name == *name && of(table.schema.as_ref()));
        found.map(|(label, _)| label.clone())
    }
}

impl Table {
    /// Takes a link for one that the database holds it to: what was declared or guessed says less.
    fn enforce(&mut self, link: Link) {
        let name = |link: &Link| match &link.origin {
            LinkOrigin::ForeignKey { name, .. } => Some(name.clone()),
            _ => None,
        };
        match self.links.iter_mut().find(|other| other.leads_as(&link)) {
            // Another one of the same columns.
            Some(known) if name(known).is_some_and(|known| Some(known) != name(&link)) => {}
            Some(known) => known.origin = link.origin,
            None => {
                self.links
                    .retain(|other| other.origin != LinkOrigin::Owner || other.columns != link.columns);
                self.links.push(link);
            }
        }
    }
}

impl Key {
    fn read(row: &[Option<String>]) -> Result<Self> {
        let text = |at: usize| {
            let text = row.get(at).and_then(Option::as_deref);
            text.ok_or_else(|| Error::internal("a foreign key without a part"))
        };
        let name = |at: usize| Ident::new(text(at)?);
        let column = Column {
            name: name(6)?,
            data_type: text(8)?.to_owned(),
            base_type: None,
            nullable: true,
            default: None,
            generated: false,
            comment: None,
        };
        Ok(Self {
            schema: name(0)?,
            table: name(1)?,
            name: name(2)?,
            on_delete: text(3)?.to_owned(),
            to_schema: name(4)?,
            to: name(5)?,
            columns: vec![(column, name(7)?)],
            whole: text(9)? == "f",
        })
    }

    fn is_of(&self, other: &Self) -> bool {
        (&self.schema, &self.table, &self.name) == (&other.schema, &other.table, &other.name)
    }
}

#[cfg(test)]
mod tests;
