//! What means the same as in Postgres: the same requests to the same rows in both, and the same replies. JSON is `jsonb`
//! there.

use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use super::server::server;
use super::{body, read};
use crate::conformance::site::encoded;
use crate::external::{self, Own, world};
use crate::world::{World, run, unique};

/// The same rows in both, and a project on each.
async fn both(table: &str, columns: [&str; 2], rows: &str) -> (Own, Own) {
    let server = server().await;
    let database = server.database().await;
    let mut admin = server.admin(Some(&database)).await.unwrap();
    let [ours, theirs] = columns;
    let sql = format!("create table {table} ({ours}) character set utf8mb4; insert into {table} values {rows}");
    admin.query_drop(sql).await.unwrap();
    let mut request = body(server, &database);
    request["config"]["rest"] = json!({ "aggregates": true });
    let mysql = Own::of(world().await, &request).await;
    external::sql(&format!(
        "create table api.{table} ({theirs}); insert into api.{table} values {rows};
         grant select on api.{table} to users_login"
    ))
    .await;
    (mysql, Own::with(json!({ "aggregates": true })).await)
}

/// Numbers as far as they are ever told apart.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(format!("{:.12e}", number.as_f64().unwrap())),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), rounded(value)))
            .collect(),
        other => other.clone(),
    }
}

/// What a request is answered; of a refusal its status.
async fn told(world: &World, own: &Own, query: &str) -> Value {
    let reply = world.get(&own.rest(&encoded(query))).key(&own.secret).send().await;
    match reply.status.as_u16() {
        200 => reply.json(),
        status => json!([status, reply.json()["code"]]),
    }
}

async fn compare((mysql, postgres): &(Own, Own), queries: &[&str]) {
    let world = world().await;
    let mut different = String::new();
    for query in queries {
        let (ours, theirs) = (told(world, mysql, query).await, told(world, postgres, query).await);
        if rounded(&ours) != rounded(&theirs) {
            different += &format!("{query}\n  MariaDB  {ours}\n  Postgres {theirs}\n");
        }
    }
    assert!(different.is_empty(), "{different}");
}

#[test]
fn paths_into_json_lead_where_they_do_in_postgres() {
    run(async {
        let table = format!("papers_{}", unique());
        let rows = r#"
            (1, '{"a":{"b":"x","n":1.5,"t":true,"z":null},"l":[1,"two",null,{"k":"v"}],"s":"q é","e":""}'),
            (2, '{"a":[{"b":"y"}],"l":{"0":"zero"}}'), (3, '[10,20,30]'), (4, '"scalar"'), (5, '5'), (6, 'null'), (7, null),
            (8, '{"a":{"b":"X "},"odd key":1,"d.o.t":2,"*":3,"$":4,"[0]":5,"l":[[1,2],[3]]}'), (9, '{"a":{"b":"x"},"l":[]}'),
            (10, '{"a":{"b":"x "}}')"#;
        let both = both(
            &table,
            ["id int primary key, doc json", "id int primary key, doc jsonb"],
            rows,
        )
        .await;
        let mut queries = Vec::new();
        for path in [
            "a", "a->b", "a->>b", "l", "l->0", "l->1", "l->2", "l->>2", "l->3->>k", "l->9", "l->0->1", "0", ">0", ">a",
            ">s", ">e", "a->n", "a->>n", "a->t", "a->>t", "a->z", "a->>z", "odd key", "*", "$", "[0]", "a->b->c",
            "a->>0",
        ] {
            queries.push(format!("{table}?select=id,v:doc->{path}&order=id&id=not.in.(4,5)"));
        }
        for filter in [
            "doc->a->>b=eq.x",
            "doc->a->>b=eq.X",
            "doc->a->>b=neq.x",
            "doc->a->>b=in.(x,y)",
            "doc->a->>b=gt.X",
            "doc->a->>b=lte.x",
            "doc->a->>b=like.x*",
            "doc->a->>b=ilike.X*",
            "doc->a->>b=match.^[xX]",
            "doc->a->>b=is.null",
            "doc->a->>b=not.is.null",
            "doc->a->>b=isdistinct.x",
            "doc->a=is.null",
            "doc->a->z=is.null",
            "doc->a->>z=is.null",
            "doc->l->>0=eq.1",
            "doc->>0=eq.10",
            "doc->a->>t=eq.true",
            "or=(doc->a->>b.eq.x,doc->>s.eq.q é)",
            "doc->a->>b=not.eq.x",
            "doc->>e=eq.",
        ] {
            queries.push(format!("{table}?select=id&{}&order=id", filter));
        }
        queries.push(format!(
            "{table}?select=id&order=doc->a->>n.desc.nullslast,doc->l->>0,id"
        ));
        queries.push(format!("{table}?select=v:doc->a->>n::text,w:doc->a::text&id=eq.1"));
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        compare(&both, &queries).await;
    });
}

