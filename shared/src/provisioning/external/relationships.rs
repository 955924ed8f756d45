//! Relationships that a database does not declare: PlanetScale's often have no foreign keys.

use serde_json::Value;

use crate::connections::{Section, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, DeclaredKey};

const NAME: &str = "relationships";
const MEMBERS: [&str; 4] = ["table", "columns", "references", "referencedColumns"];
/// As many may be declared.
const MOST: usize = 500;
/// Columns of one of them.
const MOST_COLUMNS: usize = 16;

/// Reads `relationships`.
pub(super) fn read(section: &mut Section<'_, '_>) -> Vec<DeclaredKey> {
    let Some(value) = section.value(NAME) else {
        return Vec::new();
    };
    let Some(items) = value.as_array().filter(|items| items.len() <= MOST) else {
        section.fault(NAME, format!("a list of at most {MOST} objects is expected"));
        return Vec::new();
    };
    let read = items.iter().enumerate().filter_map(|(at, item)| one(section, at, item));
    read.collect()
}

fn one(section: &mut Section<'_, '_>, at: usize, item: &Value) -> Option<DeclaredKey> {
    let Some(members) = item.as_object() else {
        section.fault(&format!("{NAME}[{at}]"), "an object is expected");
        return None;
    };
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        let path = format!("{NAME}[{at}].{}", shown(name));
        section.fault(&path, "there is no such setting");
    }
    let mut name = |member: &str| -> Option<Ident> {
        let name = item[member].as_str().and_then(|name| Ident::new(name).ok());
        if name.is_none() {
            let path = format!("{NAME}[{at}].{member}");
            section.fault(&path, "a name of 1 to 63 bytes is expected");
        }
        name
    };
    let (table, references) = (name("table"), name("references"));
    let mut names = |member: &str| -> Option<Vec<Ident>> {
        let names = item[member].as_array();
        let names = names.filter(|names| (1..=MOST_COLUMNS).contains(&names.len()));
        let names = names.and_then(|names| names.iter().map(|name| Ident::new(name.as_str()?).ok()).collect());
        if names.is_none() {
            let path = format!("{NAME}[{at}].{member}");
            section.fault(&path, format!("a list of 1 to {MOST_COLUMNS} names is expected"));
        }
        names
    };
    let (columns, referenced_columns) = (names("columns")?, names("referencedColumns")?);
    if columns.len() != referenced_columns.len() {
        let path = format!("{NAME}[{at}].referencedColumns");
        section.fault(&path, "as many names as columns has are expected");
        return None;
    }
    Some(DeclaredKey {
        table: table?,
        columns,
        references: references?,
        referenced_columns,
    })
}

/// Whether all that they name is there; the catalog has them from then on.
///
/// # Errors
/// `external/no-such-table`, `external/no-such-column` (422).
pub(super) fn check(declared: &[DeclaredKey], catalog: &mut Catalog) -> Result<()> {
    for (at, key) in declared.iter().enumerate() {
        let ends = [
            ("table", &key.table, "columns", &key.columns),
            (
                "references",
                &key.references,
                "referencedColumns",
                &key.referenced_columns,
            ),
        ];
        for (member, table, list, columns) in ends {
            let path = format!("config.rest.{NAME}[{at}]");
            let Some(relation) = catalog.relations.get(table.as_str()) else {
                let details = format!("{path}.{member}: \"{table}\"");
                return Err(missing("external/no-such-table", "A table is not there", details));
            };
            let lacking = columns
                .iter()
                .position(|column| relation.column(column.as_str()).is_none());
            if let Some((place, column)) = lacking.and_then(|place| Some((place, columns.get(place)?))) {
                let details = format!("{path}.{list}[{place}]: \"{column}\" of \"{table}\"");
                return Err(missing("external/no-such-column", "A column is not there", details));
            }
        }
    }
    for key in declared {
        let Some(relation) = catalog.relations.get_mut(key.table.as_str()) else {
            continue;
        };
        let foreign = key.foreign_key();
        let same = |own: &crate::schema::catalog::ForeignKey| {
            (&own.table, &own.columns, &own.references) == (&foreign.table, &foreign.columns, &foreign.references)
        };
        if !relation.foreign_keys.iter().any(same) {
            relation.foreign_keys.push(foreign);
        }
    }
    Ok(())
}

fn missing(code: &'static str, public: &'static str, details: String) -> Error {
    Error::new(ErrorKind::Unprocessable, code, public)
        .with_details(details)
        .with_hint("Check its spelling, or make it first")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::fault::Faults;

    #[test]
    fn every_part_is_read_and_faults_are_told_by_their_path() {
        let good =
            json!({"table": "tasks", "columns": ["project_id"], "references": "projects", "referencedColumns": ["id"]});
        for (value, expected) in [
            (json!([good]), ""),
            (json!(null), ""),
            (
                json!("x"),
                "config.rest.relationships: a list of at most 500 objects is expected",
            ),
            (json!([1]), "config.rest.relationships[0]: an object is expected"),
            (
                json!([good, {"table": "", "columns": [], "references": "p", "referencedColumns": ["id"], "on": 1}]),
                "config.rest.relationships[1].on: there is no such setting\n\
                 config.rest.relationships[1].table: a name of 1 to 63 bytes is expected\n\
                 config.rest.relationships[1].columns: a list of 1 to 16 names is expected",
            ),
            (
                json!([{"table": "t", "columns": ["a", "b"], "references": "p", "referencedColumns": ["id"]}]),
                "config.rest.relationships[0].referencedColumns: as many names as columns has are expected",
            ),
        ] {
            let whole = json!({ "relationships": value });
            let mut faults = Faults::default();
            read(&mut Section::new("config.rest", "x", &whole, &[NAME], &mut faults));
            assert_eq!(faults.to_string(), expected, "{value}");
        }
    }
}
