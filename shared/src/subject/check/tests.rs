use serde_json::{Value, json};

use super::super::sketch::{facts, found_map};
use super::super::{Marks, find};
use super::*;

const TABLES: &str = "
    users: id integer pk, email text unique
    orders: shop integer, number integer, user_id integer required -> users.id, note text, kind mood required, pk (shop+number)
    lines: shop integer, number integer, key (shop+number) -> orders.(shop+number), text text
    comments: id integer pk, user_id integer -> users.id, parent integer -> comments.id, body text required, total integer generated
    letters: id integer pk, to_email text";

/// The places and codes of a map's faults: what was found, changed.
fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let facts = facts(TABLES);
    let mut map = serde_json::to_value(found_map(&facts)).unwrap();
    change(&mut map);
    let map: SubjectMap = serde_json::from_value(map).unwrap();
    let faults = check(Dialect::Postgres, &map, &facts);
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.path, fault.code))
        .collect()
}

#[test]
fn a_map_of_these_tables_has_no_fault_and_any_other_is_told_where() {
    let hop = |columns: Value, references: Value, there: Value| json!({ "columns": columns, "references": references, "referencedColumns": there });
    let to_users = || hop(json!(["user_id"]), json!("users"), json!(["id"]));
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("/root", json!({ "table": "users", "key": ["email"] }), &[]),
        (
            "/root",
            json!({ "table": "users", "key": ["id", "email"] }),
            &["root.key privacy/root"],
        ),
        ("/root/key", json!([]), &["root.key privacy/columns"]),
        ("/root/email", json!("mail"), &["root.email privacy/unknown-column"]),
        (
            "/tables/lines/paths/0/0/columns",
            json!(["shop"]),
            &["tables.lines.paths[0][0].referencedColumns privacy/hop"],
        ),
        (
            "/tables/lines/paths/0/0/columns",
            json!(["shop", "shop"]),
            &["tables.lines.paths[0][0].columns privacy/columns"],
        ),
        (
            "/tables/lines/paths/0/0/references",
            json!("nowhere"),
            &["tables.lines.paths[0][0].references privacy/unknown-table"],
        ),
        (
            "/tables/lines/paths/0/1/columns",
            json!(["nobody"]),
            &["tables.lines.paths[0][1].columns privacy/unknown-column"],
        ),
        ("/tables/lines/paths", json!([]), &["tables.lines.paths privacy/path"]),
        (
            "/tables/lines/paths",
            json!([[]]),
            &["tables.lines.paths[0] privacy/path"],
        ),
        (
            "/tables/comments/paths/0",
            json!([hop(json!(["parent"]), json!("comments"), json!(["id"]))]),
            &["tables.comments.paths[0][0] privacy/path"],
        ),
        (
            "/tables/comments/paths/0",
            json!([hop(json!(["user_id"]), Value::Null, json!([]))]),
            &[],
        ),
        (
            "/tables/comments/paths/0",
            json!([hop(json!(["user_id"]), Value::Null, json!([])), to_users()]),
            &["tables.comments.paths[0][0] privacy/path"],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "keep", "reason": "the law" }),
            &["tables.comments.rule privacy/kept-hangs"],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "keep", "reason": "" }),
            &[
                "tables.comments.rule.reason privacy/reason",
                "tables.comments.rule privacy/kept-hangs",
            ],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "anonymise", "columns": ["user_id", "body"] }),
            &[],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "anonymise", "columns": ["body"] }),
            &["tables.comments.rule.columns privacy/still-linked"],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "anonymise", "columns": ["user_id", "id"] }),
            &["tables.comments.rule.columns privacy/not-fillable"],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "anonymise", "columns": ["user_id", "total"] }),
            &["tables.comments.rule.columns privacy/not-fillable"],
        ),
        (
            "/tables/comments/rule",
            json!({ "action": "anonymise", "columns": ["user_id", "x"] }),
            &["tables.comments.rule.columns privacy/unknown-column"],
        ),
        (
            "/tables/orders/rule",
            json!({ "action": "anonymise", "columns": ["note", "user_id"] }),
            &[
                "tables.orders.rule.columns privacy/not-fillable",
                "tables.orders.rule.columns privacy/still-linked",
            ],
        ),
        (
            "/tables/orders/rule",
            json!({ "action": "anonymise", "columns": ["kind"] }),
            &[
                "tables.orders.rule.columns privacy/not-fillable",
                "tables.orders.rule.columns privacy/still-linked",
            ],
        ),
        // The root's own rows stay whose they are.
        (
            "/tables/users/rule",
            json!({ "action": "anonymise", "columns": ["email"] }),
            &[],
        ),
        ("/ignored", json!(["letters.to_email"]), &[]),
        (
            "/ignored",
            json!(["letters.to", "letters"]),
            &["ignored[0] privacy/unknown-column", "ignored[1] privacy/unknown-column"],
        ),
        (
            "/relations",
            json!([{ "table": "letters", "columns": ["to_email"], "references": "users", "referencedColumns": ["email"] }]),
            &[],
        ),
        (
            "/relations",
            json!([{ "table": "letters", "columns": ["to"], "references": "users", "referencedColumns": ["email"] }]),
            &["relations[0].columns privacy/unknown-column"],
        ),
        (
            "/relations",
            json!([{ "table": "x", "columns": ["to"] }]),
            &["relations[0].table privacy/unknown-table"],
        ),
    ];
    for (at, value, expected) in cases {
        let found = faults(|map| *map.pointer_mut(at).unwrap() = value.clone());
        assert_eq!(found, expected, "{at}: {value}");
    }
    assert_eq!(faults(|_| {}), [""; 0]);
    let rootless = faults(|map| {
        map["tables"].as_object_mut().unwrap().remove("users");
    });
    assert_eq!(rootless, ["tables.users privacy/root"]);
    // Nobody has an id of their own here.
    assert_eq!(faults(|map| *map = json!({ "root": {} })), ["root privacy/root"]);
}

