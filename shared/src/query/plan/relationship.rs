//! Which relationship an embed means: by the name of its target and, where there are several, by its hint.
//! See <https://postgrest.org/en/stable/references/api/resource_embedding.html#foreign-key-joins>.

use serde_json::{Value, json};

use super::super::shown;
use super::columns::Scope;
use super::{exposed_name, fuzzy};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::{Link, RelationKind, Relationship};

/// Finds the relationship that leads from the scope's relation to `target`: a relation, a constraint, a column of a
/// foreign key here, or a function.
///
/// # Errors
/// 400 `PGRST200`, 300 `PGRST201`.
pub(super) fn find<'a>(scope: &Scope<'a>, target: &str, hint: Option<&str>) -> Result<&'a Relationship> {
    let known = scope.relationships();
    // A function of that name stands in for what was detected.
    if let Some(computed) = known.iter().find(|way| is_function(way, target)) {
        return Ok(computed);
    }
    let mut fitting = known.iter().filter(|way| match hint {
        None => is_meant(scope, way, target),
        Some(hint) => way.target.as_str() == target && fits(way, hint),
    });
    match (fitting.next(), fitting.next(), fitting.next()) {
        (Some(only), None, _) => Ok(only),
        // A foreign key to its own table leads both ways. Away from the column that holds it is the way that its
        // relation names; the other one, its column does.
        (Some(one), Some(other), None) if is_round_trip(scope, one, other) => {
            Ok(if is_many(one) { one } else { other })
        }
        (None, ..) => Err(missing(scope, target, hint)),
        _ => {
            let candidates = known.iter().filter(|way| match hint {
                None => is_meant(scope, way, target),
                Some(hint) => way.target.as_str() == target && fits(way, hint),
            });
            Err(ambiguous(scope, target, &candidates.collect::<Vec<_>>()))
        }
    }
}

fn is_function(way: &Relationship, name: &str) -> bool {
    matches!(&way.link, Link::Computed { function, .. } if function.name.as_str() == name)
}

/// Whether the target's name alone names this way.
fn is_meant(scope: &Scope<'_>, way: &Relationship, target: &str) -> bool {
    if matches!(way.link, Link::Computed { .. }) {
        return false;
    }
    if way.target.as_str() == target {
        return true;
    }
    // Views of one table share its constraints and columns, so these stand for the table.
    let to_view = scope
        .catalog
        .relation(way.target.as_str())
        .is_some_and(|relation| matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView));
    let of_constraint = constraint(&way.link).is_some_and(|name| name.as_str() == target);
    let of_column = matches!(
        &way.link,
        Link::ManyToOne { columns, .. } | Link::OneToOne { columns, here: true, .. }
            if columns.len() == 1 && columns[0].0.as_str() == target
    );
    !to_view && (of_constraint || of_column)
}

/// Whether a hint picks this way: a constraint, the one column of the key at either end, or a junction.
fn fits(way: &Relationship, hint: &str) -> bool {
    match &way.link {
        Link::ManyToOne { constraint, columns }
        | Link::OneToMany { constraint, columns }
        | Link::OneToOne {
            constraint, columns, ..
        } => {
            let of_column = matches!(&columns[..], [(here, there)] if here.as_str() == hint || there.as_str() == hint);
            constraint.as_str() == hint || of_column
        }
        Link::ManyToMany(junction) => junction.table.name.as_str() == hint,
        Link::Computed { .. } => false,
    }
}

fn constraint(link: &Link) -> Option<&Ident> {
    match link {
        Link::ManyToOne { constraint, .. } | Link::OneToMany { constraint, .. } | Link::OneToOne { constraint, .. } => {
            Some(constraint)
        }
        Link::ManyToMany(_) | Link::Computed { .. } => None,
    }
}

fn is_round_trip(scope: &Scope<'_>, one: &Relationship, other: &Relationship) -> bool {
    let own = |way: &Relationship| way.target == scope.relation.name;
    own(one)
        && own(other)
        && constraint(&one.link).is_some()
        && constraint(&one.link) == constraint(&other.link)
        && is_many(one) != is_many(other)
}

