//! On backends of ours, at both levels.

use http::StatusCode;
use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};

use super::{changes, code, gaps, linked, put, read, shown, suggested, told};
use crate::projects::Bare;
use crate::tables::{LEVELS, altered, created, delete};
use crate::world::{Project, World, run, world};

async fn insert(world: &World, project: &Project, table: &str, row: Value) {
    let call = world.post(&project.rest(table)).key(&project.secret);
    call.json(&row).send().await.expect(StatusCode::CREATED);
}

fn reference(name: &str, table: &str, on_delete: &str) -> Value {
    json!({ "name": name, "type": "uuid", "references": { "table": table, "column": "id", "on_delete": on_delete } })
}

/// Orders with their items, a table that nobody is linked to, one in the trash, and a column aside.
async fn shop(world: &World, project: &Project) -> Value {
    let orders = created(
        project,
        json!({ "name": "orders", "softDelete": true, "columns": [
        reference("user_id", "app_users", "cascade"), reference("seller_id", "app_users", "no action"),
        { "name": "ship_to", "type": "text" }] }),
    )
    .await;
    created(
        project,
        json!({ "name": "items", "columns": [reference("order_id", "orders", "cascade")] }),
    )
    .await;
    created(
        project,
        json!({ "name": "flyers", "columns": [{ "name": "x1", "type": "text" }, { "name": "x2", "type": "jsonb" }] }),
    )
    .await;
    created(
        project,
        json!({ "name": "own_notes", "columns": [
        { "name": "made_by", "type": "uuid", "default": "auth.uid()" }, { "name": "title", "type": "text" }] }),
    )
    .await;
    let visits = created(
        project,
        json!({ "name": "visits", "columns": [reference("visitor", "app_users", "restrict")] }),
    )
    .await;
    delete(project, &visits).await.expect(StatusCode::OK);
    insert(
        world,
        project,
        "flyers",
        json!({ "x1": "planted@example.com", "x2": { "phoneNumber": "+49 170 555000" } }),
    )
    .await;
    altered(project, &orders, json!([{ "op": "drop_column", "name": "seller_id" }])).await
}

