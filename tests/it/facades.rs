//! Rows as plain JSON: filters, pages and writes of many rows, and reads whose query is a body.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Project, Reply, World, run, world};

/// A project with the table `things`: twelve rows, `n` from 1 to 12, `s` null in every third and otherwise one of two.
async fn things(world: &World) -> Project {
    let project = world.project("schema").await;
    let design = json!({ "schemaJson": { "name": "things", "columns": [
        { "name": "id", "type": "uuid", "primary_key": true, "default": "gen_random_uuid()" },
        { "name": "n", "type": "integer" },
        { "name": "s", "type": "text" },
        { "name": "tags", "type": "text[]" },
        { "name": "data", "type": "jsonb" },
    ] } });
    let path = project.database("tables/create");
    let made = world
        .post(&path)
        .bearer(&project.owner.token)
        .json(&design)
        .send()
        .await;
    made.expect(StatusCode::CREATED);
    let rows: Vec<Value> = (1..=12)
        .map(|n| {
            let s = [None, Some("a"), Some("b, \"c\"")][n % 3];
            json!({ "n": n, "s": s, "tags": [format!("t{}", n % 2), "all"], "data": { "half": n / 2, "kind": "k" } })
        })
        .collect();
    let body = json!({ "tableName": "things", "data": rows });
    let made = ask(world, &project, "records/create", &body)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made["records"].as_array().unwrap().len(), 12);
    project
}

async fn ask(world: &World, project: &Project, path: &str, body: &Value) -> Reply {
    let path = project.database(path);
    world.post(&path).key(&project.secret).json(body).send().await
}

async fn query(world: &World, project: &Project, mut body: Value) -> Value {
    body["tableName"] = json!("things");
    ask(world, project, "records/query", &body).await.expect(StatusCode::OK)
}

/// `n` of each record.
fn numbers(reply: &Value) -> Vec<i64> {
    let records = reply["records"].as_array().unwrap().iter();
    records.map(|record| record["n"].as_i64().unwrap()).collect()
}

#[test]
fn filters_find_what_they_say() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        for (filters, expected) in [
            (json!({ "n": 3 }), vec![3]),
            (json!({ "n": [1, 12, 99] }), vec![1, 12]),
            (json!({ "n": { "gt": 3, "lte": 5 } }), vec![4, 5]),
            (json!({ "s": null, "n": { "lt": 7 } }), vec![3, 6]),
            (json!({ "s": { "not": null }, "n": { "lt": 4 } }), vec![1, 2]),
            (json!({ "s": ["b, \"c\"", null], "n": { "lt": 4 } }), vec![2, 3]),
            (json!({ "s": { "nin": ["a"] }, "n": { "lt": 7 } }), vec![2, 5]),
            (json!({ "s": { "isdistinct": "a" }, "n": { "lt": 4 } }), vec![2, 3]),
            (json!({ "s": { "ilike": "*C\"" }, "n": { "lt": 4 } }), vec![2]),
            (json!({ "s": { "match": "^b, " }, "n": { "lt": 4 } }), vec![2]),
            (
                json!({ "s": { "like(any)": ["a", "z*"] }, "n": { "lt": 5 } }),
                vec![1, 4],
            ),
            (json!({ "tags": { "cs": ["t1"] }, "n": { "lt": 4 } }), vec![1, 3]),
            (json!({ "tags": { "ov": ["t0", "zz"] }, "n": { "lt": 4 } }), vec![2]),
            (
                json!({ "tags": { "cd": ["t0", "all", "more"] }, "n": { "lt": 4 } }),
                vec![2],
            ),
            (json!({ "data": { "cs": { "half": 1 } } }), vec![2, 3]),
            (json!({ "data->>kind": "k", "data->half": { "eq": 3 } }), vec![6, 7]),
            (
                json!({ "or": [{ "n": 1 }, { "n": { "gte": 11 }, "s": { "is": "not_null" } }] }),
                vec![1, 11],
            ),
            (
                json!({ "not": { "or": [{ "n": { "lt": 6 } }, { "n": { "gt": 7 } }] } }),
                vec![6, 7],
            ),
            (json!([{ "n": { "gt": 2 } }, { "n": { "lt": 4 } }]), vec![3]),
        ] {
            let found = query(world, &project, json!({ "filters": filters, "sort": "n" })).await;
            assert_eq!(numbers(&found), expected, "{filters}");
        }
        let body = json!({ "tableName": "things", "filters": { "n": { "above": 1 } } });
        let refused = ask(world, &project, "records/query", &body).await;
        assert_eq!(refused.code(StatusCode::BAD_REQUEST), "records/invalid-filter");
    });
}

