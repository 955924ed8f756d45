//! A small catalog that the tests of all steps share.

mod related;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::plan::{Plan, Rules, plan};
use super::request::{Method, Request};
use super::{parse_request, postgres};
use crate::error::Result;
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, Relation, RelationKind, Writable};
pub(super) use related::related;

/// `public.todos` with a column of every kind that matters, and `public.tags` with a composite key.
pub(crate) fn catalog() -> Catalog {
    let relations = [
        relation(
            "todos",
            &["id"],
            &[
                ("id", "bigint", Some("nextval('todos_id_seq'::regclass)")),
                ("title", "text", None),
                ("done", "boolean", Some("false")),
                ("mood", "mood", None),
                ("moods", "mood[]", None),
                ("tags", "text[]", None),
                ("data", "jsonb", None),
                ("owner", "uuid", None),
                ("at", "timestamp with time zone", Some("now()")),
                ("word", "character varying(20)", None),
                ("span", "int4range", None),
            ],
        ),
        relation(
            "tags",
            &["a", "b"],
            &[("a", "integer", None), ("b", "text", None), ("c", "text", None)],
        ),
        relation("odd\"; name", &[], &[("co\"l; --", "text", None)]),
    ];
    Catalog {
        schema: Some(Ident::new("app").unwrap()),
        relations: relations
            .into_iter()
            .map(|relation| (relation.name.to_string(), relation))
            .collect(),
        enums: BTreeMap::from([("mood".to_owned(), vec!["ok".to_owned(), "sad".to_owned()])]),
        ..Catalog::default()
    }
}

fn relation(name: &str, key: &[&str], columns: &[(&str, &str, Option<&str>)]) -> Relation {
    let column = |(name, data_type, default): &(&str, &str, Option<&str>)| Column {
        name: Ident::new(*name).unwrap(),
        data_type: (*data_type).to_owned(),
        base_type: None,
        nullable: true,
        default: default.map(str::to_owned),
        generated: false,
        comment: None,
    };
    Relation {
        hidden: crate::schema::catalog::Hidden::default(),
        name: Ident::new(name).unwrap(),
        kind: RelationKind::Table,
        columns: columns.iter().map(column).collect(),
        primary_key: key.iter().map(|name| Ident::new(*name).unwrap()).collect(),
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        computed: Vec::new(),
        writable: Writable::default(),
        comment: None,
    }
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        )
    };
    pairs.iter().map(pair).collect()
}

pub(crate) fn parsed(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Result<Request> {
    parse_request(method, table, query, &headers(head), body.as_bytes())
}

/// Parsed and planned under the rules of managed backends.
pub(crate) fn planned(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Result<Plan> {
    let rules = Rules {
        max_rows: None,
        plan: true,
        ..Rules::managed()
    };
    plan(
        parsed(method, table, query, head, body)?,
        &catalog(),
        &rules,
        crate::query::RowAccess::All,
    )
}

/// What every statement ends its columns with; left out of the golden texts.
pub(super) const SETTINGS: &str = ", nullif(pg_catalog.current_setting('response.headers', true), '') as \
    response_headers, nullif(pg_catalog.current_setting('response.status', true), '') as response_status";

/// The statement without [`SETTINGS`] and, on a line each, its parameters.
pub(crate) fn rendered(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> String {
    let plan = planned(method, table, query, head, body).unwrap();
    let rendered = postgres::render(&plan, "MARK");
    let params = rendered.params.iter().enumerate();
    let params = params.map(|(at, value)| format!("\n${} = {}", at + 1, value.as_deref().unwrap_or("null")));
    format!("{}{}", rendered.sql.replace(SETTINGS, ""), params.collect::<String>())
}