#[test]
fn rows_that_are_kept_may_refer_to_rows_that_stay_or_let_go_of_them() {
    let keep = json!({ "action": "keep", "reason": "the law" });
    let told = faults(|map| {
        map["tables"]["comments"]["rule"] = keep.clone();
        map["tables"]["users"]["rule"] = json!({ "action": "anonymise", "columns": ["email"] });
    });
    assert_eq!(told, [""; 0]);
    // Further from the person, too.
    let told = faults(|map| map["tables"]["lines"]["rule"] = keep.clone());
    assert_eq!(told, ["tables.lines.rule privacy/kept-hangs"]);
    let facts = facts(
        "users: id integer pk, email text
         invoices: id integer pk, user_id integer -> users.id on delete set null
         fixed: id integer pk, user_id integer required -> users.id on delete set null
         declared: id integer pk, user_id integer required -> users.id on delete declared",
    );
    let mut map = found_map(&facts);
    for label in ["invoices", "fixed", "declared"] {
        let reason = "the law".to_owned();
        map.tables.get_mut(label).unwrap().rule = Rule::Keep { reason };
    }
    let told = check(Dialect::Postgres, &map, &facts).to_string();
    assert!(
        told.contains("tables.fixed.rule") && told.contains("fixed_user_id_fkey"),
        "{told}"
    );
    assert!(!told.contains("invoices") && !told.contains("declared"), "{told}");
}

