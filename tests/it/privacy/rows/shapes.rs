//! Every shape that foreign keys take, with two people's rows side by side.

use std::collections::BTreeMap;

use mysql_async::prelude::Queryable as _;
use plinth::subject::{Dialect, Rule, Subject, SubjectMap, erase};
use serde_json::{Value, json};

use super::ground::{Ground, anonymise, entry, facts, map, member, of_mariadb, of_postgres};
use crate::handmade::superuser;
use crate::mysql::server as mariadb;
use crate::world::run;

/// In a circle, to themselves, by keys of two columns, deferred, without a key of their own, in parts, in a copy.
const POSTGRES: &str = "
    create schema app; set search_path = app;
    create table people (org text, number int, email text, name text, friend_org text, friend_number int, best_post bigint,
      primary key (org, number), foreign key (friend_org, friend_number) references people on delete set null);
    create table posts (id bigint primary key, org text not null, number int not null,
      parent_id bigint references posts on delete set null, body text, data jsonb, amount numeric(40,10), raw bytea,
      at timestamptz, tags text[], ratio float8, foreign key (org, number) references people);
    alter table people add foreign key (best_post) references posts;
    create table accounts (id int primary key, org text not null, number int not null, main_card int not null,
      foreign key (org, number) references people on delete restrict);
    create table cards (id int primary key, account_id int not null references accounts, secret text);
    alter table accounts add foreign key (main_card) references cards deferrable initially deferred;
    create table comments (id int primary key, post_id bigint references posts on delete set null, org text, number int,
      body text not null, email varchar(20) not null unique, updated_at timestamptz not null default '2020-01-01',
      foreign key (org, number) references people on delete restrict);
    create function touch() returns trigger language plpgsql as $$ begin new.updated_at = now(); return new; end $$;
    create trigger touch before update on comments for each row execute function touch();
    create table clubs (id int primary key, name text);
    create table members (club_id int references clubs, org text, number int, note text,
      primary key (club_id, org, number), foreign key (org, number) references people on delete restrict);
    create table logs (org text, number int, line text);
    create table events (id int, day date, org text, number int, what text, primary key (id, day),
      foreign key (org, number) references people) partition by range (day);
    create table events_1 partition of events for values from ('2020-01-01') to ('2021-01-01');
    create table events_2 partition of events for values from ('2021-01-01') to ('2022-01-01');
    create table invoices (id int primary key, org text, number int, address text);
    create table strangers (id int primary key, word text);
    create materialized view best as select email from people;
";

const MARIADB: &str = "
    set foreign_key_checks = 0;
    create table people (org varchar(20), number int, email text, name text, friend_org varchar(20), friend_number int,
      best_post bigint, primary key (org, number),
      foreign key (friend_org, friend_number) references people (org, number) on delete set null);
    create table posts (id bigint primary key, org varchar(20) not null, number int not null,
      parent_id bigint, body text, data json, amount decimal(40,10), raw blob, at timestamp(3) null, tags set('a', 'b'),
      ratio double, foreign key (parent_id) references posts (id) on delete set null,
      foreign key (org, number) references people (org, number));
    alter table people add foreign key (best_post) references posts (id);
    create table accounts (id int primary key, org varchar(20) not null, number int not null, main_card int not null,
      foreign key (org, number) references people (org, number) on delete restrict);
    create table cards (id int primary key, account_id int not null, secret text,
      foreign key (account_id) references accounts (id));
    alter table accounts add foreign key (main_card) references cards (id);
    create table comments (id int primary key, post_id bigint, org varchar(20), number int,
      body text not null, email varchar(20) not null unique,
      updated_at timestamp not null default '2020-01-01' on update current_timestamp,
      foreign key (post_id) references posts (id) on delete set null,
      foreign key (org, number) references people (org, number) on delete restrict);
    create table clubs (id int primary key, name text);
    create table members (club_id int, org varchar(20), number int, note text,
      primary key (club_id, org, number), foreign key (club_id) references clubs (id),
      foreign key (org, number) references people (org, number) on delete restrict);
    create table logs (org varchar(20), number int, line text);
    create table events (id int, day date, org varchar(20), number int, what text, primary key (id, day));
    create table invoices (id int primary key, org varchar(20), number int, address text);
    create table strangers (id int primary key, word text);
";

