//! What there is, in OpenAPI 3.1: of the platform and of each project, for programs and for people.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use http::{Method, StatusCode};
use plinth_local::router::functions;
use serde_json::{Value, json};

use crate::layers::root;
use crate::world::{BASE_URL, Project, World, run, world};

/// A table with a column of every type that a design knows, and a full and an empty row in it.
async fn things(world: &World) -> Project {
    let project = world.project("schema").await;
    let columns: Vec<Value> = TYPES
        .iter()
        .map(|(name, kind, _)| json!({ "name": name, "type": kind }))
        .chain([json!({ "name": "id", "type": "uuid", "primary_key": true, "default": "gen_random_uuid()" })])
        .chain([json!({ "name": "title", "type": "text", "required": true, "check": { "max": 20 } })])
        .collect();
    let design = json!({ "schemaJson": {
        "name": "things", "columns": columns, "policies": ["authenticated"],
    } });
    let path = project.database("tables/create");
    let made = world
        .post(&path)
        .bearer(&project.owner.token)
        .json(&design)
        .send()
        .await;
    made.expect(StatusCode::CREATED);
    let mut full: Value = TYPES
        .iter()
        .map(|(name, _, value)| ((*name).to_owned(), value()))
        .collect();
    full["title"] = json!("full");
    for row in [full, json!({ "title": "empty" })] {
        let body = json!({ "tableName": "things", "data": row });
        let path = project.database("records/create");
        let made = world.post(&path).key(&project.secret).json(&body).send().await;
        made.expect(StatusCode::CREATED);
    }
    project
}

type Sample = fn() -> Value;
const TYPES: &[(&str, &str, Sample)] = &[
    ("u", "uuid", || json!("3f2b8c1e-6d4a-4f0b-9c57-1a2b3c4d5e6f")),
    ("t", "text", || json!("text")),
    ("i", "integer", || json!(-7)),
    ("b", "bigint", || json!(9_007_199_254_740_993_i64)),
    ("yes", "boolean", || json!(true)),
    ("at", "timestamptz", || json!("2026-03-14T09:26:53.5+01:00")),
    ("local", "timestamp", || json!("2026-03-14T09:26:53")),
    ("day", "date", || json!("2026-03-14")),
    ("hour", "time", || json!("09:30")),
    ("doc", "jsonb", || json!({ "a": [1, null] })),
    ("plain", "json", || json!([1])),
    ("price", "decimal(10,2)", || json!(19.99)),
    ("r", "real", || json!(1.5)),
    ("d", "double", || json!(1.0e-7)),
    ("tags", "text[]", || json!(["a", null])),
    ("ids", "uuid[]", || json!([])),
];

/// The faults that the validators of others find, one a line; `None` where they are not installed.
fn faults(documents: &[&Value], data: &[(usize, &str, Value)]) -> Option<String> {
    let python = std::env::var("PLINTH_OPENAPI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python)
        .args(["-c", "import openapi_spec_validator"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        skipped("openapi-spec-validator, in a Python that PLINTH_OPENAPI_PYTHON names");
        return None;
    }
    let mut child = Command::new(&python)
        .arg(root().join("tests/openapi/validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "documents": documents, "data": data });
    child
        .stdin
        .take()
        .unwrap()
        .write_all(asked.to_string().as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "the validator failed");
    Some(String::from_utf8(done.stdout).unwrap().trim().to_owned())
}

#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests is to know what was not tested"
)]
fn skipped(tool: &str) {
    eprintln!("NOT VALIDATED: there is no {tool}");
}

pub async fn platform_document(world: &World) -> Value {
    world.get("/openapi.json").send().await.expect(StatusCode::OK)
}

/// All operations: method, path and what they say.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = ["get", "head", "post", "put", "patch", "delete"];
    paths
        .flat_map(|(path, item)| methods.map(|method| (method, path.as_str(), &item[method])))
        .filter(|(.., operation)| !operation.is_null())
        .collect()
}

/// A router's path as the document has it.
pub fn as_told(path: &str) -> String {
    match path.strip_suffix("{*path}") {
        Some(base) if base.ends_with("/rest/v1/") => format!("{base}{{table}}"),
        Some(base) => format!("{base}{{path}}"),
        None => path.to_owned(),
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| references(element, found)),
        _ => {}
    }
}

