//! A managed project with two people in it, of one of whom something stands everywhere.

use http::StatusCode;
use serde_json::{Value, json};

use crate::tables::{self, altered};
use crate::world::{Project, User, World, text, unique};

/// What is looked for afterwards.
pub struct Planted {
    pub project: Project,
    pub ann: User,
    pub bob: User,
    pub email: String,
    pub name: String,
    pub phone: String,
    /// In everything that Ann has written.
    pub marker: String,
    /// Ann's id, and those of her rows.
    pub ids: Vec<String>,
}

impl Planted {
    pub fn values(&self) -> Vec<String> {
        [&self.email, &self.name, &self.phone, &self.marker]
            .map(Clone::clone)
            .into()
    }

    /// Her address and number as only documents have them.
    pub fn in_other_words(&self) -> Vec<String> {
        vec![linked(&self.email), spaced(&self.phone)]
    }

    /// A schema of the project's, of its deleted tables and of its accounts.
    pub fn schemas(&self, level: &str) -> String {
        match level {
            "schema" => format!("n.nspname like '%{}' or n.nspname = 'plinth'", self.project.reference),
            _ => "true".to_owned(),
        }
    }

    /// Where its rows are.
    pub fn database(&self, level: &str) -> String {
        match level {
            "schema" => plinth::control::CELL_DATABASE.to_owned(),
            _ => format!("p_{}", self.project.reference),
        }
    }
}

async fn sign_up(world: &World, project: &Project, email: &str, data: Value) -> User {
    let body = json!({ "email": email, "password": "correct horse battery", "data": data });
    let path = format!("/p/{}/auth/v1/signup", project.reference);
    let call = world.post(&path).key(&project.publishable).json(&body);
    let reply = call.send().await.expect(StatusCode::OK);
    User {
        id: text(&reply["user"], "id"),
        email: email.to_owned(),
        token: text(&reply, "access_token"),
    }
}

async fn table(world: &World, project: &Project, name: &str, soft: bool, columns: Value) -> Value {
    let mut all = vec![json!({ "name": "id", "type": "integer", "primary_key": true })];
    all.extend(columns.as_array().unwrap().iter().cloned());
    let design = json!({ "schemaJson": { "name": name, "columns": all, "softDelete": soft } });
    let call = world
        .post(&project.database("tables/create"))
        .bearer(&project.owner.token);
    call.json(&design).send().await.expect(StatusCode::CREATED)["table"].clone()
}

async fn insert(world: &World, project: &Project, table: &str, rows: Value) {
    let call = world.post(&project.rest(table)).key(&project.secret).json(&rows);
    call.send().await.expect(StatusCode::CREATED);
}

fn person(name: &str, on_delete: &str) -> Value {
    json!({ "name": name, "type": "uuid", "references": { "table": "app_users", "on_delete": on_delete } })
}

/// Posts with attachments, comments, friends, messages that answer each other, invoices, notes of which one is deleted and one
/// has lost a column, a table that is deleted, and documents: Ann's and Bob's in each.
pub async fn plant(world: &World, level: &str) -> Planted {
    let project = world.project(level).await;
    let mark = unique();
    let (email, marker) = (format!("ann.{mark}@example.com"), format!("marker{mark}"));
    let (name, phone) = (format!("Ann {mark}"), format!("+49170{:0>9}", digits(&mark)));
    let said = json!({ "full_name": name, "phone": phone, "about": marker });
    let ann = sign_up(world, &project, &email, said).await;
    let bob = sign_up(
        world,
        &project,
        &format!("{}@example.com", unique()),
        json!({ "full_name": "Bob Other" }),
    )
    .await;
    let (notes, old) = tables_of(world, &project).await;
    let ids = [
        1001, 1002, 1011, 1012, 1021, 1031, 1032, 1041, 1042, 1051, 1061, 1062, 1071,
    ];
    let ids = ids.iter().map(ToString::to_string).chain([ann.id.clone()]).collect();
    let planted = Planted {
        email,
        name,
        phone,
        marker,
        ids,
        project,
        ann,
        bob,
    };
    let project = &planted.project;
    rows(world, &planted).await;
    // One note is deleted, all have lost a column, and a whole table waits in the trash.
    let gone = world.delete(&project.rest("notes?id=eq.1062")).key(&project.secret);
    let gone = gone.send().await;
    assert!(gone.status.is_success(), "{}", gone.text);
    altered(project, &notes, json!([{ "op": "drop_column", "name": "extra" }])).await;
    let gone = tables::delete(project, &old).await;
    assert!(gone.status.is_success(), "{}", gone.text);

    documents(world, project, &[&planted.email, &planted.name, &planted.phone]).await;
    planted
}

