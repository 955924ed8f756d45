//! The grammar, case by case.

mod bodies;
mod headers;

use proptest::prelude::*;

use super::super::fixtures::parsed;
use super::super::request::*;
use super::cursor::MAX_DEPTH;
use super::*;
use crate::error::ErrorKind;

fn get(query: &str) -> Result<Request> {
    parsed(Method::Get, "t", query, &[], "")
}

fn only_condition(query: &str) -> Condition {
    let request = get(query).unwrap();
    match &request.filters[..] {
        [
            Scoped {
                path,
                value: Logic::Condition(condition),
            },
        ] if path.is_empty() => condition.clone(),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn filter_operators_parse_to_their_tests() {
    let eq = |value: &str| Test::Compare(CompareOp::Eq, None, value.to_owned());
    let list = |values: &[&str]| Test::In(values.iter().map(|value| (*value).to_owned()).collect());
    let search = |config: Option<&str>| Test::Search {
        kind: SearchKind::Web,
        config: config.map(str::to_owned),
        query: "a b".to_owned(),
    };
    let cases = [
        ("a=eq.1", false, eq("1")),
        ("a=not.eq.1", true, eq("1")),
        ("a=eq.", false, eq("")),
        ("a=eq.x.y,(z)", false, eq("x.y,(z)")),
        ("a=eq.%22q%22", false, eq("\"q\"")),
        ("a=eq.a+b%2Bc%252C", false, eq("a b+c%2C")),
        ("a=eq.100%", false, eq("100%")),
        ("a=eq.b=c", false, eq("b=c")),
        (
            "a=gt(any).{1,2}",
            false,
            Test::Compare(CompareOp::Gt, Some(Quantifier::Any), "{1,2}".into()),
        ),
        (
            "a=like(all).{*x*}",
            false,
            Test::Compare(CompareOp::Like, Some(Quantifier::All), "{*x*}".into()),
        ),
        ("a=in.(1,2)", false, list(&["1", "2"])),
        ("a=in.()", false, list(&[])),
        (r#"a=in.("x,y",z,"q\"\\")"#, false, list(&["x,y", "z", "q\"\\"])),
        (r#"a=in.("x"y,z)"#, false, list(&["\"x\"y", "z"])),
        ("a=not.in.(null)", true, list(&["null"])),
        ("a=is.NULL", false, Test::Is(IsValue::Null)),
        ("a=is.not_null", false, Test::Is(IsValue::NotNull)),
        ("a=not.is.true", true, Test::Is(IsValue::True)),
        ("a=isdistinct.1", false, Test::IsDistinct("1".into())),
        ("a=cs.{1,2}", false, Test::Relate(RelateOp::Contains, "{1,2}".into())),
        ("a=adj.[1,2)", false, Test::Relate(RelateOp::Adjacent, "[1,2)".into())),
        ("a=wfts.a b", false, search(None)),
        ("a=wfts(english).a%20b", false, search(Some("english"))),
    ];
    for (query, negated, test) in cases {
        let condition = only_condition(query);
        assert_eq!((condition.negated, condition.test), (negated, test), "{query}");
    }
    for op in CompareOp::ALL {
        let condition = only_condition(&format!("a={}.v", op.word()));
        assert_eq!(condition.test, Test::Compare(*op, None, "v".into()));
    }
    for op in RelateOp::ALL {
        assert_eq!(
            only_condition(&format!("a={}.v", op.word())).test,
            Test::Relate(*op, "v".into())
        );
    }
}

#[test]
fn filter_keys_take_json_paths_quotes_and_dashes() {
    let step = |as_text, key| JsonStep { as_text, key };
    let name = |text: &str| JsonKey::Name(text.to_owned());
    let cases = [
        (
            "data->a->-1->>b",
            "data",
            vec![
                step(false, name("a")),
                step(false, JsonKey::Index(-1)),
                step(true, name("b")),
            ],
        ),
        ("data-%3E%3Ea b", "data", vec![step(true, name("a b"))]),
        ("data->>my-key", "data", vec![step(true, name("my-key"))]),
        ("\"a.b,c\"", "a.b,c", vec![]),
        ("first-name", "first-name", vec![]),
        ("Straße", "Straße", vec![]),
        ("a b", "a b", vec![]),
    ];
    for (key, column, path) in cases {
        let field = only_condition(&format!("{key}=eq.1")).field;
        assert_eq!(
            field,
            Field {
                name: column.into(),
                path
            },
            "{key}"
        );
    }
}

#[test]
fn filter_repeated_keys_all_count() {
    assert_eq!(get("age=gte.1&age=lt.9&").unwrap().filters.len(), 2);
}

#[test]
fn logic_trees_nest_and_negate() {
    let request =
        get(r#"or=(a.eq.1,and(b.gt.2,not.c.is.null),not.and(d.in.(1,"x,y"),e.cs.{"p}",q}),f.eq."a,b")"#).unwrap();
    let Logic::Group {
        negated: false,
        any: true,
        parts,
    } = &request.filters[0].value
    else {
        panic!()
    };
    assert_eq!(parts.len(), 4);
    let Logic::Group {
        negated: false,
        any: false,
        parts: inner,
    } = &parts[1]
    else {
        panic!()
    };
    assert!(matches!(
        &inner[1],
        Logic::Condition(Condition {
            negated: true,
            test: Test::Is(IsValue::Null),
            ..
        })
    ));
    let Logic::Group {
        negated: true,
        any: false,
        parts: inner,
    } = &parts[2]
    else {
        panic!()
    };
    let Logic::Condition(array) = &inner[1] else { panic!() };
    assert_eq!(array.test, Test::Relate(RelateOp::Contains, "{\"p}\",q}".into()));
    let Logic::Condition(quoted) = &parts[3] else { panic!() };
    assert_eq!(quoted.test, Test::Compare(CompareOp::Eq, None, "a,b".into()));
}

#[test]
fn logic_keys_carry_negation_and_embed_path() {
    for (key, path, negated) in [
        ("or", vec![], false),
        ("not.or", vec![], true),
        ("b.or", vec!["b"], false),
        ("b.c.not.or", vec!["b", "c"], true),
    ] {
        let request = get(&format!("{key}=(a.eq.1)")).unwrap();
        assert_eq!(request.filters[0].path, path, "{key}");
        assert!(matches!(&request.filters[0].value, Logic::Group { negated: n, any: true, .. } if *n == negated));
    }
    let request = get("or=(not.is.null,not.eq.1)").unwrap();
    let Logic::Group { parts, .. } = &request.filters[0].value else {
        panic!()
    };
    assert!(matches!(&parts[0], Logic::Condition(Condition { negated: false, field, .. }) if field.name == "not"));
}

#[test]
fn select_reads_the_whole_dialect() {
    let query = "select=*,t:title::text,data->a->>b,amount::int.sum()::text,count(),n:count(),\
                 o:owner!fk!inner(id,x(*)),...tag(a),none!left()";
    let items = get(query).unwrap().select;
    insta::assert_snapshot!(items.iter().map(|item| format!("{item:?}\n")).collect::<String>().replace(' ', ""), @r#"
All
Column{alias:Some("t"),field:Field{name:"title",path:[]},cast:Some("text")}
Column{alias:None,field:Field{name:"data",path:[JsonStep{as_text:false,key:Name("a")},JsonStep{as_text:true,key:Name("b")}]},cast:None}
Aggregate{alias:None,field:Some(Field{name:"amount",path:[]}),cast:Some("int"),function:Sum,result_cast:Some("text")}
Aggregate{alias:None,field:None,cast:None,function:Count,result_cast:None}
Aggregate{alias:Some("n"),field:None,cast:None,function:Count,result_cast:None}
Embed{alias:Some("o"),target:"owner",hint:Some("fk"),join:Some(Inner),spread:false,select:[Column{alias:None,field:Field{name:"id",path:[]},cast:None},Embed{alias:None,target:"x",hint:None,join:None,spread:false,select:[All]}]}
Embed{alias:None,target:"tag",hint:None,join:None,spread:true,select:[Column{alias:None,field:Field{name:"a",path:[]},cast:None}]}
Embed{alias:None,target:"none",hint:None,join:Some(Left),spread:false,select:[]}
"#);
}

#[test]
fn order_limit_and_embeds_are_read() {
    let request =
        get("order=a.desc.nullslast,b->x.asc.nullsfirst,c,k(n).desc&limit=5&offset=2&e.order=x&e.f.limit=3").unwrap();
    let order = &request.order[0].value;
    assert_eq!((order[0].descending, order[0].nulls_first), (true, Some(false)));
    assert_eq!(
        (order[1].descending, order[1].nulls_first, order[1].field.path.len()),
        (false, Some(true), 1)
    );
    assert_eq!(order[3].relation.as_deref(), Some("k"));
    assert_eq!((request.limit[0].value, request.offset[0].value), (5, 2));
    assert_eq!(
        request.limit[1],
        Scoped {
            path: vec!["e".into(), "f".into()],
            value: 3
        }
    );
}

#[test]
fn malformed_queries_say_where() {
    let cases = [
        ("a=1", "unexpected \"1\" expecting \"not\" or operator (eq, gt, ...)"),
        (
            "a=",
            "unexpected end of input expecting \"not\" or operator (eq, gt, ...)",
        ),
        (
            "a=foo.1",
            "unexpected \"f\" expecting \"not\" or operator (eq, gt, ...)",
        ),
        ("a=not.not.eq.1", "unexpected \"n\" expecting operator (eq, gt, ...)"),
        ("a=eq", "unexpected end of input expecting \".\""),
        ("a=neq(any).{1}", "unexpected \"(\" expecting \".\""),
        ("a=in.1", "unexpected \"1\" expecting \"(\""),
        ("a=in.(1", "unexpected end of input expecting \")\""),
        ("a=in.(1)x", "unexpected \"x\" expecting end of input"),
        (
            "a=is.maybe",
            "unexpected \"m\" expecting null, not_null, true, false or unknown",
        ),
        ("a->=eq.1", "unexpected end of input expecting JSON key or array index"),
        ("a->99999999999=eq.1", "array index out of range"),
        (
            "=eq.1",
            "unexpected end of input expecting field name (* or [a..z0..9_$])",
        ),
        ("a;drop=eq.1", "unexpected \";\" expecting end of input"),
        ("\"a=eq.1", "unexpected end of input expecting closing quote"),
        ("or=a.eq.1", "unexpected \"a\" expecting \"(\""),
        ("or=()", "unexpected \")\" expecting field name (* or [a..z0..9_$])"),
        ("or=(a.eq.1", "unexpected end of input expecting \")\""),
        ("or=(a.cs.{1)", "unexpected end of input expecting \"}\""),
        (
            "select=a,,b",
            "unexpected \",\" expecting \"...\", \"*\" or field name (* or [a..z0..9_$])",
        ),
        (
            "select=a(",
            "unexpected end of input expecting \"...\", \"*\" or field name (* or [a..z0..9_$])",
        ),
        (
            "select=a.median()",
            "unexpected \"m\" expecting sum(), avg(), min(), max() or count()",
        ),
        ("select=a::", "unexpected end of input expecting a type name"),
        (
            "select=a::x.y",
            "unexpected \"y\" expecting sum(), avg(), min(), max() or count()",
        ),
        ("select=b!x!y(a)", "unexpected \"y\" expecting \"(\""),
        (
            "order=a.up",
            "unexpected \"u\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
        ),
        (
            "order=a.asc.desc",
            "unexpected \"d\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
        ),
        ("limit=x", "expecting a whole number"),
    ];
    for (query, details) in cases {
        let error = get(query).expect_err(query);
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Invalid, "PGRST100"),
            "{query}"
        );
        assert_eq!(error.details(), Some(details), "{query}");
    }
    let error = get("a=foo.1").unwrap_err();
    assert_eq!(error.public(), "\"failed to parse filter (foo.1)\" (line 1, column 1)");
}

#[test]
fn hostile_queries_are_refused() {
    let deep = |n: usize| format!("or={}a.eq.1{}", "(and".repeat(n), ")".repeat(n));
    let name = "x".repeat(1 << 20);
    for query in [
        "a=eq.%ff".to_owned(),
        "a=eq.%00".to_owned(),
        "%00=eq.1".to_owned(),
        format!("{name}=eq.1"),
        deep(MAX_DEPTH + 1),
        deep(20_000),
        format!("select={}", "a(".repeat(30_000)),
        format!("a{}=eq.1", "->a".repeat(30_000)),
        "a=eq.1&".repeat(MAX_CONDITIONS + 1),
        "limit=1&limit=2".to_owned(),
    ] {
        let error = get(&query).expect_err(&query[..query.len().min(40)]);
        assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, "PGRST100"));
        assert!(error.public().len() < 600);
    }
    assert!(
        get(&format!(
            "or=({}a.eq.1{})",
            "and(".repeat(MAX_DEPTH - 1),
            ")".repeat(MAX_DEPTH - 1)
        ))
        .is_ok()
    );
}

#[test]
fn negative_limit_is_a_range_error_and_negative_offset_none() {
    let error = get("limit=-1").unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Range, "PGRST103"));
    assert_eq!(get("offset=-4").unwrap().offset[0].value, 0);
}

