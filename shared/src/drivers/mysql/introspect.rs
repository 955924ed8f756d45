//! The catalog of one database, from `information_schema`. MySQL answers labels in upper case and rows in an order of its
//! own: every column has an alias, every list an order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::{FromRow, Queryable as _};
use tokio::time::Instant;

use super::connect::{self, DialError, Pool};
use super::error;
use crate::backend::{Indexes, Place, Probed, Snapshot, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::query::mysql::Flavour;
use crate::schema::catalog::{
    Catalog, Column, Declared, DeclaredKey, ForeignKey, KeyBetween, Keys, Qualified, Relation, RelationKind, Writable,
};

/// Longest time the questions about a database that is tried may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);
const TABLES: &str = "
    select t.table_name as a, t.table_type as b, t.table_comment as c, coalesce(v.is_updatable, 'YES') as d,
      cast(t.table_rows as signed) as e
    from information_schema.tables t
    left join information_schema.views v on v.table_schema = t.table_schema and v.table_name = t.table_name
    where t.table_schema = ? order by 1";
const COLUMNS: &str = "
    select table_name as a, column_name as b, column_type as c, is_nullable as d, column_default as e, extra as f,
      column_comment as g
    from information_schema.columns where table_schema = ? order by table_name, ordinal_position";
/// MariaDB shows JSON as a text with this check.
const JSON: &str = "
    select table_name as a, check_clause as b from information_schema.check_constraints
    where constraint_schema = ? and check_clause like 'json\\_valid(%' order by 1, 2";
/// A key over parts of columns says nothing of whole ones.
const UNIQUE: &str = "
    select table_name as a, index_name as b, column_name as c, sub_part as d
    from information_schema.statistics where table_schema = ? and non_unique = 0
    order by table_name, index_name, seq_in_index";
const FOREIGN: &str = "
    select table_name as a, constraint_name as b, column_name as c, referenced_table_schema as d,
      referenced_table_name as e, referenced_column_name as f
    from information_schema.key_column_usage where table_schema = ? and referenced_table_name is not null
    order by table_name, constraint_name, ordinal_position";

/// Over whole columns.
const INDEXES: &str = "
    select table_name as a, index_name as b, column_name as c
    from information_schema.statistics where table_schema = ? and column_name is not null and sub_part is null
    order by table_name, index_name, seq_in_index";

/// The columns of each index.
///
/// # Errors
/// As [`catalog`].
pub(super) async fn indexes(pool: &Pool, place: &Place, deadline: Duration) -> Result<Indexes> {
    let end = Instant::now() + deadline;
    let mut held = pool.connect(end).await?;
    let Some((conn, _)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let rows = tokio::time::timeout_at(end, ask::<(String, String, String)>(conn, INDEXES, &place.schema)).await;
    let rows = rows.map_err(|_| unreadable("no indexes before the deadline"))?;
    let rows = rows.map_err(unreadable)?;
    held.give_back();
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (table, index, column) in rows {
        found.entry((table, index)).or_default().push(column);
    }
    let mut indexes = Indexes::new();
    for ((table, _), columns) in found {
        indexes.entry(table).or_default().push(columns);
    }
    Ok(indexes)
}

/// Reads the catalog.
///
/// # Errors
/// As a connection's; `PGRST002` when it cannot be read in time.
pub(super) async fn catalog(pool: &Pool, place: &Place, deadline: Duration) -> Result<Snapshot> {
    let end = Instant::now() + deadline;
    let mut held = pool.connect(end).await?;
    let Some((conn, flavour)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let found = tokio::time::timeout_at(end, Found::read(conn, flavour, &place.schema)).await;
    let found = found.map_err(|_| unreadable("no catalog before the deadline"))?;
    let found = found.map_err(unreadable)?;
    held.give_back();
    Ok(Snapshot {
        catalog: found.catalog(&place.schema, &place.declared),
        version: 0,
    })
}

/// Looks at a database that nobody uses yet.
///
/// # Errors
/// As [`crate::backend::Driver::probe`].
pub(super) async fn probe(target: &Target, schema: &Ident) -> Result<Probed> {
    let (mut conn, flavour) = connect::alone(target).await?;
    let found = tokio::time::timeout(PROBE_DEADLINE, Found::read(&mut conn, flavour, schema)).await;
    let found = found.map_err(|_| error::refused_probe(DialError::Deadline))?;
    let found = found.map_err(|failed| error::refused_probe(DialError::Server(failed)))?;
    let rows = found.tables.iter();
    let rows = rows.filter_map(|(name, _, _, _, rows)| Some((name.clone(), (*rows)?)));
    let probed = Probed {
        rows: rows.collect(),
        catalog: found.catalog(schema, &Declared::default()),
    };
    // It is closed in any case.
    let _left = tokio::time::timeout(PROBE_DEADLINE, conn.disconnect()).await;
    Ok(probed)
}

pub(super) fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "PGRST002",
        "Could not query the database for the schema cache. Retrying.",
    )
    .with_retry_after(1)
    .with_source(source)
}

type TableRow = (String, String, String, String, Option<i64>);
type ColumnRow = (String, String, String, String, Option<String>, String, String);
type UniqueRow = (String, String, Option<String>, Option<u64>);
type ForeignRow = (String, String, String, String, String, String);

/// What `information_schema` answers.
struct Found {
    tables: Vec<TableRow>,
    columns: Vec<ColumnRow>,
    json: BTreeSet<(String, String)>,
    unique: Vec<UniqueRow>,
    foreign: Vec<ForeignRow>,
}

impl Found {
    async fn read(conn: &mut Conn, flavour: Flavour, schema: &Ident) -> Result<Self, mysql_async::Error> {
        let json: Vec<(String, String)> = match flavour {
            Flavour::MariaDb => ask(conn, JSON, schema).await?,
            Flavour::MySql => Vec::new(),
        };
        Ok(Self {
            tables: ask(conn, TABLES, schema).await?,
            columns: ask(conn, COLUMNS, schema).await?,
            json: json.into_iter().collect(),
            unique: ask(conn, UNIQUE, schema).await?,
            foreign: ask(conn, FOREIGN, schema).await?,
        })
    }

    fn catalog(self, schema: &Ident, declared: &Declared) -> Catalog {
        let mut relations = self.relations(declared);
        let mut keys = Keys::default();
        for (table, primary) in self.unique_keys(&mut relations) {
            keys.primary.insert(of(schema, table), primary);
        }
        let declared: Vec<_> = declared.keys.iter().filter(|key| joins(&relations, key)).collect();
        let own = self.foreign_keys(schema);
        // What the database says itself is not said twice.
        let known = |key: &DeclaredKey| own.iter().any(|own| is_same(own, key));
        let declared: Vec<_> = declared
            .into_iter()
            .filter(|key| !known(key))
            .map(|key| between(schema, key))
            .collect();
        for key in own.into_iter().chain(declared) {
            let Some(relation) = relations.get_mut(key.table.name.as_str()) else {
                continue;
            };
            if key.target.schema == *schema {
                relation.foreign_keys.push(ForeignKey {
                    name: key.constraint.clone(),
                    columns: key.columns.clone(),
                    table: key.target.name.clone(),
                    references: key.references.clone(),
                });
            }
            let own: BTreeSet<_> = key.columns.iter().collect();
            let same = |columns: &Vec<Ident>| columns.iter().collect::<BTreeSet<_>>() == own;
            let unique = relation.unique_keys.iter().any(same) || same(&relation.primary_key);
            keys.between.push(KeyBetween { unique, ..key });
        }
        let relationships = keys.relationships(schema, |name| relations.contains_key(name.as_str()));
        Catalog {
            schema: Some(schema.clone()),
            relations,
            relationships,
            ..Catalog::default()
        }
    }

    fn relations(&self, declared: &Declared) -> BTreeMap<String, Relation> {
        let mut relations = BTreeMap::new();
        for (name, kind, comment, updatable, _) in &self.tables {
            // A name of 64 letters is one too many for us.
            let Ok(ident) = Ident::new(name.as_str()) else { continue };
            let kind = match kind.as_str() {
                "BASE TABLE" | "SYSTEM VERSIONED" => RelationKind::Table,
                "VIEW" => RelationKind::View,
                _ => continue,
            };
            let writes = updatable == "YES";
            let relation = Relation {
                hidden: crate::schema::catalog::Hidden::default(),
                name: ident,
                kind,
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
                foreign_keys: Vec::new(),
                computed: Vec::new(),
                writable: Writable {
                    insert: writes,
                    update: writes,
                    delete: writes,
                },
                // Of a view it is just "VIEW".
                comment: Some(comment.clone()).filter(|text| !text.is_empty() && kind != RelationKind::View),
            };
            relations.insert(name.clone(), relation);
        }
        for row in &self.columns {
            if let (Some(relation), Some(column)) = (relations.get_mut(&row.0), self.column(row, declared)) {
                relation.columns.push(column);
            }
        }
        relations
    }

    fn column(&self, row: &ColumnRow, declared: &Declared) -> Option<Column> {
        let (table, name, data_type, nullable, default, extra, comment) = row;
        // Its clause names the column as an identifier.
        let ident = Ident::new(name.as_str()).ok()?;
        let check = format!("json_valid({})", ident.backticked());
        let is_json = data_type == "json" || self.json.contains(&(table.clone(), check));
        let extra = extra.to_ascii_uppercase();
        let default = match extra.contains("AUTO_INCREMENT") {
            true => Some("auto_increment".to_owned()),
            // MariaDB writes a default of null out.
            false => default.clone().filter(|text| text != "NULL"),
        };
        Some(Column {
            name: ident,
            data_type: match data_type.as_str() {
                _ if is_json => "json".to_owned(),
                "tinyint(1)" if declared.tinyint1_is_bool => "boolean".to_owned(),
                other => other.to_owned(),
            },
            base_type: None,
            nullable: nullable == "YES",
            default,
            generated: extra.contains("STORED GENERATED") || extra.contains("VIRTUAL GENERATED"),
            comment: Some(comment.clone()).filter(|text| !text.is_empty()),
        })
    }

    /// Puts unique keys into their relations, and answers the primary ones.
    fn unique_keys(&self, relations: &mut BTreeMap<String, Relation>) -> Vec<(Ident, Vec<Ident>)> {
        let mut indexes: BTreeMap<(&str, &str), Option<Vec<Ident>>> = BTreeMap::new();
        for (table, index, column, part) in &self.unique {
            let columns = indexes.entry((table, index)).or_insert_with(|| Some(Vec::new()));
            let whole = column.as_deref().filter(|_| part.is_none());
            match (columns.as_mut(), whole.and_then(|name| Ident::new(name).ok())) {
                (Some(columns), Some(column)) => columns.push(column),
                _ => *columns = None,
            }
        }
        let mut primary = Vec::new();
        for ((table, index), columns) in indexes {
            let (Some(relation), Some(columns)) = (relations.get_mut(table), columns) else {
                continue;
            };
            if index == "PRIMARY" {
                relation.primary_key.clone_from(&columns);
                primary.push((relation.name.clone(), columns));
            } else {
                relation.unique_keys.push(columns);
            }
        }
        primary
    }

    fn foreign_keys(&self, schema: &Ident) -> Vec<KeyBetween> {
        let mut found: BTreeMap<(&str, &str), KeyBetween> = BTreeMap::new();
        for (table, constraint, column, target_schema, target, reference) in &self.foreign {
            let names = [table, constraint, column, target_schema, target, reference];
            let [
                Ok(own),
                Ok(named),
                Ok(column),
                Ok(target_schema),
                Ok(target),
                Ok(reference),
            ] = names.map(|name| Ident::new(name.as_str()))
            else {
                continue;
            };
            let key = found.entry((table, constraint)).or_insert_with(|| KeyBetween {
                constraint: named,
                table: of(schema, own),
                columns: Vec::new(),
                target: of(&target_schema, target),
                references: Vec::new(),
                unique: false,
            });
            key.columns.push(column);
            key.references.push(reference);
        }
        found.into_values().collect()
    }
}

pub(super) async fn ask<T: FromRow + Send + 'static>(
    conn: &mut Conn,
    sql: &'static str,
    schema: &Ident,
) -> Result<Vec<T>, mysql_async::Error> {
    conn.exec(sql, (schema.as_str(),)).await
}

/// Whether both ends of a key are there, with all their columns.
fn joins(relations: &BTreeMap<String, Relation>, key: &DeclaredKey) -> bool {
    let has = |table: &Ident, columns: &[Ident]| {
        let relation = relations.get(table.as_str());
        relation.is_some_and(|relation| columns.iter().all(|column| relation.column(column.as_str()).is_some()))
    };
    has(&key.table, &key.columns) && has(&key.references, &key.referenced_columns)
}

fn is_same(own: &KeyBetween, key: &DeclaredKey) -> bool {
    own.table.name == key.table
        && own.target.name == key.references
        && own.columns == key.columns
        && own.references == key.referenced_columns
}

fn between(schema: &Ident, key: &DeclaredKey) -> KeyBetween {
    KeyBetween {
        constraint: key.name(),
        table: of(schema, key.table.clone()),
        columns: key.columns.clone(),
        target: of(schema, key.references.clone()),
        references: key.referenced_columns.clone(),
        unique: false,
    }
}

fn of(schema: &Ident, name: Ident) -> Qualified {
    Qualified {
        schema: schema.clone(),
        name,
    }
}
