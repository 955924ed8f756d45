//! What holds for the statement of any request that the planner takes.

use std::slice::Iter;

use proptest::prelude::*;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::super::fixtures::{parsed, related};
use super::super::plan::{Rules, plan};
use super::super::request::Method::{self, *};
use super::{Rendered, render};

/// A relation, its columns, and what may be embedded in it: spelling and target.
type Known = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const RELATIONS: &[Known] = &[
    (
        "clients",
        &["id", "name", "meta", "meta->a", "meta->>b"],
        &[
            ("projects", "projects"),
            ("latest", "projects"),
            ("archive", "projects"),
            ("p:projects!client_id", "projects"),
        ],
    ),
    (
        "projects",
        &["id", "name", "budget", "label"],
        &[
            ("clients", "clients"),
            ("client_id", "clients"),
            ("tasks", "tasks"),
            ("details!inner", "details"),
        ],
    ),
    (
        "tasks",
        &["id", "hours"],
        &[
            ("projects!inner", "projects"),
            ("users!assigned", "users"),
            ("projects", "projects"),
        ],
    ),
    (
        "users",
        &["id", "name"],
        &[
            ("boss", "users"),
            ("staff:users!boss!inner", "users"),
            ("tasks!assigned", "tasks"),
        ],
    ),
    ("details", &["project_id", "note"], &[("projects", "projects")]),
];

/// A value that no name looks like.
const VALUE: &str = "q7Zx'\"$1";

/// Makes a request of a row of decisions.
struct Maker<'a> {
    decisions: Iter<'a, u8>,
    parameters: Vec<String>,
}

impl Maker<'_> {
    fn pick(&mut self, among: usize) -> usize {
        self.decisions
            .next()
            .map_or(0, |decision| usize::from(*decision) % among)
    }

    fn known(table: &str) -> &'static Known {
        RELATIONS.iter().find(|known| known.0 == table).unwrap()
    }

    fn select(&mut self, table: &str, path: &str, depth: usize) -> String {
        let known = Self::known(table);
        let mut items = Vec::new();
        for _ in 0..=self.pick(3) {
            let column = known.1[self.pick(known.1.len())];
            items.push(match self.pick(8) {
                0 => "*".to_owned(),
                1 => format!("x:{column}::text"),
                2 => format!("{column}.max()"),
                3 => "count()".to_owned(),
                _ => column.to_owned(),
            });
        }
        for _ in 0..self.pick(3) {
            if depth > 3 {
                break;
            }
            let (spelling, target) = known.2[self.pick(known.2.len())];
            let name = spelling.split([':', '!']).next().unwrap();
            let below = format!("{path}{name}.");
            let to_one = ["latest", "clients", "client_id", "boss", "details", "projects"].contains(&name);
            self.said(target, &below);
            match self.pick(6) {
                0 => items.push(format!("{spelling}()")),
                1 if !spelling.contains(':') => {
                    let inner = self.select(target, &below, depth + 1);
                    items.push(format!("...{spelling}({inner})"));
                }
                choice => {
                    let inner = self.select(target, &below, depth + 1);
                    items.push(format!("{spelling}({inner})"));
                    match choice {
                        2 => self.parameters.push(format!("{path}{name}=is.null")),
                        3 => self
                            .parameters
                            .push(format!("{path}or=({name}.not.is.null,id.eq.{VALUE})")),
                        4 if to_one => self.parameters.push(format!("{path}order={name}(id).desc,id")),
                        _ => {}
                    }
                }
            }
        }
        items.join(",")
    }

    /// Filters, order and page of a relation.
    fn said(&mut self, table: &str, path: &str) {
        let columns = Self::known(table).1;
        for _ in 0..self.pick(3) {
            let column = columns[self.pick(columns.len())];
            let test = [
                "eq.",
                "not.like.",
                "in.(1,",
                "fts.",
                "like(any).",
                "isdistinct.",
                "is.null",
            ][self.pick(7)];
            let value = match test {
                "in.(1," => "\"q7Zx,\")",
                "is.null" => "",
                _ => VALUE,
            };
            self.parameters.push(format!("{path}{column}={test}{value}"));
        }
        if self.pick(2) == 1 {
            let limit = self.pick(4);
            self.parameters.push(format!("{path}limit={limit}"));
        }
        if self.pick(3) == 1 {
            let offset = self.pick(3);
            self.parameters.push(format!("{path}offset={offset}"));
        }
    }
}

