//! Rules as they are written, and those that are refused.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::{Flavour, Param, Statement, delete, insert, read, update};
use crate::error::Error;
use crate::ident::Ident;
use crate::query::fixtures::parsed;
use crate::query::plan::{Plan, RowAccess, Rules, plan};
use crate::query::row_rules::{self, Policies, RowCaller, RowRules, RuleBook};
use crate::query::{ColumnRule, Method};
use crate::schema::catalog::{Catalog, Column, Relation, RelationKind, Writable};
use crate::schema::policy::Grantee;

const ID: &str = "5f0c2b6a-7a39-4a0b-9d0e-3b8f8e1a2c4d";

fn relation(name: &str, columns: &[(&str, &str)]) -> Relation {
    let column = |(name, data_type): &(&str, &str)| Column {
        name: Ident::new(*name).unwrap(),
        data_type: (*data_type).to_owned(),
        base_type: None,
        nullable: true,
        default: None,
        generated: false,
        comment: None,
    };
    Relation {
        hidden: crate::schema::catalog::Hidden::default(),
        name: Ident::new(name).unwrap(),
        kind: RelationKind::Table,
        columns: columns.iter().map(column).collect(),
        primary_key: vec![Ident::fixed("id")],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        computed: Vec::new(),
        writable: Writable::default(),
        comment: None,
    }
}

fn catalog() -> Catalog {
    let tables = [
        relation(
            "notes",
            &[
                ("id", "int(11)"),
                ("user_id", "char(36)"),
                ("title", "varchar(50)"),
                ("size", "int(10) unsigned"),
                ("huge", "bigint(20) unsigned"),
                ("price", "decimal(10,2)"),
                ("rate", "double"),
                ("done", "tinyint(1)"),
                ("mood", "enum('ok','sad')"),
                ("key", "uuid"),
                ("day", "date"),
                ("at", "datetime(6)"),
                ("moment", "timestamp(6)"),
                ("doc", "json"),
                ("team", "int(11)"),
            ],
        ),
        relation(
            "members",
            &[("id", "int(11)"), ("team", "int(11)"), ("user_id", "varchar(36)")],
        ),
    ];
    Catalog {
        schema: Some(Ident::fixed("app")),
        relations: tables
            .into_iter()
            .map(|table| (table.name.to_string(), table))
            .collect(),
        ..Catalog::default()
    }
}

fn policies(of: &[(&str, Value)]) -> Policies {
    let catalog = catalog();
    let mut all = Policies::new();
    for (table, given) in of {
        let given = Map::from_iter([("policies".to_owned(), given.clone())]);
        let relation = catalog.relation(table).unwrap();
        let read = row_rules::read(&given, relation, &all, &catalog);
        all.insert((*table).to_owned(), read.unwrap_or_else(|faults| panic!("{faults}")));
    }
    all
}

fn only(of: &[(&str, Value)], grantee: Grantee) -> RowAccess {
    let claims =
        json!({ "sub": ID, "role": "authenticated", "email": "a@b.c", "org": 7, "app_metadata": { "role": "boss" } });
    let Value::Object(claims) = claims else { unreachable!() };
    let book = Arc::new(RuleBook::new(&policies(of), &catalog()));
    RowAccess::Only(Arc::new(RowRules::new(book, RowCaller { grantee, claims })))
}

