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
