//! On a MariaDB of the user's own.

use http::StatusCode;
use insta::assert_snapshot;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use super::{gaps, put, shown, told};
use crate::external::{Own, world};
use crate::mysql::body;
use crate::mysql::server::server;
use crate::world::run;

const TABLES: &str = "
    create table users (id int auto_increment primary key, email varchar(100) unique, boss int, foreign key (boss) references
      users (id) on delete set null);
    create table orders (id int primary key, user_id int not null, foreign key (user_id) references users (id) on delete cascade);
    create table items (id int primary key, order_id int, foreign key (order_id) references orders (id) on delete cascade);
    create table comments (id int primary key, user_id int, parent int, body text, state enum('on','off') not null,
      foreign key (user_id) references users (id), foreign key (parent) references comments (id));
    create table visits (id int primary key, user_id int) engine = MyISAM;
    create table letters (id int primary key, x1 varchar(200), doc json);
    create table goods (id int primary key, name varchar(50));
    insert into letters values (1, 'planted@example.com', '{\"iban\": \"DE89370400440532013000\"}');
    insert into goods values (1, 'Chair');";

#[test]
fn an_own_mariadb_is_found_by_its_foreign_keys_and_declared_relations() {
    run(async {
        let server = server().await;
        let database = server.empty_database().await;
        server
            .admin(Some(&database))
            .await
            .unwrap()
            .query_drop(TABLES)
            .await
            .unwrap();
        let mut body = body(server, &database);
        body["config"]["rest"] = json!({ "relationships": [
            { "table": "visits", "columns": ["user_id"], "references": "users", "referencedColumns": ["id"] }] });
        let world = world().await;
        let own = Own::of(world, &body).await;
        let map = shown(world, &own.id, &own.owner).await;
        assert_eq!(
            map["root"],
            json!({ "table": "users", "key": ["id"], "email": "email" })
        );
        assert_snapshot!(told(&map), @"
        comments: anonymise user_id, body
          comments.user_id → users.id
          or comments.parent → comments.id, comments.user_id → users.id
        items: delete
          items.order_id → orders.id, orders.user_id → users.id
        orders: delete
          orders.user_id → users.id
        users: delete
          users: the person's own row
        visits: delete
          visits.user_id → users.id
        ");
        assert_snapshot!(gaps(&map), @"
        letters.x1 email by values: x1 → users.email
        letters.doc bank by values: x1 → users.email
        ");
        let confirmed = put(world, &own.id, &own.owner, 0, &json!({ "confirm": true })).await;
        assert_eq!(confirmed.expect(StatusCode::OK)["version"], 1);
        let added = "alter table orders add birth_date date";
        server
            .admin(Some(&database))
            .await
            .unwrap()
            .query_drop(added)
            .await
            .unwrap();
        let stale = shown(world, &own.id, &own.owner).await;
        assert_eq!(stale["stale"], true);
        assert_snapshot!(super::changes(&stale), @"columnAdded orders birth_date birthDate");
    });
}
