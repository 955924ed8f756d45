//! The rows of the matrix.

mod accounts;
mod descriptions;
mod documents;
mod erasure;
mod exports;

use serde_json::{Value, json};

use super::Setting;
use crate::world::unique;

/// A route with what each caller gets, in the order of [`EVERYBODY`].
#[derive(Clone)]
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub query: &'static str,
    pub body: Option<fn(&Setting) -> Value>,
    /// Whether a success uses up what the next caller would need.
    pub spends: bool,
    /// What a backend at level `schema` answers, where the levels differ.
    pub at_schema: Option<[u16; 12]>,
    pub expected: [u16; 12],
}

pub const fn row(method: &'static str, path: &'static str, expected: [u16; 12]) -> Row {
    Row {
        method,
        path,
        query: "",
        body: None,
        spends: false,
        at_schema: None,
        expected,
    }
}

impl Row {
    pub const fn body(mut self, body: fn(&Setting) -> Value) -> Self {
        self.body = Some(body);
        self
    }

    pub const fn spends(mut self) -> Self {
        self.spends = true;
        self
    }

    pub const fn at_schema(mut self, expected: [u16; 12]) -> Self {
        self.at_schema = Some(expected);
        self
    }

    pub const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }
}

/// Control plane: only platform users count. `[viewer, developer, admin, owner]`.
const fn members(by_role: [u16; 4]) -> [u16; 12] {
    let [viewer, developer, admin, owner] = by_role;
    [401, 401, 401, 401, 401, 401, 401, 404, viewer, developer, admin, owner]
}

/// Control plane, not about one project: every platform user alike.
const fn users(status: u16) -> [u16; 12] {
    [
        401, 401, 401, 401, 401, 401, 401, status, status, status, status, status,
    ]
}

/// Data plane: only the project's own keys and end users count; platform tokens alone are no key, and a platform token
/// behind a key of the project is no end user. `[publishable, secret, end user]`.
const fn keys(by_key: [u16; 3]) -> [u16; 12] {
    let [publishable, secret, end_user] = by_key;
    [
        401,
        401,
        401,
        publishable,
        secret,
        end_user,
        401,
        401,
        401,
        401,
        401,
        401,
    ]
}

/// The JSON façade of one backend: keys of the project and its members; a neighbour's key finds nothing.
const fn facade(by_key: [u16; 3], by_role: [u16; 4]) -> [u16; 12] {
    let [publishable, secret, end_user] = by_key;
    let [viewer, developer, admin, owner] = by_role;
    [
        401,
        404,
        404,
        publishable,
        secret,
        end_user,
        401,
        404,
        viewer,
        developer,
        admin,
        owner,
    ]
}

/// No credential matters.
pub const fn open(status: u16) -> [u16; 12] {
    [status; 12]
}

pub fn rows() -> Vec<Row> {
    [
        projects(),
        documents::rows(),
        descriptions::rows(),
        provisioning(),
        connections(),
        tables(),
        sql(),
        records(),
        accounts::rows(),
        erasure::rows(),
        exports::rows(),
        subject_map(),
    ]
    .concat()
}