/// Tables that lead to people in every way: the notes, which keep deleted rows, and the old, which is to be deleted.
async fn tables_of(world: &World, project: &Project) -> (Value, Value) {
    let text_of = |name: &str| json!({ "name": name, "type": "text" });
    let link = |name: &str, table: &str| json!({ "name": name, "type": "integer", "references": { "table": table, "on_delete": "cascade" } });
    table(
        world,
        project,
        "posts",
        false,
        json!([person("author", "cascade"), text_of("body")]),
    )
    .await;
    table(
        world,
        project,
        "attachments",
        false,
        json!([link("post", "posts"), text_of("label")]),
    )
    .await;
    let comments = json!([link("post", "posts"), person("author", "cascade"), text_of("body")]);
    table(world, project, "comments", false, comments).await;
    let friends = json!([person("one", "cascade"), person("other", "cascade"), text_of("how")]);
    table(world, project, "friends", false, friends).await;
    let messages = json!([person("sender", "cascade"), text_of("body")]);
    let messages = table(world, project, "messages", false, messages).await;
    let invoices = json!([person("customer", "set null"), text_of("note"), text_of("number")]);
    table(world, project, "invoices", false, invoices).await;
    let notes = json!([person("owner", "cascade"), text_of("body"), text_of("extra")]);
    let notes = table(world, project, "notes", true, notes).await;
    let old = table(
        world,
        project,
        "old",
        false,
        json!([person("owner", "cascade"), text_of("body")]),
    )
    .await;
    let answer = json!([{ "op": "add_column", "column":
        { "name": "answers", "type": "integer", "references": { "table": "messages", "on_delete": "set null" } } }]);
    altered(project, &messages, answer).await;
    (notes, old)
}

/// Rows of Bob's, which stay, and of Ann's.
async fn rows(world: &World, told: &Planted) {
    let (a, b) = (&told.ann.id, &told.bob.id);
    let Planted {
        project,
        email,
        name,
        phone,
        marker,
        ..
    } = told;
    for (table, rows) in [
        (
            "posts",
            json!([
                { "id": 1, "author": b, "body": "of bob" },
                { "id": 1001, "author": a, "body": format!("I am {marker}") },
                { "id": 1002, "author": a, "body": format!("again {marker}, {email}") },
            ]),
        ),
        (
            "attachments",
            json!([
                { "id": 1, "post": 1, "label": "of bob" },
                { "id": 1011, "post": 1001, "label": marker },
                { "id": 1012, "post": 1002, "label": name },
            ]),
        ),
        (
            "comments",
            json!([
                { "id": 1, "post": 1, "author": b, "body": "of bob" },
                { "id": 1021, "post": 1, "author": a, "body": marker },
            ]),
        ),
        (
            "friends",
            json!([
                { "id": 1, "one": b, "other": b, "how": "himself" },
                { "id": 1031, "one": a, "other": b, "how": marker },
                { "id": 1032, "one": b, "other": a, "how": marker },
            ]),
        ),
        (
            "messages",
            json!([
                { "id": 1, "sender": b, "body": "of bob", "answers": null },
                { "id": 1041, "sender": a, "body": marker, "answers": 1 },
                { "id": 1042, "sender": a, "body": marker, "answers": 1041 },
            ]),
        ),
        (
            "invoices",
            json!([
                { "id": 1, "customer": b, "note": "of bob", "number": "2026-1" },
                { "id": 1051, "customer": a, "note": format!("{name}, {phone}"), "number": "2026-2" },
            ]),
        ),
        (
            "notes",
            json!([
                { "id": 1, "owner": b, "body": "of bob", "extra": "x" },
                { "id": 1061, "owner": a, "body": marker, "extra": phone },
                { "id": 1062, "owner": a, "body": marker, "extra": marker },
            ]),
        ),
        (
            "old",
            json!([
                { "id": 1, "owner": b, "body": "of bob" }, { "id": 1071, "owner": a, "body": marker },
            ]),
        ),
    ] {
        insert(world, project, table, rows).await;
    }
}

fn digits(mark: &str) -> String {
    let digits: String = mark.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    digits.chars().take(9).collect()
}

fn linked(email: &str) -> String {
    email.replace('@', "%40")
}

/// `+49170123456789` as `+49 170-1234 56789`.
fn spaced(phone: &str) -> String {
    let (country, rest) = phone.split_at(3);
    let (network, rest) = rest.split_at(3);
    format!("{country} {network}-{} {}", &rest[..4], &rest[4..])
}

/// Four versions name her: one as it is written by hand, one in Markdown, one that is deleted, one in a link and with other
/// blanks. A job's payload does too.
async fn documents(world: &World, project: &Project, values: &[&str]) {
    let token = &project.owner.token;
    let path = format!("/api/projects/{}/docs", project.id);
    let escaped = values[0].replace('.', "\\.").replace('@', "\\@");
    let spoken = values.join(", ");
    let mut last = Value::Null;
    for content in [
        format!("# About\n\nAsk {spoken}."),
        format!("# About\n\nAsk {escaped}."),
        format!("# About\n\nAsk {} in time.", values[0].to_uppercase()),
        format!(
            "# About\n\nAsk [her](mailto:{}) or {}.",
            linked(values[0]),
            spaced(values[2])
        ),
        "# About\n\nAsk nobody.".to_owned(),
    ] {
        let call = world.post(&path).bearer(token).json(&json!({ "content": content }));
        let made = call.send().await.expect(StatusCode::CREATED);
        if content.contains("in time") {
            last = made;
        }
    }
    let gone = world
        .delete(&format!("{path}/{}", text(&last, "versionId")))
        .bearer(token);
    gone.send().await.expect(StatusCode::OK);
    let body = json!({ "projectId": project.id, "sections": ["overview"], "instructions": format!("Thank {spoken}") });
    let call = world.post("/api/generate-docs").bearer(token).json(&body);
    call.send().await.expect(StatusCode::ACCEPTED);
}
