//! How MySQL compares texts: each column its own way, so that two rows may be one person's in one table and two people's in
//! another.

use super::Dialect;
use super::facts::{Collation, Facts};
use super::sql::{Sql, Statement};
use crate::error::{Error, Result};
use crate::ident::Ident;

/// Reads how the columns of a database compare texts.
pub(crate) fn collations(database: &Ident) -> Statement {
    let mut sql = Sql::new(Dialect::MySql);
    sql.push(
        "select table_name, column_name, character_set_name, collation_name from information_schema.columns
         where collation_name is not null and table_schema = ",
    );
    sql.bind(database.as_str());
    sql.done()
}

impl Facts {
    /// Adds what the rows of [`collations`] say.
    ///
    /// # Errors
    /// When a row is none of them.
    pub(crate) fn add_collations(&mut self, rows: Vec<Vec<Option<String>>>) -> Result<()> {
        for row in rows {
            let Ok([Some(table), Some(column), Some(charset), Some(name)]) = <[_; 4]>::try_from(row) else {
                return Err(Error::internal("a collation without a part"));
            };
            if let Some(table) = self.tables.get_mut(&table)
                && let Some(column) = table.column(&column).map(|column| column.name.clone())
            {
                let (charset, name) = (Ident::new(charset)?, Ident::new(name)?);
                table.collations.insert(column, Collation { charset, name });
            }
        }
        Ok(())
    }
}
