//! Documentation.

use serde_json::json;

use super::{Row, members, row};
use crate::matrix::Setting;
use crate::world::unique;

pub fn rows() -> Vec<Row> {
    let written = |_: &Setting| json!({ "content": format!("# {}", unique()) });
    vec![
        row("POST", "/api/generate-docs", members([403, 202, 202, 202]))
            .body(|setting| json!({ "projectId": setting.project.id })),
        row("GET", "/api/projects/{id}/docs", members([200, 200, 200, 200])),
        row("GET", "/api/projects/{id}/docs/latest", members([200, 200, 200, 200])),
        row(
            "GET",
            "/api/projects/{id}/docs/{versionId}",
            members([200, 200, 200, 200]),
        ),
        row(
            "GET",
            "/api/projects/{id}/docs/{versionId}",
            members([200, 200, 200, 200]),
        )
        .query("?format=html"),
        row(
            "GET",
            "/api/projects/{id}/docs/{versionId}/diff",
            members([200, 200, 200, 200]),
        ),
        // After the first edit there is a newer version.
        row(
            "PUT",
            "/api/projects/{id}/docs/{versionId}",
            members([403, 201, 409, 409]),
        )
        .body(written),
        row("POST", "/api/projects/{id}/docs", members([403, 201, 201, 201])).body(written),
        row(
            "POST",
            "/api/projects/{id}/docs/{versionId}/revert",
            members([403, 201, 201, 201]),
        ),
        row(
            "DELETE",
            "/api/projects/{id}/docs/{versionId}",
            members([403, 200, 404, 404]),
        ),
        row(
            "POST",
            "/api/projects/{id}/docs/{versionId}/restore",
            members([403, 200, 200, 200]),
        ),
    ]
}
