//! Rows of one platform user, where the database itself tells nobody's rows from another's.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};

use crate::error::{Error, ErrorKind, Result};
use crate::ident::UserId;
use crate::query::parse;
use crate::query::request::{
    Body, CompareOp, Condition, Field, Logic, Method, OrderTerm, Request, Scoped, SelectItem, Test,
};
use crate::tenancy::Caller;

/// The column that says whose a row is.
const COLUMN: &str = "user_id";

/// Whose rows a request may touch. It is made of a caller whose token held, and of nothing else; what passes
/// [`Owner::theirs`] reads, changes and makes rows of theirs only, whatever it asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner(UserId);

impl Owner {
    pub(super) fn of(caller: &Caller) -> Self {
        Self(caller.user.id)
    }

    /// The same request, for the owner's rows.
    ///
    /// # Errors
    /// 501 `records/own-rows` for what reaches further than the rows of one table: embeds, functions, upserts.
    pub(super) fn theirs(self, mut request: Request) -> Result<Request> {
        refuse(&request)?;
        request.filters.push(Scoped::root(self.is_theirs()));
        if let Some(body) = &request.body {
            request.body = Some(self.with_owner(body)?);
            if let Some(columns) = request.columns.as_mut().filter(|_| request.method == Method::Post) {
                columns.retain(|column| column != COLUMN);
                columns.push(COLUMN.to_owned());
            }
        }
        Ok(request)
    }

    fn is_theirs(self) -> Logic {
        Logic::Condition(Condition {
            field: Field {
                name: COLUMN.to_owned(),
                path: Vec::new(),
            },
            negated: false,
            test: Test::Compare(CompareOp::Eq, None, self.0.to_string()),
        })
    }

    /// Every row of a body gets the owner, in place of whom it names.
    fn with_owner(self, body: &Body) -> Result<Body> {
        type Row<'a> = BTreeMap<String, &'a RawValue>;
        let unreadable = |_| Error::invalid("PGRST102", "Empty or invalid json");
        let owner = to_raw_value(&self.0.to_string()).map_err(Error::internal)?;
        let mut rows: Vec<Row<'_>> = if body.is_array {
            serde_json::from_str(&body.json).map_err(unreadable)?
        } else {
            vec![serde_json::from_str(&body.json).map_err(unreadable)?]
        };
        for row in &mut rows {
            row.insert(COLUMN.to_owned(), &owner);
        }
        let json = match (body.is_array, rows.as_slice()) {
            (false, [row]) => serde_json::to_vec(row),
            _ => serde_json::to_vec(&rows),
        };
        parse::body(&json.map_err(Error::internal)?)
    }
}