/// Alice is `acme 1`, Bob `acme 2`, Carol `other 1`: each value of Alice's key is somebody else's too.
const ROWS: &str = "
    insert into people (org, number, email, name) values ('acme', 1, 'alice@planted.example', 'planted Alice'),
      ('acme', 2, 'bob@x.example', 'Bob'), ('other', 1, 'carol@x.example', 'Carol');
    update people set friend_org = 'acme', friend_number = 1;
    insert into posts (id, org, number, parent_id, body) values (1, 'acme', 1, null, 'planted one'),
      (2, 'acme', 2, 1, 'an answer'), (3, 'acme', 1, 2, 'planted three'), (4, 'acme', 1, 4, 'planted four'),
      (9007199254740993, 'other', 1, null, 'large');
    update people set best_post = 1 where org = 'acme' and number = 1;
    update people set best_post = 2 where org = 'acme' and number = 2;
    insert into comments (id, post_id, org, number, body, email) values (1, 1, 'acme', 2, 'on hers', 'bob@x.example'),
      (2, 2, 'acme', 1, 'planted on his', 'alice@planted.e'), (3, 1, 'acme', 1, 'planted on hers', 'planted2@x.example');
    insert into clubs values (1, 'chess'), (2, 'go');
    insert into members values (1, 'acme', 1, 'planted'), (1, 'acme', 2, 'x'), (2, 'acme', 1, 'planted'), (2, 'other', 1, 'y');
    insert into logs values ('acme', 1, 'planted'), ('acme', 1, 'planted'), ('acme', 2, 'x'), ('acme', 2, 'x'),
      (null, null, 'nobody');
    insert into events values (1, '2020-05-05', 'acme', 1, 'planted'), (2, '2021-05-05', 'acme', 1, 'planted'),
      (3, '2021-05-05', 'acme', 2, 'x');
    insert into invoices values (1, 'acme', 1, 'to be kept'), (2, 'acme', 2, 'x');
    insert into strangers values (1, 'nobody''s');
    insert into accounts values (1, 'acme', 1, 10), (2, 'acme', 2, 20);
    insert into cards values (10, 1, 'planted main'), (11, 1, 'planted second'), (20, 2, 'x');
";

fn shapes() -> SubjectMap {
    let own = "org,number>people.org,number";
    let with_account = format!("account_id>accounts.id {own}");
    map(
        ("people", "org,number"),
        vec![
            ("people", entry(&[""], Rule::Delete)),
            ("posts", entry(&[own], Rule::Delete)),
            ("accounts", entry(&[own], Rule::Delete)),
            ("cards", entry(&[&with_account], Rule::Delete)),
            (
                "comments",
                entry(&[own], anonymise(&["org", "number", "body", "email"])),
            ),
            ("members", entry(&[own], Rule::Delete)),
            ("logs", entry(&[own], Rule::Delete)),
            ("events", entry(&[own], Rule::Delete)),
            (
                "invoices",
                entry(
                    &[own],
                    Rule::Keep {
                        reason: "the law".to_owned(),
                    },
                ),
            ),
        ],
    )
}

fn person(org: &str, number: u32) -> Subject {
    Subject::of_key(BTreeMap::from([
        ("org".to_owned(), org.to_owned()),
        ("number".to_owned(), number.to_string()),
    ]))
}

async fn postgres() -> Ground {
    let database = plinth_local::testing::empty_database().await.unwrap();
    let name = database.name().as_str();
    let client = superuser(name).await;
    client
        .batch_execute(&format!("{POSTGRES} begin; {ROWS} commit"))
        .await
        .unwrap();
    client
        .batch_execute(
            r#"update app.posts set data = '{"b": 1, "a": 12345678901234567890.10}', amount = 123456789012345678901234567890.5,
                 raw = '\x00ff', at = '2026-01-02 03:04:05.678901+02', tags = '{a,"b c"}', ratio = 0.1 where id = 1;
               refresh materialized view app.best"#,
        )
        .await
        .unwrap();
    let records = of_postgres(name).await;
    let facts = facts(&*records, "app", Dialect::Postgres).await;
    Ground {
        dialect: Dialect::Postgres,
        records,
        role: None,
        facts,
    }
}

