//! Policies as they are given: checked against the tables that are there, and against what the engine can say exactly.

use serde_json::{Map, Value};

use super::{Policies, RowRules, RuleBook};
use crate::ident::Ident;
use crate::query::mysql;
use crate::query::plan::nearest;
use crate::schema::catalog::{Catalog, Column, Relation};
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::fault::{Fault, Faults};
use crate::schema::known::Known;
use crate::schema::policy::{self, Grantee, PolicySpec};
use crate::schema::spec::{self, ColumnSpec, MAX_POLICIES, Reading, TableSpec};

/// Reads `{"policies": […]}` of a table, beside the policies of the others; expressions become canonical.
///
/// # Errors
/// Every fault, each with its path: the designer's, and `rules/…` for what the engine could not say exactly.
pub fn read(
    json: &Map<String, Value>,
    table: &Relation,
    others: &Policies,
    catalog: &Catalog,
) -> Result<Vec<PolicySpec>, Faults> {
    let mut reading = Reading::default();
    let mut others = others.clone();
    others.remove(table.name.as_str());
    let known = known(&others, catalog);
    let policies = spec::read_policies(json, "", &mut reading);
    if policies.len() > MAX_POLICIES {
        let message = format!("A table has {MAX_POLICIES} policies at most");
        reading.faults.push(Fault::new("policies", "schema/policy", message));
    }
    let mut design = design(table, policies);
    policy::verify(&mut design, &known, &mut reading);
    if !reading.faults.is_empty() {
        return Err(named(reading.faults, catalog));
    }
    others.insert(table.name.to_string(), design.policies.clone());
    exact(table, &others, catalog)?;
    Ok(design.policies)
}

/// The tables with their policies, as the designer knows tables.
pub(super) fn known(policies: &Policies, catalog: &Catalog) -> Known {
    let of = |relation: &Relation| policies.get(relation.name.as_str()).cloned().unwrap_or_default();
    Known::new(
        catalog
            .relations
            .values()
            .map(|relation| design(relation, of(relation))),
    )
}

/// A table as a design. Of types the designer's checks ask one thing only: what can hold a user's id.
fn design(relation: &Relation, policies: Vec<PolicySpec>) -> TableSpec {
    let column = |column: &Column| {
        let scalar = if mysql::holds_id(column.value_type()) {
            Scalar::Uuid
        } else {
            Scalar::Text
        };
        ColumnSpec::new(column.name.clone(), DataType::scalar(scalar))
    };
    TableSpec {
        name: relation.name.clone(),
        comment: None,
        enums: Vec::new(),
        columns: relation.columns.iter().map(column).collect(),
        indexes: Vec::new(),
        policies,
        timestamps: false,
        removed: Vec::new(),
        soft_delete: false,
    }
}

/// Writes every rule of the table once, for nobody in particular.
fn exact(table: &Relation, policies: &Policies, catalog: &Catalog) -> Result<(), Faults> {
    let book = std::sync::Arc::new(RuleBook::new(policies, catalog));
    let mut faults = Faults::default();
    let found = book.tables.get(table.name.as_str());
    for (at, rule) in found.into_iter().flat_map(|table| table.rules.iter().enumerate()) {
        for (key, expression) in [("using", &rule.using), ("check", &rule.check)] {
            let Some(expression) = expression else { continue };
            let grantee = rule.to.first().copied().unwrap_or(Grantee::Authenticated);
            let rules = RowRules::trial(book.clone(), grantee);
            if let Err(error) = mysql::try_rule(&rules, &table.name, expression) {
                let path = format!("policies[{at}].{key}");
                let mut fault = Fault::new(path, "rules/not-exact", error.public().to_owned());
                fault.hint = error.hint().map(str::to_owned);
                faults.push(fault);
            }
        }
    }
    faults.or(())
}

/// Names that are not there, with the nearest one that is.
fn named(faults: Faults, catalog: &Catalog) -> Faults {
    let mut all = Faults::default();
    for fault in faults.iter() {
        let mut fault = fault.clone();
        let word = |before: &str| {
            let rest = fault.message.split_once(before)?.1;
            let name = rest.split(' ').next()?.trim_matches('"');
            Some(name.rsplit('.').next().unwrap_or(name).to_owned())
        };
        let near = match fault.code {
            "expression/unknown-table" => word("no table ")
                .and_then(|name| nearest(&name, catalog.relations.keys().map(String::as_str)).map(str::to_owned)),
            "expression/unknown-column" | "schema/policy" => word("no column ").and_then(|name| {
                let columns = catalog.relations.values().flat_map(|relation| &relation.columns);
                nearest(&name, columns.map(|column| column.name.as_str())).map(str::to_owned)
            }),
            _ => None,
        };
        if let Some(near) = near {
            fault.hint = Some(format!("Perhaps you meant {near}"));
        }
        all.push(fault);
    }
    all
}

/// The table of that name.
///
/// # Errors
/// The nearest name that there is, if any.
pub fn table<'c>(name: &str, catalog: &'c Catalog) -> Result<&'c Relation, Option<String>> {
    let found = Ident::new(name).ok().and_then(|name| catalog.relation(name.as_str()));
    found.ok_or_else(|| nearest(name, catalog.relations.keys().map(String::as_str)).map(str::to_owned))
}