#[test]
fn pages_by_cursor_show_every_row_once_while_rows_come_and_go() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        for sort in [
            json!(null),
            json!("n"),
            json!([{ "column": "n", "direction": "desc" }]),
            json!("s,n"),
            json!("s.desc,n"),
            json!("s.nullsfirst,n.desc"),
            json!("s.desc.nullslast"),
        ] {
            let whole = query(world, &project, json!({ "sort": sort })).await;
            assert_eq!(whole["nextCursor"], Value::Null, "{whole}");
            for limit in [1, 5, 12] {
                let (mut seen, mut cursor) = (Vec::new(), Value::Null);
                loop {
                    let body = json!({ "sort": sort, "limit": limit, "cursor": cursor, "select": ["n"] });
                    let page = query(world, &project, body).await;
                    let rows = numbers(&page);
                    assert!(rows.len() <= limit && !rows.is_empty(), "{sort} {limit}: {page}");
                    seen.extend(rows);
                    cursor = page["nextCursor"].clone();
                    if cursor.is_null() {
                        break;
                    }
                }
                assert_eq!(seen, numbers(&whole), "{sort} by {limit}");
            }
        }
        let first = query(world, &project, json!({ "sort": "n", "limit": 4, "count": "exact" })).await;
        assert_eq!((numbers(&first), &first["total"]), (vec![1, 2, 3, 4], &json!(12)));
        // Rows before the cursor move no row into or out of the next page, and the cursor's own row may be gone.
        let body = json!({ "tableName": "things", "data": [{ "n": 0 }, { "n": 2 }] });
        ask(world, &project, "records/create", &body)
            .await
            .expect(StatusCode::CREATED);
        let body = json!({ "tableName": "things", "filters": { "n": 4 } });
        ask(world, &project, "records/delete", &body)
            .await
            .expect(StatusCode::OK);
        let body = json!({ "sort": "n", "limit": 4, "cursor": first["nextCursor"] });
        assert_eq!(numbers(&query(world, &project, body).await), [5, 6, 7, 8]);
        for (body, code) in [
            (json!({ "cursor": "nonsense" }), "records/invalid-cursor"),
            (
                json!({ "cursor": first["nextCursor"], "sort": "n.desc" }),
                "records/invalid-cursor",
            ),
            (
                json!({ "cursor": first["nextCursor"], "sort": "n", "count": "exact" }),
                "records/invalid-cursor",
            ),
            (
                json!({ "cursor": first["nextCursor"], "sort": "data->>half" }),
                "records/no-cursor",
            ),
            (
                json!({ "sort": [{ "column": "n", "order": "desc" }] }),
                "records/invalid-sort",
            ),
        ] {
            let mut named = body.clone();
            named["tableName"] = json!("things");
            let refused = ask(world, &project, "records/query", &named).await;
            assert_eq!(refused.code(StatusCode::BAD_REQUEST), code, "{body}");
        }
    });
}

#[test]
fn many_rows_are_changed_and_deleted_by_filters_and_never_all_by_accident() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let body = json!({ "tableName": "things", "filters": { "n": { "gt": 10 } }, "data": { "s": "new" } });
        let changed = ask(world, &project, "records/update", &body)
            .await
            .expect(StatusCode::OK);
        let mut touched = numbers(&changed);
        touched.sort_unstable();
        assert_eq!(touched, [11, 12]);
        assert!(
            changed["records"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["s"] == "new")
        );
        let body = json!({ "tableName": "things", "filters": { "s": "new" } });
        let gone = ask(world, &project, "records/delete", &body)
            .await
            .expect(StatusCode::OK);
        assert_eq!(gone["records"].as_array().unwrap().len(), 2);
        for (path, body, code) in [
            ("records/delete", json!({ "tableName": "things" }), "21000"),
            (
                "records/delete",
                json!({ "tableName": "things", "filters": {} }),
                "21000",
            ),
            (
                "records/update",
                json!({ "tableName": "things", "filters": [], "data": { "s": "x" } }),
                "21000",
            ),
            (
                "records/update",
                json!({ "tableName": "things", "filters": { "n": 1 } }),
                "records/data-missing",
            ),
        ] {
            let refused = ask(world, &project, path, &body).await;
            assert_eq!(refused.code(StatusCode::BAD_REQUEST), code, "{path} {body}");
        }
        assert_eq!(numbers(&query(world, &project, json!({})).await).len(), 10);
    });
}

