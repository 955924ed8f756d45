use super::super::sketch::{facts, shown};
use super::super::{Dialect, Hop, Path, Rule, SubjectMap, find};
use super::*;

const BEFORE: &str = "
    users: id integer pk, email text
    orders: id integer pk, user_id integer -> users.id, note text, plinth_gone_00000000000000000000000000000001 integer
    items: id integer pk, order_id integer -> orders.id
    trash:visits:1: id integer pk, user_id integer -> users.id";

fn changes(before: &str, now: &str) -> Vec<String> {
    let now = facts(now);
    let changes = Structure::of(&facts(before)).changes(&Structure::of(&now), &Marks::by_name(&now));
    let told = |change: &Change| serde_json::to_value(change).unwrap();
    let changes = changes.iter().map(told).map(|change| {
        let said = ["kind", "table", "column", "link", "personal"]
            .iter()
            .filter_map(|name| change[name].as_str());
        said.collect::<Vec<_>>().join(" ")
    });
    changes.collect()
}

#[test]
fn what_is_new_gone_or_another_is_told() {
    let edited = |from: &str, to: &str| BEFORE.replace(from, to);
    for (now, expected) in [
        (BEFORE.to_owned(), &[] as &[&str]),
        (
            edited("note text", "note text, phone text"),
            &["columnAdded orders phone phone"],
        ),
        (edited(", note text", ""), &["columnGone orders note"]),
        (edited("note text", "note integer"), &["columnChanged orders note"]),
        (
            edited("-> users.id, note", ", note"),
            &["linkGone orders user_id → users.id"],
        ),
        (
            edited("note text", "note text -> users.email"),
            &["linkAdded orders note → users.email"],
        ),
        (
            edited("    items: id integer pk, order_id integer -> orders.id\n", ""),
            &["tableGone items"],
        ),
        (
            edited(
                "trash:visits:1",
                "leads: id integer pk, phone text, kind text\n trash:visits:1",
            ),
            &["tableAdded leads", "columnAdded leads phone phone"],
        ),
        // What is purged, put aside or marked asks nobody anything.
        (
            edited("    trash:visits:1: id integer pk, user_id integer -> users.id", ""),
            &[],
        ),
        (
            edited(", plinth_gone_00000000000000000000000000000001 integer", ""),
            &[],
        ),
        (edited("note text", "note text, plinth_deleted_at timestamp"), &[]),
    ] {
        assert_eq!(changes(BEFORE, &now), expected, "{now}");
    }
}

#[test]
fn a_map_keeps_what_still_fits_and_takes_what_is_new() {
    let before = facts(BEFORE);
    let marks = Marks::default();
    let mut map = find(Dialect::Postgres, &before, &marks, &SubjectMap::default()).map;
    // Its owner has left the items out, and added a way.
    map.tables.remove("items");
    let own = Hop {
        columns: vec!["note".to_owned()],
        references: Some("users".to_owned()),
        referenced_columns: vec!["email".to_owned()],
    };
    let orders = map.tables.get_mut("orders").unwrap();
    orders.paths.push(Path(vec![own]));
    orders.rule = Rule::Anonymise {
        columns: vec!["user_id".to_owned(), "note".to_owned()],
    };
    let now = facts(&BEFORE.replace(", note text", "").replace(
        "trash:visits:1",
        "reviews: id integer pk, user_id integer -> users.id\n trash:other:2",
    ));
    let found = find(Dialect::Postgres, &now, &marks, &map).map;
    let fitted = map.clone().fitted(&now, &Structure::of(&before), found);
    let paths: BTreeMap<String, Vec<Path>> = fitted
        .tables
        .iter()
        .map(|(label, entry)| (label.clone(), entry.paths.clone()))
        .collect();
    insta::assert_snapshot!(shown(&paths).join("\n"), @"
    orders.user_id → users.id
    reviews.user_id → users.id
    trash:other:2.user_id → users.id
    users: the person's own row
    ");
    let columns = vec!["user_id".to_owned()];
    assert_eq!(fitted.tables["orders"].rule, Rule::Anonymise { columns });
    // Without its root it is worth nothing.
    let now = facts("people: id integer pk, email text");
    let found = find(Dialect::Postgres, &now, &marks, &map).map;
    assert_eq!(map.fitted(&now, &Structure::of(&before), found.clone()), found);
}

#[test]
fn what_lost_its_ways_takes_the_ones_that_have_come() {
    let before = "
        users: id integer pk, email text
        orders: id integer pk, user_id integer -> users.id, approver integer -> users.id
        items: id integer pk, order_id integer -> orders.id
        visits: id integer pk, user_id integer -> users.id
        logs: id integer pk";
    let confirmed = || {
        let mut map = find(
            Dialect::Postgres,
            &facts(before),
            &Marks::default(),
            &SubjectMap::default(),
        )
        .map;
        // Its owner has said that approvers are not whose the orders are, and that visits are nobody's.
        map.tables
            .get_mut("orders")
            .unwrap()
            .paths
            .retain(|path| path.0[0].columns == ["user_id"]);
        map.tables
            .get_mut("items")
            .unwrap()
            .paths
            .retain(|path| path.0[1].columns == ["user_id"]);
        map.tables.get_mut("orders").unwrap().rule = Rule::Anonymise {
            columns: vec!["user_id".to_owned()],
        };
        map.tables.remove("visits");
        map
    };
    let fitted = |now: &str| {
        let now = facts(now);
        let found = find(Dialect::Postgres, &now, &Marks::default(), &confirmed()).map;
        confirmed().fitted(&now, &Structure::of(&facts(before)), found)
    };
    let ways = |map: &SubjectMap| shown(map.tables.iter().map(|(label, entry)| (label, &entry.paths))).join("\n");
    assert_eq!(fitted(before), confirmed());
    let renamed = fitted(&before.replace(
        "pk, user_id integer -> users.id, app",
        "pk, customer_id integer -> users.id, app",
    ));
    insta::assert_snapshot!(ways(&renamed), @"
    items.order_id → orders.id, orders.customer_id → users.id
    orders.customer_id → users.id
    users: the person's own row
    ");
    assert_eq!(
        renamed.tables["orders"].rule,
        Rule::Anonymise {
            columns: vec!["customer_id".to_owned()]
        }
    );
    let dropped = fitted(&before.replace("pk, user_id integer -> users.id, app", "pk, app"));
    insta::assert_snapshot!(ways(&dropped), @"
    items.order_id → orders.id, orders.approver → users.id
    orders.approver → users.id
    users: the person's own row
    ");
    let linked = fitted(&before.replace("logs: id integer pk", "logs: id integer pk, by integer -> users.id"));
    insta::assert_snapshot!(ways(&linked), @"
    items.order_id → orders.id, orders.user_id → users.id
    logs.by → users.id
    orders.user_id → users.id
    users: the person's own row
    ");
}
