use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::*;
use crate::ident::Ident;
use crate::schema::catalog::Column;
use crate::subject::{Hop, Link, LinkOrigin, Path, Root, Rule, Table, TableEntry};

/// A table of columns `name type`, with a `!` behind those that must have a value.
pub(in crate::subject) fn table(name: &str, columns: &[&str]) -> Table {
    let column = |text: &&str| {
        let (name, data_type) = text.split_once(' ').unwrap();
        Column {
            name: Ident::new(name).unwrap(),
            data_type: data_type.trim_end_matches('!').to_owned(),
            base_type: None,
            nullable: !data_type.ends_with('!'),
            default: None,
            generated: false,
            comment: None,
        }
    };
    Table {
        schema: Some(Ident::new("app").unwrap()),
        name: Ident::new(name).unwrap(),
        columns: columns.iter().map(column).collect(),
        primary_key: vec![Ident::new(columns[0].split_once(' ').unwrap().0).unwrap()],
        unique_keys: Vec::new(),
        links: Vec::new(),
        checks: Vec::new(),
        whole: Vec::new(),
        collations: BTreeMap::new(),
        trashed: false,
    }
}

fn idents(names: &str) -> Vec<Ident> {
    names.split(',').map(|name| Ident::new(name).unwrap()).collect()
}