#[test]
fn a_column_whose_check_may_refuse_what_an_erasure_leaves_is_no_part_of_a_rule() {
    let mut facts = facts("users: id integer pk, email text required, phone text");
    let mut map = found_map(&facts);
    let columns = vec!["email".to_owned(), "phone".to_owned()];
    map.tables.get_mut("users").unwrap().rule = Rule::Anonymise { columns };
    for (checks, faulty) in [
        (vec!["(length(email) > 3)", "(phone ~~ '+%'::text)"], ""),
        (vec!["(email ~~ '%@%'::text)"], "email can"),
        (vec!["((phone IS NOT NULL) OR (email ~~ 'x'::text))"], "phone can"),
    ] {
        let users = facts.tables.get_mut("users").unwrap();
        users.checks = checks.iter().map(ToString::to_string).collect();
        let told = check(Dialect::Postgres, &map, &facts).to_string();
        assert_eq!(told.is_empty(), faulty.is_empty(), "{checks:?}: {told}");
        assert!(told.contains(faulty), "{checks:?}: {told}");
    }
}

#[test]
fn people_with_accounts_go_by_their_ids_alone() {
    let root = |facts: &Facts, table: &str, key: &str| {
        let map: SubjectMap = serde_json::from_value(json!({
            "root": { "table": table, "key": [key] },
            "tables": { table: { "paths": [[]], "rule": { "action": "delete" } } },
        }))
        .unwrap();
        let faults = check(Dialect::Postgres, &map, facts);
        faults.iter().map(|fault| fault.path.clone()).collect::<Vec<_>>()
    };
    let mut facts = facts(
        "app_users: id uuid pk, email text unique
         customers: id bigint pk, user_id uuid unique owner",
    );
    for (table, key, fine) in [
        ("app_users", "id", true),
        ("app_users", "email", false),
        ("customers", "id", false),
        ("customers", "user_id", true),
    ] {
        let expected: &[&str] = if fine { &[] } else { &["root.key"] };
        assert_eq!(root(&facts, table, key), expected, "{table}.{key}");
    }
    facts.accounts = false;
    assert_eq!(root(&facts, "customers", "id"), [""; 0]);
}

#[test]
fn a_key_that_matches_as_a_whole_is_emptied_as_a_whole() {
    let mut facts = facts(
        "users: org integer, id integer, email text, pk (org+id)
         notes: id integer pk, org integer, user_id integer, key (org+user_id) -> users.(org+id)",
    );
    let said = |facts: &Facts, columns: &[&str]| {
        let mut map = find(Dialect::Postgres, facts, &Marks::default(), &SubjectMap::default()).map;
        map.tables.get_mut("notes").unwrap().rule = Rule::Anonymise {
            columns: columns.iter().map(ToString::to_string).collect(),
        };
        let faults = check(Dialect::Postgres, &map, facts);
        faults.iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    assert_eq!(said(&facts, &["user_id"]), [""; 0]);
    let key = facts.tables["notes"].links[0].columns.clone();
    facts.tables.get_mut("notes").unwrap().whole.push(key);
    assert_eq!(said(&facts, &["user_id"]), ["privacy/key-in-part"]);
    assert_eq!(said(&facts, &["user_id", "org"]), [""; 0]);
}

#[test]
fn a_map_of_the_same_tables_says_what_does_not_fit_any_more() {
    let before = "users: id integer pk, email text
         notes: id integer pk, user_id integer -> users.id, kind mood";
    let map = find(
        Dialect::Postgres,
        &facts(before),
        &Marks::default(),
        &SubjectMap::default(),
    )
    .map;
    let mut map = SubjectMap { ..map };
    map.tables.get_mut("notes").unwrap().rule = Rule::Anonymise {
        columns: vec!["user_id".to_owned(), "kind".to_owned()],
    };
    let told = |facts: &Facts| {
        let told = unfit(Dialect::Postgres, &map, facts);
        told.into_iter()
            .map(|change| (change.kind, change.table))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&facts(before)), []);
    let now = facts(&before.replace("kind mood", "kind mood required"));
    assert_eq!(told(&now), [(ChangeKind::Unfit, "notes".to_owned())]);
    let now = facts(&before.replace("id integer pk, email", "id integer, email"));
    assert_eq!(told(&now)[0], (ChangeKind::Unfit, "users".to_owned()));
}
