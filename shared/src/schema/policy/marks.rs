//! Policies of tables that keep deleted rows.
//!
//! A deletion is an update that marks rows, so Postgres would ask the table's update policies. It is to ask the delete
//! policies, and no request is to see a marked row. Which rows may be updated depends on which kind of update it is, and a
//! policy sees that nowhere: so the transaction says so, in a setting that names the table. Requests cannot set it, and no
//! transaction of another kind has it.
//!
//! - `plinth_hidden` (restrictive): marked rows do not exist, neither to read nor to write, whatever the key. Postgres holds
//!   the new row of an update to the select policies too, so the very row that is being marked is let through: it is the one
//!   that bears the transaction's own time.
//! - `plinth_gate_…` (restrictive, one per role): in a deletion, the delete policies decide, and no update policy does.
//! - `plinth_delete`: who may delete need not have an update policy.
//!
//! The service role sees marked rows in a transaction that says so in the other setting: to list and to restore them.

use super::{Command, Grantee, rules};
use crate::ident::literal;
use crate::schema::ddl::{Context, DELETING, RESTORING};
use crate::schema::expr::{Allow, Scope};
use crate::schema::fault::Faults;
use crate::schema::hidden;
use crate::schema::spec::TableSpec;

const BOTH: [Grantee; 2] = [Grantee::Authenticated, Grantee::Anon];

/// The policies' names.
pub(super) fn names(spec: &TableSpec) -> Vec<&'static str> {
    if !spec.soft_delete {
        return Vec::new();
    }
    let mut names = vec!["plinth_hidden", "plinth_hidden_service"];
    names.extend(BOTH.map(gate));
    if deleters(spec).next().is_some() {
        names.push("plinth_delete");
    }
    names
}

fn gate(grantee: Grantee) -> &'static str {
    match grantee {
        Grantee::Anon => "plinth_gate_anon",
        Grantee::Authenticated => "plinth_gate_authenticated",
    }
}

/// Whether this transaction has named the table in that setting.
fn named_in(setting: &str) -> String {
    let setting = literal(setting);
    format!("coalesce(pg_catalog.current_setting({setting}, true), '') = tableoid::pg_catalog.text")
}

/// Who may delete something.
fn deleters(spec: &TableSpec) -> impl Iterator<Item = Grantee> {
    let rules = rules(spec);
    BOTH.into_iter()
        .filter(move |grantee| rules.iter().any(|rule| rule.lets(*grantee, Command::Delete)))
}

pub(super) fn create(context: &Context<'_>, spec: &TableSpec) -> Result<Vec<String>, Faults> {
    let (table, column) = (context.table(&spec.name), hidden::deleted_at());
    let (deleting, roles) = (named_in(DELETING), context.roles);
    let seen = format!(
        "{column} is null or ({column} = pg_catalog.now() and {deleting})",
        column = column.quoted()
    );
    let [anon, authenticated, service] = [&roles.anon, &roles.authenticated, &roles.service].map(|role| role.quoted());
    let mut statements = vec![
        format!(
            "create policy \"plinth_hidden\" on {table} as restrictive for all to {anon}, {authenticated} using ({seen})"
        ),
        format!(
            "create policy \"plinth_hidden_service\" on {table} as restrictive for all to {service} using ({seen} or {})",
            named_in(RESTORING)
        ),
    ];
    for grantee in BOTH {
        let mut alternatives = vec![format!("not ({deleting})")];
        for rule in rules(spec).iter().filter(|rule| rule.lets(grantee, Command::Delete)) {
            if let Some(using) = &rule.using {
                let tree = Scope::new(spec, context.known, Allow::POLICY).parse(using)?;
                alternatives.push(format!(
                    "({})",
                    tree.sql(context.schema, context.helpers, Allow::POLICY)
                ));
            }
        }
        statements.push(format!(
            "create policy \"{}\" on {table} as restrictive for update to {} using ({}) with check (true)",
            gate(grantee),
            grantee.role(roles).quoted(),
            alternatives.join(" or ")
        ));
    }
    let deleters: Vec<String> = deleters(spec)
        .map(|grantee| grantee.role(roles).quoted().to_string())
        .collect();
    if !deleters.is_empty() {
        statements.push(format!(
            "create policy \"plinth_delete\" on {table} for update to {} using ({deleting}) with check ({deleting})",
            deleters.join(", ")
        ));
    }
    Ok(statements)
}

/// Who may delete may write the mark.
pub(super) fn grants(context: &Context<'_>, spec: &TableSpec) -> Vec<String> {
    let (table, column) = (context.table(&spec.name), hidden::deleted_at());
    let one = |grantee: Grantee| {
        let role = grantee.role(context.roles).quoted().to_string();
        format!("grant update ({}) on table {table} to {role}", column.quoted())
    };
    deleters(spec).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_to_be_hidden() {
        let design = serde_json::json!({ "name": "t", "softDelete": true, "policies": ["owner"], "columns": [
            { "name": "id", "type": "uuid", "primary_key": true }, { "name": "user_id", "type": "uuid" } ] });
        let spec = crate::schema::spec::parse(&design, &crate::schema::known::Known::new([])).unwrap();
        let names = names(&spec);
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names.iter().all(|name| hidden::is_hidden_policy(name)), "{names:?}");
    }
}
