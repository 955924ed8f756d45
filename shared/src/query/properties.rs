//! What holds for every request: it is parsed or refused, what is planned renders to SQL that parses, and no value of it is
//! in that SQL.

mod valid;

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::fixtures::headers;
use super::request::{Method, Request};
use super::{Rules, parse_call, parse_request, plan, postgres};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::catalog::Catalog;
use valid::{Asked, TOKEN, asked};

/// A catalog with something of everything; the fuzz targets have the same.
pub(super) static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fuzz/catalog.json")).unwrap());

fn parsed(asked: &Asked) -> Result<Request> {
    let pairs: Vec<(&str, &str)> = asked
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let head = headers(&pairs);
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    match path.strip_prefix("rpc/") {
        Some(function) => parse_call(asked.method, function, query, &head, asked.body.as_bytes()),
        None => parse_request(asked.method, path, query, &head, asked.body.as_bytes()),
    }
}

/// The statement and its parameters.
fn rendered(asked: &Asked, rules: &Rules) -> Result<postgres::Rendered> {
    let plan = plan(parsed(asked)?, &CATALOG, rules, crate::query::RowAccess::All)?;
    Ok(postgres::render(&plan, "MARKER"))
}

fn all_allowed() -> Rules {
    Rules {
        aggregates: true,
        ..Rules::external()
    }
}

fn assert_refusal(error: &Error) -> std::result::Result<(), TestCaseError> {
    use ErrorKind::*;
    let kinds = [
        Ambiguous,
        Invalid,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        UnsupportedMedia,
        Range,
        Unsupported,
    ];
    prop_assert!(kinds.contains(&error.kind()), "{error:?}");
    Ok(())
}

fn methods() -> impl Strategy<Value = Method> {
    use Method::*;
    select(&[Get, Head, Post, Patch, Put, Delete][..])
}

/// What the grammar is made of, in any order.
fn shreds() -> impl Strategy<Value = String> {
    const SHREDS: &[&str] = &[
        "id",
        "name",
        "data",
        "clients",
        "tasks",
        "projects",
        "select",
        "order",
        "or",
        "and",
        "not",
        "limit",
        "offset",
        "columns",
        "on_conflict",
        "=",
        "=",
        "=",
        "&",
        "&",
        ".",
        ".",
        ".",
        ",",
        ",",
        "(",
        ")",
        "(",
        ")",
        "!",
        ":",
        "::",
        "->",
        "->>",
        "*",
        "...",
        "{",
        "}",
        "\"",
        "\\",
        "%22",
        "%",
        "%ff",
        "%00",
        "+",
        "'",
        ";",
        "--",
        "$1",
        "eq.",
        "in.(",
        "is.null",
        "like(any).",
        "fts(",
        "desc",
        "nullsfirst",
        "inner",
        "sum()",
        "count()",
        "text",
        "0",
        "-1",
        "9223372036854775808",
        " ",
        "é",
        "💥",
        "\u{0}",
    ];
    proptest::collection::vec(select(SHREDS), 0..24).prop_map(|shreds| shreds.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_bytes_for_a_query_string_parse_or_are_refused(
        method in methods(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        call in any::<bool>(),
    ) {
        let query = String::from_utf8_lossy(&bytes);
        let path = if call { "rpc/found" } else { "projects" };
        let asked = Asked { method, target: format!("{path}?{query}"), headers: Vec::new(), body: "{}".to_owned() };
        match rendered(&asked, &all_allowed()) {
            Ok(rendered) => {
                let statements = Parser::parse_sql(&PostgreSqlDialect {}, &rendered.sql);
                prop_assert!(statements.is_ok(), "{}", rendered.sql);
            }
            Err(error) => assert_refusal(&error)?,
        }
    }

    #[test]
    fn any_shreds_of_the_grammar_parse_or_are_refused(method in methods(), query in shreds(), call in any::<bool>()) {
        let path = if call { "rpc/found" } else { "projects" };
        let asked = Asked { method, target: format!("{path}?{query}"), headers: Vec::new(), body: "{\"name\":1}".to_owned() };
        for rules in [Rules::managed(), all_allowed()] {
            if let Err(error) = rendered(&asked, &rules) {
                assert_refusal(&error)?;
            }
        }
    }

    #[test]
    fn a_valid_request_with_a_slip_in_it_parses_or_is_refused(
        asked in asked(),
        at in any::<proptest::sample::Index>(),
        length in 0..4_usize,
        slip in shreds(),
    ) {
        let mut asked = asked;
        let mut letters: Vec<char> = asked.target.chars().collect();
        let query = letters.iter().position(|c| *c == '?').unwrap_or(letters.len());
        let at = query + at.index(letters.len() - query + 1);
        let end = (at + length).min(letters.len());
        letters.splice(at.min(end)..end, slip.chars());
        asked.target = letters.into_iter().collect();
        for rules in [Rules::managed(), all_allowed()] {
            match rendered(&asked, &rules) {
                Ok(_) => {}
                Err(error) => assert_refusal(&error)?,
            }
        }
    }

    #[test]
    fn valid_requests_render_to_sql_that_parses_and_holds_no_value(asked in asked()) {
        let rendered = match rendered(&asked, &all_allowed()) {
            Ok(rendered) => rendered,
            Err(error) => return Err(TestCaseError::fail(format!("{asked:?}: {error:?}"))),
        };
        // The one word that the parser does not know.
        let known = rendered.sql.replace("(variadic ", "(");
        match Parser::parse_sql(&PostgreSqlDialect {}, &known) {
            Ok(statements) => prop_assert_eq!(statements.len(), 1, "{}", rendered.sql),
            Err(error) => return Err(TestCaseError::fail(format!("{asked:?}\n{}\n{error}", rendered.sql))),
        }
        prop_assert!(!rendered.sql.contains(TOKEN), "{asked:?}\n{}", rendered.sql);
        prop_assert!(!rendered.sql.contains("MARKER"), "{}", rendered.sql);
        let placeholders = (1..).take_while(|at| rendered.sql.contains(&format!("${at}"))).count();
        prop_assert_eq!(placeholders, rendered.params.len(), "{}", rendered.sql);
    }
}