async fn mariadb() -> Ground {
    let server = mariadb::server().await;
    let name = server.empty_database().await;
    let mut own = server.admin(Some(&name)).await.unwrap();
    own.query_drop(MARIADB).await.unwrap();
    own.query_drop(format!("set foreign_key_checks = 0; {ROWS}"))
        .await
        .unwrap();
    own.query_drop(
        r#"set time_zone = '+00:00'; update posts set data = '{"b": 1, "a": 12345678901234567890.10}',
             amount = 123456789012345678901234567890.5, raw = x'00ff', at = '2026-01-02 01:04:05.678', tags = 'a,b', ratio = 0.1
           where id = 1"#,
    )
    .await
    .unwrap();
    let records = of_mariadb(&name).await;
    let facts = facts(&*records, &name, Dialect::MySql).await;
    Ground {
        dialect: Dialect::MySql,
        records,
        role: None,
        facts,
    }
}

/// What must be as it was: all but the links that the database itself takes out, and when it did.
fn of_others(everything: &[(String, String)]) -> Vec<(String, String)> {
    let others = everything.iter().filter(|(table, row)| {
        let is_hers = member(row, "org") == json!("acme") && member(row, "number") == json!(1);
        let in_effect = table == "cards" && member(row, "account_id") == json!(1);
        let nobodys = table == "comments" && member(row, "org").is_null();
        (!is_hers || table == "invoices") && !in_effect && !nobodys
    });
    others
        .map(|(table, row)| {
            let mut row: Value = serde_json::from_str(row).unwrap();
            for link in ["friend_org", "friend_number", "parent_id", "post_id", "updated_at"] {
                row.as_object_mut().unwrap().remove(link);
            }
            (table.clone(), row.to_string())
        })
        .collect()
}

async fn the_erased_leaves_nothing(ground: &Ground) {
    let (map, alice) = (shapes(), person("acme", 1));
    let before = ground.everything().await;
    assert_eq!(ground.others(&map, &alice).await, BTreeMap::new());
    let counts = ground.erase(&map, &alice).await.unwrap();
    let expected = [
        ("accounts", 1),
        ("cards", 2),
        ("comments", 2),
        ("events", 2),
        ("logs", 2),
        ("members", 2),
        ("people", 1),
        ("posts", 3),
    ];
    assert_eq!(counts, expected.map(|(table, count)| (table.to_owned(), count)).into());

    let after = ground.everything().await;
    let found: Vec<_> = after.iter().filter(|(_, row)| row.contains("planted")).collect();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(of_others(&before), of_others(&after));
    for label in map.tables.keys().filter(|label| *label != "invoices") {
        assert_eq!(ground.read(&map, &alice, label).await, [""; 0], "{label}");
    }
    assert_eq!(ground.read(&map, &alice, "invoices").await.len(), 1);
    let friends = after.iter().filter(|(table, _)| table == "people");
    assert!(friends.clone().all(|(_, row)| member(row, "friend_org").is_null()));
    assert_eq!(friends.count(), 2);
    let comments: Vec<_> = after.iter().filter(|(table, _)| table == "comments").collect();
    assert_eq!(comments.len(), 3);
    assert!(comments.iter().all(|(_, row)| !member(row, "body").is_null()));

    // Once more there is nothing to do.
    let again = ground.erase(&map, &alice).await.unwrap();
    assert!(again.values().all(|count| *count == 0), "{again:?}");
    assert_eq!(ground.everything().await, after);
}

#[test]
fn a_person_erased_from_postgres_leaves_nothing_and_takes_nothing_of_others() {
    run(async {
        let ground = postgres().await;
        the_erased_leaves_nothing(&ground).await;
        let mut transaction = ground.begin(true).await;
        let emails = super::ground::statement("select email::text from app.best order by 1");
        let emails = transaction.rows(&emails).await.unwrap();
        assert_eq!(emails.len(), 2, "{emails:?}");
    });
}

#[test]
fn a_person_erased_from_mariadb_leaves_nothing_and_takes_nothing_of_others() {
    run(async { the_erased_leaves_nothing(&mariadb().await).await });
}