proptest! {
    #[test]
    fn any_query_parses_or_is_refused(query in ".{0,200}") {
        let _ = get(&query);
    }

    #[test]
    fn any_headers_and_body_parse_or_are_refused(
        prefer in "((return|missing|count|tx|handling|timezone|max-affected|x)=?[a-z0-9\"=,;-]{0,9}[, ]{0,2}){0,4}",
        accept in "((text/csv|\\*/\\*|application/(json|vnd\\.pgrst\\.(plan|object\\+json)))[;=\",| qfor0-9.]{0,12}(for=|q=|options=)?){0,4}",
        content in "(application/json|text/csv|application/x-www-form-urlencoded|[ -~]{0,9})",
        range in "[0-9a-z=*-]{0,8}",
        body in "[\\[\\]{}\",:a-c0-9\r\n&=%+\\\\]{0,40}",
    ) {
        let head = [("prefer", &*prefer), ("accept", &accept), ("content-type", &content), ("range", &range)];
        for method in [Method::Get, Method::Post, Method::Put] {
            let _ = parsed(method, "t", "", &head, &body);
        }
    }

    #[test]
    fn any_query_of_the_alphabet_parses_or_is_refused(
        name in "(select|order|or|not\\.and|limit|a|a->b|x\\.or)",
        value in "[a-c\\.,()\\{\\}\"!:*>\\-]{0,12}((eq|in|is|not|or|and|sum|count)[.(\\)]){0,4}[a-c\\.,()\\{\\}\"\\\\]{0,12}",
    ) {
        let _ = get(&format!("{name}={value}"));
    }
}