/// A foreign key of columns to columns, which does that when its target goes.
pub(in crate::subject) fn key(columns: &str, to: &str, references: &str, on_delete: &str) -> Link {
    Link {
        columns: idents(columns),
        to: Some(to.to_owned()),
        references: idents(references),
        origin: LinkOrigin::ForeignKey {
            name: Ident::new(format!("{to}_fkey")).unwrap(),
            on_delete: on_delete.to_owned(),
        },
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Paths written as `post_id>posts.id author_id>users.id`, of columns that hold an id as `owner>`.
pub(in crate::subject) fn entry(paths: &[&str], rule: Rule) -> TableEntry {
    let hop = |text: &str| {
        let (columns, to) = text.split_once('>').unwrap();
        let to = to.split_once('.');
        Hop {
            columns: names(columns),
            references: to.map(|(table, _)| table.to_owned()),
            referenced_columns: to.map(|(_, columns)| names(columns)).unwrap_or_default(),
        }
    };
    TableEntry {
        paths: paths
            .iter()
            .map(|path| Path(path.split_whitespace().map(hop).collect()))
            .collect(),
        rule,
    }
}

pub(in crate::subject) fn facts(tables: Vec<Table>) -> Facts {
    Facts {
        tables: tables
            .into_iter()
            .map(|table| (table.name.to_string(), table))
            .collect(),
        ..Facts::default()
    }
}

pub(in crate::subject) fn map(root: (&str, &str), entries: Vec<(&str, TableEntry)>) -> SubjectMap {
    SubjectMap {
        root: Root {
            table: Some(root.0.to_owned()).filter(|table| !table.is_empty()),
            key: names(root.1),
            email: Some("email".to_owned()),
        },
        tables: entries
            .into_iter()
            .map(|(label, entry)| (label.to_owned(), entry))
            .collect(),
        ..SubjectMap::default()
    }
}

/// The text with each value in place.
pub(in crate::subject) fn shown(statement: &Statement) -> String {
    let params = statement.params.iter().flatten().cloned().collect::<Vec<_>>();
    format!("{}\n-- {}", statement.sql, params.join(" | "))
}

fn blog() -> Facts {
    facts(vec![
        table("users", &["id uuid!", "email text!"]),
        table(
            "posts",
            &["id bigint!", "author_id uuid", "title character varying(80)!"],
        ),
        table(
            "comments",
            &["id bigint!", "post_id bigint", "author_id uuid", "owner text"],
        ),
    ])
}

fn blogs_map() -> SubjectMap {
    map(
        ("users", "id"),
        vec![
            ("users", entry(&[""], Rule::Delete)),
            ("posts", entry(&["author_id>users.id"], Rule::Delete)),
            (
                "comments",
                entry(
                    &["author_id>users.id", "post_id>posts.id author_id>users.id", "owner>"],
                    Rule::Delete,
                ),
            ),
        ],
    )
}

const ID: &str = "3d2c9c5e-0b5a-4a3e-9a44-000000000001";

#[test]
fn rows_are_counted_by_any_of_their_paths() {
    let subject = Subject::of_id(ID);
    let count = |dialect| shown(&count(dialect, &blog(), &blogs_map(), &subject, "comments").unwrap());
    assert_snapshot!(count(Dialect::Postgres), @r#"
    select count(*)::text from "app"."comments" as t where (t."author_id" = $1::uuid or t."post_id" in (select p1."id" from "app"."posts" as p1 where p1."author_id" = $1::uuid) or t."owner" = $1)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    "#);
    assert_snapshot!(count(Dialect::MySql), @"
    select cast(count(*) as char) from `app`.`comments` as t where (t.`author_id` = ? or t.`post_id` in (select p1.`id` from `app`.`posts` as p1 where p1.`author_id` = ?) or t.`owner` = ?)
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001 | 3d2c9c5e-0b5a-4a3e-9a44-000000000001 | 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    ");
}

#[test]
fn rows_are_read_as_objects_in_the_order_of_their_columns() {
    let subject = Subject::of_id(ID);
    let mut facts = blog();
    let posts = facts.tables.get_mut("posts").unwrap();
    let mut aside = table("x", &["plinth_gone_0123456789abcdef0123456789abcdef text"]).columns;
    aside[0].comment = Some("phone".to_owned());
    posts.columns.append(&mut aside);
    assert_eq!(
        columns(&facts.tables["posts"]),
        ["id", "author_id", "title", "phone (removed)"]
    );
    let read = |dialect| shown(&read(dialect, &facts, &blogs_map(), &subject, "posts").unwrap());
    assert_snapshot!(read(Dialect::Postgres), @r#"
    select row_to_json(r)::text from (select t."id", t."author_id", t."title", t."plinth_gone_0123456789abcdef0123456789abcdef" as "phone (removed)" from "app"."posts" as t where (t."author_id" = $1::uuid)) as r
    -- 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    "#);
    assert_snapshot!(read(Dialect::Cockroach), @r#"
    select concat($1, coalesce(to_jsonb(t."id")::text, 'null'), $2, coalesce(to_jsonb(t."author_id")::text, 'null'), $3, coalesce(to_jsonb(t."title")::text, 'null'), $4, coalesce(to_jsonb(t."plinth_gone_0123456789abcdef0123456789abcdef")::text, 'null'), '}') from "app"."posts" as t where (t."author_id" = $5::uuid)
    -- {"id": | ,"author_id": | ,"title": | ,"phone (removed)": | 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    "#);
    assert_snapshot!(read(Dialect::MySql), @r#"
    select concat(?, coalesce(t.`id`, 'null'), ?, coalesce(concat('"', t.`author_id`, '"'), 'null'), ?, coalesce(json_quote(convert(t.`title` using utf8mb4)), 'null'), ?, coalesce(json_quote(convert(t.`plinth_gone_0123456789abcdef0123456789abcdef` using utf8mb4)), 'null'), '}') from `app`.`posts` as t where (t.`author_id` = ?)
    -- {"id": | ,"author_id": | ,"title": | ,"phone (removed)": | 3d2c9c5e-0b5a-4a3e-9a44-000000000001
    "#);
}

#[test]
fn values_of_mysql_are_written_as_exactly_as_it_has_them() {
    let all = table(
        "all",
        &[
            "a int(10) unsigned zerofill",
            "b decimal(10,2)",
            "c float",
            "d boolean",
            "e bit(3)",
            "f varchar(9)",
            "g blob",
            "h json",
            "i date",
            "j timestamp(3)",
            "k datetime",
            "l point",
            "m enum('x')",
        ],
    );
    let facts = facts(vec![all]);
    let map = map(("all", "a"), vec![]);
    assert_snapshot!(shown(&read(Dialect::MySql, &facts, &map, &Subject::of_id("7"), "all").unwrap()), @r#"
    select concat(?, coalesce(cast(t.`a` as unsigned), 'null'), ?, coalesce(t.`b`, 'null'), ?, coalesce((0e0 + t.`c`), 'null'), ?, coalesce(case t.`d` when 0 then 'false' when 1 then 'true' else t.`d` end, 'null'), ?, coalesce((t.`e` + 0), 'null'), ?, coalesce(json_quote(convert(t.`f` using utf8mb4)), 'null'), ?, coalesce(concat('"', replace(to_base64(t.`g`), char(10), ''), '"'), 'null'), ?, coalesce(t.`h`, 'null'), ?, coalesce(concat('"', t.`i`, '"'), 'null'), ?, coalesce(concat('"', date_format(t.`j`, '%Y-%m-%dT%H:%i:%s.%f'), '+00:00"'), 'null'), ?, coalesce(concat('"', date_format(t.`k`, '%Y-%m-%dT%H:%i:%s.%f'), '"'), 'null'), ?, coalesce(json_quote(convert(st_astext(t.`l`) using utf8mb4)), 'null'), ?, coalesce(json_quote(convert(t.`m` using utf8mb4)), 'null'), '}') from `app`.`all` as t where (t.`a` = cast(? as signed))
    -- {"a": | ,"b": | ,"c": | ,"d": | ,"e": | ,"f": | ,"g": | ,"h": | ,"i": | ,"j": | ,"k": | ,"l": | ,"m": | 7
    "#);
}

#[test]
fn people_are_found_by_their_address_whatever_its_case() {
    let find = |dialect| {
        let found = find_by_email(dialect, &blog(), &blogs_map(), "Ann@example.com").unwrap();
        shown(&found.unwrap())
    };
    assert_snapshot!(find(Dialect::Postgres), @r#"
    select t."id"::text from "app"."users" as t where lower(t."email"::text) = lower($1) limit 2
    -- Ann@example.com
    "#);
    assert_snapshot!(find(Dialect::MySql), @"
    select cast(t.`id` as char) from `app`.`users` as t where lower(cast(t.`email` as char)) = lower(?) limit 2
    -- Ann@example.com
    ");
}

#[test]
fn keys_of_several_columns_lead_and_are_led_to() {
    let mut badge = table("badges", &["id integer!", "org text", "number integer"]);
    badge.links.push(key("org,number", "people", "org,number", "cascade"));
    let mut people = table("people", &["org text!", "number integer!", "email text"]);
    people.primary_key = idents("org,number");
    let facts = facts(vec![
        badge,
        people,
        table("visits", &["id integer!", "badge_org text", "badge integer"]),
    ]);
    let map = map(
        ("people", "org,number"),
        vec![
            ("badges", entry(&["org,number>people.org,number"], Rule::Delete)),
            (
                "visits",
                entry(&["badge>badges.id org,number>people.org,number"], Rule::Delete),
            ),
        ],
    );
    let subject = Subject::of_key(BTreeMap::from([
        ("org".to_owned(), "acme".to_owned()),
        ("number".to_owned(), "7".to_owned()),
    ]));
    let count = |dialect, label| shown(&count(dialect, &facts, &map, &subject, label).unwrap());
    assert_snapshot!(count(Dialect::Postgres, "badges"), @r#"
    select count(*)::text from "app"."badges" as t where (t."org" = $1 and t."number" = $2::bigint)
    -- acme | 7
    "#);
    assert_snapshot!(count(Dialect::Postgres, "visits"), @r#"
    select count(*)::text from "app"."visits" as t where (t."badge" in (select p1."id" from "app"."badges" as p1 where p1."org" = $1 and p1."number" = $2::bigint))
    -- acme | 7
    "#);
    assert_snapshot!(shown(&find_by_key(Dialect::MySql, &facts, &map, &subject).unwrap().unwrap()), @"
    select cast(t.`org` as char), cast(t.`number` as char) from `app`.`people` as t where t.`org` = ? and t.`number` = cast(? as signed) limit 1
    -- acme | 7
    ");
    let lacking = Subject::of_id("7");
    let refused = super::count(Dialect::Postgres, &facts, &map, &lacking, "badges");
    assert_eq!(refused.unwrap_err().code(), "privacy/subject");
}

#[test]
fn what_cannot_be_of_a_columns_type_is_in_no_row() {
    for (data_type, value, may) in [
        ("uuid", "7", false),
        ("uuid", ID, true),
        ("bigint", "x", false),
        ("bigint", "9223372036854775807", true),
        ("bigint", "9223372036854775808", false),
        ("numeric(10,2)", "1.50", true),
        ("numeric", "1e5", false),
        ("text", "x", true),
    ] {
        let facts = facts(vec![table("users", &[&format!("id {data_type}!")])]);
        let map = map(("users", "id"), vec![]);
        let counted = count(Dialect::Postgres, &facts, &map, &Subject::of_id(value), "users").unwrap();
        assert_eq!(
            counted.params.len(),
            usize::from(may),
            "{data_type} {value}: {}",
            counted.sql
        );
    }
}

#[test]
fn names_are_quoted_and_what_is_not_there_is_stale() {
    let facts = facts(vec![table("a\"b`c", &["i\"d` integer!"])]);
    let map = map(("a\"b`c", "i\"d`"), vec![("gone", entry(&["x>a.b"], Rule::Delete))]);
    let subject = Subject::of_id("1");
    assert_snapshot!(count(Dialect::Postgres, &facts, &map, &subject, "a\"b`c").unwrap().sql, @r#"select count(*)::text from "app"."a""b`c" as t where (t."i""d`" = $1::bigint)"#);
    assert_snapshot!(count(Dialect::MySql, &facts, &map, &subject, "a\"b`c").unwrap().sql, @r#"select cast(count(*) as char) from `app`.`a"b``c` as t where (t.`i"d``` = cast(? as signed))"#);
    assert_eq!(
        count(Dialect::MySql, &facts, &map, &subject, "gone")
            .unwrap_err()
            .code(),
        "privacy/map-stale"
    );
}

#[test]
fn a_subject_is_kept_as_it_was_named() {
    for json in [r#"{"id":"7"}"#, r#"{"key":{"number":"7","org":"acme"}}"#] {
        let subject: Subject = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&subject).unwrap(), json);
        assert_eq!(format!("{subject:?}"), "Subject");
    }
}

#[test]
fn whoever_has_no_row_goes_by_what_the_columns_write() {
    let facts = facts(vec![
        table("notes", &["id bigint!", "author text"]),
        table("posts", &["id bigint!", "author uuid"]),
        table("replies", &["id bigint!", "post bigint"]),
    ]);
    let map = SubjectMap {
        tables: [
            ("notes", entry(&["author>"], Rule::Delete)),
            ("replies", entry(&["post>posts.id author>"], Rule::Delete)),
        ]
        .map(|(label, entry)| (label.to_owned(), entry))
        .into(),
        ..SubjectMap::default()
    };
    let ids = find_ids(Dialect::Postgres, &facts, &map, &Subject::of_id(ID)).unwrap();
    let ids: Vec<String> = ids.into_iter().map(|statement| statement.sql).collect();
    assert_snapshot!(ids.join("\n"), @r#"
    select t."author"::text from "app"."posts" as t where t."author" = $1::uuid limit 1
    select t."author"::text from "app"."notes" as t where t."author" = $1 limit 1
    "#);
}

#[test]
fn addresses_lead_to_people_however_they_are_written() {
    let mut tables = facts(vec![
        table("users", &["id uuid!", "email text"]),
        table("letters", &["id bigint!", "mail text"]),
    ]);
    let map = map(
        ("users", "id"),
        vec![("letters", entry(&["mail>users.email"], Rule::Delete))],
    );
    let mut subject = Subject::of_id("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    let of = |subject: &Subject, dialect, facts: &Facts| count(dialect, facts, &map, subject, "letters").unwrap().sql;
    let there = subject.clone();
    let said = |dialect, facts: &Facts| of(&there, dialect, facts);
    assert_snapshot!(said(Dialect::Postgres, &tables), @r#"select count(*)::text from "app"."letters" as t where (lower(t."mail"::text) in (select lower(p1."email"::text) from "app"."users" as p1 where p1."id" = $1::uuid))"#);
    assert_snapshot!(said(Dialect::MySql, &tables), @"select cast(count(*) as char) from `app`.`letters` as t where (convert(lower(t.`mail`) using utf8mb4) collate utf8mb4_bin in (select convert(lower(p1.`email`) using utf8mb4) collate utf8mb4_bin from `app`.`users` as p1 where p1.`id` = ?))");
    // A row of the root that lost its address.
    subject.address = Some("Ann@Example.com".to_owned());
    assert_snapshot!(of(&subject, Dialect::Postgres, &tables), @r#"select count(*)::text from "app"."letters" as t where ((lower(t."mail"::text) in (select lower(p1."email"::text) from "app"."users" as p1 where p1."id" = $1::uuid) or lower(t."mail"::text) = lower($2) and not exists (select 1 from "app"."users" as p1 where lower(p1."email"::text) = lower($2))))"#);
    // A foreign key says that they are written alike.
    tables
        .tables
        .get_mut("letters")
        .unwrap()
        .links
        .push(key("mail", "users", "email", "cascade"));
    assert_eq!(
        of(&subject, Dialect::Postgres, &tables),
        said(Dialect::Postgres, &tables)
    );
    assert_snapshot!(said(Dialect::Postgres, &tables), @r#"select count(*)::text from "app"."letters" as t where (t."mail" in (select p1."email" from "app"."users" as p1 where p1."id" = $1::uuid))"#);
}

#[test]
fn declared_links_compare_as_what_they_refer_to() {
    let tables = facts(vec![
        table("users", &["name text!"]),
        table("folded", &["name citext!"]),
        table("orders", &["id bigint!", "who citext", "folded text"]),
    ]);
    let subject = Subject::of_id("ann");
    let said = |dialect, facts: &Facts, root, path| {
        let map = map((root, "name"), vec![("orders", entry(&[path], Rule::Delete))]);
        count(dialect, facts, &map, &subject, "orders").unwrap().sql
    };
    assert_snapshot!(said(Dialect::Postgres, &tables, "users", "who>users.name"), @r#"select count(*)::text from "app"."orders" as t where (t."who"::text = $1)"#);
    assert_snapshot!(said(Dialect::Postgres, &tables, "folded", "folded>folded.name"), @r#"select count(*)::text from "app"."orders" as t where (lower(t."folded"::text) = lower($1))"#);
    assert_snapshot!(said(Dialect::Postgres, &tables, "folded", "who>users.name name>folded.name"), @r#"select count(*)::text from "app"."orders" as t where (t."who"::text in (select p1."name"::text from "app"."users" as p1 where lower(p1."name"::text) = lower($1)))"#);

    let text = "who varchar(40)";
    let mut tables = facts(vec![
        table("users", &["name varchar(40)!"]),
        table("orders", &["id bigint!", text]),
    ]);
    let row = |text: &str| text.split(' ').map(|cell| Some(cell.to_owned())).collect();
    let rows = [
        "users name utf8mb4 utf8mb4_bin",
        "orders who utf8mb4 utf8mb4_general_ci",
    ]
    .map(row);
    tables.add_collations(rows.into()).unwrap();
    assert_snapshot!(said(Dialect::MySql, &tables, "users", "who>users.name"), @"select cast(count(*) as char) from `app`.`orders` as t where (convert(t.`who` using `utf8mb4`) collate `utf8mb4_bin` = convert(? using `utf8mb4`) collate `utf8mb4_bin`)");
    let same = vec![row("orders who utf8mb4 utf8mb4_bin")];
    tables.add_collations(same).unwrap();
    assert_snapshot!(said(Dialect::MySql, &tables, "users", "who>users.name"), @"select cast(count(*) as char) from `app`.`orders` as t where (t.`who` = ?)");
}
