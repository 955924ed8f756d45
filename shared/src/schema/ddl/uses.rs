//! Who needs what: references, enums and expressions that mention a table or a column.

use std::collections::BTreeSet;

use crate::ident::Ident;
use crate::schema::expr::{Allow, Expr, Scope};
use crate::schema::known::Known;
use crate::schema::policy::PolicySpec;
use crate::schema::spec::{Check, TableSpec};

/// Tables that need `spec`: by a reference, an enum it declares, or a policy that looks into it.
pub(super) fn users_of_table(spec: &TableSpec, known: &Known) -> Vec<Ident> {
    let needs = |other: &&TableSpec| {
        let by_enum = spec.enums.iter().any(|declared| {
            other
                .columns
                .iter()
                .any(|column| column.data_type.enum_name() == Some(&declared.name))
                || casts(other, known, &declared.name)
        });
        by_enum || refers(other, &spec.name, None) || mentions(other, known, &spec.name, None)
    };
    known
        .others(spec.name.as_str())
        .filter(needs)
        .map(|other| other.name.clone())
        .collect()
}

/// Whether a reference points at that table, or at that column of it.
pub(super) fn refers(spec: &TableSpec, table: &Ident, column: Option<&Ident>) -> bool {
    let references = spec.columns.iter().filter_map(|column| column.references.as_ref());
    references
        .filter(|reference| &reference.table == table)
        .any(|reference| column.is_none_or(|column| column == &reference.column))
}

/// Lets references follow a new name of a table or of its column.
pub(super) fn rename_references(spec: &mut TableSpec, table: &Ident, column: Option<(&Ident, &Ident)>, to: &Ident) {
    let aside = spec.removed.iter_mut().map(|removed| &mut removed.column);
    let columns = spec.columns.iter_mut().chain(aside);
    let references = columns.filter_map(|column| column.references.as_mut());
    for reference in references.filter(|reference| &reference.table == table) {
        reference.table = to.clone();
        if let Some((from, to)) = column
            && &reference.column == from
        {
            reference.column = to.clone();
        }
    }
}

/// Whether an expression looks into that table, or mentions that column of it.
pub(super) fn mentions(spec: &TableSpec, known: &Known, table: &Ident, column: Option<&Ident>) -> bool {
    let mut found = false;
    map_expressions(&mut spec.clone(), known, &mut |expr| {
        found |= expr.mentions(table.as_str(), column.map(Ident::as_str));
    });
    found
}

/// Whether an expression casts to an enum.
pub(super) fn casts(spec: &TableSpec, known: &Known, name: &Ident) -> bool {
    let mut found = false;
    map_expressions(&mut spec.clone(), known, &mut |expr| {
        expr.visit(&mut |part| found |= matches!(part, Expr::Cast(_, to) if to.enum_name() == Some(name)));
    });
    found
}

/// Reads every expression of a design, and writes back what `change` made of it.
pub(super) fn map_expressions(spec: &mut TableSpec, known: &Known, change: &mut dyn FnMut(&mut Expr)) {
    let before = spec.clone();
    let mut each = |text: &mut String, allow: Allow| {
        // What cannot be read any more is found when it is checked next.
        if let Ok(mut tree) = Scope::new(&before, known, allow).parse(text) {
            change(&mut tree);
            *text = tree.to_string();
        }
    };
    for column in &mut spec.columns {
        if let Some(Check::Expression(text)) = &mut column.check {
            each(text, Allow::CHECK);
        }
        if let Some(text) = &mut column.default_expression {
            each(text, Allow::DEFAULT);
        }
    }
    for policy in &mut spec.policies {
        if let PolicySpec::Custom { using, check, .. } = policy {
            using.iter_mut().chain(check).for_each(|text| each(text, Allow::POLICY));
        }
    }
}

/// The same for expressions of deleted columns, but those of a column that itself is called `except`: what bears its name
/// now is another one.
pub(super) fn map_removed(
    spec: &mut TableSpec,
    known: &Known,
    except: Option<&Ident>,
    change: &mut dyn FnMut(&mut Expr),
) {
    let before = spec.clone();
    for removed in &mut spec.removed {
        let column = &mut removed.column;
        if Some(&column.name) == except {
            continue;
        }
        // Its expressions know it, and nobody else of its name.
        let mut around = before.clone();
        around.columns.retain(|other| other.name != column.name);
        around.columns.push(column.clone());
        if let Some(Check::Expression(text)) = &mut column.check
            && let Ok(mut tree) = Scope::new(&around, known, Allow::CHECK).parse(text)
        {
            change(&mut tree);
            *text = tree.to_string();
        }
    }
}

/// Whether a policy of `spec` looks into a table whose policies look back, by whatever way: Postgres refuses to run
/// such a policy.
pub(crate) fn looks_back(spec: &TableSpec, known: &Known) -> bool {
    let mut all = known.clone();
    all.insert(spec.clone());
    let mut seen = BTreeSet::new();
    let mut ahead = looks_into(spec, &all);
    while let Some(name) = ahead.pop() {
        if name == spec.name.as_str() {
            return true;
        }
        if let Some(table) = all.table(&name).filter(|_| seen.insert(name.clone())) {
            ahead.extend(looks_into(table, &all));
        }
    }
    false
}

/// The tables a design's policies look into.
fn looks_into(spec: &TableSpec, known: &Known) -> Vec<String> {
    let mut tables = Vec::new();
    map_expressions(&mut spec.clone(), known, &mut |expr| {
        expr.visit(&mut |part| {
            if let Expr::Exists { table, .. } = part {
                tables.push(table.to_string());
            }
        });
    });
    tables
}
