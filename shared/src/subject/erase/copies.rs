//! Copies of rows, which keep what they have until they are made anew.

use super::{Dialect, Facts, Sql, Statement};
use crate::ident::Ident;

/// What renews them, each with its name, after [`steps`](super::steps), in the same transaction or behind it: in the order that
/// the answer to [`nesting`] tells, and what it does not tell at the end.
pub fn refresh(dialect: Dialect, facts: &Facts, nested: &[String]) -> Vec<(String, Statement)> {
    let place = |(schema, name): &&(Ident, Ident)| {
        let label = format!("{schema}.{name}");
        nested.iter().position(|told| *told == label).unwrap_or(nested.len())
    };
    let mut copies: Vec<_> = facts.copies.iter().collect();
    copies.sort_by_key(place);
    let renewed = copies.into_iter().map(|(schema, name)| {
        let mut sql = Sql::new(dialect);
        sql.push("refresh materialized view ");
        sql.name(schema);
        sql.push(".");
        sql.name(name);
        (name.to_string(), sql.done())
    });
    renewed.collect()
}

/// Asks Postgres which copies are made of which, be it by way of views: `schema.name` of all of them, those first that others
/// are made of.
pub fn nesting(dialect: Dialect) -> Statement {
    let mut sql = Sql::new(dialect);
    sql.push(
        "with recursive made (copy, source) as (\
           select distinct r.ev_class, d.refobjid from pg_catalog.pg_rewrite r \
           join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid \
           where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class), \
         placed (copy, place) as (\
           select c.oid, 0 from pg_catalog.pg_class c where c.relkind = 'm' \
           union \
           select made.copy, placed.place + 1 from placed join made on made.source = placed.copy where placed.place < 100) \
         select n.nspname || '.' || c.relname from placed \
         join pg_catalog.pg_class c on c.oid = placed.copy and c.relkind = 'm' \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         group by 1 order by max(placed.place), 1",
    );
    sql.done()
}
