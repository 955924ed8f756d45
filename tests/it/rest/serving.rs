//! Rows through the records API: what is asked of the API, and what comes of it.

use std::sync::atomic::Ordering;

use http::StatusCode;
use serde_json::{Value, json};

use super::server::{Api, Door, SECRET, people};
use super::{get, ids, own, read};
use crate::external::world;
use crate::world::run;

#[test]
fn every_way_to_read_in_parts_gives_the_rows_that_were_asked_for() {
    run(async {
        let api = Api::start(Door::Open).await;
        let own = own(&api).await;
        for table in ["people", "pages", "marks", "links", "wholes"] {
            for (query, expected) in [
                ("select=id&limit=2", &[1, 2][..]),
                ("select=id&limit=2&offset=2", &[3, 4]),
                ("select=id&limit=1&offset=6", &[7]),
                ("select=id&limit=3&offset=6", &[7]),
                ("select=id&limit=2&offset=8", &[]),
                ("select=id&limit=0", &[]),
                ("select=id&place=eq.north&limit=2", &[1, 3]),
                ("select=id&age=eq.27&order=id.desc&limit=3", &[4, 2]),
                ("select=id&order=age,id.desc&limit=3", &[5, 4, 2]),
                ("select=id&id=eq.5", &[5]),
                ("select=id&id=eq.5&place=eq.south", &[]),
                ("select=id&id=eq.50", &[]),
            ] {
                assert_eq!(
                    ids(&own, &format!("{table}?{query}")).await,
                    expected,
                    "{table}?{query}"
                );
            }
            // Unless the API answers all at once, one part of it is what a read answers at most.
            let most = match table {
                "wholes" => 7,
                "pages" => 4,
                _ => 3,
            };
            let all = get(&own, &format!("{table}?select=id")).await;
            assert_eq!(all.header("content-range"), format!("0-{}/*", most - 1), "{table}");
        }
    });
}

#[test]
fn what_is_asked_of_the_api_is_what_was_asked_for() {
    run(async {
        let api = Api::start(Door::Bearer).await;
        let own = own(&api).await;
        ids(&own, "people?select=id&limit=1").await;
        api.calls();
        for (path, expected) in [
            (
                "people?select=id&limit=2&offset=1",
                &["GET /v1/offset/people?skip=1&limit=2"][..],
            ),
            (
                "people?place=eq.north&age=eq.31&order=name.desc",
                &["GET /v1/offset/people?place=north&age=31&sort=-name&skip=0&limit=3"],
            ),
            ("people?id=eq.3", &["GET /v1/offset/people/3"]),
            ("pages?limit=2&offset=1", &["GET /v1/page/people?page=1&limit=3"]),
            (
                "marks?limit=2&offset=4",
                &["GET /v1/cursor/people?limit=3", "GET /v1/cursor/people?limit=3&after=3"],
            ),
            (
                "links?limit=2&offset=4",
                &["GET /v1/link/people?limit=3", "GET /v1/link/people?limit=3&after=3"],
            ),
        ] {
            get(&own, path).await.expect(StatusCode::OK);
            assert_eq!(api.calls(), expected, "{path}");
        }
        // What cannot be asked is refused, and nothing is.
        for path in [
            "people?age=gt.5",
            "people?name=eq.Ann",
            "people?or=(age.eq.1,age.eq.2)",
            "marks?offset=40",
            "people?order=place",
            "people?select=id,other(id)",
            "people?select=name::int4",
            "people?id=in.(1,2)",
        ] {
            let reply = get(&own, path).await;
            assert_eq!(reply.code(StatusCode::NOT_IMPLEMENTED), "PGRST127", "{path}");
        }
        let delete = world()
            .await
            .delete(&own.rest("people?place=eq.north"))
            .key(&own.secret)
            .send()
            .await;
        assert_eq!(delete.code(StatusCode::NOT_IMPLEMENTED), "PGRST127");
        assert_eq!(api.calls(), [""; 0]);
    });
}

#[test]
fn rows_are_counted_where_the_api_tells() {
    run(async {
        let own = own(&*Api::start(Door::Open).await).await;
        for (path, range) in [
            ("people?limit=2", "0-1/7"),
            ("pages?limit=2&offset=2", "2-3/7"),
            ("wholes?limit=2", "0-1/7"),
            ("people?place=eq.west", "0-1/2"),
            ("people?id=eq.3", "0-0/1"),
            ("people?id=eq.30", "*/0"),
        ] {
            let call = world()
                .await
                .get(&own.rest(path))
                .key(&own.secret)
                .header("prefer", "count=exact");
            assert_eq!(call.send().await.header("content-range"), range, "{path}");
        }
        let head = world().await.call(http::Method::HEAD, &own.rest("people?limit=2"));
        let head = head.key(&own.secret).header("prefer", "count=exact").send().await;
        assert_eq!((head.header("content-range"), &*head.text), ("0-1/7", ""));
        let call = world()
            .await
            .get(&own.rest("marks"))
            .key(&own.secret)
            .header("prefer", "count=exact");
        assert_eq!(call.send().await.code(StatusCode::NOT_IMPLEMENTED), "PGRST127");
    });
}

