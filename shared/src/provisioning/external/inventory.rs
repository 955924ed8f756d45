//! What is in a user's database, told when it becomes a backend.

use serde::Serialize;
use tokio_postgres::Client;

use crate::backend::Probed;
use crate::control::texts;
use crate::error::Result;
use crate::ident::Ident;

/// Tables and relationships that are told; a database may have any number.
const MOST: usize = 200;

/// What the exposed schemas hold, as far as the login sees it.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Tables and views, by schema and name; 200 at most.
    pub tables: Vec<InventoryTable>,
    /// Foreign keys between tables; 200 at most.
    pub relationships: Vec<InventoryRelationship>,
    /// Whether there is more than is told.
    pub truncated: bool,
}

/// A table or view.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `table`, `view`, `materialized view` or `foreign table`.
    pub kind: String,
    /// How many columns it has.
    pub columns: i64,
    /// The server's own guess at its rows; null where it has none.
    pub rows_estimate: Option<i64>,
}

/// A foreign key.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryRelationship {
    /// The constraint's name.
    pub name: String,
    /// The referencing table, with its schema.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The referenced table, with its schema.
    pub references: String,
    /// Its columns, pairwise.
    pub referenced_columns: Vec<String>,
}

impl Inventory {
    /// Of what a driver found.
    pub(super) fn of(found: &Probed) -> Self {
        let catalog = &found.catalog;
        let schema = catalog.schema.as_ref().map(Ident::to_string).unwrap_or_default();
        let names = |idents: &[Ident]| idents.iter().map(Ident::to_string).collect();
        let qualified = |name: &Ident| format!("{schema}.{name}");
        let relations = catalog.relations.values();
        let tables = relations.clone().map(|relation| InventoryTable {
            schema: schema.clone(),
            name: relation.name.to_string(),
            kind: if relation.kind.is_table() { "table" } else { "view" }.to_owned(),
            columns: i64::try_from(relation.columns.len()).unwrap_or(i64::MAX),
            rows_estimate: found.rows.get(relation.name.as_str()).copied(),
        });
        let keys = relations.flat_map(|relation| relation.foreign_keys.iter().map(move |key| (relation, key)));
        let relationships = keys.clone().map(|(relation, key)| InventoryRelationship {
            name: key.name.to_string(),
            table: qualified(&relation.name),
            columns: names(&key.columns),
            references: qualified(&key.table),
            referenced_columns: names(&key.references),
        });
        Self {
            truncated: catalog.relations.len() > MOST || keys.count() > MOST,
            tables: tables.take(MOST).collect(),
            relationships: relationships.take(MOST).collect(),
        }
    }
}

/// Looks around in these schemas.
///
/// # Errors
/// As a statement on that connection.
pub(super) async fn look(client: &Client, schemas: &[Ident]) -> Result<Inventory, tokio_postgres::Error> {
    let names: Vec<String> = schemas.iter().map(Ident::to_string).collect();
    // One more of each than is told: whether there are more.
    let tables = format!(
        "select n.nspname::text, c.relname::text,
           case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
             else 'table' end,
           (select count(*) from pg_catalog.pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
           case when c.relkind in ('r', 'm') and c.reltuples >= 0 then c.reltuples::int8 end
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
         order by 1, 2 limit {}",
        MOST + 1
    );
    let keys = format!(
        "select k.conname::text, n.nspname || '.' || c.relname,
           array(select a.attname::text from unnest(k.conkey) with ordinality u (number, at)
             join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number order by u.at),
           fn.nspname || '.' || f.relname,
           array(select a.attname::text from unnest(k.confkey) with ordinality u (number, at)
             join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number order by u.at)
         from pg_catalog.pg_constraint k
         join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         join pg_catalog.pg_class f on f.oid = k.confrelid join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
         where k.contype = 'f' and k.conparentid = 0 and n.nspname = any($1::text[])
         order by 2, 1 limit {}",
        MOST + 1
    );
    let params = [texts(&names)];
    let (tables, keys) =
        futures_util::future::try_join(client.query_typed(&tables, &params), client.query_typed(&keys, &params))
            .await?;
    let told = |row: &tokio_postgres::Row| InventoryTable {
        schema: row.get(0),
        name: row.get(1),
        kind: row.get(2),
        columns: row.get(3),
        rows_estimate: row.get(4),
    };
    let key = |row: &tokio_postgres::Row| InventoryRelationship {
        name: row.get(0),
        table: row.get(1),
        columns: row.get(2),
        references: row.get(3),
        referenced_columns: row.get(4),
    };
    Ok(Inventory {
        truncated: tables.len() > MOST || keys.len() > MOST,
        tables: tables.iter().take(MOST).map(told).collect(),
        relationships: keys.iter().take(MOST).map(key).collect(),
    })
}
