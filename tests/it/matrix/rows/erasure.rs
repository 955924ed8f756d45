//! Erasing people's data, and what proves it.

use serde_json::json;

use super::{Row, members, open, row, users};

pub fn rows() -> Vec<Row> {
    vec![
        // Nobody has confirmed a subject map yet.
        row("POST", "/api/gdpr/delete", members([403, 403, 409, 409])).body(|setting| {
            json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id, "dryRun": true })
        }),
        row("POST", "/api/gdpr/delete", members([403, 403, 422, 422])).body(|setting| {
            json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id,
                "confirmToken": "made up" })
        }),
        // None of these runs the platform; what people get who ask for themselves is in `privacy`.
        row("POST", "/api/gdpr/delete", users(403))
            .body(|setting| json!({ "scope": "platform-user", "subject": setting.end_user.id, "dryRun": true })),
        row("GET", "/api/gdpr/receipts/{id}", users(404)),
        row("GET", "/api/gdpr/receipts/{id}", open(404)).query("?token=made-up"),
        row("GET", "/api/gdpr/keys", open(200)),
    ]
}