fn projects() -> Vec<Row> {
    vec![
        row("POST", "/api/projects", users(201)).body(|_| json!({ "name": unique() })),
        row("GET", "/api/projects", users(200)),
        row("GET", "/api/trash", users(200)),
        row("GET", "/api/projects/{id}/jobs", members([200, 200, 200, 200])),
        row("GET", "/api/jobs", users(200)),
        row("GET", "/api/jobs", users(403)).query("?scope=platform"),
        row("GET", "/api/jobs/{id}", users(404)),
        row("POST", "/api/jobs/{id}/cancel", users(404)),
        row("POST", "/api/jobs/{id}/retry", users(404)),
        row("GET", "/api/projects/{id}", members([200, 200, 200, 200])),
        row("PATCH", "/api/projects/{id}", members([403, 403, 200, 200])).body(|_| json!({ "name": unique() })),
        row("PUT", "/api/projects/{id}", members([403, 403, 200, 200])).body(|_| json!({ "name": unique() })),
        row("GET", "/api/projects/{id}/members", members([200, 200, 200, 200])),
        row("POST", "/api/projects/{id}/members", members([403, 403, 409, 409]))
            .body(|setting| json!({ "userId": setting.viewer.id, "role": "viewer" })),
        row(
            "PATCH",
            "/api/projects/{id}/members/{userId}",
            members([403, 403, 200, 200]),
        )
        .body(|_| json!({ "role": "viewer" })),
        row("GET", "/api/projects/{id}/keys", members([403, 403, 200, 200])),
        row("POST", "/api/projects/{id}/keys", members([403, 403, 201, 201]))
            .body(|_| json!({ "class": "publishable", "name": unique() })),
        row(
            "POST",
            "/api/projects/{id}/keys/{keyId}/rotate",
            members([403, 403, 201, 201]),
        )
        .body(|_| json!({ "overlapSeconds": 60 }))
        .spends(),
        row(
            "DELETE",
            "/api/projects/{id}/keys/{keyId}",
            members([403, 403, 200, 200]),
        ),
        row("GET", "/api/projects/{id}/audit", members([403, 403, 200, 200])),
        row("GET", "/api/projects/{id}/audit/export", members([403, 403, 200, 200])),
        row("GET", "/api/projects/{id}/audit/verify", members([403, 403, 200, 200])),
        // For those who run the platform: none of these do.
        row("GET", "/api/audit", users(403)),
        row("GET", "/api/audit/export", users(403)),
        row("GET", "/api/audit/verify", users(403)),
        // A member may take themself out; the one named is the viewer.
        row(
            "DELETE",
            "/api/projects/{id}/members/{userId}",
            members([204, 403, 204, 204]),
        )
        .spends(),
        row("POST", "/api/projects/{id}/restore", members([403, 403, 403, 200])),
        // Neither is gone: nothing changes.
        row(
            "POST",
            "/api/projects/{id}/members/{userId}/restore",
            members([403, 403, 200, 200]),
        ),
        row(
            "POST",
            "/api/projects/{id}/keys/{keyId}/restore",
            members([403, 403, 200, 200]),
        ),
        row("DELETE", "/api/projects/{id}", members([403, 403, 403, 200])).spends(),
    ]
}

/// After all that asks for a map that nobody has confirmed.
fn subject_map() -> Vec<Row> {
    vec![
        row("GET", "/api/gdpr/subject-map", members([403, 403, 200, 200])).query("?projectId={id}"),
        row("GET", "/api/gdpr/subject-map", users(404)).query("?projectId=00000000-0000-0000-0000-000000000000"),
        row("PUT", "/api/projects/{id}/subject-map", members([403, 403, 200, 200]))
            .body(|_| json!({ "confirm": true })),
        row("PUT", "/api/projects/{id}/subject-map", members([403, 403, 422, 422])).body(|_| json!({ "tables": 1 })),
    ]
}

fn provisioning() -> Vec<Row> {
    let managed = |_: &Setting| json!({ "backendType": "managed" });
    vec![
        row(
            "GET",
            "/api/projects/{id}/backend/provision",
            members([200, 200, 200, 200]),
        ),
        row(
            "POST",
            "/api/projects/{id}/backend/provision",
            members([403, 403, 200, 200]),
        )
        .body(managed),
        row(
            "POST",
            "/api/projects/{id}/backend/provision",
            members([403, 403, 501, 501]),
        )
        .body(|_| json!({ "backendType": "external", "config": { "externalProvider": "mongodb" } })),
        row(
            "POST",
            "/api/projects/{id}/backend/reload",
            members([403, 200, 200, 200]),
        ),
        row(
            "POST",
            "/api/projects/{id}/backend/restore",
            members([403, 403, 200, 200]),
        ),
        row("POST", "/api/database/create", members([403, 403, 200, 200]))
            .body(|setting| json!({ "projectId": setting.project.id })),
        row(
            "DELETE",
            "/api/projects/{id}/backend/provision",
            members([403, 403, 200, 200]),
        )
        .spends(),
    ]
}

