//! Calls of functions.

use super::super::plan::{Call, Input, Inputs, Node, Outcome, SCALAR, Value};
use super::filter::array_literal;
use super::read;
use super::sql::Sql;

/// The arguments that a JSON body holds.
const GIVEN: &str = "plinth_given";
/// The rows that a function returns.
const CALLED: &str = "plinth_called";

/// Adds the statement that calls the function and returns what `shown` is made of. One value stands in a column named
/// [`SCALAR`].
pub(super) fn render(sql: &mut Sql, call: &Call, shown: &Node) {
    let members = match &call.arguments {
        Inputs::Members {
            json,
            is_array,
            arguments,
        } => Some((&**json, *is_array, arguments)),
        _ => None,
    };
    sql.push("select ");
    if matches!(call.outcome, Outcome::Nothing | Outcome::Value | Outcome::Values) {
        // In the select list, because a record's columns are not known in the from list.
        function(sql, call);
        sql.push(" as ");
        sql.push(SCALAR);
        if let Some((json, is_array, arguments)) = members {
            sql.push(" from ");
            given(sql, json, is_array, arguments);
        }
        return;
    }
    read::sources(sql, CALLED, shown);
    sql.push(" from ");
    if let Some((json, is_array, arguments)) = members {
        given(sql, json, is_array, arguments);
        sql.push(", lateral ");
    }
    function(sql, call);
    sql.push(" as ");
    sql.push(CALLED);
}

fn function(sql: &mut Sql, call: &Call) {
    sql.qualified(call.schema.as_ref(), &call.function);
    sql.push("(");
    match &call.arguments {
        Inputs::None => {}
        Inputs::Whole(data_type, text) => {
            sql.bind(&**text);
            sql.push("::");
            sql.column_type(data_type);
        }
        Inputs::Members { arguments, .. } => sql.list(arguments, |sql, input| {
            named(sql, input);
            sql.column(GIVEN, &input.name);
        }),
        Inputs::Values(values) => sql.list(values, |sql, (input, value)| {
            named(sql, input);
            match value {
                Value::One(text) => sql.bind(text.as_str()),
                Value::Many(elements) => sql.bind(array_literal(elements)),
            }
            sql.push("::");
            sql.column_type(&input.data_type);
        }),
    }
    sql.push(")");
}

/// `"name" := `
fn named(sql: &mut Sql, input: &Input) {
    if input.variadic {
        sql.push("variadic ");
    }
    sql.ident(&input.name);
    sql.push(" := ");
}

fn given(sql: &mut Sql, json: &str, is_array: bool, arguments: &[Input]) {
    sql.push("pg_catalog.json_to_record(");
    sql.bind_as(json, "json");
    if is_array {
        sql.push("->0");
    }
    sql.push(") as ");
    sql.push(GIVEN);
    sql.push("(");
    sql.list(arguments, |sql, input| {
        sql.ident(&input.name);
        sql.push(" ");
        sql.column_type(&input.data_type);
    });
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{SETTINGS, headers};
    use super::super::super::properties::CATALOG;
    use super::super::super::request::Method;
    use super::super::super::{Rules, parse_call, plan};
    use super::super::render;

    /// The statement without what every one ends with, and its parameters.
    fn called(method: Method, call: &str, head: &[(&str, &str)], body: &str) -> String {
        let (name, query) = call.split_once('?').unwrap_or((call, ""));
        let request = parse_call(method, name, query, &headers(head), body.as_bytes()).unwrap();
        let rendered = render(
            &plan(request, &CATALOG, &Rules::external(), crate::query::RowAccess::All).unwrap(),
            "MARK",
        );
        let params: Vec<&str> = rendered.params.iter().flatten().map(String::as_str).collect();
        format!("{}\n{}", rendered.sql.replace(SETTINGS, ""), params.join(" | "))
    }

    #[test]
    fn members_of_a_json_body_are_read_by_the_declared_types() {
        insta::assert_snapshot!(called(Method::Post, "done", &[], r#"{"id":1,"mood":"ok"}"#), @r#"
        with plinth_source as materialized (select "app"."done"("id" := plinth_given."id", "mood" := plinth_given."mood") as pgrst_scalar from pg_catalog.json_to_record($1::json) as plinth_given("id" bigint, "mood" "app"."mood")) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
        {"id":1,"mood":"ok"}
        "#);
    }

    #[test]
    fn parameters_of_the_query_are_cast_and_the_rest_shapes_the_rows() {
        let call = "found?term=x&name=like.a*&select=id,n:name&order=id&limit=2";
        insta::assert_snapshot!(called(Method::Get, call, &[("prefer", "count=exact")], ""), @r#"
        with plinth_source as (select plinth_called."id", plinth_called."name" from "app"."found"("term" := $1::text) as plinth_called) select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, (select pg_catalog.count(*) from plinth_source as plinth_0 where plinth_0."name" like $2) as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."id", plinth_0."name" as "n" from plinth_source as plinth_0 where plinth_0."name" like $2 order by plinth_0."id" limit $3::bigint) as plinth_row
        x | a% | 2
        "#);
    }

    #[test]
    fn one_value_stands_bare() {
        insta::assert_snapshot!(called(Method::Get, "total?v=1&v=2", &[], ""), @r#"
        with plinth_source as (select "app"."total"(variadic "v" := $1::integer[]) as pgrst_scalar) select coalesce((pg_catalog.json_agg(plinth_row."pgrst_scalar")->0)::text, 'null') as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."pgrst_scalar" from plinth_source as plinth_0) as plinth_row
        {"1","2"}
        "#);
    }

    #[test]
    fn whole_body_goes_into_the_one_argument() {
        insta::assert_snapshot!(called(Method::Post, "bytes", &[("content-type", "application/octet-stream"), ("accept", "application/octet-stream")], "ab"), @r#"
        with plinth_source as (select "app"."bytes"($1::bytea) as pgrst_scalar) select pg_catalog.string_agg(plinth_row."pgrst_scalar", ''::bytea) as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."pgrst_scalar" from plinth_source as plinth_0) as plinth_row
        \x6162
        "#);
    }

    #[test]
    fn a_set_is_counted_where_it_must_not_be_more() {
        let head = &[("prefer", "handling=strict, max-affected=3")];
        insta::assert_snapshot!(called(Method::Post, "table?a=gt.1", head, r#"[{"n":1}]"#), @r#"
        with plinth_source as (select plinth_called."a", plinth_called."b" from pg_catalog.json_to_record($1::json->0) as plinth_given("n" integer), lateral "app"."table"("n" := plinth_given."n") as plinth_called) select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, case when pg_catalog.count(*) > $2::bigint then ($3::text || pg_catalog.count(*))::bigint else pg_catalog.count(*) end as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b" from plinth_source as plinth_0 where plinth_0."a" > $4) as plinth_row
        [{"n":1}] | 3 | MARK:most: | 1
        "#);
    }
}
