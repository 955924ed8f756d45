//! Two tenants, every route, every kind of caller: the exact status, and no byte of the other tenant's data.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use plinth_local::router::functions;
use serde_json::json;

use crate::openapi::{as_told, platform_document};
use crate::world::{Project, Reply, User, World, run, unique, world};
use rows::{Row, rows};

/// Who calls, in the order of a row's statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// No credential.
    Nobody,
    /// The neighbour's publishable key.
    OtherPublishable,
    /// The neighbour's secret key.
    OtherSecret,
    /// The project's publishable key.
    Publishable,
    /// The project's secret key.
    Secret,
    /// An end user of the project, behind its publishable key.
    EndUser,
    /// The neighbour's end user, behind the project's publishable key.
    OtherEndUser,
    /// Platform users, by their role in the project; the stranger owns the neighbour.
    Owner,
    Admin,
    Developer,
    Viewer,
    Stranger,
}

use Who::{
    Admin, Developer, EndUser, Nobody, OtherEndUser, OtherPublishable, OtherSecret, Owner, Publishable, Secret,
    Stranger, Viewer,
};

const EVERYBODY: [Who; 12] = [
    Nobody,
    OtherPublishable,
    OtherSecret,
    Publishable,
    Secret,
    EndUser,
    OtherEndUser,
    Stranger,
    Viewer,
    Developer,
    Admin,
    Owner,
];

/// A project with people in every role, something of each kind in it, and a neighbour.
struct Setting {
    project: Project,
    neighbour: Project,
    viewer: User,
    developer: User,
    admin: User,
    end_user: User,
    other_end_user: User,
    key: String,
    table: String,
    table_version: String,
    document: String,
    row: String,
    mark: String,
    other_mark: String,
}

impl Setting {
    async fn of(world: &World, isolation: &str) -> Self {
        let (project, neighbour) = (world.project(isolation).await, world.project(isolation).await);
        let mut team = Vec::new();
        for role in ["viewer", "developer", "admin"] {
            let user = world.user().await;
            let path = format!("/api/projects/{}/members", project.id);
            let body = json!({ "email": user.email, "role": role });
            world
                .post(&path)
                .bearer(&project.owner.token)
                .json(&body)
                .send()
                .await
                .expect(StatusCode::CREATED);
            team.push(user);
        }
        let (mark, other_mark) = (unique(), unique());
        let end_user = world.end_user(&project).await;
        let other_end_user = world.end_user(&neighbour).await;
        let row = plant(world, &project, &end_user, &mark).await;
        plant(world, &neighbour, &other_end_user, &other_mark).await;
        let made = json!({ "class": "publishable", "name": "spare" });
        let path = format!("/api/projects/{}/keys", project.id);
        let made = world
            .post(&path)
            .bearer(&project.owner.token)
            .json(&made)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let design =
            json!({ "schemaJson": { "name": format!("t_{mark}"), "columns": [{ "name": "title", "type": "text" }] } });
        let path = project.database("tables/create");
        let table = world
            .post(&path)
            .bearer(&project.owner.token)
            .json(&design)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let written = json!({ "content": format!("# {mark}") });
        let path = format!("/api/projects/{}/docs", project.id);
        let document = world
            .post(&path)
            .bearer(&project.owner.token)
            .json(&written)
            .send()
            .await
            .expect(StatusCode::CREATED);
        let [viewer, developer, admin] = team.try_into().unwrap();
        Self {
            key: made["id"].as_str().unwrap().to_owned(),
            table: table["table"]["id"].as_str().unwrap().to_owned(),
            table_version: table["table"]["version"].to_string(),
            document: document["versionId"].as_str().unwrap().to_owned(),
            project,
            neighbour,
            viewer,
            developer,
            admin,
            end_user,
            other_end_user,
            row,
            mark,
            other_mark,
        }
    }

    fn path(&self, row: &Row) -> String {
        let id = match row.path {
            path if path.starts_with("/api/database/") => &self.project.backend,
            _ => &self.project.id,
        };
        let user = match row.path {
            path if path.starts_with("/p/") => &self.end_user.id,
            _ => &self.viewer.id,
        };
        format!("{}{}", row.path, row.query)
            .replace("{id}", id)
            .replace("{ref}", &self.project.reference)
            .replace("{userId}", user)
            .replace("{keyId}", &self.key)
            .replace("{tableId}", &self.table)
            .replace("{versionId}", &self.document)
            .replace("{columnId}", &self.table)
            .replace("{recordId}", &self.row)
            .replace("{table}", "app_data")
            .replace("{*path}", "app_data")
    }

