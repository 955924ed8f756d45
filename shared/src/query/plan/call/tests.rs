//! Which overload is meant, and how it is said that there is none.

use std::collections::BTreeMap;

use super::*;
use crate::query::fixtures::headers;
use crate::query::parse::parse_call;
use crate::query::request::Method;
use crate::schema::catalog::Returns;

/// A function from its signature: `name(a int, b text = , variadic c int[]) shape`, where `=` marks a default.
fn function(signature: &str) -> Function {
    let (name, rest) = signature.split_once('(').unwrap();
    let (arguments, returns) = rest.rsplit_once(')').unwrap();
    let argument = |text: &str| {
        let (text, variadic) = match text.trim().strip_prefix("variadic ") {
            Some(rest) => (rest, true),
            None => (text.trim(), false),
        };
        let (text, required) = match text.strip_suffix('=') {
            Some(rest) => (rest.trim(), false),
            None => (text, true),
        };
        let (name, data_type) = text.split_once(' ').unwrap_or(("", text));
        Argument {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            required,
            variadic,
        }
    };
    let shape = match returns.trim() {
        "void" => Shape::Void,
        scalar => Shape::Scalar(scalar.to_owned()),
    };
    Function {
        name: Ident::new(name).unwrap(),
        arguments: arguments
            .split(',')
            .filter(|text| !text.is_empty())
            .map(argument)
            .collect(),
        returns: Returns { set: false, shape },
        volatility: Volatility::Stable,
        settings: BTreeMap::new(),
        comment: None,
    }
}

fn catalog(signatures: &[&str]) -> Catalog {
    let mut functions: BTreeMap<String, Vec<Function>> = BTreeMap::new();
    for function in signatures.iter().map(|signature| function(signature)) {
        functions.entry(function.name.to_string()).or_default().push(function);
    }
    Catalog {
        schema: Some(Ident::new("api").unwrap()),
        functions,
        ..Catalog::default()
    }
}

const OVERLOADS: &[&str] = &[
    "add(a integer, b integer) integer",
    "add(a integer, b integer, c integer=) integer",
    "add3(a integer, b integer, c integer=) integer",
    "greet(name text=) text",
    "greet() text",
    "hello() text",
    "whole(json) json",
    "whole(text) text",
    "whole(bytea) bytea",
    "whole(x integer) integer",
    "both(json) json",
    "both(jsonb) jsonb",
    "named(data json) json",
    "sum(variadic v integer[]) integer",
    "maybe(a text=, b text=) text",
    "odd(\"mixed\" text, integer) text",
    "search(term text) text",
];

type Headers<'a> = &'a [(&'a str, &'a str)];

const PLAIN: Headers<'_> = &[("content-type", "text/plain")];
const XML: Headers<'_> = &[("content-type", "text/xml")];
const BYTES: Headers<'_> = &[("content-type", "application/octet-stream")];
const FORM: Headers<'_> = &[("content-type", "application/x-www-form-urlencoded")];

fn called(method: Method, call: &str, head: Headers<'_>, body: &str) -> Result<String> {
    let (name, query) = call.split_once('?').unwrap_or((call, ""));
    let mut request = parse_call(method, name, query, &headers(head), body.as_bytes())?;
    let arguments = request.call.take().unwrap();
    let catalog = catalog(OVERLOADS);
    let (call, function) = resolve(&mut request, arguments, &catalog)?;
    let takes: Vec<&str> = function.arguments.iter().map(|argument| &*argument.data_type).collect();
    let gives = match call.arguments {
        Inputs::None => "nothing".to_owned(),
        Inputs::Members { arguments, .. } => {
            let names: Vec<&str> = arguments.iter().map(|input| input.name.as_str()).collect();
            format!("members {}", names.join(" "))
        }
        Inputs::Values(values) => {
            let value = |(input, value): &(Input, Value)| match value {
                Value::One(text) => format!("{}={text}", input.name),
                Value::Many(all) => format!("{}={all:?}", input.name),
            };
            values.iter().map(value).collect::<Vec<_>>().join(" ")
        }
        Inputs::Whole(_, text) => format!("whole {text}"),
    };
    let filters = request.filters.len();
    Ok(format!("({}) {gives} +{filters}", takes.join(", ")))
}

