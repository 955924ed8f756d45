//! What the operations on tables have in common, as far as the engine can do it.

use serde_json::{Map, Value, json};

use super::{Site, reference};
use crate::query::Feature;

/// `components/parameters`.
pub(super) fn all(site: &Site<'_>) -> Map<String, Value> {
    let mut all = Map::new();
    let embeds = if site.can(Feature::Embeds) {
        " Rows of other tables go into parentheses behind their name: `*,author(name)`."
    } else {
        ""
    };
    let mut add = |key: &str, place: &str, name: &str, description: &str, schema: Value, example: Value| {
        let parameter = json!({
            "name": name, "in": place, "required": false, "description": description,
            "schema": schema, "example": example,
        });
        all.insert(key.to_owned(), parameter);
    };
    let text = || json!({ "type": "string" });
    let count = || json!({ "type": "integer", "minimum": 0, "maximum": i64::from(i32::MAX) });
    let columns =
        format!("The columns to show, separated by commas; `*` for all, `name:column` to rename one.{embeds}");
    add("select", "query", "select", &columns, text(), "*".into());
    if site.can(Feature::Order) {
        let order = "What to order by: `column.asc`, `column.desc.nullslast`, several separated by commas.";
        add("order", "query", "order", order, text(), Value::Null);
    }
    if site.can(Feature::Pages) {
        add("limit", "query", "limit", "Rows at most.", count(), 10.into());
        add(
            "offset",
            "query",
            "offset",
            "Rows to leave out at the beginning.",
            count(),
            0.into(),
        );
        add(
            "range",
            "header",
            "Range",
            "The first and the last row, counted from 0.",
            text(),
            "0-9".into(),
        );
    }
    if site.can(Feature::Upsert) {
        let conflict = "The columns of the unique key that decides whether a row is there already.";
        add("onConflict", "query", "on_conflict", conflict, text(), Value::Null);
    }
    let counting = if site.can(Feature::CountExact) {
        "`count=exact` counts all rows for `Content-Range`."
    } else {
        "`handling=strict` refuses preferences that are not known."
    };
    add("preferRead", "header", "Prefer", counting, text(), Value::Null);
    let shown =
        "`return=representation` answers with the rows as they are now; `return=minimal`, the default, with none.";
    add(
        "preferWrite",
        "header",
        "Prefer",
        shown,
        text(),
        "return=representation".into(),
    );
    let resolved = if site.can(Feature::Upsert) {
        " `resolution=merge-duplicates` changes rows that are there already, `resolution=ignore-duplicates` leaves them."
    } else {
        ""
    };
    let added = if site.can(Feature::ReturnInserted) { shown } else { "" };
    add(
        "preferInsert",
        "header",
        "Prefer",
        format!("{added}{resolved}").trim(),
        text(),
        if added.is_empty() {
            Value::Null
        } else {
            "return=representation".into()
        },
    );
    for parameter in all.values_mut().filter_map(Value::as_object_mut) {
        parameter.retain(|_, value| !value.is_null());
    }
    all
}

/// References to those of `keys` that there are.
pub(super) fn those(site: &Site<'_>, keys: &[&str]) -> Vec<Value> {
    let there = all(site);
    let keys = keys.iter().filter(|key| there.contains_key(**key));
    keys.map(|key| reference("parameters", key)).collect()
}