#[test]
fn aggregates_come_to_what_they_do_in_postgres() {
    run(async {
        let table = format!("sums_{}", unique());
        let columns = |text: &str, double: &str, moment: &str| {
            format!(
                "id int primary key, grp {text}, n int, big bigint, p numeric(20,4), f {double}, d date, at {moment}, doc json"
            )
        };
        let rows = "
            (1, 'a', 1, 9007199254740993, 0.1, 0.5, '2024-01-01', '2024-01-01 10:00:00', '{\"k\":\"v\"}'),
            (2, 'a', 2, 9007199254740993, 0.2, 1.25, '2023-01-01', '2024-01-01 10:00:00.5', null),
            (3, 'b', 7, -1, 1234567890123456.7891, 1e100, null, null, '{\"k\":\"w\"}'),
            (4, 'b', null, null, null, null, '1999-12-31', '1970-01-01 00:00:00', '{}'),
            (5, null, 1, 3, 0.3333, -2, '2024-01-01', null, '{\"k\":\"v\"}')";
        let both = both(
            &table,
            [
                &columns("varchar(20)", "double", "datetime(6)"),
                &columns("text", "float8", "timestamp"),
            ],
            rows,
        )
        .await;
        let mut queries = Vec::new();
        for select in [
            "count()",
            "n.count()",
            "n.sum()",
            "n.avg()",
            "n.min()",
            "n.max()",
            "big.sum()",
            "big.avg()",
            "big.max()",
            "p.sum()",
            "p.avg()",
            "p.min()",
            "p.max()",
            "f.sum()",
            "f.avg()",
            "f.min()",
            "f.max()",
            "d.min()",
            "d.max()",
            "at.min()",
            "at.max()",
            "grp.min()",
            "grp.max()",
            "doc->>k.max()",
            "doc->>k.count()",
            "x:n.sum(),y:p.sum(),count()",
            "n.sum()::text",
            "p::int8.sum()",
        ] {
            queries.push(format!("{table}?select={select}"));
            queries.push(format!("{table}?select={select}&id=gt.99"));
            queries.push(format!("{table}?select=grp,{select}&order=grp"));
        }
        queries.push(format!(
            "{table}?select=k:doc->>k,count()&doc->>k=not.is.null&order=doc->>k.desc"
        ));
        queries.push(format!(
            "{table}?select=grp,d,count()&order=grp.desc,d&limit=2&offset=1"
        ));
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        compare(&both, &queries).await;

        let world = world().await;
        for own in [&both.0, &both.1] {
            let call = world
                .get(&own.rest(&format!("{table}?select=grp,count()&limit=1")))
                .key(&own.secret);
            let reply = call.header("prefer", "count=exact").send().await;
            assert_eq!(reply.header("content-range"), "0-0/3");
            let call = world
                .get(&own.rest(&format!("{table}?select=n.sum()&order=grp")))
                .key(&own.secret);
            assert_eq!(call.send().await.json()["code"], "42803");
            let call = world.get(&own.rest(&format!("{table}?select=id"))).key(&own.secret);
            let reply = call.header("prefer", "count=planned").send().await;
            let range = reply.header("content-range");
            let total = range.split_once('/').and_then(|(_, total)| total.parse::<u64>().ok());
            assert!(total.is_some_and(|total| (1..10_000).contains(&total)), "{range}");
        }
        let call = world
            .get(&both.0.rest(&format!("{table}?select=id&id=gt.99")))
            .key(&both.0.secret);
        let reply = call.header("prefer", "count=planned").send().await;
        assert!(
            reply.header("content-range").starts_with("*/"),
            "{}",
            reply.header("content-range")
        );
    });
}

#[test]
fn what_is_embedded_can_be_summed_up() {
    run(async {
        let server = server().await;
        let mut request = body(server, &server.database().await);
        request["config"]["rest"] = json!({ "aggregates": true });
        let own = Own::of(world().await, &request).await;
        let found = read(
            world().await,
            &own,
            "projects?select=name,tasks(count(),rank.sum())&order=id",
        )
        .await;
        assert_eq!(
            found,
            json!([
                { "name": "iPod", "tasks": [{ "count": 2, "sum": 3 }] },
                { "name": "iPhone", "tasks": [{ "count": 2, "sum": 3 }] },
                { "name": "Honey", "tasks": [{ "count": 1, "sum": 5 }] },
                { "name": "Alone", "tasks": [{ "count": 0, "sum": null }] },
            ])
        );
    });
}