/// What would look past the rows of the one table that the filter stands on.
fn refuse(request: &Request) -> Result<()> {
    let selects = request.select.iter();
    let embeds = selects.clone().any(|item| matches!(item, SelectItem::Embed { .. }));
    let scoped = !request.filters.iter().all(|filter| filter.path.is_empty());
    let by_another = |order: &Scoped<Vec<OrderTerm>>| {
        !order.path.is_empty() || order.value.iter().any(|term| term.relation.is_some())
    };
    let reaches = [
        (request.call.is_some(), "functions"),
        (
            embeds || scoped || request.order.iter().any(by_another),
            "embedded tables",
        ),
        (
            request.method == Method::Put || request.prefer.resolution.is_some() || request.on_conflict.is_some(),
            "upserts",
        ),
    ];
    match reaches.iter().find(|(reaches, _)| *reaches) {
        None => Ok(()),
        Some((_, what)) => Err(Error::new(
            ErrorKind::Unsupported,
            "records/own-rows",
            "Only the caller's own rows of one table can be asked for here",
        )
        .with_details(*what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::postgres;
    use crate::query::request::Resolution;
    use crate::query::{CastRule, Rules, mysql, plan};
    use crate::schema::catalog::{Catalog, Column, Relation, RelationKind};

    const WHO: &str = "6b2f6a0e-5f0c-4b57-9f3e-0a1b2c3d4e5f";

    fn owner() -> Owner {
        Owner(UserId(WHO.parse().unwrap()))
    }

    fn catalog() -> Catalog {
        let column = |name: &str| Column {
            name: crate::ident::Ident::new(name).unwrap(),
            data_type: "text".to_owned(),
            base_type: None,
            nullable: true,
            default: None,
            generated: false,
            comment: None,
        };
        let tasks = Relation {
            name: crate::ident::Ident::new("tasks").unwrap(),
            kind: RelationKind::Table,
            columns: ["id", "user_id", "title"].map(column).into(),
            primary_key: vec![crate::ident::Ident::new("id").unwrap()],
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            computed: Vec::new(),
            writable: Default::default(),
            comment: None,
        };
        Catalog {
            relations: [("tasks".to_owned(), tasks)].into(),
            ..Catalog::default()
        }
    }

    fn asked(method: Method, query: &str, body: &str) -> Request {
        parse::parse_request(method, "tasks", query, &http::HeaderMap::new(), body.as_bytes()).unwrap()
    }

    /// Each with what it must not reach: rows of others, by any filter, body or column list.
    #[test]
    fn every_statement_is_about_the_owners_rows() {
        let rules = Rules {
            casts: CastRule::Listed,
            ..Rules::external()
        };
        for (method, query, body) in [
            (Method::Get, "", ""),
            (Method::Get, "user_id=eq.another", ""),
            (Method::Get, "or=(user_id.eq.another,user_id.is.null)", ""),
            (Method::Get, "user_id=not.is.null&limit=1&offset=0", ""),
            (Method::Head, "not.and=(user_id.eq.another,id.eq.1)", ""),
            (Method::Patch, "", r#"{"title":"x"}"#),
            (Method::Patch, "id=eq.1", r#"{"title":"x","user_id":"another"}"#),
            (Method::Delete, "", ""),
            (Method::Delete, "or=(id.eq.1,user_id.eq.another)", ""),
        ] {
            let plan = plan(owner().theirs(asked(method, query, body)).unwrap(), &catalog(), &rules).unwrap();
            let rendered = format!("{:?}", postgres::render(&plan, "m"));
            assert!(rendered.contains(WHO), "{method:?} {query}: {rendered}");
            assert!(rendered.contains(r#"\"user_id\" = "#), "{method:?} {query}: {rendered}");
        }
    }

    #[test]
    fn a_row_that_is_made_is_the_owners_whoever_it_names() {
        for (query, body, expected) in [
            ("", r#"{"title":"a"}"#, format!(r#"{{"title":"a","user_id":"{WHO}"}}"#)),
            (
                "columns=title",
                r#"{"title":12.3400,"user_id":"another"}"#,
                format!(r#"{{"title":12.3400,"user_id":"{WHO}"}}"#),
            ),
            (
                "columns=user_id",
                r#"[{"user_id":null},{"title":"b","user_id":{"x":1}}]"#,
                format!(r#"[{{"user_id":"{WHO}"}},{{"title":"b","user_id":"{WHO}"}}]"#),
            ),
        ] {
            let theirs = owner().theirs(asked(Method::Post, query, body)).unwrap();
            assert_eq!(&*theirs.body.as_ref().unwrap().json, expected);
            let plan = plan(theirs, &catalog(), &Rules::external()).unwrap();
            let insert = mysql::insert(&plan, mysql::Flavour::MariaDb);
            let text = format!("{:?}", insert.unwrap());
            assert!(text.contains("user_id") && !text.contains("another"), "{text}");
        }
    }

    #[test]
    fn what_reaches_past_the_rows_of_one_table_is_refused() {
        let mut upsert = asked(Method::Post, "", r#"{"id":"1"}"#);
        upsert.prefer.resolution = Some(Resolution::Merge);
        for request in [
            upsert,
            asked(Method::Post, "on_conflict=id", r#"{"id":"1"}"#),
            asked(Method::Put, "id=eq.1", r#"{"id":"1"}"#),
            asked(Method::Get, "select=*,projects(*)", ""),
            asked(Method::Get, "projects.name=eq.x", ""),
            asked(Method::Get, "order=projects(name)", ""),
            asked(Method::Get, "projects.order=name", ""),
        ] {
            let refused = owner().theirs(request.clone()).unwrap_err();
            assert_eq!(refused.code(), "records/own-rows", "{request:?}");
        }
    }
}
