//! Erasing people's data, and what proves it.

use serde_json::json;

use super::{Row, members, open, row, users};

pub fn rows() -> Vec<Row> {
    let [nobody @ .., _, _, _, _, _] = users(403);
    let mut themself = [403; 12];
    themself[..nobody.len()].copy_from_slice(&nobody);
    // The platform user who is named is the project's admin.
    themself[10] = 200;
    vec![
        // Nobody has confirmed a subject map yet.
        row("POST", "/api/gdpr/delete", members([403, 403, 409, 409])).body(|setting| {
            json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id, "dryRun": true })
        }),
        row("POST", "/api/gdpr/delete", members([403, 403, 422, 422])).body(|setting| {
            json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id,
                "confirmToken": "made up" })
        }),
        row("POST", "/api/gdpr/delete", themself)
            .body(|setting| json!({ "scope": "platform-user", "subject": setting.admin.id, "dryRun": true })),
        row("GET", "/api/gdpr/receipts/{id}", users(404)),
        row("GET", "/api/gdpr/receipts/{id}", open(404)).query("?token=made-up"),
        row("GET", "/api/gdpr/keys", open(200)),
    ]
}
