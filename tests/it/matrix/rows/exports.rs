//! Copies of people's data.

use serde_json::json;

use super::{Row, members, open, row, users};

pub fn rows() -> Vec<Row> {
    let [nobody @ .., _, _, _, _, _] = users(403);
    let mut themself = [403; 12];
    themself[..nobody.len()].copy_from_slice(&nobody);
    // The platform user who is named is the project's admin.
    themself[10] = 202;
    vec![
        row("POST", "/api/gdpr/export", members([403, 403, 202, 202])).body(
            |setting| json!({ "scope": "end-user", "projectId": setting.project.id, "subject": setting.end_user.id }),
        ),
        row("POST", "/api/gdpr/export", themself)
            .body(|setting| json!({ "scope": "platform-user", "subject": setting.admin.id })),
        // Of a made-up one.
        row("GET", "/api/gdpr/exports/{id}", users(404)),
        row("POST", "/api/gdpr/exports/{id}/link", users(404)),
        row("GET", "/api/gdpr/exports/{id}/file", open(400)),
        row("GET", "/api/gdpr/exports/{id}/file", open(404)).query("?token=made-up"),
    ]
}
