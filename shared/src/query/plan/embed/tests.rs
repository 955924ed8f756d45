//! What is refused of embeds, and how.

use serde_json::json;

use super::super::super::fixtures::{parsed, related};
use super::super::super::request::Method::Get;
use super::super::{Plan, Rules, plan};
use crate::error::{ErrorKind, Result};

fn read(table: &str, query: &str, rules: Rules) -> Result<Plan> {
    plan(
        parsed(Get, table, query, &[], "").unwrap(),
        &related(),
        &rules,
        crate::query::RowAccess::All,
    )
}

/// Code, message, details, hint.
type Told = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

#[test]
fn refusals_are_told_as_upstream_tells_them() {
    let cases: &[(&str, &str, Told)] = &[
        (
            "projects",
            "select=client(*)",
            (
                "PGRST200",
                "Could not find a relationship between 'projects' and 'client' in the schema cache",
                Some(
                    "Searched for a foreign key relationship between 'projects' and 'client' in the schema 'app', but no \
                     matches were found.",
                ),
                Some("Perhaps you meant 'clients' instead of 'client'."),
            ),
        ),
        (
            "projects",
            "select=clients!nope(*)",
            (
                "PGRST200",
                "Could not find a relationship between 'projects' and 'clients' in the schema cache",
                Some(
                    "Searched for a foreign key relationship between 'projects' and 'clients' using the hint 'nope' in the \
                     schema 'app', but no matches were found.",
                ),
                None,
            ),
        ),
        (
            "projects",
            "select=id&clients.id=eq.1",
            (
                "PGRST108",
                "'clients' is not an embedded resource in this request",
                None,
                Some("Verify that 'clients' is included in the 'select' query parameter."),
            ),
        ),
        (
            "projects",
            "select=id&order=clients(id)",
            (
                "PGRST108",
                "'clients' is not an embedded resource in this request",
                None,
                Some("Verify that 'clients' is included in the 'select' query parameter."),
            ),
        ),
        (
            "clients",
            "select=projects(tasks(id))&projects.details.limit=1",
            (
                "PGRST108",
                "'details' is not an embedded resource in this request",
                None,
                Some("Verify that 'details' is included in the 'select' query parameter."),
            ),
        ),
        (
            "clients",
            "select=projects(id)&order=projects(id)",
            (
                "PGRST118",
                "A related order on 'projects' is not possible",
                Some("'clients' and 'projects' do not form a many-to-one or one-to-one relationship"),
                None,
            ),
        ),
        (
            "clients",
            "select=projects(id)&projects=eq.1",
            (
                "PGRST120",
                "Bad operator on the 'projects' embedded resource",
                Some("Only is null or not is null filters are allowed on embedded resources"),
                None,
            ),
        ),
        (
            "projects",
            "select=budget.sum()",
            ("PGRST123", "Use of aggregate functions is not allowed", None, None),
        ),
        (
            "clients",
            "select=projects(count())",
            ("PGRST123", "Use of aggregate functions is not allowed", None, None),
        ),
    ];
    for (table, query, (code, message, details, hint)) in cases {
        let error = read(table, query, Rules::managed()).expect_err(query);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{query}");
        assert_eq!(
            (error.code(), error.public(), error.details(), error.hint()),
            (*code, *message, *details, *hint),
            "{query}"
        );
    }
}

#[test]
fn several_relationships_are_listed_with_their_spellings() {
    let error = read("orders", "select=addresses(*)", Rules::managed()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Ambiguous, "PGRST201"));
    assert_eq!(
        error.public(),
        "Could not embed because more than one relationship was found for 'orders' and 'addresses'"
    );
    assert_eq!(
        error.hint(),
        Some(
            "Try changing 'addresses' to one of the following: 'addresses!orders_billing_fkey', \
             'addresses!orders_shipping_fkey'. Find the desired relationship in the 'details' key."
        )
    );
    assert_eq!(
        error.details_json(),
        Some(&json!([
            {
                "cardinality": "many-to-one",
                "embedding": "orders with addresses",
                "relationship": "orders_billing_fkey using orders(billing) and addresses(id)"
            },
            {
                "cardinality": "many-to-one",
                "embedding": "orders with addresses",
                "relationship": "orders_shipping_fkey using orders(shipping) and addresses(id)"
            }
        ]))
    );
}

