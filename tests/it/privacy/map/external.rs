//! On a Postgres of the user's own, and where nothing can be told.

use http::StatusCode;
use insta::assert_snapshot;
use serde_json::json;

use super::{code, gaps, linked, put, read, shown, suggested, told};
use crate::external::{Own, body, sql, world};
use crate::rest::server::{Api, Door};
use crate::world::run;

#[test]
fn an_own_postgres_is_found_by_its_foreign_keys_and_what_its_owner_declares() {
    run(async {
        sql("create schema people_map;
            create table people_map.customers (id serial primary key, email text unique, name text, invited_by int references
              people_map.customers (id) on delete set null);
            create table people_map.addresses (id serial primary key, street text);
            alter table people_map.customers add address_id int references people_map.addresses (id) on delete set null;
            create table people_map.orders (shop int, number int, customer_id int not null references people_map.customers (id),
              primary key (shop, number));
            create table people_map.lines (shop int, number int, note text, foreign key (shop, number) references
              people_map.orders (shop, number) on delete cascade);
            create table people_map.products (id serial primary key, name text);
            create table people_map.favourites (customer_id int references people_map.customers (id), product_id int
              references people_map.products (id), primary key (customer_id, product_id));
            create table people_map.signups (id serial primary key, data jsonb);
            create table people_map.calls (id serial primary key, customer_id int, said text);
            insert into people_map.signups (data) values ('{\"who\": \"planted@example.com\"}');
            insert into people_map.products (name) values ('Blue Chair'), ('Table');
            grant usage on schema people_map to web_service;
            grant select on all tables in schema people_map to web_service")
        .await;
        let body = body(json!({ "schemas": ["people_map"], "serviceRole": "web_service" })).await;
        let world = world().await;
        let own = Own::of(world, &body).await;
        let map = shown(world, &own.id, &own.owner).await;
        assert_eq!(
            map["root"],
            json!({ "table": "customers", "key": ["id"], "email": "email" })
        );
        assert_eq!(map["covers"], json!(["people_map"]));
        assert_snapshot!(told(&map), @"
        customers: delete
          customers: the person's own row
        favourites: delete
          favourites.customer_id → customers.id
        lines: delete
          lines.(shop, number) → orders.(shop, number), orders.customer_id → customers.id
        orders: delete
          orders.customer_id → customers.id
        ");
        assert_snapshot!(gaps(&map), @"
        addresses.street address by name: id → customers.address_id
        calls.customer_id personId by name: customer_id → customers.id
        signups.data email by values
        ");
        // Rows that hold no value are found all the same: the map names them.
        let mut map = linked(&map, &suggested(&map, "calls"));
        map["ignored"] = json!(["signups.data", "addresses.street"]);
        let confirmed = put(world, &own.id, &own.owner, 0, &map).await.expect(StatusCode::OK);
        assert_eq!((&confirmed["version"], &confirmed["gaps"]), (&json!(1), &json!([])));
        sql("alter table people_map.calls drop column customer_id").await;
        let stale = shown(world, &own.id, &own.owner).await;
        assert_eq!(stale["stale"], true);
        assert_snapshot!(super::changes(&stale), @"columnGone calls customer_id");
        assert!(!told(&stale).contains("calls"), "what is gone leads nowhere");
    });
}

#[test]
fn ids_of_people_are_told_by_names_and_by_values_whatever_holds_them() {
    run(async {
        const ANN: &str = "3d2c9c5e-0b5a-4a3e-9a44-0000000000a1";
        const FIRM: &str = "3d2c9c5e-0b5a-4a3e-9a44-0000000000f1";
        sql(&format!(
            "create schema people_ids;
            create table people_ids.users (id uuid primary key, email text unique);
            create table people_ids.attachments (id int primary key, owner_type text, owner_id uuid, holder uuid);
            create table people_ids.chats (id int primary key, folks uuid[], topic uuid);
            create table people_ids.events (id int primary key, told jsonb);
            create table people_ids.tasks (id int primary key, assignee uuid, created_by text, size int);
            create type people_ids.reached as (mail text, phone text);
            create table people_ids.shops (id int primary key, contact people_ids.reached, remark text);
            create table people_ids.\"people_more.letters\" (id int primary key, mail text);
            create schema people_more;
            create table people_more.letters (id int primary key, email text);
            insert into people_ids.users values ('{ANN}', 'planted@example.com');
            insert into people_ids.attachments values (1, 'user', '{ANN}', '{ANN}'), (2, 'firm', '{FIRM}', '{FIRM}');
            insert into people_ids.chats values (1, array['{FIRM}', '{ANN}']::uuid[], '{FIRM}');
            insert into people_ids.events values (1, '{{\"about\": {{\"who\": \"{ANN}\"}}}}');
            insert into people_ids.shops select n, null, null from generate_series(1, 300) n;
            insert into people_ids.shops values (301, ('planted@example.com', null), 'call planted@example.com');
            grant usage on schema people_ids, people_more to web_service;
            grant select on all tables in schema people_ids, people_more to web_service"
        ))
        .await;
        let body = body(json!({ "schemas": ["people_ids", "people_more"], "serviceRole": "web_service" })).await;
        let world = world().await;
        let own = Own::of(world, &body).await;
        let map = shown(world, &own.id, &own.owner).await;
        assert_snapshot!(gaps(&map), @r#"
        "people_more.letters".mail email by name: mail → users.email
        attachments.owner_id personId by values: owner_id → users.id
        attachments.holder personId by values: owner_id → users.id
        chats.folks personId by values
        events.told personId by values
        people_more.letters.email email by name: email → users.email
        shops.contact email by values: remark → users.email
        shops.remark email by values: remark → users.email
        tasks.assignee personId by name: assignee → users.id
        tasks.created_by personId by name: assignee → users.id
        "#);
    });
}

#[test]
fn a_rest_api_tells_nothing_by_name() {
    run(async {
        let api = Api::start(Door::Open).await;
        let own = crate::rest::own(&api).await;
        let world = world().await;
        let unsupported = (501, "privacy/unsupported".to_owned());
        assert_eq!(code(&read(world, &own.id, &own.owner, "").await), unsupported);
        let confirmed = put(world, &own.id, &own.owner, 0, &json!({ "confirm": true })).await;
        assert_eq!(code(&confirmed), unsupported);
    });
}
