//! Functions called through the data API, against a real Postgres.

use http::{Method, StatusCode};
use plinth::tenancy::Isolation;
use serde_json::{Value, json};

use crate::handmade::{Handmade, TODOS, project};
use crate::world::{Reply, run, world};

const FUNCTIONS: &str = r#"
    create table lists (id int primary key, name text);
    insert into lists values (1, 'home'), (2, 'work');
    grant select on lists to $anon, $authenticated, $service;
    alter table lists enable row level security;
    create policy all_of_it on lists using (true);
    alter table todos add list int references lists;
    update todos set list = id;
    create type spot as (x int, y int);
    create domain "text/html" as text;
    create function add(a int, b int default 10) returns int language sql immutable as 'select a + b';
    create function total(variadic v int[]) returns bigint language sql immutable as 'select sum(x) from unnest(v) x';
    create function found(term text) returns setof todos language sql stable as
        $$ select * from todos where title like term || '%' $$;
    create function one(n int) returns todos language sql stable as 'select * from todos where id = n';
    create function letters() returns setof text language sql stable as $$ values ('c'), ('a'), ('b') $$;
    create function pairs(n int) returns table (k int, v jsonb) language sql stable as
        $$ select i, jsonb_build_object('i', i) from generate_series(1, n) i $$;
    create function couple(out a int, out b text) language sql stable as $$ select 1, 'x' $$;
    create function single(out a int) language sql stable as 'select 1';
    create function here() returns spot language sql stable as 'select row(1, 2)::spot';
    create function any_row() returns record language sql stable as $$ select row(1, 'x'::text) $$;
    create function whole(json) returns json language sql stable as 'select $1';
    create function plain(text) returns text language sql stable as 'select $1';
    create function bytes(bytea) returns bytea language sql stable as 'select $1';
    create function page() returns "text/html" language sql stable as $$ select '<p>x</p>'::"text/html" $$;
    create function twice(n int) returns text language sql stable as 'select n::text';
    create function twice(n text) returns text language sql stable as 'select n';
    create function done(id int) returns void language sql volatile as
        'update todos set done = true where todos.id = done.id';
    create function sly() returns int language sql stable as 'select 1';
    create function touched() returns setof todos language sql volatile as 'update todos set title = title || $$!$$ returning *';
    create function nothing() returns text language sql stable as 'select null::text';
    create function refused() returns int language sql stable as 'select 1';
    create function shaped() returns int language plpgsql as $$ begin
        perform set_config('response.status', '418', true);
        perform set_config('response.headers', '[{"x-pot": "tea"}]', true);
        return 1;
    end $$;
    create function guarded() returns void language plpgsql stable as $$ begin raise sqlstate 'PT402' using message = 'pay'; end $$;
    revoke execute on function refused() from public;
    create function schema_of_caller() returns text language sql stable as 'select current_user::text';
"#;

async fn calling() -> Handmade {
    project(Isolation::Database, &format!("{TODOS}{FUNCTIONS}")).await
}

/// A request in short: `GET add?a=1`, headers, body.
async fn ask(project: &Handmade, line: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let (method, rest) = line.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let world = world().await;
    let mut call = world
        .call(method.clone(), &project.rest(&format!("rpc/{rest}")))
        .key(&project.publishable);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    if method == Method::POST {
        let typed = headers.iter().any(|(name, _)| *name == "content-type");
        call = if typed {
            call.text(body)
        } else {
            call.body(body.to_owned(), "application/json")
        };
    }
    call.send().await
}

