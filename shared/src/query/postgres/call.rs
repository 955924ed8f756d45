//! Calls of functions.

use super::super::plan::{Call, Input, Inputs, Outcome, SCALAR, Value};
use super::filter::array_literal;
use super::sql::Sql;

/// The arguments that a JSON body holds.
const GIVEN: &str = "plinth_given";

/// Adds the statement whose rows are what the function returns. One value stands in a column named [`SCALAR`].
pub(super) fn render(sql: &mut Sql, call: &Call) {
    let scalar = matches!(call.outcome, Outcome::Nothing | Outcome::Value | Outcome::Values);
    sql.push(if scalar {
        "select "
    } else {
        "select plinth_called.* from "
    });
    if let (
        false,
        Inputs::Members {
            json,
            is_array,
            arguments,
        },
    ) = (scalar, &call.arguments)
    {
        given(sql, json, *is_array, arguments);
        sql.push(", lateral ");
    }
    function(sql, call);
    if !scalar {
        return sql.push(" as plinth_called");
    }
    sql.push(" as ");
    sql.push(SCALAR);
    if let Inputs::Members {
        json,
        is_array,
        arguments,
    } = &call.arguments
    {
        sql.push(" from ");
        given(sql, json, *is_array, arguments);
    }
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
