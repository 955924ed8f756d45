//! Which rows belong to a person.

use serde_json::json;

use super::{Row, members, row, users};

/// After all that asks for a map that nobody has confirmed.
pub fn rows() -> Vec<Row> {
    vec![
        row("GET", "/api/gdpr/subject-map", members([403, 403, 200, 200])).query("?projectId={id}"),
        row("GET", "/api/gdpr/subject-map", users(404)).query("?projectId=00000000-0000-0000-0000-000000000000"),
        row("PUT", "/api/projects/{id}/subject-map", members([403, 403, 200, 200]))
            .body(|_| json!({ "confirm": true })),
        row("PUT", "/api/projects/{id}/subject-map", members([403, 403, 422, 422])).body(|_| json!({ "tables": 1 })),
    ]
}