#[test]
fn functions_answer_by_what_they_return() {
    run(async {
        let project = calling().await;
        let cases: &[(&str, &str, Value, &str)] = &[
            ("GET add?a=1&b=2", "", json!(3), "0-0/*"),
            ("GET add?a=1", "", json!(11), "0-0/*"),
            ("POST add", r#"{"a":1,"b":null}"#, Value::Null, "0-0/*"),
            ("POST add", r#"[{"a":1,"b":5},{"a":2,"b":6}]"#, json!(6), "0-0/*"),
            ("POST add?columns=a", r#"{"a":1,"z":5}"#, json!(11), "0-0/*"),
            ("GET total?v=1&v=2&v=3", "", json!(6), "0-0/*"),
            ("POST total", r#"{"v":[1,2]}"#, json!(3), "0-0/*"),
            (
                "GET found?term=f&select=id,title",
                "",
                json!([{ "id": 1, "title": "first" }]),
                "0-0/*",
            ),
            (
                "GET found?term=&select=id&order=id.desc&limit=1",
                "",
                json!([{ "id": 2 }]),
                "0-0/*",
            ),
            (
                "GET found?term=&select=id&order=id&offset=1",
                "",
                json!([{ "id": 2 }]),
                "1-1/*",
            ),
            (
                "GET found?term=&id=gt.1&select=n:title",
                "",
                json!([{ "n": "second" }]),
                "0-0/*",
            ),
            ("GET found?term=zzz", "", json!([]), "*/*"),
            (
                "POST found?select=id&id=lt.2",
                r#"{"term":""}"#,
                json!([{ "id": 1 }]),
                "0-0/*",
            ),
            (
                "GET one?n=1&select=id,done",
                "",
                json!({ "id": 1, "done": false }),
                "0-0/*",
            ),
            (
                "GET found?term=f&select=id,lists(name)",
                "",
                json!([{ "id": 1, "lists": { "name": "home" } }]),
                "0-0/*",
            ),
            (
                "POST found?select=id,lists!inner(name)&lists.name=eq.work",
                r#"{"term":""}"#,
                json!([{ "id": 2, "lists": { "name": "work" } }]),
                "0-0/*",
            ),
            (
                "GET one?n=1&select=...lists(list:name)",
                "",
                json!({ "list": "home" }),
                "0-0/*",
            ),
            ("GET letters", "", json!(["c", "a", "b"]), "0-2/*"),
            ("GET letters?order=pgrst_scalar&limit=2", "", json!(["a", "b"]), "0-1/*"),
            (
                "GET pairs?n=2&v-%3Ei=eq.2",
                "",
                json!([{ "k": 2, "v": { "i": 2 } }]),
                "0-0/*",
            ),
            ("GET couple", "", json!({ "a": 1, "b": "x" }), "0-0/*"),
            ("GET single", "", json!({ "a": 1 }), "0-0/*"),
            ("GET here", "", json!({ "x": 1, "y": 2 }), "0-0/*"),
            ("GET here?select=y", "", json!({ "y": 2 }), "0-0/*"),
            ("GET any_row", "", json!({ "f1": 1, "f2": "x" }), "0-0/*"),
            ("POST whole", r#"[1, {"a": 2}]"#, json!([1, { "a": 2 }]), "0-0/*"),
            ("POST whole", r#"{"a": 2}"#, json!({ "a": 2 }), "0-0/*"),
            ("POST sly", "", json!(1), "0-0/*"),
            ("GET nothing", "", Value::Null, "0-0/*"),
        ];
        for (line, body, answer, range) in cases {
            // Three times: without names, preparing, by name.
            for _ in 0..3 {
                let reply = ask(&project, line, &[], body).await;
                assert_eq!(reply.expect(StatusCode::OK), *answer, "{line} {body}");
                assert_eq!(reply.header("content-range"), *range, "{line} {body}");
                assert_eq!(
                    reply.header("content-type"),
                    "application/json; charset=utf-8",
                    "{line}"
                );
            }
        }
    });
}

#[test]
fn calls_go_by_method_volatility_and_preference() {
    run(async {
        let project = calling().await;
        let done = ask(&project, "POST done", &[], r#"{"id":1}"#).await;
        assert_eq!((done.status, done.text.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_eq!(
            (done.header("content-range"), done.header("content-type")),
            ("0-0/*", "")
        );
        let rows = ask(&project, "GET found?term=&select=done&id=eq.1", &[], "").await;
        assert_eq!(rows.json(), json!([{ "done": true }]));
        let read_only = ask(&project, "GET done?id=1", &[], "").await;
        assert_eq!(read_only.code(StatusCode::METHOD_NOT_ALLOWED), "25006");
        for method in ["PUT", "PATCH", "DELETE"] {
            let wrong = ask(&project, &format!("{method} add"), &[], "").await;
            assert_eq!(wrong.code(StatusCode::METHOD_NOT_ALLOWED), "PGRST101");
            assert_eq!(
                wrong.json()["message"],
                format!("Cannot use the {method} method on RPC")
            );
        }
        let head = ask(&project, "HEAD found?term=&limit=1", &[("prefer", "count=exact")], "").await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::PARTIAL_CONTENT, ""));
        assert_eq!(head.header("content-range"), "0-0/2");
        let minimal = ask(
            &project,
            "POST found",
            &[("prefer", "return=minimal, count=exact")],
            r#"{"term":""}"#,
        )
        .await;
        assert_eq!((minimal.status, minimal.text.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_eq!(minimal.header("content-range"), "0-1/2");
        assert_eq!(minimal.header("preference-applied"), "return=minimal, count=exact");
        let paged = ask(
            &project,
            "GET found?term=&select=id&order=id",
            &[("range", "1-5"), ("prefer", "count=exact")],
            "",
        )
        .await;
        assert_eq!(paged.expect(StatusCode::PARTIAL_CONTENT), json!([{ "id": 2 }]));
        let beyond = ask(&project, "GET found?term=&offset=5", &[("prefer", "count=exact")], "").await;
        assert_eq!(beyond.code(StatusCode::RANGE_NOT_SATISFIABLE), "PGRST103");
        // What is not shown is called all the same.
        assert_eq!(ask(&project, "HEAD guarded", &[], "").await.status.as_u16(), 402);
        assert_eq!(ask(&project, "POST guarded", &[], "").await.status.as_u16(), 402);
        let shaped = ask(&project, "POST shaped", &[], "").await;
        assert_eq!((shaped.status.as_u16(), shaped.header("x-pot")), (418, "tea"));
    });
}

#[test]
fn calls_that_answer_too_much_are_undone() {
    run(async {
        let project = calling().await;
        const OBJECT: (&str, &str) = ("accept", "application/vnd.pgrst.object+json");
        const MOST: (&str, &str) = ("prefer", "handling=strict, max-affected=1");
        let single = ask(&project, "POST touched", &[OBJECT], "").await;
        assert_eq!(single.code(StatusCode::NOT_ACCEPTABLE), "PGRST116");
        assert_eq!(
            ask(&project, "POST touched", &[MOST], "")
                .await
                .code(StatusCode::BAD_REQUEST),
            "PGRST124"
        );
        assert_eq!(
            ask(&project, "POST sly", &[MOST], "")
                .await
                .code(StatusCode::BAD_REQUEST),
            "PGRST128"
        );
        let rolled = ask(&project, "POST touched?id=eq.1", &[("prefer", "tx=rollback")], "").await;
        assert_eq!(rolled.expect(StatusCode::OK)[0]["title"], "first!");
        let rows = ask(&project, "GET found?term=first&select=title", &[OBJECT], "").await;
        assert_eq!(rows.expect(StatusCode::OK), json!({ "title": "first" }));
        assert_eq!(
            rows.header("content-type"),
            "application/vnd.pgrst.object+json; charset=utf-8"
        );
        assert_eq!(
            ask(&project, "GET add?a=1", &[OBJECT], "").await.expect(StatusCode::OK),
            json!(11)
        );
    });
}

/// A call, its headers and body; then the answer and its media type.
type Typed = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
    &'static str,
);

#[test]
fn bodies_and_results_come_in_their_media_types() {
    run(async {
        let project = calling().await;
        let cases: &[Typed] = &[
            (
                "POST add",
                &[("content-type", "application/x-www-form-urlencoded")],
                "a=1&b=2",
                "3",
                "application/json; charset=utf-8",
            ),
            (
                "POST add",
                &[("content-type", "text/csv")],
                "a,b\n1,2\n3,4",
                "3",
                "application/json; charset=utf-8",
            ),
            (
                "POST plain",
                &[("content-type", "text/plain")],
                "it's",
                "\"it's\"",
                "application/json; charset=utf-8",
            ),
            (
                "POST plain",
                &[("content-type", "text/plain"), ("accept", "text/plain")],
                "it's",
                "it's",
                "text/plain; charset=utf-8",
            ),
            (
                "POST bytes",
                &[
                    ("content-type", "application/octet-stream"),
                    ("accept", "application/octet-stream"),
                ],
                "a\nb",
                "a\nb",
                "application/octet-stream",
            ),
            ("GET page", &[], "", "<p>x</p>", "text/html"),
            (
                "GET page",
                &[("accept", "application/json")],
                "",
                "\"<p>x</p>\"",
                "application/json; charset=utf-8",
            ),
            (
                "GET pairs?n=1&select=k",
                &[("accept", "text/csv")],
                "",
                "k\n1",
                "text/csv; charset=utf-8",
            ),
            (
                "GET found?term=s",
                &[("accept", "application/vnd.pgrst.array+json;nulls=stripped")],
                "",
                r#"[{"id":2,"title":"second","done":true,"list":2}]"#,
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            ),
        ];
        for (line, headers, body, answer, content_type) in cases {
            let reply = ask(&project, line, headers, body).await;
            assert_eq!((reply.status, reply.text.as_str()), (StatusCode::OK, *answer), "{line}");
            assert_eq!(
                reply.header("content-type").split(';').next(),
                content_type.split(';').next(),
                "{line}"
            );
        }
        let none = ask(&project, "GET add?a=1", &[("accept", "text/plain")], "").await;
        assert_eq!(none.code(StatusCode::NOT_ACCEPTABLE), "PGRST107");
        let image = ask(&project, "POST add", &[("content-type", "image/png")], "").await;
        assert_eq!(image.code(StatusCode::UNSUPPORTED_MEDIA_TYPE), "PGRST102");
    });
}

#[test]
fn calls_of_what_is_not_there_or_not_allowed_are_refused() {
    run(async {
        let project = calling().await;
        let missing = ask(&project, "GET ad?a=1&b=2", &[], "").await;
        assert_eq!(
            missing.expect(StatusCode::NOT_FOUND),
            json!({
                "code": "PGRST202",
                "message": "Could not find the function public.ad(a, b) in the schema cache",
                "details": "Searched for the function public.ad with parameters a, b, but no matches were found in the schema cache.",
                "hint": "Perhaps you meant to call the function public.add",
            })
        );
        assert_eq!(
            ask(&project, "GET twice?n=1", &[], "")
                .await
                .code(StatusCode::MULTIPLE_CHOICES),
            "PGRST203"
        );
        assert_eq!(
            ask(&project, "GET refused", &[], "")
                .await
                .code(StatusCode::UNAUTHORIZED),
            "42501"
        );
        assert_eq!(
            ask(&project, "GET add?a=x", &[], "")
                .await
                .code(StatusCode::BAD_REQUEST),
            "22P02"
        );
        assert_eq!(
            ask(&project, "GET found?term=x&nope=eq.1", &[], "")
                .await
                .code(StatusCode::BAD_REQUEST),
            "42703"
        );
        let who = ask(&project, "GET schema_of_caller", &[], "").await;
        assert_eq!(who.json(), json!(project.names().anon().as_str()));
        // Where tenants share a database there is nothing to call, whatever lies in the schema.
        let shared = crate::handmade::project(
            Isolation::Schema,
            "create function sly() returns int language sql as 'select 1'",
        )
        .await;
        assert_eq!(
            ask(&shared, "GET sly", &[], "").await.code(StatusCode::NOT_FOUND),
            "PGRST202"
        );
    });
}