/// The catalogue is for everybody; a test of a connection for platform users, of a saved one for the project's developers.
fn connections() -> Vec<Row> {
    vec![
        row("GET", "/api/providers", open(200)),
        row("POST", "/api/connections/test", users(200)).body(|_| {
            let nowhere = "postgresql://u:p@127.0.0.1:1/d";
            json!({ "provider": "postgresql", "credentials": { "connectionString": nowhere } })
        }),
        // None of these callers has a database of their own; what becomes of one is in `personal`.
        row("GET", "/api/user/database-connection", users(200)),
        row("POST", "/api/user/database-connection", users(422))
            .body(|_| json!({ "connectionString": "postgresql://u:p@127.0.0.1:1/d" })),
        row("DELETE", "/api/user/database-connection", users(404)),
        row("GET", "/api/user/database-connection/setup", users(200)),
        row("POST", "/api/user/database-connection/setup", users(200)).body(|_| json!({ "step": "info" })),
        row("DELETE", "/api/user/database-connection/setup", users(200)),
        // These projects' backends are ours: there is no connection to test.
        row("POST", "/api/projects/{id}/backend/test", members([403, 409, 409, 409])),
    ]
}

fn tables() -> Vec<Row> {
    vec![
        row("GET", "/api/database/{id}/tables", members([200, 200, 200, 200])),
        row(
            "GET",
            "/api/database/{id}/tables/{tableId}",
            members([200, 200, 200, 200]),
        ),
        row("GET", "/api/database/{id}/migrations", members([200, 200, 200, 200])),
        row(
            "POST",
            "/api/database/{id}/tables/create",
            members([403, 201, 201, 201]),
        )
        .body(|_| json!({ "schemaJson": { "name": unique(), "columns": [{ "name": "a", "type": "text" }] } })),
        row(
            "PATCH",
            "/api/database/{id}/tables/{tableId}",
            members([403, 200, 200, 200]),
        )
        .body(|_| json!({ "operations": [{ "op": "add_column", "column": { "name": unique(), "type": "text" } }] }))
        .spends(),
        row(
            "POST",
            "/api/database/{id}/tables/{tableId}/restore",
            members([403, 409, 409, 409]),
        ),
        row(
            "POST",
            "/api/database/{id}/tables/{tableId}/columns/{columnId}/restore",
            members([403, 404, 404, 404]),
        ),
        row(
            "DELETE",
            "/api/database/{id}/tables/{tableId}",
            members([403, 200, 200, 200]),
        )
        .spends(),
        // A managed table has its policies in its design.
        row(
            "GET",
            "/api/database/{id}/tables/{tableId}/policies",
            members([409, 409, 409, 409]),
        ),
        row(
            "PUT",
            "/api/database/{id}/tables/{tableId}/policies",
            members([403, 403, 409, 409]),
        )
        .body(|_| json!({ "policies": ["owner"] })),
    ]
}

/// Members from developer up, and the secret key; where the database is shared, nobody.
fn sql() -> Vec<Row> {
    vec![
        row(
            "POST",
            "/api/database/{id}/sql",
            facade([403, 200, 403], [403, 200, 200, 200]),
        )
        .at_schema(facade([403, 403, 403], [403, 403, 403, 403]))
        .body(|_| json!({ "query": "select 1" })),
    ]
}