#[test]
fn what_belongs_to_a_person_is_found_on_both_levels() {
    run(async {
        let world = world().await;
        for level in LEVELS {
            let project = world.project(level).await;
            shop(world, &project).await;
            let reply = read(world, &project.id, &project.owner, "").await;
            assert_eq!(reply.header("etag"), "\"0\"", "{level}");
            let map = reply.expect(StatusCode::OK);
            assert!(
                !reply.text.contains("planted") && !reply.text.contains("555000"),
                "no value is shown"
            );
            assert_eq!(
                (&map["version"], &map["confirmed"], &map["stale"], &map["covers"]),
                (&Value::Null, &json!(false), &json!(false), &json!(["public"])),
                "{level}"
            );
            assert_eq!(
                map["root"],
                json!({ "table": "app_users", "key": ["id"], "email": "email" })
            );
            assert_eq!(
                map["limits"].as_array().unwrap().len(),
                usize::from(level == "database"),
                "{}",
                map["limits"]
            );
            let shown = told(&map);
            let aside = shown.lines().filter(|line| line.contains("plinth_gone_")).count();
            // The deleted column leads to a person in orders and, by these, in their items.
            assert_eq!(aside, 2, "{level}: {shown}");
            let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("plinth_gone_")).collect();
            allow_duplicates!(assert_snapshot!(shown.join("\n"), @"
            app_data: delete
              app_data.user_id → app_users.id
            app_users: delete
              app_users: the person's own row
            items: delete
              items.order_id → orders.id, orders.user_id → app_users.id
            orders: delete
              orders.user_id → app_users.id
            own_notes: delete
              own_notes.made_by → the person's id
            trash:visits:…: delete
              trash:visits:….visitor → app_users.id
            "));
            allow_duplicates!(assert_snapshot!(gaps(&map), @"
            flyers.x1 email by values: x1 → app_users.email
            flyers.x2 phone by values: x1 → app_users.email
            "));
        }
    });
}

#[test]
fn a_map_is_confirmed_corrected_and_goes_stale_with_the_tables() {
    run(async {
        let world = world().await;
        for level in LEVELS {
            let project = world.project(level).await;
            let (id, owner) = (&project.id, &project.owner);
            let orders = shop(world, &project).await;
            let confirmed = put(world, id, owner, 0, &json!({ "confirm": true })).await;
            assert_eq!(confirmed.header("etag"), "\"1\"");
            let first = confirmed.expect(StatusCode::OK);
            assert_eq!(
                (&first["version"], &first["confirmed"], &first["stale"]),
                (&json!(1), &json!(true), &json!(false))
            );
            // Again, it is the same one.
            assert_eq!(
                put(world, id, owner, 1, &json!({ "confirm": true }))
                    .await
                    .header("etag"),
                "\"1\""
            );
            assert_eq!(
                code(&put(world, id, owner, 0, &json!({ "confirm": true })).await),
                (409, "privacy/map-moved-on".to_owned())
            );

            // What is linked to nobody is linked by its owner, and what is no gap is put aside.
            let mut map = linked(&first, &suggested(&first, "flyers"));
            assert_eq!(
                put(world, id, owner, 1, &map).await.expect(StatusCode::OK)["gaps"],
                json!([])
            );
            let second = shown(world, id, owner).await;
            assert_eq!(
                (&second["version"], &second["gaps"], &second["map"]),
                (&json!(2), &json!([]), &map)
            );
            let older = read(world, id, owner, "&version=1").await.expect(StatusCode::OK);
            assert_eq!((&older["version"], &older["gaps"]), (&json!(1), &first["gaps"]));
            assert_eq!(
                code(&read(world, id, owner, "&version=9").await),
                (404, "privacy/map-not-found".to_owned())
            );

            // A new column, a new table.
            altered(
                &project,
                &orders,
                json!([{ "op": "add_column", "column": { "name": "phone", "type": "text" } }]),
            )
            .await;
            created(
                &project,
                json!({ "name": "reviews", "columns": [
                reference("by_user", "app_users", "cascade"), { "name": "stars", "type": "integer" }] }),
            )
            .await;
            let stale = shown(world, id, owner).await;
            assert_eq!((&stale["version"], &stale["stale"]), (&json!(2), &json!(true)));
            allow_duplicates!(assert_snapshot!(changes(&stale), @"
            columnAdded orders phone phone
            tableAdded reviews
            linkAdded reviews by_user → app_users.id
            "));
            let tables: Vec<&Value> = stale["tables"]
                .as_array()
                .unwrap()
                .iter()
                .map(|table| &table["table"])
                .collect();
            assert!(
                tables.contains(&&json!("reviews")) && tables.contains(&&json!("flyers")),
                "{tables:?}"
            );
            let third = put(world, id, owner, 2, &json!({ "confirm": true }))
                .await
                .expect(StatusCode::OK);
            assert_eq!(
                (&third["version"], &third["stale"], &third["changes"]),
                (&json!(3), &json!(false), &json!([]))
            );

            // What makes no sense of these tables is refused with its places.
            map["root"]["key"] = json!(["full_name"]);
            map["tables"]["orders"]["paths"][0][0]["columns"] = json!(["nobody"]);
            map["tables"]["items"]["rule"] = json!({ "action": "keep", "reason": " " });
            map["tables"]["elsewhere"] = json!({ "paths": [[]], "rule": { "action": "delete" } });
            map["tables"]["own_notes"]["rule"] = json!({ "action": "anonymise", "columns": ["title", "id"] });
            let refused = put(world, id, owner, 3, &map).await;
            assert_eq!(code(&refused), (422, "privacy/map".to_owned()));
            let details = refused.json()["details"].as_str().unwrap().to_owned();
            let places: Vec<&str> = details
                .lines()
                .filter_map(|line| Some(line.split_once(": ")?.0))
                .collect();
            assert_eq!(
                places,
                [
                    "root.key",
                    "tables.elsewhere",
                    "tables.items.rule.reason",
                    // They refer to orders, which go.
                    "tables.items.rule",
                    "tables.orders.paths[0][0].columns",
                    "tables.own_notes.rule.columns",
                    "tables.own_notes.rule.columns",
                ],
                "{details}"
            );
            assert_eq!(
                code(&put(world, id, owner, 3, &json!({ "tables": 1 })).await),
                (422, "privacy/map".to_owned())
            );

            let audited = Bare {
                id: id.clone(),
                owner: owner.clone(),
            }
            .audited()
            .await;
            let count = |action: &str| audited.iter().filter(|it| *it == action).count();
            assert_eq!(
                (count("privacy.map-confirm"), count("privacy.map-read")),
                (3, 4),
                "{audited:?}"
            );
        }
    });
}

#[test]
fn what_own_sql_makes_is_followed_at_level_database() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let query = "
            create table teams (id int primary key, owner_id uuid references app_users (id) on delete set null, name text);
            create table members (team_id int references teams (id) on delete cascade, user_id uuid not null references app_users (id)
              on delete cascade, primary key (team_id, user_id));
            create table posts (id int primary key, team_id int, user_id uuid, parent int references posts (id), body text,
              foreign key (team_id, user_id) references members (team_id, user_id) on delete cascade);
            create table a (id int primary key, b_id int, author uuid default auth.uid());
            create table b (id int primary key, a_id int references a (id) on delete cascade);
            alter table a add foreign key (b_id) references b (id) on delete cascade;
            create table guarded (id int primary key, who uuid);
            alter table guarded enable row level security;
            create policy own on guarded for all to authenticated using ((select auth.uid()) = who);
            create materialized view copies as select id, body from posts";
        let call = world.post(&project.database("sql")).bearer(&project.owner.token);
        call.json(&json!({ "query": query, "readOnly": false }))
            .send()
            .await
            .expect(StatusCode::OK);
        let map = shown(world, &project.id, &project.owner).await;
        assert_snapshot!(told(&map), @"
        a: delete
          a.author → the person's id
        app_data: delete
          app_data.user_id → app_users.id
        app_users: delete
          app_users: the person's own row
        b: anonymise a_id
          b.a_id → a.id, a.author → the person's id
        guarded: delete
          guarded.who → the person's id
        members: delete
          members.user_id → app_users.id
          or members.team_id → teams.id, teams.owner_id → app_users.id
        posts: anonymise team_id, user_id, body
          posts.(team_id, user_id) → members.(team_id, user_id), members.user_id → app_users.id
          or posts.parent → posts.id, posts.(team_id, user_id) → members.(team_id, user_id), members.user_id → app_users.id
        teams: anonymise owner_id, name
          teams.owner_id → app_users.id
        ");
        put(world, &project.id, &project.owner, 0, &json!({ "confirm": true }))
            .await
            .expect(StatusCode::OK);
    });
}
