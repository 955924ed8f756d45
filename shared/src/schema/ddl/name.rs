//! Names of constraints and indexes: they follow from the table and its columns, so that a later change finds them.

use sha2::{Digest, Sha256};

use crate::ident::Ident;
use crate::schema::spec::{IndexMethod, IndexSpec, TableSpec};

/// Most columns of an index in Postgres.
pub const MAX_INDEX_COLUMNS: usize = 32;

/// `parts` joined by underscores, and a suffix. What would be longer than a name may be is cut and gets eight digits
/// of a digest of the whole, so that two long names stay two.
pub fn joined(parts: &[&str], suffix: &str) -> Ident {
    let whole = parts.join("_");
    let name = if whole.len() + suffix.len() <= Ident::MAX_BYTES {
        format!("{whole}{suffix}")
    } else {
        let digest: String = Sha256::digest(whole.as_bytes())
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let room = Ident::MAX_BYTES - suffix.len() - digest.len() - 1;
        let head: String = whole
            .chars()
            .scan(0, |used, c| {
                *used += c.len_utf8();
                (*used <= room).then_some(c)
            })
            .collect();
        format!("{head}_{digest}{suffix}")
    };
    Ident::new(name).unwrap_or_else(|_| unreachable!("parts are names and the length is cut"))
}

/// The name of an index.
pub fn index(table: &Ident, index: &IndexSpec) -> Ident {
    let mut parts = vec![table.as_str()];
    parts.extend(index.columns.iter().map(Ident::as_str));
    joined(
        &parts,
        match (index.unique, index.method) {
            (true, _) => "_unique_idx",
            (false, IndexMethod::Btree) => "_idx",
            (false, IndexMethod::Gin) => "_gin_idx",
        },
    )
}

/// The name of the primary key.
pub fn primary_key(table: &Ident) -> Ident {
    joined(&[table.as_str()], "_pkey")
}

/// The name of a column's constraint: `_key`, `_fkey`, `_check`.
pub fn constraint(table: &Ident, column: &Ident, suffix: &'static str) -> Ident {
    joined(&[table.as_str(), column.as_str()], suffix)
}

/// The name of the index that finds deleted rows.
pub fn deleted(table: &Ident) -> Ident {
    joined(&[table.as_str(), "plinth_deleted"], "_idx")
}

/// Every index of a table, those of its keys included: names that are taken in the schema.
pub fn relations(spec: &TableSpec) -> Vec<Ident> {
    let mut names = Vec::new();
    if spec.primary_key().next().is_some() {
        names.push(primary_key(&spec.name));
    }
    names.extend(
        spec.columns
            .iter()
            .filter(|column| column.unique)
            .map(|column| constraint(&spec.name, &column.name, "_key")),
    );
    names.extend(spec.indexes.iter().map(|found| index(&spec.name, found)));
    names.extend(spec.soft_delete.then(|| deleted(&spec.name)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_long_names_fit_and_differ() {
        let long = "a".repeat(63);
        let (one, two) = (joined(&[&long, "x"], "_key"), joined(&[&long, "y"], "_key"));
        assert_eq!(one.as_str().len(), 63);
        assert_ne!(one, two);
        assert!(one.as_str().ends_with("_key"));
        assert_eq!(joined(&["todos", "title"], "_key").as_str(), "todos_title_key");
    }
}