fn planned(rows: &RowAccess, method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Plan {
    let rules = Rules {
        columns: ColumnRule::Catalog,
        ..Rules::external()
    };
    let request = parsed(method, table, query, head, body).unwrap();
    plan(request, &catalog(), &rules, rows.clone()).unwrap()
}

fn told(statement: &Statement) -> String {
    let params = statement.params.iter().map(|param| match param {
        Param::Null => "null".to_owned(),
        Param::Text(text) => text.clone(),
        Param::Int(number) => format!("{number}i"),
        Param::Unsigned(number) => format!("{number}u"),
        Param::Float(number) => format!("{number}f"),
        Param::Bytes(bytes) => format!("{bytes:?}"),
    });
    format!("{}\n{}", statement.sql, params.collect::<Vec<_>>().join(" | ")).replace(ID, "ID")
}

/// The condition that a policy becomes.
fn using(expression: &str) -> String {
    let policy = json!([{ "name": "p", "command": "select", "to": ["authenticated"], "using": expression }]);
    let rows = only(
        &[("members", json!(["owner"])), ("notes", policy)],
        Grantee::Authenticated,
    );
    let statement = read(&planned(&rows, Method::Get, "notes", "select=id", &[], ""))
        .unwrap()
        .rows;
    let text = told(&statement);
    let (_, condition) = text.split_once(" where ").unwrap();
    condition
        .replace("plinth_0.", "")
        .replace("\nid | ", "\n")
        .replace("\nid", "")
}

fn refused(expression: &str) -> String {
    let policy = json!([{ "name": "p", "command": "select", "to": ["authenticated"], "using": expression }]);
    let given = Map::from_iter([("policies".to_owned(), policy)]);
    let catalog = catalog();
    let faults = row_rules::read(&given, catalog.relation("notes").unwrap(), &Policies::new(), &catalog);
    faults.expect_err(expression).to_string()
}

#[test]
fn texts_are_compared_by_their_bytes_and_found_by_an_index() {
    insta::assert_snapshot!(using("user_id = auth.uid()"), @r"
    ((`user_id` = ? and cast(convert(`user_id` using utf8mb4) as binary) = cast(? as binary)))
    ID | ID
    ");
    insta::assert_snapshot!(using("title <> 'x' and title < 'y'"), @r"
    (((cast(convert(`title` using utf8mb4) as binary) <> cast(? as binary)) and (cast(convert(`title` using utf8mb4) as binary) < cast(? as binary))))
    x | y
    ");
    insta::assert_snapshot!(using("mood in ('ok', 'sad')"), @r"
    (((cast(convert(`mood` using utf8mb4) as binary) = cast(? as binary)) or (cast(convert(`mood` using utf8mb4) as binary) = cast(? as binary))))
    ok | sad
    ");
    insta::assert_snapshot!(using("key = '5F0C2B6A-7A39-4A0B-9D0E-3B8F8E1A2C4D'"), @r"
    ((cast(convert(cast(`key` as char) using utf8mb4) as binary) = cast(? as binary)))
    ID
    ");
    insta::assert_snapshot!(using("title like 'a\\%|_%'"), @r"
    ((convert(convert(`title` using utf8mb4) using utf8mb4) collate utf8mb4_bin like ? escape '|'))
    a|%||_%
    ");
    insta::assert_snapshot!(using("title || '-' || id is not distinct from auth.email()"), @r"
    ((cast(convert(concat(convert(concat(convert(`title` using utf8mb4), ?) using utf8mb4), convert(cast(`id` as char) using utf8mb4)) using utf8mb4) as binary) <=> cast(? as binary)))
    - | a@b.c
    ");
}

#[test]
fn numbers_truths_and_days_mean_what_they_do_in_postgres() {
    insta::assert_snapshot!(using("size / 2 > 3 and price * 1.5 >= 10"), @"((((cast(`size` as signed) div 2) > 3) and ((`price` * 1.5) >= 10)))");
    insta::assert_snapshot!(using("10 / team = 2"), @"((cast(if(`team` = 0, (cast(`team` as unsigned) + 18446744073709551615 + 1), 10 div `team`) as signed) = 2))");
    insta::assert_snapshot!(using("done and not (done is true)"), @"(((`done` <> 0) and (not ((`done` <> 0) is true))))");
    insta::assert_snapshot!(using("done = true or done = 1"), @"((((`done` <> 0) = true) or (`done` = 1)))");
    insta::assert_snapshot!(using("day >= '2024-01-01' and at < now()"), @r"
    (((`day` >= cast(? as date)) and (`at` < now(6))))
    2024-01-01
    ");
    insta::assert_snapshot!(using("huge between 1 and 18446744073709551615"), @"(((cast(`huge` as decimal(20,0)) >= 1) and (cast(`huge` as decimal(20,0)) <= 18446744073709551615.0)))");
    insta::assert_snapshot!(using("case when done then id when size is null then 0 else team end = 3"), @"(((case when (`done` <> 0) then `id` when (`size` is null) then 0 else `team` end) = 3))");
    insta::assert_snapshot!(using("doc is null"), @"((`doc` is null))");
}

#[test]
fn claims_are_known_before_the_statement_runs() {
    insta::assert_snapshot!(using("team = (auth.jwt() ->> 'org')::int"), @"((`team` = 7))");
    insta::assert_snapshot!(using("auth.jwt() -> 'app_metadata' ->> 'role' = 'boss'"), @r"
    ((cast(? as binary) = cast(? as binary)))
    boss | boss
    ");
    insta::assert_snapshot!(using("auth.jwt() #>> '{app_metadata,role}' = title"), @r"
    ((`title` = ? and cast(? as binary) = cast(convert(`title` using utf8mb4) as binary)))
    boss | boss
    ");
    insta::assert_snapshot!(using("auth.jwt() ? 'org' and auth.role() = 'authenticated'"), @r"
    ((true and (cast(? as binary) = cast(? as binary))))
    authenticated | authenticated
    ");
}

#[test]
fn a_look_into_another_table_is_subject_to_its_rules() {
    insta::assert_snapshot!(
        using("exists (select 1 from members m where m.team = notes.team)"), @r"
    ((exists (select 1 from `app`.`members` as plinth_r1 where (((plinth_r1.`user_id` = ? and cast(convert(plinth_r1.`user_id` using utf8mb4) as binary) = cast(? as binary))) and (plinth_r1.`team` = `team`)))))
    ID | ID
    ");
    let policy = json!([{ "name": "p", "command": "select", "to": ["authenticated"],
        "using": "exists (select 1 from members)" }]);
    let rows = only(&[("notes", policy)], Grantee::Authenticated);
    let error = read(&planned(&rows, Method::Get, "notes", "select=id", &[], "")).unwrap_err();
    assert_eq!(error.public(), "permission denied for table members");
}

#[test]
fn what_cannot_be_said_exactly_is_refused_by_name() {
    for (expression, why) in [
        ("title ilike 'a'", "ilike is"),
        ("lower(title) = 'a'", "The function lower"),
        ("title = 1", "A comparison of text with integer"),
        ("id = 'x'", "invalid input syntax"),
        ("price / 2 > 1", "A division of decimals"),
        ("id / 0 = 1", "division by zero"),
        ("mood < 'sad'", "An order of an enum"),
        ("doc ->> 'a' = 'b'", "The operator ->> on a column"),
        ("title like title", "A pattern that is not known"),
        ("title like 'a\\'", "LIKE pattern must not end"),
        ("id = 1e3", "The number 1e3"),
        ("title", "text where true or false is expected"),
        ("greatest(id, 1) = 1", "The function greatest"),
        ("key = title", "A comparison of uuid with text"),
        ("title::int = 1", "A cast of text to integer"),
        ("extract(year from day) = 2024", "extract"),
        ("titel = 'a'", "Perhaps you meant title"),
        ("exists (select 1 from member)", "Perhaps you meant members"),
    ] {
        let told = refused(expression);
        assert!(told.contains(why.trim_end_matches(" is")), "{expression}: {told}");
    }
}

#[test]
fn without_a_policy_of_the_command_a_table_is_not_granted() {
    let rows = only(&[("notes", json!(["public-read"]))], Grantee::Anon);
    assert!(read(&planned(&rows, Method::Get, "notes", "select=id", &[], "")).is_ok());
    let denied = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        (error.code().to_owned(), error.kind(), error.public().to_owned())
    };
    let expected = (
        "42501".to_owned(),
        crate::error::ErrorKind::Unauthorized,
        "permission denied for table notes".to_owned(),
    );
    let body = r#"{"id":1}"#;
    let post = planned(&rows, Method::Post, "notes", "", &[], body);
    assert_eq!(denied(insert(&post, Flavour::MariaDb).map(drop)), expected);
    let patch = planned(&rows, Method::Patch, "notes", "id=eq.1", &[], body);
    assert_eq!(denied(update(&patch).map(drop)), expected);
    let gone = planned(&rows, Method::Delete, "notes", "id=eq.1", &[], "");
    assert_eq!(denied(delete(&gone).map(drop)), expected);
    let other = planned(&rows, Method::Get, "members", "", &[], "");
    assert_eq!(denied(read(&other).map(drop)).2, "permission denied for table members");
}

#[test]
fn writes_are_narrowed_and_checked() {
    let rows = only(&[("members", json!(["owner"]))], Grantee::Authenticated);
    let body = r#"[{"id":1,"user_id":"x"}]"#;
    let made = |head: &[(&str, &str)]| {
        let plan = planned(&rows, Method::Post, "members", "select=id", head, body);
        told(&insert(&plan, Flavour::MariaDb).unwrap().statements[0])
    };
    insta::assert_snapshot!(made(&[]), @r"
    insert into `app`.`members` (`id`, `user_id`) values (?, ?) returning ((((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary)))) is true)
    1i | x | ID | ID
    ");
    insta::assert_snapshot!(made(&[("prefer", "resolution=merge-duplicates, return=representation")]), @r"
    insert into `app`.`members` (`id`, `user_id`) values (?, ?) on duplicate key update `id` = if(`id` <=> values(`id`), if((@plinth_found := @plinth_found + 1) > 0 and (@plinth_denied := @plinth_denied | if((((values(`user_id`) = ? and cast(convert(values(`user_id`) using utf8mb4) as binary) = cast(? as binary)))), 0, 1)) >= 0 and (@plinth_denied := @plinth_denied | if((((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary)))), 0, 2)) >= 0, values(`id`), null), (select 1 union select 2)), `user_id` = values(`user_id`) returning json_object(?, `id`), @plinth_found, ((((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary)))) is true), ((((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary)))) is true)
    1i | x | ID | ID | ID | ID | id | ID | ID | ID | ID
    ");
    insta::assert_snapshot!(made(&[("prefer", "resolution=ignore-duplicates")]), @r"
    insert into `app`.`members` (`id`, `user_id`) values (?, ?) on duplicate key update `id` = if(`id` <=> values(`id`), if((@plinth_found := @plinth_found + 1) > 0 and (@plinth_denied := @plinth_denied | if((((values(`user_id`) = ? and cast(convert(values(`user_id`) using utf8mb4) as binary) = cast(? as binary)))), 0, 1)) >= 0, `id`, null), (select 1 union select 2)) returning @plinth_found, ((((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary)))) is true)
    1i | x | ID | ID | ID | ID
    ");
    let plan = planned(&rows, Method::Patch, "members", "id=gt.1", &[], r#"{"team":2}"#);
    let update = update(&plan).unwrap();
    insta::assert_snapshot!(told(&update.change.unwrap()), @r"
    update `app`.`members` as plinth_0 set plinth_0.`team` = ? where (((plinth_0.`user_id` = ? and cast(convert(plinth_0.`user_id` using utf8mb4) as binary) = cast(? as binary)))) and (plinth_0.`id` > ?)
    2i | ID | ID | 1i
    ");
    insta::assert_snapshot!(told(&update.keys.unwrap()), @r"
    select plinth_0.`id` from `app`.`members` as plinth_0 where (((plinth_0.`user_id` = ? and cast(convert(plinth_0.`user_id` using utf8mb4) as binary) = cast(? as binary)))) and (plinth_0.`id` > ?) limit 10001 for update
    ID | ID | 1i
    ");
    insta::assert_snapshot!(told(&super::super::allowed_of(&plan, &[vec![Param::Int(1)]]).unwrap()), @r"
    select count(*) from `app`.`members` as plinth_0 where (plinth_0.`id`) in ((?)) and (((plinth_0.`user_id` = ? and cast(convert(plinth_0.`user_id` using utf8mb4) as binary) = cast(? as binary))))
    1i | ID | ID
    ");
    let plan = planned(&rows, Method::Delete, "members", "", &[], "");
    insta::assert_snapshot!(told(&delete(&plan).unwrap().change), @r"
    delete from `app`.`members` where (((`members`.`user_id` = ? and cast(convert(`members`.`user_id` using utf8mb4) as binary) = cast(? as binary))))
    ID | ID
    ");
    let plan = planned(&rows, Method::Post, "members", "", &[], body);
    assert_eq!(insert(&plan, Flavour::MySql).unwrap_err().code(), "PGRST127");
    let all = only(&[("members", json!(["authenticated"]))], Grantee::Authenticated);
    let plan = planned(&all, Method::Post, "members", "", &[], body);
    assert!(!insert(&plan, Flavour::MySql).unwrap().checked);
}