#[test]
fn argument_names_choose_the_overload() {
    use Method::*;
    let cases: &[(Method, &str, Headers<'_>, &str, &str)] = &[
        (Get, "add3?a=1&b=2", &[], "", "(integer, integer, integer) a=1 b=2 +0"),
        (
            Get,
            "add3?a=1&b=2&c=3&a=9",
            &[],
            "",
            "(integer, integer, integer) a=9 b=2 c=3 +0",
        ),
        (
            Get,
            "add3?a=1&b=2&id=gt.4",
            &[],
            "",
            "(integer, integer, integer) a=1 b=2 +1",
        ),
        (
            Post,
            "add3?id=gt.4",
            &[],
            r#"{"b":1,"a":2}"#,
            "(integer, integer, integer) members a b +1",
        ),
        (
            Post,
            "add3",
            &[],
            r#"[{"b":1,"a":2},{"b":3,"a":4}]"#,
            "(integer, integer, integer) members a b +0",
        ),
        (
            Post,
            "add3?columns=a,b",
            &[],
            r#"{"b":1,"a":2,"z":0}"#,
            "(integer, integer, integer) members a b +0",
        ),
        (
            Post,
            "add3",
            FORM,
            "a=1&b=2%20",
            "(integer, integer, integer) a=1 b=2  +0",
        ),
        (Post, "hello", &[], "", "() nothing +0"),
        (Post, "hello", &[], "[]", "() nothing +0"),
        (Get, "greet?name=x", &[], "", "(text) name=x +0"),
        (Post, "maybe", &[], r#"{"b":null}"#, "(text, text) members b +0"),
        (Get, "sum?v=1&v=2", &[], "", "(integer[]) v=[\"1\", \"2\"] +0"),
        (Post, "sum", &[], r#"{"v":[1,2]}"#, "(integer[]) members v +0"),
        (Post, "whole", &[], r#"{"x":1}"#, "(integer) members x +0"),
        (Post, "whole", &[], r#"{"y":1}"#, "(json) whole {\"y\":1} +0"),
        (Post, "whole", &[], "[1, {}]", "(json) whole [1, {}] +0"),
        (Post, "whole", &[], "", "(json) whole {} +0"),
        (Post, "whole", PLAIN, "x y", "(text) whole x y +0"),
        (Post, "whole", BYTES, "a\n", "(bytea) whole \\x610a +0"),
        // What reads as a filter is an argument where nothing else makes sense.
        (Get, "search?term=is.null", &[], "", "(text) term=is.null +0"),
        (Get, "search?term=in.progress", &[], "", "(text) term=in.progress +0"),
        (Get, "search?term=eq.a&id=eq.1", &[], "", "(text) term=eq.a +1"),
    ];
    for (method, call, head, body, want) in cases {
        assert_eq!(
            called(*method, call, head, body).as_deref().ok(),
            Some(*want),
            "{call} {body}"
        );
    }
}

#[test]
fn calls_of_no_function_or_of_several_are_refused() {
    use Method::*;
    let cases: &[(Method, &str, Headers<'_>, &str, &str)] = &[
        (Put, "hello", &[], "", "PGRST101"),
        (Patch, "hello", &[], "", "PGRST101"),
        (Delete, "hello", &[], "", "PGRST101"),
        (Get, "nope", &[], "", "PGRST202"),
        (Get, "hello?a=1", &[], "", "PGRST202"),
        (Post, "hello", PLAIN, "", "PGRST202"),
        (Post, "hello", XML, "<x/>", "PGRST202"),
        (Get, "whole?=1", &[], "", "PGRST100"),
        (Get, "whole", &[], "", "PGRST202"),
        (Post, "named", &[], "{}", "PGRST202"),
        (Post, "odd", &[], r#"{"mixed":1}"#, "PGRST202"),
        (Post, "odd", &[], r#"{"mixed":1,"":2}"#, "PGRST202"),
        (Get, "add?a=1&b=2", &[], "", "PGRST203"),
        (Get, "greet", &[], "", "PGRST203"),
        (Post, "both", &[], "{}", "PGRST203"),
        (Post, "add3", &[], "{", "PGRST102"),
        (Post, "add3", &[], r#"[{"a":1},{"b":1}]"#, "PGRST102"),
        (Post, "add3", &[("content-type", "image/png")], "", "PGRST102"),
        (Post, "add3?a=1", &[], "{}", "PGRST100"),
    ];
    for (method, call, head, body, code) in cases {
        let error = called(*method, call, head, body).unwrap_err();
        assert_eq!(error.code(), *code, "{call} {body}: {error}");
    }
}

#[test]
fn a_missing_function_is_told_with_the_nearest_one() {
    use Method::*;
    let told = |method, call: &str, head: Headers<'_>, body: &str| {
        let error = called(method, call, head, body).unwrap_err();
        format!(
            "{}\n{}\n{}",
            error.public(),
            error.details().unwrap_or("-"),
            error.hint().unwrap_or("-")
        )
    };
    let all = [
        told(Get, "ad3?b=1&a=2", &[], ""),
        told(Post, "add3", &[], r#"{"b":1}"#),
        told(Post, "helo", &[], "{}"),
        told(Post, "hello", BYTES, "x"),
        told(Get, "greet", &[], ""),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @r"
    Could not find the function api.ad3(a, b) in the schema cache
    Searched for the function api.ad3 with parameters a, b, but no matches were found in the schema cache.
    Perhaps you meant to call the function api.add3

    Could not find the function api.add3(b) in the schema cache
    Searched for the function api.add3 with parameter b or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.
    -

    Could not find the function api.helo without parameters in the schema cache
    Searched for the function api.helo without parameters or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.
    Perhaps you meant to call the function api.hello

    Could not find the function api.hello in the schema cache
    Searched for the function api.hello with a single unnamed bytea parameter, but no matches were found in the schema cache.
    -

    Could not choose the best candidate function between: api.greet(name => text), api.greet()
    -
    Try renaming the parameters or the function itself in the database so function overloading can be resolved
    ");
}