/// Ids are there and unique, references lead somewhere, refusals have a shape.
fn assert_whole(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id), "{method} {path}: {id:?}");
        assert!(operation["summary"].is_string(), "{id} has no summary");
        assert!(operation["tags"][0].is_string(), "{id} has no tag");
        for range in ["4XX", "5XX"] {
            assert!(
                path == "/health" || operation["responses"].get(range).is_some(),
                "{id}: {range}"
            );
        }
    }
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn the_platforms_document_has_every_operation_of_the_routers() {
    run(async {
        let world = world().await;
        let document = platform_document(world).await;
        assert_whole(&document);
        assert_eq!(document["servers"][0]["url"], BASE_URL);
        let told: BTreeSet<_> = operations(&document)
            .into_iter()
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect();
        for (_, routes) in functions() {
            let declared = serde_json::to_value(routes.into_openapi()).unwrap();
            for (method, path, _) in operations(&declared) {
                let path = as_told(path);
                assert!(
                    told.contains(&format!("{method} {path}")),
                    "{method} {path} is not told"
                );
            }
        }
    });
}

#[test]
fn the_validators_find_no_fault_in_documents_nor_in_what_they_promise() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let platform = platform_document(world).await;
        let path = format!("/p/{}/openapi.json", project.reference);
        let document = world
            .get(&path)
            .key(&project.secret)
            .send()
            .await
            .expect(StatusCode::OK);
        assert_whole(&document);
        let rows = world.get(&project.rest("things")).key(&project.secret).send().await;
        let rows = rows.expect(StatusCode::OK);
        assert_eq!(rows.as_array().unwrap().len(), 2);
        let user = world.post(&format!("/p/{}/auth/v1/signup", project.reference));
        let body = json!({ "email": format!("{}@example.com", project.reference), "password": "long enough" });
        let session = user
            .key(&project.publishable)
            .json(&body)
            .send()
            .await
            .expect(StatusCode::OK);
        let refused = world.get(&project.rest("nothing")).key(&project.secret).send().await;
        let refused = refused.expect(StatusCode::NOT_FOUND);
        let projects = world.get("/api/projects").bearer(&project.owner.token).send().await;
        let get = "/paths/~1rest~1v1~1things/get/responses/200/content/application~1json";
        let row = document.pointer(&format!("{get}/example/0")).unwrap().clone();
        let data = [
            (0, "/components/schemas/things", rows[0].clone()),
            (0, "/components/schemas/things", rows[1].clone()),
            (0, "/components/schemas/things", row),
            (0, "/components/schemas/Session", session.clone()),
            (0, "/components/schemas/Problem", refused),
            (1, "/components/schemas/SessionView", session),
            (1, "/components/schemas/ProjectList", projects.expect(StatusCode::OK)),
        ];
        let found = faults(&[&document, &platform], &data);
        assert!(
            found.as_deref().is_none_or(str::is_empty),
            "\n{}",
            found.unwrap_or_default()
        );
        // That they can find any at all.
        let wrong = [(
            0,
            "/components/schemas/things",
            json!({ "i": "seven", "title": "more than twenty characters" }),
        )];
        let broken = json!({ "openapi": "3.1.0", "paths": {} });
        let found = faults(&[&document, &broken], &wrong);
        assert!(
            found.as_deref().is_none_or(|found| found.lines().count() >= 2),
            "{found:?}"
        );
    });
}

