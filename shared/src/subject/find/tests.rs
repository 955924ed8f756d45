use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::sketch::{facts, shown};
use super::super::{Rule, check};
use super::*;

const POSTGRES: Dialect = Dialect::Postgres;

fn found(facts: &Facts) -> Found {
    find(POSTGRES, facts, &Marks::by_name(facts), &SubjectMap::default())
}

fn paths(found: &Found) -> String {
    let tables = found.map.tables.iter();
    let paths: BTreeMap<String, Vec<Path>> = tables
        .map(|(label, entry)| (label.clone(), entry.paths.clone()))
        .collect();
    shown(&paths).join("\n")
}

fn rules(found: &Found) -> String {
    let shown = |(label, entry): (&String, &TableEntry)| match &entry.rule {
        Rule::Anonymise { columns } => format!("{label}: anonymise {}", columns.join(", ")),
        Rule::Delete if found.decisions.contains_key(label) => format!("{label}: delete?"),
        Rule::Delete => format!("{label}: delete"),
        Rule::Keep { .. } => format!("{label}: keep"),
    };
    found.map.tables.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn rows_belong_by_the_shortest_ways_and_longer_ones_are_shown() {
    let facts = facts(
        "users: id integer pk, email text unique, invited_by integer -> users.id on delete set null
         posts: id integer pk, author_id integer required -> users.id, title text
         comments: id integer pk, post_id integer -> posts.id on delete cascade, author_id integer -> users.id, parent_id integer -> comments.id on delete cascade, body text
         likes: comment_id integer required -> comments.id on delete cascade, kind text
         products: id integer pk, name text",
    );
    let found = found(&facts);
    assert_eq!(
        (found.map.root.table.as_deref(), found.map.root.email.as_deref()),
        (Some("users"), Some("email"))
    );
    assert_snapshot!(paths(&found), @"
    comments.author_id → users.id
    likes.comment_id → comments.id, comments.author_id → users.id
    posts.author_id → users.id
    users: the person's own row
    ");
    assert_snapshot!(shown(&found.alternatives).join("\n"), @"
    comments.parent_id → comments.id, comments.author_id → users.id
    comments.post_id → posts.id, posts.author_id → users.id
    ");
    // Others answer a comment, and comment on a post whose author cannot be taken off it.
    assert_snapshot!(rules(&found), @"
    comments: anonymise author_id, body
    likes: delete
    posts: delete?
    users: delete
    ");
    assert_eq!(found.gaps, []);
}

#[test]
fn cycles_composite_keys_and_junctions_are_followed() {
    let facts = facts(
        "app_users: id uuid pk, email text unique required, team_id uuid -> teams.id on delete set null
         teams: id uuid pk, owner_id uuid -> app_users.id on delete set null, name text
         members: team_id uuid required -> teams.id on delete cascade, user_id uuid required -> app_users.id on delete cascade, pk (team_id+user_id)
         notes: team_id uuid, user_id uuid, key (team_id+user_id) -> members.(team_id+user_id) on delete cascade, body text
         drafts: id uuid pk, made_by uuid owner, text text
         files: id uuid pk, owner uuid owner -> app_users.id on delete cascade
         a: id uuid pk, b_id uuid -> b.id on delete set null, draft_id uuid -> drafts.id on delete cascade
         b: id uuid pk, a_id uuid -> a.id on delete set null",
    );
    let found = found(&facts);
    assert_snapshot!(paths(&found), @"
    a.draft_id → drafts.id, drafts.made_by → the person's id
    app_users: the person's own row
    b.a_id → a.id, a.draft_id → drafts.id, drafts.made_by → the person's id
    drafts.made_by → the person's id
    files.owner → the person's id
    files.owner → app_users.id
    members.user_id → app_users.id
    notes.(team_id, user_id) → members.(team_id, user_id), members.user_id → app_users.id
    teams.owner_id → app_users.id
    ");
    assert_snapshot!(rules(&found), @"
    a: delete
    app_users: delete
    b: delete
    drafts: delete
    files: delete
    members: delete
    notes: delete
    teams: anonymise owner_id, name
    ");
}

#[test]
fn people_without_a_table_are_accounts() {
    let mut facts = facts(
        "notes: id uuid pk, user_id uuid owner, body text
         tags: id uuid pk, note_id uuid -> notes.id on delete cascade
         customers: id uuid pk, email text
         visits: user_id uuid",
    );
    facts.accounts = true;
    let found = found(&facts);
    assert_eq!(found.map.root, Root::default());
    assert_snapshot!(paths(&found), @"
    notes.user_id → the person's id
    tags.note_id → notes.id, notes.user_id → the person's id
    ");
    assert_snapshot!(gaps(&found), @"
    customers.email Email Name
    visits.user_id PersonId Name: visits.user_id → person
    ");
}

fn gaps(found: &Found) -> String {
    let shown = |gap: &Gap| {
        let Gap {
            table,
            column,
            kind,
            why,
            suggestion,
        } = gap;
        let suggestion = suggestion.as_ref().map(|relation| {
            let to = relation
                .references
                .as_ref()
                .map(|to| format!("{to}.{}", relation.referenced_columns.join("+")));
            format!(
                ": {}.{} → {}",
                relation.table,
                relation.columns.join("+"),
                to.as_deref().unwrap_or("person")
            )
        });
        format!("{table}.{column} {kind:?} {why:?}{}", suggestion.unwrap_or_default())
    };
    found.gaps.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_looks_personal_and_is_linked_to_nobody_is_a_gap_with_a_suggestion() {
    let facts = facts(
        "users: id bigint pk, email varchar(255) unique, address_id bigint -> addresses.id
         addresses: id bigint pk, street text, city text
         newsletter: id bigint pk, email text, source text
         tickets: id bigint pk, customer_email text, user_id integer
         leads: id bigint pk, phone text
         trash:visits:1: id bigint pk, ip_address inet
         articles: id bigint pk, body text, name text",
    );
    let found = found(&facts);
    assert_snapshot!(gaps(&found), @"
    addresses.street Address Name: addresses.id → users.address_id
    addresses.city Address Name: addresses.id → users.address_id
    leads.phone Phone Name
    newsletter.email Email Name: newsletter.email → users.email
    tickets.customer_email Email Name: tickets.user_id → users.id
    tickets.user_id PersonId Name: tickets.user_id → users.id
    trash:visits:1.ip_address IpAddress Name
    ");
    // What its owner declares links it, backwards too, and what they put aside is no gap any more.
    let suggestions = found.gaps.iter().filter_map(|gap| gap.suggestion.clone());
    let said = SubjectMap {
        relations: suggestions.collect(),
        ignored: vec!["leads.phone".to_owned(), "trash:visits:1.ip_address".to_owned()],
        ..SubjectMap::default()
    };
    let found = find(POSTGRES, &facts, &Marks::by_name(&facts), &said);
    assert_snapshot!(paths(&found), @"
    addresses.id → users.address_id
    newsletter.email → users.email
    tickets.user_id → users.id
    users: the person's own row
    ");
    assert_eq!(found.gaps, []);
}

#[test]
fn the_root_is_what_looks_most_like_people() {
    for (tables, root) in [
        ("users: id integer pk, email text", Some("users")),
        (
            "Customers: id integer pk, email text, first_name text\n orders: id integer pk, customer_id integer -> Customers.id",
            Some("Customers"),
        ),
        (
            "users: id integer pk, email text\n customers: id integer pk, email text, phone text",
            Some("users"),
        ),
        (
            "kunden: nr integer pk, email text, nachname text\n produkte: nr integer pk",
            Some("kunden"),
        ),
        (
            "shop_members: id integer pk, email text\n news: id integer pk",
            Some("shop_members"),
        ),
        ("users: email text", None),
        ("products: id integer pk, name text", None),
        ("newsletter: id integer pk, email text", None),
        (
            "profiles: id uuid pk owner, name text\n todos: id uuid pk, user_id uuid owner\n users: id integer pk, email text",
            Some("users"),
        ),
    ] {
        let facts = facts(tables);
        assert_eq!(found(&facts).map.root.table.as_deref(), root, "{tables}");
    }
    // Where people have ids, a table that goes by them.
    let mut facts = facts(
        "profiles: id uuid pk owner, name text\n todos: id uuid pk, user_id uuid owner\n users: id integer pk, email text",
    );
    facts.accounts = true;
    let found = found(&facts);
    assert_eq!(found.map.root.table.as_deref(), Some("profiles"));
    assert!(found.map.tables.contains_key("todos"));
    // And what its owner says counts before all.
    let said = SubjectMap {
        root: Root {
            table: Some("users".to_owned()),
            key: vec!["id".to_owned()],
            email: None,
        },
        ..SubjectMap::default()
    };
    assert_eq!(find(POSTGRES, &facts, &Marks::default(), &said).map.root, said.root);
}

/// Tables `t0` to `tN`, the first one the root, with links between any of them.
fn graph() -> impl Strategy<Value = (usize, Vec<(usize, usize, bool)>)> {
    (2_usize..9).prop_flat_map(|size| {
        (
            Just(size),
            prop::collection::vec((0..size, 0..size, any::<bool>()), 0..24),
        )
    })
}

fn facts_of(size: usize, links: &[(usize, usize, bool)]) -> Facts {
    let mut text = String::new();
    for at in 0..size {
        let name = if at == 0 {
            "app_users".to_owned()
        } else {
            format!("t{at}")
        };
        text += &format!("{name}: id uuid pk");
        for (number, (_, to, null)) in links.iter().enumerate().filter(|(_, (from, _, _))| *from == at) {
            let to = if *to == 0 {
                "app_users".to_owned()
            } else {
                format!("t{to}")
            };
            let action = if *null { "set null" } else { "cascade" };
            text += &format!(", l{number} uuid -> {to}.id on delete {action}");
        }
        text.push('\n');
    }
    facts(&text)
}

/// How many links a table is away from the root, found by going over all links until nothing gets nearer.
fn distances(size: usize, links: &[(usize, usize, bool)]) -> Vec<Option<usize>> {
    let mut distances = vec![None; size];
    distances[0] = Some(0);
    for _ in 0..size {
        for (from, to, _) in links {
            let nearer = distances[*to].map(|distance: usize| distance + 1);
            if nearer.is_some() && (distances[*from].is_none() || nearer < distances[*from]) {
                distances[*from] = nearer;
            }
        }
    }
    distances
}

proptest! {
    #[test]
    fn every_way_is_a_shortest_one_along_links_to_the_root((size, links) in graph()) {
        let facts = facts_of(size, &links);
        let found = found(&facts);
        for (at, distance) in distances(size, &links).into_iter().enumerate() {
            let label = if at == 0 { "app_users".to_owned() } else { format!("t{at}") };
            let entry = found.map.tables.get(&label);
            prop_assert_eq!(entry.is_some(), distance.is_some(), "{}", label);
            for path in entry.map_or(&[] as &[Path], |entry| &entry.paths) {
                prop_assert_eq!(Some(path.0.len()), distance);
                let mut from = label.clone();
                for hop in &path.0 {
                    let table = &facts.tables[&from];
                    prop_assert!(table.links.iter().any(|link| link.hop() == *hop));
                    from = hop.references.clone().unwrap();
                }
                prop_assert_eq!(from.as_str(), "app_users");
            }
        }
        // What is found may be confirmed as it is.
        prop_assert_eq!(check(POSTGRES, &found.map, &facts).to_string(), "");
        for (label, paths) in &found.alternatives {
            let mut map = found.map.clone();
            map.tables.get_mut(label).unwrap().paths = paths.clone();
            map.tables.get_mut(label).unwrap().rule = Rule::Delete;
            prop_assert_eq!(check(POSTGRES, &map, &facts).to_string(), "");
        }
    }
}

#[test]
fn rows_that_a_check_ties_to_the_person_are_not_proposed_to_be_emptied() {
    let mut facts = facts(
        "users: id integer pk, email text
         posts: id integer pk, user_id integer -> users.id, title text
         likes: id integer pk, post_id integer -> posts.id, user_id integer -> users.id",
    );
    let proposed = |facts: &Facts| {
        let found = find(Dialect::Postgres, facts, &Marks::by_name(facts), &SubjectMap::default());
        let faults = check(Dialect::Postgres, &found.map, facts);
        assert!(faults.is_empty(), "{faults}");
        rules(&found)
            .lines()
            .find(|line| line.starts_with("posts"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(proposed(&facts), "posts: anonymise user_id, title");
    let posts = facts.tables.get_mut("posts").unwrap();
    posts.checks = vec!["(user_id IS NOT NULL)".to_owned()];
    assert_eq!(proposed(&facts), "posts: delete?");
}