#[test]
fn what_is_read_is_as_exact_as_the_database_has_it() {
    run(async {
        let posts = postgres().await.read(&shapes(), &person("acme", 1), "posts").await;
        insta::assert_snapshot!(posts[0], @r#"{"id":1,"org":"acme","number":1,"parent_id":null,"body":"planted one","data":{"a": 12345678901234567890.10, "b": 1},"amount":123456789012345678901234567890.5000000000,"raw":"\\x00ff","at":"2026-01-02T01:04:05.678901+00:00","tags":["a","b c"],"ratio":0.1}"#);
        let large = postgres().await.read(&shapes(), &person("other", 1), "posts").await;
        assert!(
            large[0].starts_with("{\"id\":9007199254740993,\"org\":\"other\","),
            "{large:?}"
        );
        let posts = mariadb().await.read(&shapes(), &person("acme", 1), "posts").await;
        insta::assert_snapshot!(posts[0], @r#"{"id":1,"org":"acme","number":1,"parent_id":null,"body":"planted one","data":{"b": 1, "a": 12345678901234567890.10},"amount":123456789012345678901234567890.5000000000,"raw":"AP8=","at":"2026-01-02T01:04:05.678000+00:00","tags":"a,b","ratio":0.1}"#);
    });
}

#[test]
fn rows_of_others_that_hang_on_what_goes_are_found_and_the_database_would_refuse() {
    run(async {
        let ground = postgres().await;
        let client = superuser(&database_of(&ground).await).await;
        client
            .batch_execute(
                "create table app.likes (id int primary key, post_id bigint not null references app.posts on delete cascade);
                 insert into app.likes values (1, 1), (2, 2), (3, 3);
                 create table app.pins (id int primary key, post_id bigint not null references app.posts);
                 insert into app.pins values (1, 3)",
            )
            .await
            .unwrap();
        let ground = Ground {
            facts: facts(&*ground.records, "app", Dialect::Postgres).await,
            ..ground
        };
        let (map, alice) = (shapes(), person("acme", 1));
        let found = ground.others(&map, &alice).await;
        let key = |table: &str| (table.to_owned(), format!("{table}_post_id_fkey"), "posts".to_owned());
        assert_eq!(found, BTreeMap::from([(key("likes"), 2), (key("pins"), 1)]));

        let before = ground.everything().await;
        let refused = ground.erase(&map, &alice).await.unwrap_err();
        assert_eq!(refused.code(), "23503");
        // Names, and no value of anybody's row.
        assert_eq!(refused.details(), Some("app, pins, pins_post_id_fkey"));
        assert_eq!(ground.everything().await, before);

        // Where the likes are hers, they go first.
        let mut with_likes = shapes();
        let path = "post_id>posts.id org,number>people.org,number";
        with_likes
            .tables
            .insert("likes".to_owned(), entry(&[path], Rule::Delete));
        with_likes
            .tables
            .insert("pins".to_owned(), entry(&[path], Rule::Delete));
        assert_eq!(ground.others(&with_likes, &alice).await, BTreeMap::new());
        let counts = ground.erase(&with_likes, &alice).await.unwrap();
        assert_eq!((counts["likes"], counts["pins"]), (2, 1));
    });
}

async fn database_of(ground: &Ground) -> String {
    let mut transaction = ground.begin(true).await;
    let name = super::ground::statement("select current_database()::text");
    transaction.rows(&name).await.unwrap()[0][0].clone().unwrap()
}

#[test]
fn what_others_hang_on_meanwhile_is_not_taken_along() {
    run(async {
        let ground = postgres().await;
        let client = superuser(&database_of(&ground).await).await;
        client
            .batch_execute(
                "create table app.likes (id int primary key, post_id bigint not null references app.posts on delete cascade)",
            )
            .await
            .unwrap();
        let ground = Ground {
            facts: facts(&*ground.records, "app", Dialect::Postgres).await,
            ..ground
        };
        let (map, alice) = (shapes(), person("acme", 1));
        let mut transaction = ground.begin(false).await;
        for hanging in erase::others(ground.dialect, &ground.facts, &map, &alice).unwrap() {
            let counted = transaction.rows(&hanging.statement).await.unwrap();
            assert_eq!(counted[0][0].as_deref(), Some("0"));
        }
        client
            .batch_execute("insert into app.likes values (1, 1)")
            .await
            .unwrap();
        let steps = erase::steps(ground.dialect, &ground.facts, &map, &alice).unwrap();
        let refused = transaction.rows(&steps[0].statement).await.unwrap_err();
        assert_eq!(refused.code(), "40001");
        let likes = client.query("select from app.likes", &[]).await.unwrap();
        assert_eq!(likes.len(), 1);
    });
}
