//! What a refusal means where deleted rows are kept.

use super::super::plan::{Action, DeletedRows, Plan};
use crate::error::Error;

/// An error of the statement of `plan`, with a hint where a deleted row may be what is in the way: it holds its unique
/// values until it is purged, so that it can come back, and cannot be written over.
pub fn hinted(plan: &Plan, error: Error) -> Error {
    if plan.deleted != DeletedRows::Hidden {
        return error;
    }
    match error.code() {
        "23505" => error.with_hint(
            "A deleted row may hold the value: rows of this table are kept for 30 days. Restore it, or choose another value",
        ),
        "42501" if is_upsert(plan) && error.public().contains("(USING expression)") => error.with_hint(
            "The row that is there may not be changed by this caller, or it is deleted: rows of this table are kept for 30 \
             days, and can be restored",
        ),
        _ => error,
    }
}

fn is_upsert(plan: &Plan) -> bool {
    matches!(&plan.action, Action::Insert { conflict: Some(_), .. })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{SETTINGS, catalog};
    use super::super::super::plan::{ColumnRule, RowAccess, Rules, plan};
    use super::super::super::{facade, request::Method, request::Request};
    use super::super::{Rendered, render};
    use super::*;
    use crate::error::ErrorKind;
    use crate::schema::catalog::{Catalog, Column};
    use crate::schema::hidden;

    /// The usual catalog, whose `tags` keep deleted rows and have a deleted column.
    fn keeping() -> Catalog {
        let mut catalog = catalog();
        let tags = catalog.relations.get_mut("tags").unwrap();
        let ours = |name| Column {
            name,
            ..tags.columns[0].clone()
        };
        let columns = [hidden::deleted_at(), hidden::aside(uuid::Uuid::from_u128(1))].map(ours);
        tags.columns.extend(columns);
        catalog.hide();
        catalog
    }

    fn of(request: Request) -> Rendered {
        render(
            &plan(request, &keeping(), &Rules::managed(), RowAccess::All).unwrap(),
            "M",
        )
    }

    #[test]
    fn a_deletion_is_a_mark_that_asks_for_the_right_to_delete() {
        let rendered = of(facade::delete("tags", "a", "1"));
        insta::assert_snapshot!(rendered.before.unwrap(), @r#"select pg_catalog.set_config('plinth.deleting', ('"app"."tags"'::pg_catalog.regclass)::pg_catalog.oid::pg_catalog.text, true)"#);
        insta::assert_snapshot!(rendered.sql.replace(SETTINGS, ""), @r#"with plinth_right as (delete from "app"."tags" where false), plinth_source as (update "app"."tags" as plinth_0 set "plinth_deleted_at" = pg_catalog.now() where plinth_0."a" = $1 returning plinth_0."a", plinth_0."b", plinth_0."c") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from plinth_source as plinth_0) as plinth_row"#);
    }

    #[test]
    fn deleted_rows_are_read_and_restored_where_they_are_meant() {
        let mut list = Request::new(Method::Get, "tags");
        list.deleted_since = Some("2026-01-01T00:00:00Z".into());
        let rendered = of(list);
        insta::assert_snapshot!(rendered.before.unwrap(), @r#"select pg_catalog.set_config('plinth.restoring', ('"app"."tags"'::pg_catalog.regclass)::pg_catalog.oid::pg_catalog.text, true)"#);
        insta::assert_snapshot!(rendered.sql.replace(SETTINGS, ""), @r#"select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c", plinth_0."plinth_deleted_at" from "app"."tags" as plinth_0 where plinth_0."plinth_deleted_at" >= $1 limit $2::bigint) as plinth_row"#);
        let filters = serde_json::json!({ "a": 1 });
        let restore = facade::restore("tags", &filters, "2026-01-01T00:00:00Z", &keeping()).unwrap();
        insta::assert_snapshot!(of(restore).sql.replace(SETTINGS, ""), @r#"with plinth_source as (update "app"."tags" as plinth_0 set "plinth_deleted_at" = null where plinth_0."plinth_deleted_at" >= $1 and plinth_0."a" = $2 returning plinth_0."a", plinth_0."b", plinth_0."c") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from plinth_source as plinth_0) as plinth_row"#);
        assert!(of(facade::one("tags", "a", "1")).before.is_none());
        let gone = facade::restore("todos", &filters, "2026-01-01T00:00:00Z", &keeping());
        let refused = plan(gone.unwrap(), &keeping(), &Rules::managed(), RowAccess::All).unwrap_err();
        assert_eq!(refused.code(), "records/not-soft-delete");
    }

    #[test]
    fn what_is_hidden_has_no_name_even_where_any_may_be_used() {
        let rules = Rules {
            columns: ColumnRule::Any,
            ..Rules::managed()
        };
        let gone = hidden::aside(uuid::Uuid::from_u128(1)).to_string();
        for name in [hidden::DELETED_AT, &gone, "to_jsonb", "ctid"] {
            let request = facade::one("tags", name, "1");
            let refused = plan(request, &keeping(), &rules, RowAccess::All).unwrap_err();
            assert_eq!(refused.code(), "42703", "{name}");
            assert!(plan(facade::one("todos", "ctid", "1"), &keeping(), &rules, RowAccess::All).is_ok());
        }
    }

    #[test]
    fn a_refusal_hints_at_a_deleted_row_where_there_may_be_one() {
        let upsert = |table: &str| {
            let mut request = facade::create(table, br#"{"a":1}"#).unwrap();
            request.prefer.resolution = Some(super::super::super::request::Resolution::Merge);
            request.on_conflict = Some(vec![if table == "tags" { "a" } else { "id" }.to_owned()]);
            request
        };
        let plan = plan(upsert("tags"), &keeping(), &Rules::managed(), RowAccess::All).unwrap();
        let conflict = || Error::new(ErrorKind::Conflict, "23505", "duplicate key");
        assert!(hinted(&plan, conflict()).hint().unwrap().contains("deleted row"));
        let using = "new row violates row-level security policy (USING expression) for table \"tags\"";
        let refused = Error::new(ErrorKind::Forbidden, "42501", using);
        assert!(hinted(&plan, refused).hint().unwrap().contains("deleted"));
        let elsewhere = Plan {
            deleted: DeletedRows::Gone,
            ..plan
        };
        assert_eq!(hinted(&elsewhere, conflict()).hint(), None);
    }
}
