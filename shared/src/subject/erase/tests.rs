use insta::assert_snapshot;

use super::super::sql::tests::{entry, facts, key, map, shown, table};
use super::*;

/// People who know each other, what they write, where they are members, and a table nobody of them is linked to.
fn club() -> Facts {
    let mut users = table(
        "users",
        &["id uuid!", "email text!", "referrer_id uuid", "best_post_id bigint"],
    );
    users.links.push(key("referrer_id", "users", "id", "set null"));
    users.links.push(key("best_post_id", "posts", "id", "no action"));
    let mut posts = table("posts", &["id bigint!", "author_id uuid!", "body text"]);
    posts.links.push(key("author_id", "users", "id", "no action"));
    let mut comments = table(
        "comments",
        &["id bigint!", "post_id bigint!", "author_id uuid", "body text!"],
    );
    comments.links.push(key("post_id", "posts", "id", "cascade"));
    comments.links.push(key("author_id", "users", "id", "no action"));
    let mut members = table("members", &["club_id integer!", "user_id uuid!"]);
    members.links.push(key("user_id", "users", "id", "cascade"));
    let mut facts = facts(vec![users, posts, comments, members, table("clubs", &["id integer!"])]);
    facts
        .copies
        .push((Ident::new("app").unwrap(), Ident::new("best").unwrap()));
    facts
}

fn anonymise(columns: &[&str]) -> Rule {
    Rule::Anonymise {
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    }
}

fn clubs_map() -> SubjectMap {
    map(
        ("users", "id"),
        vec![
            ("users", entry(&[""], Rule::Delete)),
            ("posts", entry(&["author_id>users.id"], Rule::Delete)),
            (
                "comments",
                entry(&["author_id>users.id"], anonymise(&["author_id", "body"])),
            ),
            ("members", entry(&["user_id>users.id"], Rule::Delete)),
        ],
    )
}

fn subject() -> Subject {
    Subject::of_id("3d2c9c5e-0b5a-4a3e-9a44-000000000001")
}

fn script(steps: &[Step]) -> String {
    let steps = steps
        .iter()
        .map(|step| format!("{}\n{:?}", shown(&step.statement), step.told));
    steps.collect::<Vec<_>>().join("\n")
}

