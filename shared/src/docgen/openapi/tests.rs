use super::*;
use crate::ident::Ident;
use crate::query::fixtures;
use crate::schema::catalog::{Argument, Function, Returns, Settings, Shape, Volatility};

const ALL: Rights = Rights {
    select: true,
    insert: true,
    update: true,
    delete: true,
};

fn described(tables: &[(&str, Rights)], features: &[Feature]) -> Value {
    let mut catalog = fixtures::catalog();
    let todos = catalog.relations.get_mut("todos").unwrap();
    todos.columns[0].nullable = false;
    todos.columns[1].nullable = false;
    todos.columns[1].comment = Some("What".to_owned());
    let mut odd = catalog.relations["odd\"; name"].clone();
    odd.name = Ident::new("odd'' name").unwrap();
    catalog.relations.insert(odd.name.to_string(), odd);
    let find = Function {
        name: Ident::new("find").unwrap(),
        arguments: vec![Argument {
            name: "word".to_owned(),
            data_type: "text".to_owned(),
            required: true,
            variadic: false,
        }],
        returns: Returns {
            set: true,
            shape: Shape::Scalar("integer".to_owned()),
        },
        volatility: Volatility::Stable,
        settings: Settings::new(),
        comment: None,
    };
    catalog.functions.insert("find".to_owned(), vec![find]);
    let visible = Visible {
        tables: tables
            .iter()
            .map(|(name, rights)| ((*name).to_owned(), *rights))
            .collect(),
        functions: ["find".to_owned()].into(),
        description: None,
    };
    let policies = BTreeMap::from([("todos".to_owned(), vec!["Everybody reads.".to_owned()])]);
    let design = json!({
        "name": "todos",
        "columns": [{ "name": "title", "type": "text", "check": { "min": 1, "max": 200 } }],
    });
    let designs = [serde_json::from_value(design).unwrap()];
    document(
        &catalog,
        &visible,
        &Site {
            url: "https://example.com/p/abc",
            reference: "abc",
            version: "1.2",
            role: "anon",
            needs_key: true,
            wide_integers_as_text: false,
            features,
            policies: &policies,
            designs: &designs,
        },
    )
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn names(parameters: &Value) -> Vec<&str> {
    let parameters = parameters.as_array().unwrap().iter();
    parameters
        .map(|parameter| parameter["name"].as_str().or(parameter["$ref"].as_str()).unwrap())
        .map(|name| name.rsplit('/').next().unwrap())
        .collect()
}

#[test]
fn rows_that_are_read_added_and_changed_have_schemas_of_their_own() {
    let document = described(&[("todos", ALL)], &Feature::ALL);
    let schemas = &document["components"]["schemas"];
    let properties = schemas["todos"]["properties"].as_object().unwrap();
    let lines: Vec<_> = properties
        .iter()
        .map(|(name, schema)| format!("{name}: {schema}"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    at: {"description":"Default: `now()`.","format":"date-time","type":["string","null"],"x-type":"timestamp with time zone"}
    data: {"x-type":"jsonb"}
    done: {"description":"Default: `false`.","type":["boolean","null"],"x-type":"boolean"}
    id: {"description":"Primary key. Default: `nextval('todos_id_seq'::regclass)`.","format":"int64","type":"integer","x-type":"bigint"}
    mood: {"enum":["ok","sad",null],"type":["string","null"],"x-type":"mood"}
    moods: {"items":{"enum":["ok","sad",null],"type":["string","null"]},"type":["array","null"],"x-type":"mood[]"}
    owner: {"format":"uuid","type":["string","null"],"x-type":"uuid"}
    span: {"type":["string","null"],"x-type":"int4range"}
    tags: {"items":{"type":["string","null"]},"type":["array","null"],"x-type":"text[]"}
    title: {"description":"What","maxLength":200,"minLength":1,"type":"string","x-type":"text"}
    word: {"maxLength":20,"type":["string","null"],"x-type":"character varying(20)"}
    "#);
    assert!(schemas["todos"].get("required").is_none());
    assert_eq!(schemas["todos.new"]["required"], json!(["title"]));
    assert_eq!(schemas["todos.new"]["additionalProperties"], false);
    assert!(schemas["todos.change"].get("required").is_none());
}

#[test]
fn operations_follow_from_rights_and_from_what_the_engine_can() {
    let read = Rights {
        insert: false,
        update: false,
        delete: false,
        ..ALL
    };
    let everything = described(&[("todos", ALL), ("tags", read)], &Feature::ALL);
    assert_eq!(
        keys(&everything["paths"]["/rest/v1/todos"]),
        ["delete", "get", "patch", "post", "put"]
    );
    assert_eq!(keys(&everything["paths"]["/rest/v1/tags"]), ["get"]);
    assert_eq!(keys(&everything["paths"]["/rest/v1/rpc/find"]), ["get", "post"]);
    let told = &everything["paths"]["/rest/v1/todos"]["get"]["description"];
    assert_eq!(told, "Everybody reads.");
    let little = described(&[("todos", ALL)], &[Feature::Filters]);
    let todos = &little["paths"]["/rest/v1/todos"];
    assert_eq!(keys(todos), ["delete", "get", "patch", "post"]);
    assert_eq!(
        names(&todos["get"]["parameters"]),
        [
            "select",
            "id",
            "title",
            "done",
            "mood",
            "moods",
            "tags",
            "data",
            "owner",
            "at",
            "word",
            "span",
            "preferRead"
        ]
    );
    // Only by key, where a filter cannot write all or nothing.
    assert_eq!(names(&todos["patch"]["parameters"]), ["id"]);
    assert!(little["paths"].get("/rest/v1/rpc/find").is_none());
    assert_eq!(keys(&todos["get"]["responses"]), ["200", "4XX", "5XX"]);
}

#[test]
fn every_reference_leads_somewhere_and_ids_are_unique_whatever_the_names() {
    let document = described(
        &[("odd\"; name", ALL), ("odd'' name", ALL), ("todos", ALL)],
        &Feature::ALL,
    );
    let text = document.to_string();
    let references: Vec<_> = text.split("\"$ref\":\"#").skip(1).collect();
    assert!(references.len() > 40);
    for reference in references {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let mut ids = BTreeSet::new();
    for id in text.split("\"operationId\":\"").skip(1) {
        assert!(ids.insert(id.split('"').next().unwrap()), "{id}");
    }
    assert!(ids.contains("records.read.odd___name-2"), "{ids:?}");
    assert!(document["paths"].get("/rest/v1/odd%22%3B%20name").is_some());
}

#[test]
fn examples_look_as_if_somebody_had_typed_them() {
    let document = described(&[("todos", ALL)], &Feature::ALL);
    let todos = &document["paths"]["/rest/v1/todos"];
    let of = |method: &str| &todos[method]["requestBody"]["content"]["application/json"]["example"];
    insta::assert_snapshot!(format!("{}\n{}", of("post"), of("patch")), @r#"
    {"data":{"key":"value"},"mood":"ok","moods":["ok"],"owner":"8d9e0f1a-2b3c-4d5e-8f60-718293a4b5c6","span":"[1,10)","tags":["Some text"],"title":"Buy milk","word":"Some text"}
    {"title":"Buy milk"}
    "#);
}