#[test]
fn a_project_tells_each_role_what_it_may_use() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let neighbour = world.project("schema").await;
        let user = world.end_user(&project).await;
        let path = format!("/p/{}/openapi.json", project.reference);
        world.get(&path).send().await.expect(StatusCode::UNAUTHORIZED);
        world
            .get(&path)
            .key(&neighbour.secret)
            .send()
            .await
            .expect(StatusCode::UNAUTHORIZED);
        let methods = |document: &Value| -> Vec<String> {
            let item = document["paths"]["/rest/v1/things"].as_object();
            item.map(|item| item.keys().cloned().collect()).unwrap_or_default()
        };
        let asked = || world.get(&path);
        let all = ["delete", "get", "patch", "post", "put"];
        for (call, role, expected) in [
            (asked().key(&project.publishable), "anon", &[][..]),
            (
                asked().key(&project.publishable).bearer(&user.token),
                "authenticated",
                &all,
            ),
            (asked().key(&project.secret), "service_role", &all),
        ] {
            let document = call.send().await.expect(StatusCode::OK);
            assert_eq!(document["info"]["x-role"], role);
            assert_eq!(methods(&document), expected, "{role}");
            assert_eq!(
                document["servers"][0]["url"],
                format!("{BASE_URL}/p/{}", project.reference)
            );
            assert_whole(&document);
        }
        let document = asked().key(&project.secret).send().await.expect(StatusCode::OK);
        let told = document["paths"]["/rest/v1/things"]["get"]["description"]
            .as_str()
            .unwrap_or_default();
        assert!(told.contains("Signed-in users read and write all rows"), "{told}");
        assert_eq!(
            document["components"]["schemas"]["things.new"]["required"],
            json!(["title"])
        );
    });
}

#[test]
fn a_document_that_is_known_is_not_sent_again_until_the_tables_change() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let path = format!("/p/{}/openapi.json", project.reference);
        let asked = || world.get(&path).key(&project.secret);
        let first = asked().send().await;
        let tag = first.header("etag").to_owned();
        assert_eq!(first.header("content-type"), "application/json");
        let again = asked().header("if-none-match", &tag).send().await;
        assert_eq!(
            (again.status, again.header("etag")),
            (StatusCode::NOT_MODIFIED, tag.as_str())
        );
        let named = asked()
            .header("accept", "application/vnd.oai.openapi+json")
            .send()
            .await;
        assert_eq!(
            named.header("content-type"),
            "application/vnd.oai.openapi+json;version=3.1"
        );
        let design = json!({ "schemaJson": { "name": "more", "columns": [{ "name": "a", "type": "text" }] } });
        let create = project.database("tables/create");
        let made = world
            .post(&create)
            .bearer(&project.owner.token)
            .json(&design)
            .send()
            .await;
        made.expect(StatusCode::CREATED);
        let changed = asked().header("if-none-match", &tag).send().await;
        assert_ne!(changed.header("etag"), tag);
        assert!(changed.expect(StatusCode::OK)["paths"].get("/rest/v1/more").is_some());
        let tag = world.get("/openapi.json").send().await.header("etag").to_owned();
        let again = world.get("/openapi.json").header("if-none-match", &tag).send().await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    });
}

#[test]
fn the_pages_run_nothing_and_fetch_nothing() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let page = format!("/p/{}/reference?apikey=", project.reference);
        let publishable = format!("{page}{}", project.publishable);
        for path in [publishable.as_str(), "/reference"] {
            let reply = world.call(Method::GET, path).send().await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
            assert!(
                reply
                    .header("content-security-policy")
                    .starts_with("default-src 'none'; style-src 'sha256-")
            );
            let html = &reply.text;
            assert!(html.contains("id=\"schema-Problem\""));
            for unwanted in ["<script", " src=", "@import", "url(", "<link"] {
                assert!(!html.contains(unwanted), "{path}: {unwanted}");
            }
        }
        let refused = world.get(&format!("{page}{}", project.secret)).send().await;
        assert_eq!(refused.expect(StatusCode::BAD_REQUEST)["code"], "keys/in-address");
        world.get(&page).send().await.expect(StatusCode::UNAUTHORIZED);
    });
}