    async fn call(&self, world: &World, row: &Row, who: Who) -> Reply {
        let mut call = world.call(Method::from_bytes(row.method.as_bytes()).unwrap(), &self.path(row));
        let (project, neighbour) = (&self.project, &self.neighbour);
        // Platform users ask data routes with their token alone: it is no key.
        call = match who {
            Nobody => call,
            OtherPublishable => call.key(&neighbour.publishable),
            OtherSecret => call.key(&neighbour.secret),
            Publishable => call.key(&project.publishable),
            Secret => call.key(&project.secret),
            EndUser => call.key(&project.publishable).bearer(&self.end_user.token),
            OtherEndUser => call.key(&project.publishable).bearer(&self.other_end_user.token),
            Owner => call.bearer(&project.owner.token),
            Admin => call.bearer(&self.admin.token),
            Developer => call.bearer(&self.developer.token),
            Viewer => call.bearer(&self.viewer.token),
            Stranger => call.bearer(&neighbour.owner.token),
        };
        if row.path.contains("/tables/{tableId}") && matches!(row.method, "PATCH" | "PUT") {
            call = call.header("if-match", &format!("\"{}\"", self.table_version));
        }
        match row.body {
            Some(body) => call.json(&body(self)).send().await,
            None => call.send().await,
        }
    }
}

/// Puts a marked row into a project's table and returns its id.
async fn plant(world: &World, project: &Project, user: &User, mark: &str) -> String {
    let body = json!({ "data_type": mark, "user_id": user.id });
    let path = project.rest("app_data");
    let call = world
        .post(&path)
        .key(&project.secret)
        .header("prefer", "return=representation");
    let made = call.json(&body).send().await.expect(StatusCode::CREATED);
    made[0]["id"].as_str().unwrap().to_owned()
}

/// The route tables of the functions, as declared.
fn declared() -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (_, routes) in functions() {
        let api = serde_json::to_value(routes.into_openapi()).unwrap();
        for (path, item) in api["paths"].as_object().unwrap() {
            for method in ["get", "head", "post", "put", "patch", "delete"] {
                if item.get(method).is_some() {
                    all.insert((method.to_uppercase(), path.clone()));
                }
            }
        }
    }
    all
}

#[test]
fn every_route_has_a_row() {
    let rows: BTreeSet<_> = rows()
        .iter()
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    let missing: Vec<_> = declared().difference(&rows).cloned().collect();
    let unknown: Vec<_> = rows.difference(&declared()).cloned().collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "routes without a row: {missing:?}\nrows without a route: {unknown:?}"
    );
}

/// Whoever reads the description learns where no credential is asked for, and where one is.
#[test]
fn the_description_says_where_nobody_needs_a_credential() {
    run(async {
        let document = platform_document(world().await).await;
        let mut open = BTreeMap::<(String, String), bool>::new();
        for row in rows() {
            let nobody = row.expected[0] != 401;
            *open.entry((row.method.to_lowercase(), as_told(row.path))).or_default() |= nobody;
        }
        let wrong: Vec<_> = open
            .iter()
            .filter(|((method, path), open)| {
                let sets = document["paths"][path][method]["security"].as_array();
                let sets = sets.unwrap_or_else(|| panic!("{method} {path}: who may ask is not told"));
                let told = sets.is_empty() || sets.contains(&json!({}));
                told != **open
            })
            .collect();
        assert!(wrong.is_empty(), "told otherwise than it is: {wrong:?}");
    });
}

#[test]
fn each_caller_gets_exactly_what_is_theirs_at_level_schema() {
    run(matrix("schema"));
}

#[test]
fn each_caller_gets_exactly_what_is_theirs_at_level_database() {
    run(matrix("database"));
}

async fn matrix(isolation: &str) {
    let world = world().await;
    let mut setting = Setting::of(world, isolation).await;
    let mut wrong = Vec::new();
    for mut row in rows() {
        if isolation == "schema"
            && let Some(expected) = row.at_schema
        {
            row.expected = expected;
        }
        for (who, expected) in EVERYBODY.into_iter().zip(row.expected) {
            let reply = setting.call(world, &row, who).await;
            let status = reply.status.as_u16();
            let what = format!("{} {} as {who:?}", row.method, row.path);
            if status != expected {
                wrong.push(format!("{what}: {status} instead of {expected}: {:.200}", reply.text));
            }
            let theirs = [
                &setting.other_mark,
                &setting.neighbour.id,
                &setting.neighbour.owner.email,
            ];
            let at_home = (who == Stranger && row.expected[11] == row.expected[7])
                || (matches!(who, OtherPublishable | OtherSecret) && row.path.starts_with("/api/v1/"));
            if !at_home && theirs.iter().any(|mark| reply.text.contains(*mark)) {
                wrong.push(format!("{what}: the neighbour's data in {:.300}", reply.text));
            }
            if status >= 400 && reply.text.contains(&setting.mark) {
                wrong.push(format!(
                    "{what}: refused, and still the project's data in {:.300}",
                    reply.text
                ));
            }
            if row.spends && reply.status.is_success() {
                setting = Setting::of(world, isolation).await;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the matrix is wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
