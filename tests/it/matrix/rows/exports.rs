//! Copies of people's data.

use serde_json::json;

use super::{Row, members, open, row, users};

pub fn rows() -> Vec<Row> {
    vec![
        row("POST", "/api/gdpr/export", members([403, 403, 202, 202])).body(
            |setting| json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id }),
        ),
        // None of these runs the platform; what people get who ask for themselves is in `privacy`, as they must have just
        // signed in.
        row("POST", "/api/gdpr/export", users(403))
            .body(|setting| json!({ "scope": "platform-user", "subject": setting.end_user.id })),
        // Of a made-up one.
        row("GET", "/api/gdpr/exports/{id}", users(404)),
        row("POST", "/api/gdpr/exports/{id}/link", users(404)),
        row("GET", "/api/gdpr/exports/{id}/file", open(400)),
        row("GET", "/api/gdpr/exports/{id}/file", open(404)).query("?token=made-up"),
    ]
}