#[test]
fn the_short_api_pages_and_writes_many_rows_too() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let v1 = async |method: Method, query: &str, body: Option<Value>| {
            let call = world
                .call(method, &format!("/api/v1/things{query}"))
                .key(&project.secret);
            match body {
                Some(body) => call.json(&body).send().await,
                None => call.send().await,
            }
        };
        let first = v1(Method::GET, "?order=n&limit=5&select=n", None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(numbers(&first), [1, 2, 3, 4, 5]);
        let next = format!("?order=n&limit=5&cursor={}", first["nextCursor"].as_str().unwrap());
        let second = v1(Method::GET, &next, None).await.expect(StatusCode::OK);
        assert_eq!(numbers(&second), [6, 7, 8, 9, 10]);
        let changed = v1(Method::PATCH, "?n=lt.3", Some(json!({ "s": "x" })))
            .await
            .expect(StatusCode::OK);
        assert_eq!(changed["records"].as_array().unwrap().len(), 2);
        let gone = v1(Method::DELETE, "?s=eq.x", None).await.expect(StatusCode::OK);
        assert_eq!(gone["records"].as_array().unwrap().len(), 2);
        assert_eq!(
            v1(Method::DELETE, "", None).await.code(StatusCode::BAD_REQUEST),
            "21000"
        );
    });
}

#[test]
fn a_query_in_a_body_is_a_read() {
    run(async {
        let world = world().await;
        let project = things(world).await;
        let send = async |path: &str, body: Value| {
            let call = world.post(&project.rest(path)).key(&project.secret);
            call.body(body.to_string(), "application/vnd.plinth.query+json; charset=utf-8")
                .send()
                .await
        };
        let reply = send(
            "things",
            json!({ "select": "n,kind:data->>kind", "where": { "n": { "gt": 2 } }, "order": [{ "column": "n" }], "limit": 2,
                "count": "exact" }),
        )
        .await;
        assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT, "{}", reply.text);
        assert_eq!(reply.json(), json!([{ "n": 3, "kind": "k" }, { "n": 4, "kind": "k" }]));
        assert_eq!(reply.header("content-range"), "0-1/10");
        // More values than any URL holds, as one parameter.
        let mut many: Vec<i64> = (1_000..41_000).collect();
        many.push(7);
        let reply = send("things", json!({ "select": ["n"], "filters": { "n": many } })).await;
        assert_eq!(reply.expect(StatusCode::OK), json!([{ "n": 7 }]));
        // The URL's filters hold as well.
        let reply = send("things?n=lt.3&select=n", json!({ "sort": "n.desc" })).await;
        assert_eq!(reply.expect(StatusCode::OK), json!([{ "n": 2 }, { "n": 1 }]));
        let reply = world
            .post(&project.rest("things"))
            .key(&project.secret)
            .header("accept", "application/vnd.pgrst.object+json")
            .body(
                r#"{"select":"n","filters":{"n":5}}"#,
                "application/vnd.plinth.query+json",
            );
        assert_eq!(reply.send().await.expect(StatusCode::OK), json!({ "n": 5 }));
        for (path, body, status, code) in [
            ("things", json!({ "filter": {} }), 400, "PGRST102"),
            ("things", json!({ "filters": { "nothing": 1 } }), 400, "42703"),
            ("nothing", json!({}), 404, "PGRST205"),
            ("things?limit=1", json!({ "limit": 1 }), 400, "PGRST100"),
        ] {
            let reply = send(path, body).await;
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(reply.code(status), code, "{path}");
        }
        let all = query(world, &project, json!({})).await;
        assert_eq!(all["records"].as_array().unwrap().len(), 12, "nothing was inserted");
    });
}