fn encoded(query: &str) -> String {
    query
        .replace('"', "%22")
        .replace('$', "%24")
        .replace('\'', "%27")
        .replace('>', "%3E")
}

/// Whether each parameter stands somewhere: Postgres refuses a statement with one that does not.
fn uses_all(rendered: &Rendered) -> bool {
    (1..=rendered.params.len()).all(|number| {
        let name = format!("${number}");
        rendered.sql.match_indices(&name).any(|(at, _)| {
            let next = rendered.sql[at + name.len()..].chars().next();
            next.is_none_or(|next| !next.is_ascii_digit())
        })
    })
}

fn check(method: Method, table: &str, query: &str, count: &str) -> Result<bool, TestCaseError> {
    let head = [("prefer", "return=representation"), ("prefer", count)];
    let body = if method == Patch { r#"{"name":"q7Zx"}"# } else { "" };
    let rules = Rules {
        aggregates: true,
        allow_unfiltered_writes: true,
        ..Rules::managed()
    };
    let Ok(request) = parsed(method, table, &encoded(query), &head, body) else {
        return Ok(false);
    };
    let Ok(plan) = plan(request, &related(), &rules, crate::query::RowAccess::All) else {
        return Ok(false);
    };
    let rendered = render(&plan, "MARK");
    for statement in [Some(&rendered), rendered.explain.as_deref()].into_iter().flatten() {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &statement.sql);
        prop_assert!(parsed.is_ok(), "{query}: {:?}\n{}", parsed.err(), statement.sql);
        prop_assert_eq!(parsed.unwrap().len(), 1);
        prop_assert!(!statement.sql.contains("q7Zx"), "{}", statement.sql);
        prop_assert!(
            uses_all(statement),
            "{query}: {:?}\n{}",
            statement.params,
            statement.sql
        );
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_statement_parses_and_binds_what_it_is_given(decisions in proptest::collection::vec(any::<u8>(), 20..120)) {
        let mut maker = Maker { decisions: decisions.iter(), parameters: Vec::new() };
        let table = RELATIONS[maker.pick(RELATIONS.len())].0;
        let select = maker.select(table, "", 0);
        maker.said(table, "");
        let method = [Get, Get, Head, Patch, Delete][maker.pick(5)];
        let count = ["count=exact", "count=planned", "count=estimated", "tx=commit"][maker.pick(4)];
        maker.parameters.sort();
        // Twice the same page is refused by the parser.
        maker.parameters.dedup_by_key(|parameter| parameter.split('=').next().unwrap_or_default().to_owned());
        let query = format!("select={select}&{}", maker.parameters.join("&"));
        check(method, table, &query, count)?;
    }
}

#[test]
fn most_made_requests_are_planned() {
    let mut planned = 0;
    for seed in 0..200_u32 {
        let decisions: Vec<u8> = (0..60_u32)
            .map(|at| (seed.wrapping_mul(2_654_435_761).rotate_left(at) >> 7) as u8)
            .collect();
        let mut maker = Maker {
            decisions: decisions.iter(),
            parameters: Vec::new(),
        };
        let table = RELATIONS[maker.pick(RELATIONS.len())].0;
        let select = maker.select(table, "", 0);
        planned += usize::from(check(Get, table, &format!("select={select}"), "count=exact").unwrap());
    }
    assert!(planned > 150, "{planned} of 200");
}