fn records() -> Vec<Row> {
    const REST: &str = "/p/{ref}/rest/v1/{*path}";
    let new = |_: &Setting| json!({ "data_type": "new" });
    let mut rows = vec![
        // Nobody may read or write app_data but its users and the service role: publishable keys get 401, as anonymous.
        row("GET", REST, keys([401, 200, 200])),
        row("HEAD", REST, keys([401, 200, 200])),
        row("POST", REST, keys([401, 201, 403])).body(new),
        row("PATCH", REST, keys([401, 204, 204]))
            .query("?data_type=eq.nothing")
            .body(new),
        row("PUT", REST, keys([401, 204, 403]))
            .query("?id=eq.00000000-0000-4000-8000-000000000001")
            .body(|_| json!({ "id": "00000000-0000-4000-8000-000000000001", "data_type": "put" })),
        row("DELETE", REST, keys([401, 204, 204])).query("?data_type=eq.nothing"),
        row(
            "POST",
            "/api/database/{id}/records/query",
            facade([401, 200, 200], [200, 200, 200, 200]),
        )
        .body(|_| json!({ "tableName": "app_data", "filters": {} })),
        row(
            "POST",
            "/api/database/{id}/records/create",
            facade([401, 201, 403], [403, 201, 201, 201]),
        )
        .body(|_| json!({ "tableName": "app_data", "data": { "data_type": "new" } })),
        row(
            "POST",
            "/api/database/{id}/records/update",
            facade([401, 200, 200], [403, 200, 200, 200]),
        )
        .body(|_| json!({ "tableName": "app_data", "filters": { "data_type": "nothing" }, "data": { "data": {} } })),
        row(
            "POST",
            "/api/database/{id}/records/delete",
            facade([401, 200, 200], [403, 200, 200, 200]),
        )
        .body(|_| json!({ "tableName": "app_data", "filters": { "data_type": "nothing" } })),
        // Its table keeps no deleted rows; but who may not see them learns nothing.
        row(
            "POST",
            "/api/database/{id}/records/restore",
            facade([403, 409, 403], [403, 409, 409, 409]),
        )
        .body(|_| json!({ "tableName": "app_data", "filters": { "data_type": "nothing" } })),
        row(
            "PUT",
            "/api/database/{id}/records/{recordId}",
            facade([401, 200, 200], [403, 200, 200, 200]),
        )
        .body(|_| json!({ "tableName": "app_data", "data": { "data": { "seen": true } } })),
        row(
            "DELETE",
            "/api/database/{id}/records/{recordId}",
            facade([401, 200, 200], [403, 200, 200, 200]),
        )
        .query("?tableName=app_data")
        .spends(),
        // The key names the project: the neighbour's is served from the neighbour's own table.
        row("GET", "/api/v1/{table}", by_own_key([401, 200, 200], [401, 200])),
        row("POST", "/api/v1/{table}", by_own_key([401, 201, 403], [401, 201])).body(new),
        row("PATCH", "/api/v1/{table}", by_own_key([401, 200, 200], [401, 200]))
            .query("?data_type=eq.nothing")
            .body(new),
        row("DELETE", "/api/v1/{table}", by_own_key([401, 200, 200], [401, 200])).query("?data_type=eq.nothing"),
        row(
            "GET",
            "/api/v1/{table}/{recordId}",
            by_own_key([401, 200, 200], [401, 404]),
        ),
        row(
            "PUT",
            "/api/v1/{table}/{recordId}",
            by_own_key([401, 200, 200], [401, 404]),
        )
        .body(|_| json!({ "data": { "seen": true } })),
        row(
            "DELETE",
            "/api/v1/{table}/{recordId}",
            by_own_key([401, 200, 200], [401, 404]),
        )
        .spends(),
        row("GET", "/api/tasks", users(404)),
        row("POST", "/api/tasks", users(404)).body(|_| json!({ "title": "new" })),
        row("GET", "/api/team", users(404)),
        row("POST", "/api/team", users(404)).body(|_| json!({ "name": "new", "email": "new@example.com" })),
        row("GET", "/p/{ref}/rest/v1", keys([200, 200, 200])),
        row("HEAD", "/p/{ref}/rest/v1", keys([200, 200, 200])),
        row("GET", "/p/{ref}/rest/v1/", keys([200, 200, 200])),
        row("HEAD", "/p/{ref}/rest/v1/", keys([200, 200, 200])),
        row("GET", "/p/{ref}/realtime/v1/{*path}", open(501)),
        row("POST", "/p/{ref}/realtime/v1/{*path}", open(501)),
    ];
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        if method != "PATCH" {
            rows.push(row(method, "/p/{ref}/storage/v1/{*path}", open(501)));
        }
        if method != "HEAD" {
            rows.push(row(method, "/p/{ref}/functions/v1/{*path}", open(501)));
        }
    }
    rows
}

/// Data plane without a project in the path: the neighbour's keys are good, for the neighbour's rows.
const fn by_own_key(own: [u16; 3], others: [u16; 2]) -> [u16; 12] {
    let [publishable, secret, end_user] = own;
    let [other_publishable, other_secret] = others;
    [
        401,
        other_publishable,
        other_secret,
        publishable,
        secret,
        end_user,
        401,
        401,
        401,
        401,
        401,
        401,
    ]
}
