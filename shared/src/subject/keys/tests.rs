use insta::assert_snapshot;

use super::super::erase::others;
use super::super::sketch::{self, shown};
use super::super::{Marks, Rule, Subject, SubjectMap, find};
use super::*;

/// People, and what somebody keeps of them in a schema of its own that is looked at too.
fn facts() -> Facts {
    let mut facts = sketch::facts(
        "users: id integer pk, email text
         billing.invoices: id integer pk, user_id integer, note text",
    );
    let invoices = facts.tables.get_mut("billing.invoices").unwrap();
    invoices.schema = Some(Ident::new("billing").unwrap());
    invoices.name = Ident::new("invoices").unwrap();
    facts
}

fn row(text: &str) -> Vec<Option<String>> {
    text.split('|').map(|cell| Some(cell.trim().to_owned())).collect()
}

const ACROSS: &str = "billing|invoices|owed_by|cascade|public|users|user_id|id|integer|s";
const OUTSIDE: &str = "hr|staff|is_user|cascade|public|users|account|id|integer|s";

#[test]
fn a_foreign_key_between_schemas_is_a_link_like_any_other() {
    let mut facts = facts();
    facts.add_keys(&[row(ACROSS)]).unwrap();
    let marks = Marks::default();
    let found = find(Dialect::Postgres, &facts, &marks, &SubjectMap::default()).map;
    let paths = found.tables.iter().map(|(label, entry)| (label, &entry.paths));
    assert_snapshot!(shown(paths).join("\n"), @"
    billing.invoices.user_id → users.id
    users: the person's own row
    ");
}

#[test]
fn rows_that_are_kept_hang_on_what_goes_though_the_link_was_declared() {
    let mut facts = facts();
    let declared = Link {
        columns: vec![Ident::new("user_id").unwrap()],
        to: Some("users".to_owned()),
        references: vec![Ident::new("id").unwrap()],
        origin: LinkOrigin::Declared,
    };
    facts.tables.get_mut("billing.invoices").unwrap().links.push(declared);
    facts.add_keys(&[row(ACROSS), row(OUTSIDE)]).unwrap();
    assert_eq!(facts.tables["billing.invoices"].links.len(), 1);
    let mut map = find(Dialect::Postgres, &facts, &Marks::default(), &SubjectMap::default()).map;
    let reason = "tax law".to_owned();
    map.tables.get_mut("billing.invoices").unwrap().rule = Rule::Keep { reason };
    let hanging = others(Dialect::Postgres, &facts, &map, &Subject::of_id("7")).unwrap();
    let told = hanging
        .iter()
        .map(|it| format!("{} by {}: {}", it.table, it.foreign_key, it.statement.sql));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    billing.invoices by owed_by: select count(*)::text from "billing"."invoices" as t where t."user_id" in (select p1."id" from "public"."users" as p1 where (p1."id" = $1::bigint))
    hr.staff by is_user: select count(*)::text from "hr"."staff" as t where t."account" in (select p1."id" from "public"."users" as p1 where (p1."id" = $1::bigint))
    "#);
}

#[test]
fn a_table_outside_makes_its_owner_think_about_what_it_hangs_on() {
    let mut facts = facts();
    let decisions = |facts: &Facts| find(Dialect::Postgres, facts, &Marks::default(), &SubjectMap::default()).decisions;
    assert_eq!(decisions(&facts).len(), 0);
    facts.add_keys(&[row(OUTSIDE)]).unwrap();
    assert_snapshot!(decisions(&facts)["users"], @"Rows of others in hr.staff may refer to these by is_user: as long as any do, they cannot go");
}

#[test]
fn keys_of_several_columns_come_as_several_rows() {
    let mut facts = sketch::facts("orders: shop integer, number integer, pk (shop+number)");
    let rows = [
        row("b|lines|of|no action|public|orders|s|shop|integer|s"),
        row("b|lines|of|no action|public|orders|n|number|integer|s"),
        row("b|notes|of|set null|public|orders|n|number|integer|s"),
        row("b|notes|else|cascade|elsewhere|orders|n|number|integer|s"),
    ];
    facts.add_keys(&rows).unwrap();
    let told = facts
        .outside
        .iter()
        .flat_map(|(label, table)| table.links.iter().map(move |link| format!("{label}: {link}")));
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["b.lines: (s, n) → orders.(shop, number)", "b.notes: n → orders.number"]
    );
    assert_eq!(facts.outside["b.lines"].columns.len(), 2);
}
