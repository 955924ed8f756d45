//! JSON values as literals for `execute`, which Postgres reads with the input function of the type it inferred.

use serde_json::Value;
use tokio_postgres::types::{Kind, Type};

use crate::error::{Error, Result};
use crate::ident::literal;

/// The literals of a statement's parameters.
///
/// # Errors
/// `sql/params` when there are more or fewer values than parameters.
pub(super) fn literals(types: &[Type], values: &[Value]) -> Result<Vec<String>> {
    if types.len() != values.len() {
        return Err(Error::invalid(
            "sql/params",
            "The statement has another number of parameters than there are values",
        )
        .with_details(format!("{} parameters, {} values", types.len(), values.len()))
        .with_hint("Send one element of params for each of $1, $2, …"));
    }
    if values.iter().any(|value| value.to_string().contains("\\u0000")) {
        return Err(Error::invalid("sql/params", "A value holds a NUL character")
            .with_hint("Postgres keeps none in a text: leave it out"));
    }
    Ok(types.iter().zip(values).map(|(of, value)| one(of, value)).collect())
}

fn one(of: &Type, value: &Value) -> String {
    match (value, of.kind()) {
        (Value::Null, _) => "null".to_owned(),
        (Value::String(text), _) => literal(text),
        (Value::Array(items), Kind::Array(_)) => literal(&array(items)),
        (other, _) => literal(&other.to_string()),
    }
}

/// A JSON array as Postgres writes arrays.
fn array(items: &[Value]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            Value::Null => "NULL".to_owned(),
            Value::Array(inner) => array(inner),
            Value::String(text) => element(text),
            other => element(&other.to_string()),
        })
        .collect();
    format!("{{{}}}", items.join(","))
}

fn element(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_literals_and_json_arrays_become_postgres_arrays() {
        let types = [
            Type::TEXT,
            Type::TEXT,
            Type::INT4_ARRAY,
            Type::TEXT_ARRAY,
            Type::JSONB,
            Type::BOOL,
        ];
        let values = [
            json!(null),
            json!("a'\\b"),
            json!([1, null]),
            json!(["a\"b", "c,d"]),
            json!({"a": [1]}),
            json!(true),
        ];
        insta::assert_snapshot!(literals(&types, &values).unwrap().join("\n"), @r#"
        null
        E'a''\\b'
        '{"1",NULL}'
        E'{"a\\"b","c,d"}'
        '{"a":[1]}'
        'true'
        "#);
    }

    #[test]
    fn another_number_of_values_is_refused() {
        assert_eq!(literals(&[Type::TEXT], &[]).unwrap_err().code(), "sql/params");
        assert_eq!(literals(&[], &[json!(1)]).unwrap_err().code(), "sql/params");
        assert_eq!(
            literals(&[Type::TEXT], &[json!("a\0b")]).unwrap_err().code(),
            "sql/params"
        );
    }
}