/// Whether the foreign key is on the other side.
fn is_many(way: &Relationship) -> bool {
    matches!(way.link, Link::OneToMany { .. } | Link::OneToOne { here: false, .. })
}

fn missing(scope: &Scope<'_>, target: &str, hint: Option<&str>) -> Error {
    let (origin, target) = (shown(scope.relation.name.as_str()), shown(target));
    let schema = exposed_name(scope.catalog);
    let using = hint.map_or_else(String::new, |hint| format!("' using the hint '{}", shown(hint)));
    let message = format!("Could not find a relationship between '{origin}' and '{target}' in the schema cache");
    let error = Error::invalid("PGRST200", message).with_details(format!(
        "Searched for a foreign key relationship between '{origin}' and '{target}{using}' in the schema '{schema}', but \
         no matches were found."
    ));
    let known = scope.relationships();
    if known.iter().any(|way| way.target.as_str() == target) {
        return error;
    }
    let (wrong, near) = if known.is_empty() {
        let origins = scope.catalog.relationships.iter();
        let origins = origins
            .filter(|(_, ways)| !ways.is_empty())
            .map(|(name, _)| name.as_str());
        (&origin, fuzzy::best(&origin, origins))
    } else {
        let targets = known.iter().map(|way| way.target.as_str());
        (&target, fuzzy::best(&target, targets))
    };
    match near {
        Some(near) => error.with_hint(format!("Perhaps you meant '{near}' instead of '{wrong}'.")),
        None => error,
    }
}

fn ambiguous(scope: &Scope<'_>, target: &str, candidates: &[&Relationship]) -> Error {
    let (origin, target) = (shown(scope.relation.name.as_str()), shown(target));
    let details: Vec<Value> = candidates.iter().map(|way| told(scope, way)).collect();
    let spellings: Vec<String> = candidates
        .iter()
        .filter_map(|way| Some(format!("'{}!{}'", way.target, hint_for(&way.link)?)))
        .collect();
    let message = format!("Could not embed because more than one relationship was found for '{origin}' and '{target}'");
    Error::new(ErrorKind::Ambiguous, "PGRST201", message)
        .with_details_json(Value::Array(details))
        .with_hint(format!(
            "Try changing '{target}' to one of the following: {}. Find the desired relationship in the 'details' key.",
            spellings.join(", ")
        ))
}

fn hint_for(link: &Link) -> Option<&Ident> {
    match link {
        Link::ManyToMany(junction) => Some(&junction.table.name),
        other => constraint(other),
    }
}

/// One candidate, as upstream tells it.
fn told(scope: &Scope<'_>, way: &Relationship) -> Value {
    let (origin, target) = (&scope.relation.name, &way.target);
    let list = |columns: Vec<&Ident>| columns.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let by_key = |constraint: &Ident, columns: &[(Ident, Ident)]| {
        let here = list(columns.iter().map(|(here, _)| here).collect());
        let there = list(columns.iter().map(|(_, there)| there).collect());
        format!("{constraint} using {origin}({here}) and {target}({there})")
    };
    let (cardinality, relationship) = match &way.link {
        Link::ManyToOne { constraint, columns } => ("many-to-one", by_key(constraint, columns)),
        Link::OneToMany { constraint, columns } => ("one-to-many", by_key(constraint, columns)),
        Link::OneToOne {
            constraint, columns, ..
        } => ("one-to-one", by_key(constraint, columns)),
        Link::ManyToMany(junction) => {
            let near = list(junction.near_columns.iter().map(|(_, junction)| junction).collect());
            let far = list(junction.far_columns.iter().map(|(junction, _)| junction).collect());
            let told = format!(
                "{} using {}({near}) and {}({far})",
                junction.table.name, junction.near, junction.far
            );
            ("many-to-many", told)
        }
        Link::Computed { function, .. } => ("computed", function.name.to_string()),
    };
    json!({
        "cardinality": cardinality,
        "embedding": format!("{origin} with {target}"),
        "relationship": relationship,
    })
}
