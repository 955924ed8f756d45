use super::*;

fn ident(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

fn idents(names: &str) -> Vec<Ident> {
    names.split(' ').map(ident).collect()
}

/// `schema.name`, or a name in `api`.
fn qualified(name: &str) -> Qualified {
    let (schema, name) = name.split_once('.').unwrap_or(("api", name));
    Qualified {
        schema: ident(schema),
        name: ident(name),
    }
}

/// `constraint: table(columns) -> target(columns)`, with `1` behind it when unique.
fn key(text: &str) -> KeyBetween {
    let (constraint, rest) = text.split_once(": ").unwrap();
    let (here, rest) = rest.split_once(") -> ").unwrap();
    let (there, unique) = rest.split_once(')').unwrap();
    let (table, columns) = here.split_once('(').unwrap();
    let (target, references) = there.split_once('(').unwrap();
    KeyBetween {
        constraint: ident(constraint),
        table: qualified(table),
        columns: idents(columns),
        target: qualified(target),
        references: idents(references),
        unique: unique == "1",
    }
}

/// `view.column table.column`, each with a schema or without.
fn shown(view: &str, column: &str, table: &str, origin: &str) -> Shown {
    Shown {
        view: qualified(view),
        column: ident(column),
        table: qualified(table),
        origin: ident(origin),
    }
}

fn keys(between: &[&str], primary: &[(&str, &str)], shown: Vec<Shown>) -> Keys {
    Keys {
        between: between.iter().map(|text| key(text)).collect(),
        primary: primary
            .iter()
            .map(|(table, columns)| (qualified(table), idents(columns)))
            .collect(),
        shown,
        computed: Vec::new(),
    }
}

fn pairs(columns: &[(Ident, Ident)]) -> String {
    let pair = |(here, there): &(Ident, Ident)| format!("{here}={there}");
    columns.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// A line for each relationship.
fn told(keys: &Keys) -> String {
    let all = keys.relationships(&ident("api"), |name| !name.as_str().starts_with('_'));
    let mut lines = Vec::new();
    for (from, relationship) in all
        .iter()
        .flat_map(|(from, of_it)| of_it.iter().map(move |one| (from, one)))
    {
        let how = match &relationship.link {
            Link::ManyToOne { constraint, columns } => format!("m2o {constraint} {}", pairs(columns)),
            Link::OneToMany { constraint, columns } => format!("o2m {constraint} {}", pairs(columns)),
            Link::OneToOne {
                constraint,
                columns,
                here,
            } => format!(
                "o2o {constraint} {} {}",
                pairs(columns),
                if *here { "here" } else { "there" }
            ),
            Link::ManyToMany(by) => format!(
                "m2m {}.{} {} {} {} {}",
                by.table.schema,
                by.table.name,
                by.near,
                pairs(&by.near_columns),
                by.far,
                pairs(&by.far_columns)
            ),
            Link::Computed { function, single } => format!("by {} {single}", function.name),
        };
        lines.push(format!("{from} -> {}: {how}", relationship.target));
    }
    lines.join("\n")
}

#[test]
fn keys_lead_both_ways() {
    let keys = keys(
        &[
            "fk_client: projects(client_id) -> clients(id)",
            "fk_parent: projects(parent) -> projects(id)",
            "fk_detail: details(project_id) -> projects(id)1",
            "fk_order: lines(a b) -> orders(x y)",
        ],
        &[],
        Vec::new(),
    );
    insta::assert_snapshot!(told(&keys), @"
    clients -> projects: o2m fk_client id=client_id
    details -> projects: o2o fk_detail project_id=id here
    lines -> orders: m2o fk_order a=x,b=y
    orders -> lines: o2m fk_order x=a,y=b
    projects -> clients: m2o fk_client client_id=id
    projects -> details: o2o fk_detail id=project_id there
    projects -> projects: o2m fk_parent id=parent
    projects -> projects: m2o fk_parent parent=id
    ");
}

#[test]
fn junction_joins_when_its_primary_key_has_both_keys() {
    let between = ["fk_a: ab(a_id) -> a(id)", "fk_b: ab(b_id) -> b(id)"];
    insta::assert_snapshot!(told(&keys(&between, &[("ab", "a_id b_id")], Vec::new())), @"
    a -> ab: o2m fk_a id=a_id
    a -> b: m2m api.ab fk_a id=a_id fk_b b_id=id
    ab -> a: m2o fk_a a_id=id
    ab -> b: m2o fk_b b_id=id
    b -> a: m2m api.ab fk_b id=b_id fk_a a_id=id
    b -> ab: o2m fk_b id=b_id
    ");
    let apart = told(&keys(&between, &[("ab", "id")], Vec::new()));
    assert!(!apart.contains("m2m"), "{apart}");
}

#[test]
fn junction_to_one_table_joins_it_with_itself_in_both_directions() {
    let keys = keys(
        &[
            "fk_from: follows(from_id) -> people(id)",
            "fk_to: follows(to_id) -> people(id)",
        ],
        &[("follows", "from_id to_id")],
        Vec::new(),
    );
    let told = told(&keys);
    let itself: Vec<_> = told.lines().filter(|line| line.contains("m2m")).collect();
    assert_eq!(
        itself,
        [
            "people -> people: m2m api.follows fk_from id=from_id fk_to to_id=id",
            "people -> people: m2m api.follows fk_to id=to_id fk_from from_id=id",
        ]
    );
}

#[test]
fn hidden_junction_joins_only_what_nothing_else_does() {
    let mut between = vec!["fk_a: private.ab(a_id) -> a(id)", "fk_b: private.ab(b_id) -> b(id)"];
    let primary = [("private.ab", "a_id b_id")];
    insta::assert_snapshot!(told(&keys(&between, &primary, Vec::new())), @"
    a -> b: m2m private.ab fk_a id=a_id fk_b b_id=id
    b -> a: m2m private.ab fk_b id=b_id fk_a a_id=id
    ");
    between.push("fk_owner: b(owner) -> a(id)");
    insta::assert_snapshot!(told(&keys(&between, &primary, Vec::new())), @"
    a -> b: o2m fk_owner id=owner
    b -> a: m2o fk_owner owner=id
    ");
}

#[test]
fn views_stand_in_for_hidden_tables() {
    let keys = keys(
        &["fk_actor: private.films(actor) -> private.actors(id)"],
        &[("private.films", "id"), ("private.actors", "id")],
        vec![
            shown("films", "film_id", "private.films", "id"),
            shown("films", "actor_ref", "private.films", "actor"),
            shown("actors", "actor_id", "private.actors", "id"),
        ],
    );
    insta::assert_snapshot!(told(&keys), @"
    actors -> films: o2m fk_actor actor_id=actor_ref
    films -> actors: m2o fk_actor actor_ref=actor_id
    ");
}

#[test]
fn view_stands_beside_its_table_and_shows_a_column_twice() {
    let keys = keys(
        &["fk: b(a_id) -> a(id)"],
        &[],
        vec![
            shown("b_view", "one", "b", "a_id"),
            shown("b_view", "two", "b", "a_id"),
            shown("a_view", "key", "a", "id"),
        ],
    );
    insta::assert_snapshot!(told(&keys), @"
    a -> b: o2m fk id=a_id
    a -> b_view: o2m fk id=one
    a -> b_view: o2m fk id=two
    a_view -> b: o2m fk key=a_id
    a_view -> b_view: o2m fk key=one
    a_view -> b_view: o2m fk key=two
    b -> a: m2o fk a_id=id
    b -> a_view: m2o fk a_id=key
    b_view -> a: m2o fk one=id
    b_view -> a: m2o fk two=id
    b_view -> a_view: m2o fk one=key
    b_view -> a_view: m2o fk two=key
    ");
}

#[test]
fn view_that_shows_part_of_a_key_has_no_relationship() {
    let keys = keys(
        &["fk: lines(a b) -> orders(x y)"],
        &[],
        vec![
            shown("half", "a", "lines", "a"),
            shown("whole", "p", "lines", "b"),
            shown("whole", "q", "lines", "a"),
        ],
    );
    let told = told(&keys);
    assert!(!told.contains("half"), "{told}");
    assert!(told.contains("whole -> orders: m2o fk q=x,p=y"), "{told}");
}

#[test]
fn views_key_is_its_tables_key_by_the_first_column_that_shows_it() {
    let keys = keys(
        &[],
        &[("ab", "a b"), ("c", "id"), ("d", "id other")],
        vec![
            shown("v", "y", "ab", "b"),
            shown("v", "x1", "ab", "a"),
            shown("v", "x2", "ab", "a"),
            shown("v", "d_id", "d", "id"),
            shown("w", "k", "c", "id"),
        ],
    );
    let of_views = keys.of_views();
    assert_eq!(of_views[&qualified("v")], idents("x1 y"));
    assert_eq!(of_views[&qualified("w")], idents("k"));
}

#[test]
fn view_of_a_junction_joins_as_the_junction_does() {
    let keys = keys(
        &["fk_a: private.ab(a_id) -> a(id)", "fk_b: private.ab(b_id) -> b(id)"],
        &[("private.ab", "a_id b_id")],
        vec![
            shown("ab", "a", "private.ab", "a_id"),
            shown("ab", "b", "private.ab", "b_id"),
        ],
    );
    let told = told(&keys);
    let joined: Vec<_> = told.lines().filter(|line| line.contains("m2m")).collect();
    assert_eq!(
        joined,
        [
            "a -> b: m2m api.ab fk_a id=a fk_b b=id",
            "b -> a: m2m api.ab fk_b id=b fk_a a=id"
        ]
    );
}

#[test]
fn function_named_like_a_relation_replaces_what_leads_there() {
    let mut keys = keys(&["fk_client: projects(client_id) -> clients(id)"], &[], Vec::new());
    for (function, single) in [("clients", true), ("rivals", false)] {
        keys.computed.push(ComputedRelationship {
            from: ident("projects"),
            target: ident("clients"),
            function: qualified(function),
            single,
        });
    }
    insta::assert_snapshot!(told(&keys), @"
    clients -> projects: o2m fk_client id=client_id
    projects -> clients: by clients true
    projects -> clients: by rivals false
    ");
}

#[test]
fn what_is_not_exposed_is_no_end() {
    let keys = keys(
        &[
            "fk: _partition(a_id) -> a(id)",
            "fk2: private.b(a_id) -> a(id)",
            "fk3: a(x) -> private.c(id)",
        ],
        &[],
        Vec::new(),
    );
    assert_eq!(told(&keys), "");
}

#[test]
fn views_do_not_multiply_without_end() {
    let views = (0..400).flat_map(|at| {
        let end = |view: &str, table: &str, column: &str| shown(&format!("{view}{at}"), column, table, column);
        [end("va", "a", "id"), end("vb", "b", "a_id")]
    });
    let keys = keys(&["fk: b(a_id) -> a(id)"], &[], views.collect());
    let all = keys.relationships(&ident("api"), |_| true);
    let count: usize = all.values().map(Vec::len).sum();
    assert_eq!(count, 2 * MOST);
}
