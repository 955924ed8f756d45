//! What CockroachDB, whose SQL is PostgreSQL's for the most part, does not do; found in the plan.

use super::super::Feature;
use super::super::plan::{Action, Embed, Expression, From, Joined, Node, Place, Plan, Predicate};
use super::super::request::CountKind;
use crate::error::Result;

/// What it can do: all but what [`refuse`] names.
pub const OF_COCKROACH: &[Feature] = &[
    Feature::Filters,
    Feature::Patterns,
    Feature::Containment,
    Feature::JsonPaths,
    Feature::JsonComparisons,
    Feature::Order,
    Feature::Pages,
    Feature::Casts,
    Feature::Embeds,
    Feature::EmbeddedPages,
    Feature::Aggregates,
    Feature::CountExact,
    Feature::Csv,
    Feature::StripNulls,
    Feature::SingleValue,
    Feature::BulkInsert,
    Feature::ReturnInserted,
    Feature::ReturnUpdated,
    Feature::WriteByFilter,
    Feature::Upsert,
    Feature::Rollback,
];

/// Whether a plan can be run there: functions are called with named arguments and with rows, planned counts and plans are
/// read from `explain (format json)`, text is searched by `websearch_to_tsquery` and its like. It has none of these.
///
/// # Errors
/// 501 `PGRST127`, its details naming the feature.
pub fn refuse(plan: &Plan) -> Result<()> {
    let asked = [
        (matches!(plan.action, Action::Call(_)), Feature::Functions, "a function"),
        (
            plan.accept.explain.is_some(),
            Feature::Explain,
            "the plan of a statement",
        ),
        (
            plan.prefer.count == Some(CountKind::Planned),
            Feature::CountPlanned,
            "count=planned",
        ),
        (is_computed(&plan.shown), Feature::Computed, "a function of a row"),
        (searches(plan), Feature::TextSearch, "a text search"),
    ];
    match asked.into_iter().find(|(asked, ..)| *asked) {
        Some((_, feature, what)) => Err(feature.refused("CockroachDB", what)),
        None => Ok(()),
    }
}

fn is_computed(node: &Node) -> bool {
    let of_row = |place: &Place| place.computed.is_some();
    let outputs = node.outputs.iter().any(|output| match &output.expression {
        Expression::Place(place) => of_row(place),
        Expression::Aggregate(aggregate) => aggregate.of.as_ref().is_some_and(|(place, _)| of_row(place)),
    });
    let mut filtered = false;
    node.filter.places(&mut |place| filtered |= of_row(place));
    let embedded = |embed: &Embed| embed.joined == Joined::Row || is_computed(&embed.node);
    outputs
        || filtered
        || matches!(node.from, From::Computed(_) | From::Called)
        || node.order.iter().any(|term| of_row(&term.place))
        || node.embeds.iter().any(embedded)
}

fn searches(plan: &Plan) -> bool {
    let written = match &plan.action {
        Action::Update { filter, .. } | Action::Delete { filter } | Action::Mark { filter, .. } => is_search(filter),
        _ => false,
    };
    written || below(&plan.shown)
}

fn below(node: &Node) -> bool {
    is_search(&node.filter) || node.embeds.iter().any(|embed| below(&embed.node))
}

fn is_search(of: &Predicate) -> bool {
    match of {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(is_search),
        Predicate::Not(inner) => is_search(inner),
        Predicate::Search(..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{catalog, headers};
    use super::super::super::request::Method;
    use super::super::super::{RowAccess, Rules, parse_request, plan};
    use super::*;

    #[test]
    fn wide_integers_are_cast_unless_the_request_casts_them() {
        let rules = Rules {
            wide_integers_as_text: true,
            aggregates: true,
            ..Rules::external()
        };
        let rendered = |select: &str| {
            let query = format!("select={select}");
            let request = parse_request(Method::Get, "todos", &query, &headers(&[]), b"").unwrap();
            let sql = super::super::render(&plan(request, &catalog(), &rules, RowAccess::All).unwrap(), "MARK").sql;
            let rows = sql.split(" from (select ").nth(1).unwrap();
            rows.split(" from ").next().unwrap().to_owned()
        };
        insta::assert_snapshot!(rendered("id,n:id,id::int8,title"), @r#"plinth_0."id"::pg_catalog.text as "id", plinth_0."id"::pg_catalog.text as "n", plinth_0."id"::pg_catalog.int8 as "id", plinth_0."title""#);
        insta::assert_snapshot!(rendered("id.max(),id.min()::int8,id.sum(),count()"), @r#"max(plinth_0."id")::pg_catalog.text as "max", min(plinth_0."id")::pg_catalog.int8 as "min", sum(plinth_0."id") as "sum", count(*) as "count""#);
        assert!(rendered("*").contains("::pg_catalog.text as \"id\""));
    }

    #[test]
    fn what_it_has_not_declared_is_refused_by_name() {
        let declared = |feature: &Feature| OF_COCKROACH.contains(feature);
        let missing: Vec<_> = Feature::ALL.iter().filter(|feature| !declared(feature)).collect();
        let names: Vec<_> = missing.iter().map(|feature| feature.name()).collect();
        assert_eq!(names.join(" "), "text-search functions computed count-planned explain");
        for (query, prefer, feature) in [
            ("select=*", "count=planned", Some("count-planned")),
            ("select=*", "count=exact", None),
            ("title=fts.cat", "", Some("text-search")),
            ("or=(title.not.plfts.cat,id.eq.1)", "", Some("text-search")),
            ("title=like.a*", "", None),
        ] {
            let request = parse_request(Method::Get, "todos", query, &headers(&[("prefer", prefer)]), b"").unwrap();
            let planned = plan(request, &catalog(), &Rules::external(), RowAccess::All).unwrap();
            let refused = refuse(&planned).err();
            let named = refused.as_ref().and_then(|error| error.details());
            assert_eq!(named.map(|named| named.split(':').next().unwrap()), feature, "{query}");
        }
    }
}
