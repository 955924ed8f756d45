use super::*;
use crate::query::request::{Method, Request, Resolution};
use crate::query::{CastRule, Rules, mysql, parse, plan, postgres};
use crate::schema::catalog::{Relation, RelationKind};

const WHO: &str = "6b2f6a0e-5f0c-4b57-9f3e-0a1b2c3d4e5f";

fn owner() -> RowAccess {
    RowAccess::Owned(Owner::new(WHO, Ident::fixed("user_id")))
}

fn catalog() -> Catalog {
    let column = |name: &&str| Column {
        name: Ident::new(*name).unwrap(),
        data_type: "text".to_owned(),
        base_type: None,
        nullable: true,
        default: None,
        generated: false,
        comment: None,
    };
    let table = |name: &str, columns: &[&str]| {
        let relation = Relation {
            hidden: crate::schema::catalog::Hidden::default(),
            name: Ident::new(name).unwrap(),
            kind: RelationKind::Table,
            columns: columns.iter().map(column).collect(),
            primary_key: vec![Ident::fixed("id")],
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            computed: Vec::new(),
            writable: Default::default(),
            comment: None,
        };
        (name.to_owned(), relation)
    };
    let tables = [
        table("tasks", &["id", "user_id", "title"]),
        table("tags", &["id", "word"]),
    ];
    Catalog {
        relations: tables.into(),
        ..Catalog::default()
    }
}

fn asked(method: Method, table: &str, query: &str, body: &str) -> Request {
    parse::parse_request(method, table, query, &http::HeaderMap::new(), body.as_bytes()).unwrap()
}

fn planned(request: Request) -> Result<Plan> {
    let rules = Rules {
        casts: CastRule::Listed,
        ..Rules::external()
    };
    plan(request, &catalog(), &rules, owner())
}

/// Each with what it must not reach: rows of others, by any filter, body or column list.
#[test]
fn every_statement_is_about_the_owners_rows() {
    for (method, query, body) in [
        (Method::Get, "", ""),
        (Method::Get, "user_id=eq.another", ""),
        (Method::Get, "or=(user_id.eq.another,user_id.is.null)", ""),
        (Method::Get, "user_id=not.is.null&limit=1&offset=0", ""),
        (Method::Head, "not.and=(user_id.eq.another,id.eq.1)", ""),
        (Method::Patch, "", r#"{"title":"x"}"#),
        (Method::Delete, "", ""),
        (Method::Delete, "or=(id.eq.1,user_id.eq.another)", ""),
    ] {
        let plan = planned(asked(method, "tasks", query, body)).unwrap();
        let rendered = format!("{:?}", postgres::render(&plan, "m"));
        assert!(rendered.contains(WHO), "{method:?} {query}: {rendered}");
        assert!(rendered.contains(r#"\"user_id\" = "#), "{method:?} {query}: {rendered}");
    }
}

#[test]
fn a_row_that_is_made_is_the_owners() {
    for (query, body, expected) in [
        ("", r#"{"title":"a"}"#, format!(r#"{{"title":"a","user_id":"{WHO}"}}"#)),
        (
            "columns=title",
            r#"{"title":12.3400}"#,
            format!(r#"{{"title":12.3400,"user_id":"{WHO}"}}"#),
        ),
        (
            "columns=user_id",
            r#"[{"user_id":null},{"title":"b"}]"#,
            format!(r#"[{{"user_id":"{WHO}"}},{{"title":"b","user_id":"{WHO}"}}]"#),
        ),
    ] {
        let plan = planned(asked(Method::Post, "tasks", query, body)).unwrap();
        let Action::Insert { rows, columns, .. } = &plan.action else {
            panic!("{plan:?}")
        };
        assert_eq!(&*rows.json, expected);
        assert!(columns.iter().any(|column| column.name.as_str() == "user_id"));
        let insert = mysql::insert(&plan, mysql::Flavour::MariaDb).unwrap();
        assert!(format!("{insert:?}").contains("user_id"));
    }
}

#[test]
fn what_is_not_the_owners_is_refused() {
    let mut upsert = asked(Method::Post, "tasks", "on_conflict=id", r#"{"id":"1"}"#);
    upsert.prefer.resolution = Some(Resolution::Merge);
    for (request, code) in [
        (asked(Method::Post, "tasks", "", r#"{"user_id":"another"}"#), "42501"),
        (
            asked(Method::Post, "tasks", "", r#"[{"user_id":null},{"user_id":{"x":1}}]"#),
            "42501",
        ),
        (
            asked(Method::Patch, "tasks", "id=eq.1", r#"{"user_id":"another"}"#),
            "42501",
        ),
        (asked(Method::Get, "tags", "", ""), "42501"),
        (asked(Method::Post, "tags", "", r#"{"id":"1"}"#), "42501"),
        (upsert, "PGRST127"),
        (asked(Method::Put, "tasks", "id=eq.1", r#"{"id":"1"}"#), "PGRST127"),
    ] {
        let refused = planned(request.clone()).unwrap_err();
        assert_eq!(refused.code(), code, "{request:?}");
    }
}
