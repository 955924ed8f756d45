//! What is sent to be run.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::query::script::Statement;

/// A script to be run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewScript {
    /// One statement or several, in one transaction.
    pub query: String,
    /// Values of `$1`, `$2`, … of the only statement. Objects are sent as JSON text, arrays too unless the parameter is
    /// an array.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub params: Vec<Value>,
    /// Whether nothing may stay of it; true unless said.
    #[serde(default = "yes")]
    pub read_only: bool,
}

fn yes() -> bool {
    true
}

impl NewScript {
    /// Its statements.
    pub(super) fn statements(&self) -> Result<Vec<Statement<'_>>> {
        // Postgres's protocol ends texts at a NUL.
        if self.query.contains('\0') {
            return Err(
                Error::invalid("sql/nul", "The script holds a NUL character").with_hint("SQL has none: leave it out")
            );
        }
        let statements = super::statements(&self.query)?;
        if statements.len() > 1 && !self.params.is_empty() {
            return Err(
                Error::invalid("sql/params", "Only a script of one statement takes parameters")
                    .with_details(format!("{} statements", statements.len()))
                    .with_hint("Send the statement that needs them by itself"),
            );
        }
        Ok(statements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scripts_that_cannot_run_are_refused_with_their_place() {
        for (query, params, code, place) in [
            (" -- nothing", json!([]), "sql/empty", None),
            (
                "select 1;\n commit",
                json!([]),
                "sql/transaction-control",
                Some("statement 2, line 2, character 2"),
            ),
            (
                "copy t from stdin",
                json!([]),
                "sql/copy",
                Some("statement 1, line 1, character 1"),
            ),
            ("select $1; select 2", json!([1]), "sql/params", Some("2 statements")),
            ("select '\0'", json!([]), "sql/nul", None),
        ] {
            let script: NewScript = serde_json::from_value(json!({ "query": query, "params": params })).unwrap();
            let refused = script.statements().unwrap_err();
            assert_eq!((refused.code(), refused.details()), (code, place), "{query}");
        }
    }

    #[test]
    fn a_script_reads_only_unless_it_says_otherwise() {
        let script: NewScript = serde_json::from_value(json!({ "query": "select 1" })).unwrap();
        assert!(script.read_only && script.params.is_empty());
        assert!(serde_json::from_value::<NewScript>(json!({ "query": "select 1", "readonly": false })).is_err());
    }
}