#[test]
fn a_row_is_made_changed_and_removed() {
    run(async {
        let api = Api::start(Door::Open).await;
        let own = own(&api).await;
        let world = world().await;
        let path = |query: &str| own.rest(&format!("people{query}"));
        let shown = |call: crate::world::Call| call.key(&own.secret).header("prefer", "return=representation").send();

        let made = shown(
            world
                .post(&path("?select=id,name"))
                .json(&json!({ "name": "Hal", "age": 50 })),
        )
        .await;
        assert_eq!(made.expect(StatusCode::CREATED), json!([{ "id": 8, "name": "Hal" }]));
        let made = world
            .post(&path(""))
            .key(&own.secret)
            .header("prefer", "return=headers-only");
        let made = made.json(&json!({ "name": "Ida" })).send().await;
        assert_eq!(
            (made.status, made.header("location")),
            (StatusCode::CREATED, "/people?id=eq.9")
        );
        let again = world
            .post(&path(""))
            .key(&own.secret)
            .json(&json!({ "id": 9, "name": "Jon" }))
            .send()
            .await;
        assert_eq!(again.code(StatusCode::CONFLICT), "23505");
        assert!(!again.text.contains("planted"), "{}", again.text);

        let changed = shown(world.patch(&path("?id=eq.8")).json(&json!({ "age": 51 }))).await;
        let changed = changed.expect(StatusCode::OK);
        assert_eq!((&changed[0]["name"], &changed[0]["age"]), (&json!("Hal"), &json!(51)));
        let none = shown(world.patch(&path("?id=eq.80")).json(&json!({ "age": 1 }))).await;
        assert_eq!(none.expect(StatusCode::OK), json!([]));

        let removed = shown(world.delete(&path("?id=eq.8&select=name"))).await;
        assert_eq!(removed.expect(StatusCode::OK), json!([{ "name": "Hal" }]));
        let none = shown(world.delete(&path("?id=eq.8"))).await;
        assert_eq!(none.expect(StatusCode::OK), json!([]));
        assert_eq!(ids(&own, "wholes?select=id").await.len(), people().len() + 1);
    });
}

#[test]
fn every_kind_of_proof_opens_its_door_and_is_told_to_nobody() {
    run(async {
        for door in [Door::Bearer, Door::Basic, Door::Header, Door::Query, Door::OAuth2] {
            let api = Api::start(door).await;
            let own = own(&api).await;
            assert_eq!(ids(&own, "people?select=id&limit=1").await, [1], "{door:?}");
            let path = format!("/api/projects/{}/backend/provision", own.id);
            let shown = world().await.get(&path).bearer(&own.owner.token).send().await;
            assert!(
                shown.text.contains("127.0.0.1") && !shown.text.contains("planted"),
                "{}",
                shown.text
            );
        }
        assert!(!crate::logs::logged().contains(SECRET), "a secret was logged");
        assert!(!crate::logs::logged().contains("planted-token"), "a token was logged");
    });
}

#[test]
fn a_token_is_used_until_shortly_before_its_end_and_renewed_when_it_was_taken_back() {
    run(async {
        let api = Api::start(Door::OAuth2).await;
        let own = own(&api).await;
        ids(&own, "people?select=id&limit=1").await;
        let before = api.granted.load(Ordering::SeqCst);
        for _ in 0..3 {
            ids(&own, "people?select=id&limit=1").await;
        }
        assert_eq!(
            api.granted.load(Ordering::SeqCst),
            before,
            "one token serves many requests"
        );
        api.revoke();
        // One that is over at once is fetched for each request.
        api.life.store(0, Ordering::SeqCst);
        ids(&own, "people?select=id&limit=1").await;
        assert_eq!(api.granted.load(Ordering::SeqCst), before + 1);
        let write = world()
            .await
            .post(&own.rest("people"))
            .key(&own.secret)
            .json(&json!({ "name": "Kim" }));
        assert_eq!(write.send().await.status, StatusCode::CREATED);
        assert_eq!(api.granted.load(Ordering::SeqCst), before + 2);
    });
}

#[test]
fn only_secret_keys_and_members_come_in() {
    run(async {
        let own = own(&*Api::start(Door::Open).await).await;
        let path = own.rest("people");
        let reply = world().await.get(&path).key(&own.publishable).send().await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "records/secret-key-only");
        let path = format!("/api/database/{}/records/query", own.backend);
        let ask = json!({ "tableName": "people", "filters": { "id": 3 } });
        let reply = world()
            .await
            .post(&path)
            .bearer(&own.owner.token)
            .json(&ask)
            .send()
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        assert!(reply.text.contains("Cid"), "{}", reply.text);
    });
}

#[test]
fn the_root_describes_what_the_map_has_paths_for() {
    run(async {
        let own = own(&*Api::start(Door::Open).await).await;
        let document = read(&own, "").await;
        let verbs =
            |path: &str| -> Vec<String> { document["paths"][path].as_object().unwrap().keys().cloned().collect() };
        assert!(verbs("/people").contains(&"post".to_owned()) && !verbs("/links").contains(&"post".to_owned()));
        let age: &Value = &document["definitions"]["people"]["properties"]["age"];
        assert_eq!(age["format"], "bigint");
    });
}
