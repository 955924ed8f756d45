use super::*;
use crate::ident::Ident;
use crate::query::fixtures;
use crate::schema::catalog::{Argument, Function, Link, Relationship, Returns, Settings, Shape, Volatility, Writable};

const ALL: Rights = Rights {
    select: true,
    insert: true,
    update: true,
    delete: true,
};
const READ: Rights = Rights {
    select: true,
    insert: false,
    update: false,
    delete: false,
};

fn ident(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

/// The shared catalog with comments, a foreign key from `todos.owner` and functions.
fn catalog() -> Catalog {
    let mut catalog = fixtures::catalog();
    let todos = catalog.relations.get_mut("todos").unwrap();
    todos.comment = Some("Things to do\n\nOne row each".to_owned());
    todos.columns[1].comment = Some("What".to_owned());
    todos.columns[0].nullable = false;
    let key = Relationship {
        target: ident("tags"),
        link: Link::ManyToOne {
            constraint: ident("todos_owner_fkey"),
            columns: vec![(ident("owner"), ident("a"))],
        },
    };
    catalog.relationships.insert("todos".to_owned(), vec![key]);
    let argument = |name: &str, data_type: &str, required, variadic| Argument {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        required,
        variadic,
    };
    let functions = [
        (
            "find",
            vec![
                argument("word", "text", true, false),
                argument("moods", "mood[]", false, false),
                argument("rest", "integer[]", false, true),
            ],
            Volatility::Stable,
        ),
        ("store", vec![argument("", "jsonb", true, false)], Volatility::Volatile),
    ];
    for (name, arguments, volatility) in functions {
        let function = Function {
            name: ident(name),
            arguments,
            returns: Returns {
                set: false,
                shape: Shape::Void,
            },
            volatility,
            settings: Settings::new(),
            comment: None,
        };
        catalog.functions.insert(name.to_owned(), vec![function]);
    }
    catalog
}

fn described(catalog: &Catalog, tables: &[(&str, Rights)], functions: &[&str]) -> Value {
    let visible = Visible {
        tables: tables
            .iter()
            .map(|(name, rights)| ((*name).to_owned(), *rights))
            .collect(),
        functions: functions.iter().map(|name| (*name).to_owned()).collect(),
        description: Some("My API\nFor all".to_owned()),
    };
    let site = Site {
        url: "https://example.com/p/abc/rest/v1",
        schema: "public",
        wide_integers_as_text: false,
    };
    document(catalog, &visible, &site)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn head_tells_where_the_api_is() {
    let document = described(&catalog(), &[], &[]);
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(
        (&document["schemes"], &document["host"], &document["basePath"]),
        (&json!(["https"]), &json!("example.com"), &json!("/p/abc/rest/v1"))
    );
    assert_eq!(
        (&document["info"]["title"], &document["info"]["description"]),
        (&json!("My API"), &json!("For all"))
    );
    assert_eq!(keys(&document["paths"]), ["/"]);
}

#[test]
fn definition_shows_types_keys_defaults_and_labels() {
    let document = described(&catalog(), &[("todos", READ)], &[]);
    let definition = &document["definitions"]["todos"];
    assert_eq!(definition["required"], json!(["id"]));
    assert_eq!(definition["description"], "Things to do\n\nOne row each");
    let properties = definition["properties"].as_object().unwrap();
    let lines: Vec<_> = properties
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    at: {"default":"now()","format":"timestamp with time zone","type":"string"}
    data: {"format":"jsonb"}
    done: {"default":false,"format":"boolean","type":"boolean"}
    id: {"description":"Note:\nThis is a Primary Key.<pk/>","format":"bigint","type":"integer"}
    mood: {"enum":["ok","sad"],"format":"public.mood","type":"string"}
    moods: {"format":"public.mood[]","items":{"type":"string"},"type":"array"}
    owner: {"description":"Note:\nThis is a Foreign Key to `tags.a`.<fk table='tags' column='a'/>","format":"uuid","type":"string"}
    span: {"format":"int4range","type":"string"}
    tags: {"format":"text[]","items":{"type":"string"},"type":"array"}
    title: {"description":"What","format":"text","type":"string"}
    word: {"format":"character varying","maxLength":20,"type":"string"}
    "#);
}

#[test]
fn methods_follow_from_rights_and_from_what_the_relation_takes() {
    let mut catalog = catalog();
    catalog.relations.get_mut("tags").unwrap().writable = Writable {
        insert: false,
        update: true,
        delete: false,
    };
    let nothing = Rights { select: false, ..READ };
    let document = described(
        &catalog,
        &[("todos", READ), ("tags", ALL), ("odd\"; name", nothing), ("gone", ALL)],
        &[],
    );
    assert_eq!(keys(&document["paths"]), ["/", "/tags", "/todos"]);
    assert_eq!(keys(&document["paths"]["/todos"]), ["get"]);
    assert_eq!(keys(&document["paths"]["/tags"]), ["get", "patch"]);
    assert_eq!(keys(&document["definitions"]), ["tags", "todos"]);
}

#[test]
fn every_reference_leads_somewhere_whatever_the_names() {
    let mut catalog = catalog();
    let mut odd = catalog.relations["odd\"; name"].clone();
    odd.name = ident("a/b~c {d}%");
    catalog.relations.insert(odd.name.to_string(), odd);
    let document = described(
        &catalog,
        &[("odd\"; name", ALL), ("a/b~c {d}%", ALL), ("todos", ALL)],
        &["find", "store"],
    );
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 40, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().unwrap();
        assert!(document.pointer(&pointer).is_some(), "{reference}");
    }
    assert!(document["paths"].get("/a%2Fb~c%20%7Bd%7D%25").is_some());
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, references)),
        _ => {}
    }
}

#[test]
fn functions_take_a_body_and_those_that_read_a_query() {
    let document = described(&catalog(), &[], &["find", "store"]);
    assert_eq!(keys(&document["paths"]), ["/", "/rpc/find", "/rpc/store"]);
    assert_eq!(keys(&document["paths"]["/rpc/store"]), ["post"]);
    let get = document["paths"]["/rpc/find"]["get"]["parameters"].as_array().unwrap();
    let lines: Vec<_> = get.iter().map(Value::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"format":"text","in":"query","name":"word","required":true,"type":"string"}
    {"format":"public.mood[]","in":"query","name":"moods","required":false,"type":"string"}
    {"collectionFormat":"multi","in":"query","items":{"format":"integer","type":"integer"},"name":"rest","required":false,"type":"array"}
    "#);
    let body = &document["paths"]["/rpc/find"]["post"]["parameters"][0]["schema"];
    assert_eq!(body["required"], json!(["word"]));
    assert_eq!(body["properties"]["moods"]["format"], "public.mood[]");
    let whole = &document["paths"]["/rpc/store"]["post"]["parameters"][0]["schema"];
    assert_eq!(*whole, json!({ "format": "jsonb" }));
}

#[test]
fn summary_is_the_first_line_of_the_comment() {
    let document = described(&catalog(), &[("todos", READ)], &[]);
    let get = &document["paths"]["/todos"]["get"];
    assert_eq!(
        (&get["summary"], &get["description"]),
        (&json!("Things to do"), &json!("One row each"))
    );
}