#[test]
fn postgres_erases_in_one_statement() {
    let steps = steps(Dialect::Postgres, &club(), &clubs_map(), &subject()).unwrap();
    assert_snapshot!(script(&steps), @r#"
    with e1 as (update "app"."comments" as t set "author_id" = null, "body" = 'erased-' || replace(gen_random_uuid()::text, '-', '') where (t."author_id" = $1::uuid) returning 1), e2 as (delete from "app"."members" as t where (t."user_id" = $1::uuid) returning 1), e3 as (delete from "app"."posts" as t where (t."author_id" = $1::uuid) returning 1), e4 as (delete from "app"."users" as t where (t."id" = $1::uuid) returning 1) select (select count(*) from e1)::text, (select count(*) from e2)::text, (select count(*) from e3)::text, (select count(*) from e4)::text
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Counts(["comments", "members", "posts", "users"])
    "#);
    let row: Vec<_> = ["1", "2", "3", "4"]
        .iter()
        .map(|&count| Some(count.to_owned()))
        .collect();
    let counts = steps[0].told.counts(&row);
    assert_eq!(counts[3], ("users".to_owned(), 4));
}

#[test]
fn mysql_erases_table_by_table_and_circles_unchecked() {
    let mut facts = club();
    for table in facts.tables.values_mut() {
        table.schema = None;
    }
    assert_snapshot!(script(&steps(Dialect::MySql, &facts, &clubs_map(), &subject()).unwrap()), @r#"
    delete t from `members` as t where (t.`user_id` = ?)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Changed("members")
    update `comments` as t set t.`author_id` = null, t.`body` = concat('erased-', md5(concat(rand(), uuid()))) where (t.`author_id` = ?)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Changed("comments")
    update `users` as t set t.`referrer_id` = null where t.`referrer_id` in (select * from (select distinct p1.`id` from `users` as p1 where (p1.`id` = ?)) as p2) and ((t.`id` = ?)) is not true
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001 | 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Nothing
    set session foreign_key_checks = 0
    -- 
    Nothing
    delete t from `users` as t where (t.`id` = ?)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Changed("users")
    delete t from `posts` as t where (t.`author_id` = ?)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    Changed("posts")
    set session foreign_key_checks = 1
    -- 
    Nothing
    "#);
}

#[test]
fn rows_of_others_that_hang_on_what_goes_are_counted() {
    let hanging = others(Dialect::Postgres, &club(), &clubs_map(), &subject()).unwrap();
    let told = hanging.iter().map(|hanging| {
        let Hanging {
            table,
            foreign_key,
            on,
            statement,
        } = hanging;
        format!("{table} by {foreign_key} on {on}: {}", statement.sql)
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    comments by posts_fkey on posts: select count(*)::text from "app"."comments" as t where t."post_id" in (select p1."id" from "app"."posts" as p1 where (p1."author_id" = $1::uuid))
    comments by users_fkey on users: select count(*)::text from "app"."comments" as t where t."author_id" in (select p1."id" from "app"."users" as p1 where (p1."id" = $1::uuid)) and ((t."author_id" = $1::uuid)) is not true
    members by users_fkey on users: select count(*)::text from "app"."members" as t where t."user_id" in (select p1."id" from "app"."users" as p1 where (p1."id" = $1::uuid)) and ((t."user_id" = $1::uuid)) is not true
    posts by users_fkey on users: select count(*)::text from "app"."posts" as t where t."author_id" in (select p1."id" from "app"."users" as p1 where (p1."id" = $1::uuid)) and ((t."author_id" = $1::uuid)) is not true
    users by posts_fkey on posts: select count(*)::text from "app"."users" as t where t."best_post_id" in (select p1."id" from "app"."posts" as p1 where (p1."author_id" = $1::uuid)) and ((t."id" = $1::uuid)) is not true
    "#);
}

#[test]
fn what_is_kept_is_left_alone() {
    let mut map = clubs_map();
    for entry in map.tables.values_mut() {
        entry.rule = Rule::Keep {
            reason: "the law".to_owned(),
        };
    }
    assert_eq!(steps(Dialect::Postgres, &club(), &map, &subject()).unwrap(), []);
    assert_eq!(steps(Dialect::MySql, &club(), &map, &subject()).unwrap(), []);
    assert_eq!(others(Dialect::Postgres, &club(), &map, &subject()).unwrap(), []);
}

#[test]
fn materialized_views_are_refreshed() {
    assert_snapshot!(refresh(Dialect::Postgres, &club(), &[])[0].1.sql, @r#"refresh materialized view "app"."best""#);
}

#[test]
fn tables_that_need_each_other_are_refused_by_mysql_alone() {
    let facts = facts(vec![
        table("users", &["id uuid!"]),
        table("a", &["id integer!", "b_id integer", "user_id uuid"]),
        table("b", &["id integer!", "a_id integer", "user_id uuid"]),
    ]);
    let map = map(
        ("users", "id"),
        vec![
            (
                "a",
                entry(&["user_id>users.id", "b_id>b.id user_id>users.id"], Rule::Delete),
            ),
            (
                "b",
                entry(&["user_id>users.id", "a_id>a.id user_id>users.id"], Rule::Delete),
            ),
        ],
    );
    assert!(steps(Dialect::Postgres, &facts, &map, &subject()).is_ok());
    let refused = steps(Dialect::MySql, &facts, &map, &subject()).unwrap_err();
    assert_eq!(refused.code(), "privacy/paths-cross");
}

#[test]
fn columns_are_filled_with_what_means_nothing() {
    let filled = |dialect, columns: &[&str], unique: bool| {
        let mut table = table("t", &[&["id integer!"], columns].concat());
        let names: Vec<Ident> = table.columns.iter().skip(1).map(|column| column.name.clone()).collect();
        if unique {
            table.unique_keys = names.iter().map(|name| vec![name.clone()]).collect();
        }
        let set = names.iter().map(|name| {
            let mut sql = Sql::new(dialect);
            match fill::set(&mut sql, &table, &[name]) {
                Ok(()) => sql.done().sql,
                Err(error) => format!(" {name}: {}", error.code()),
            }
        });
        set.collect::<Vec<_>>().join("\n")
    };
    let postgres = [
        "a text!",
        "b character varying(20)!",
        "c character(36)!",
        "d integer!",
        "e numeric!",
        "f boolean!",
        "g uuid!",
        "h bytea!",
        "i jsonb!",
        "j date!",
        "k timestamp with time zone!",
        "l text[]!",
        "m inet!",
        "n mood!",
        "o mood",
    ];
    assert_snapshot!(filled(Dialect::Postgres, &postgres, false), @r#"
    set "a" = 'erased-' || replace(gen_random_uuid()::text, '-', '')
    set "b" = left(replace(gen_random_uuid()::text, '-', ''), 20)
    set "c" = replace(gen_random_uuid()::text, '-', '')
    set "d" = 0
    set "e" = 0
    set "f" = false
    set "g" = gen_random_uuid()
    set "h" = decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
    set "i" = '{}'
    set "j" = '1970-01-01'
    set "k" = '1970-01-01'
    set "l" = '{}'
    set "m" = '0.0.0.0'
    n: privacy/not-fillable
    set "o" = null
    "#);
    assert_snapshot!(filled(Dialect::Postgres, &postgres, true), @r#"
    set "a" = 'erased-' || replace(gen_random_uuid()::text, '-', '')
    set "b" = left(replace(gen_random_uuid()::text, '-', ''), 20)
    set "c" = replace(gen_random_uuid()::text, '-', '')
    set "d" = -floor(random() * 2147483647)
    e: privacy/not-fillable
    f: privacy/not-fillable
    set "g" = gen_random_uuid()
    set "h" = decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
    i: privacy/not-fillable
    set "j" = date '1970-01-01' - floor(random() * 300000)::integer
    set "k" = timestamp '1970-01-01' - random() * interval '300000 days'
    l: privacy/not-fillable
    m: privacy/not-fillable
    n: privacy/not-fillable
    set "o" = null
    "#);
    let mysql = [
        "a text!",
        "b varchar(20)!",
        "c char(36)!",
        "d int(10) unsigned!",
        "e decimal(10,2)!",
        "f boolean!",
        "g uuid!",
        "h binary(16)!",
        "i json!",
        "j date!",
        "k timestamp!",
        "l set('a')!",
        "m inet6!",
        "n enum('x')!",
        "o enum('x')",
        "p datetime!",
        "q longblob!",
        "r year(4)!",
    ];
    assert_snapshot!(filled(Dialect::MySql, &mysql, false), @"
    set t.`a` = concat('erased-', md5(concat(rand(), uuid())))
    set t.`b` = left(md5(concat(rand(), uuid())), 20)
    set t.`c` = md5(concat(rand(), uuid()))
    set t.`d` = 0
    set t.`e` = 0
    set t.`f` = false
    set t.`g` = md5(concat(rand(), uuid()))
    set t.`h` = rpad(left(unhex(sha2(concat(rand(), uuid()), 256)), 16), 16, 0x00)
    set t.`i` = '{}'
    set t.`j` = '1970-01-01'
    set t.`k` = '1970-01-02 00:00:00'
    set t.`l` = ''
    set t.`m` = '::'
    n: privacy/not-fillable
    set t.`o` = null
    set t.`p` = '1970-01-02 00:00:00'
    set t.`q` = unhex(sha2(concat(rand(), uuid()), 256))
    set t.`r` = 1970
    ");
    assert_snapshot!(filled(Dialect::MySql, &mysql, true), @"
    set t.`a` = concat('erased-', md5(concat(rand(), uuid())))
    set t.`b` = left(md5(concat(rand(), uuid())), 20)
    set t.`c` = md5(concat(rand(), uuid()))
    set t.`d` = floor(rand() * 2147483647)
    e: privacy/not-fillable
    f: privacy/not-fillable
    set t.`g` = md5(concat(rand(), uuid()))
    set t.`h` = rpad(left(unhex(sha2(concat(rand(), uuid()), 256)), 16), 16, 0x00)
    i: privacy/not-fillable
    set t.`j` = date_sub('1970-01-01', interval floor(rand() * 300000) day)
    set t.`k` = from_unixtime(1 + floor(rand() * 2000000000))
    l: privacy/not-fillable
    m: privacy/not-fillable
    n: privacy/not-fillable
    set t.`o` = null
    set t.`p` = date_sub('1970-01-01', interval floor(rand() * 10000000000) second)
    set t.`q` = unhex(sha2(concat(rand(), uuid()), 256))
    r: privacy/not-fillable
    ");
}

#[test]
fn columns_that_others_rest_on_are_not_fillable() {
    let mut facts = club();
    let is = |facts: &Facts, table: &str, column| fillable(Dialect::Postgres, &facts.tables[table], column);
    assert!(is(&facts, "comments", "author_id"));
    assert!(is(&facts, "comments", "body"));
    for (table, column) in [
        ("comments", "post_id"),
        ("comments", "id"),
        ("posts", "author_id"),
        ("posts", "gone"),
    ] {
        assert!(!is(&facts, table, column), "{table}.{column}");
    }
    facts.tables.get_mut("comments").unwrap().columns[3].generated = true;
    assert!(!is(&facts, "comments", "body"));
}

#[test]
fn only_a_null_that_may_be_there_takes_others_rows_off_what_goes() {
    for (action, column, default, free) in [
        ("set null", "uuid", None, true),
        ("set null", "uuid!", None, false),
        ("set default", "uuid", None, true),
        ("set default", "uuid", Some("'0'"), false),
        ("set default", "uuid!", None, false),
        ("cascade", "uuid", None, false),
    ] {
        let mut posts = table("posts", &["id bigint!", &format!("editor_id {column}")]);
        posts.columns[1].default = default.map(str::to_owned);
        posts.links.push(key("editor_id", "users", "id", action));
        let facts = facts(vec![table("users", &["id uuid!"]), posts]);
        let map = map(("users", "id"), vec![("users", entry(&[""], Rule::Delete))]);
        let others = others(Dialect::Postgres, &facts, &map, &subject()).unwrap();
        assert_eq!(others.is_empty(), free, "{action} {column} {default:?}");
    }
}