#[test]
fn embeds_are_found_by_every_name_they_have() {
    for (table, select) in [
        ("projects", "clients(*)"),
        ("projects", "clients!projects_client_fkey(*)"),
        ("projects", "clients!client_id(*)"),
        ("projects", "clients!id(*)"),
        ("projects", "client_id(*)"),
        ("projects", "projects_client_fkey(*)"),
        ("projects", "client_names(*)"),
        ("projects", "clients!left(*),c:clients!inner(*)"),
        ("clients", "projects!client_id(*)"),
        ("projects", "details(*)"),
        ("details", "projects(*)"),
        ("orders", "addresses!billing(*),shipping(*)"),
        ("addresses", "orders!billing(*)"),
        ("users", "boss(boss(boss(*)))"),
        ("users", "users(*)"),
        ("users", "tasks!assigned(*)"),
        ("users", "assigned(tasks(*))"),
        ("clients", "latest(*),archive(*)"),
    ] {
        let planned = read(table, &format!("select={select}"), Rules::managed());
        assert!(planned.is_ok(), "{table} {select}: {:?}", planned.err());
    }
    for (table, select) in [("clients", "id(*)"), ("users", "id(*)"), ("client_names", "nope(*)")] {
        let error = read(table, &format!("select={select}"), Rules::managed()).expect_err(select);
        assert_eq!(error.code(), "PGRST200", "{select}");
    }
}

#[test]
fn parameters_find_embeds_by_alias_first() {
    let query = "select=a:clients(id),clients(id)&clients.id=eq.1&a.name=eq.x&a.order=name&a.limit=1";
    let node = read("projects", query, Rules::managed()).unwrap().shown;
    assert_eq!(node.embeds.len(), 2);
    assert_eq!(node.embeds[0].node.order.len(), 1);
    assert_eq!(node.embeds[0].node.page.limit, Some(1));
    assert!(node.embeds[1].node.order.is_empty());
    assert!(!node.embeds[1].node.filter.is_everything());
}

#[test]
fn maximum_of_rows_holds_for_every_to_many() {
    let node = read(
        "clients",
        "select=projects(*),few:projects(*),latest(*)&few.limit=2",
        Rules::managed(),
    );
    let limits: Vec<_> = node
        .unwrap()
        .shown
        .embeds
        .iter()
        .map(|embed| embed.node.page.limit)
        .collect();
    assert_eq!(limits, [Some(1_000), Some(2), None]);
}

#[test]
fn unknown_columns_are_postgres_business_where_they_may_be() {
    let rules = || Rules {
        aggregates: true,
        ..Rules::external()
    };
    let query = "select=tableoid,nope.sum(),clients(nope)&nope=eq.1&order=nope&clients.nope=eq.1";
    assert!(read("projects", query, rules()).is_ok());
    let managed = Rules {
        aggregates: true,
        ..Rules::managed()
    };
    for query in [
        "select=tableoid",
        "select=nope.sum()",
        "select=clients(nope)",
        "select=clients(id)&clients.ctid=eq.1",
    ] {
        assert_eq!(
            read("projects", query, managed.clone()).unwrap_err().code(),
            "42703",
            "{query}"
        );
    }
}

#[test]
fn requests_out_of_proportion_are_refused() {
    let nested = |depth: usize| {
        let mut select = "boss(".repeat(depth);
        select.push_str("id");
        select.push_str(&")".repeat(depth));
        let asks = (0..depth).map(|at| format!("{}or=(boss.is.null,boss.not.is.null,id.eq.1)", "boss.".repeat(at)));
        format!("select={select}&{}", asks.collect::<Vec<_>>().join("&"))
    };
    assert!(read("users", &nested(5), Rules::managed()).is_ok());
    let error = read("users", &nested(30), Rules::managed()).unwrap_err();
    assert_eq!(
        (error.code(), error.public()),
        ("PGRST100", "The request has too many conditions on embeds")
    );
    let wide = vec!["boss(id)"; 300].join(",");
    let error = read("users", &format!("select={wide}"), Rules::managed()).unwrap_err();
    assert_eq!(error.public(), "The request has too many embeds");
}

#[test]
fn count_in_its_older_spelling_needs_no_leave() {
    for query in [
        "select=count",
        "select=name,projects(count)",
        "select=name,projects(n:count)",
    ] {
        assert!(read("clients", query, Rules::managed()).is_ok(), "{query}");
    }
    for query in ["select=name,count", "select=count()", "select=projects(id,count)"] {
        assert_eq!(
            read("clients", query, Rules::managed()).unwrap_err().code(),
            "PGRST123",
            "{query}"
        );
    }
}
