use crate::ident::Ident;
use crate::schema::catalog::Column;
use crate::subject::Table;

use super::*;

fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    let column = |(name, data_type): &(&str, &str)| Column {
        name: Ident::new(*name).unwrap(),
        data_type: (*data_type).to_owned(),
        base_type: None,
        nullable: true,
        default: None,
        generated: false,
        comment: None,
    };
    Table {
        schema: None,
        name: Ident::new(name).unwrap(),
        columns: columns.iter().map(column).collect(),
        primary_key: vec![],
        unique_keys: vec![],
        links: vec![],
        checks: vec![],
        whole: vec![],
        collations: BTreeMap::new(),
        trashed: false,
    }
}

/// What a column of that name and type holds in a table of that name.
fn kind(of: &str, name: &str, data_type: &str, values: &[&str]) -> Option<(Kind, Why)> {
    let table = table(of, &[(name, data_type)]);
    let values = values.iter().map(ToString::to_string).collect();
    let samples = BTreeMap::from([(name.to_owned(), values)]);
    let found = of_table(of, &table, &samples);
    found.first().map(|personal| (personal.kind, personal.why))
}

#[test]
fn a_name_says_what_a_column_holds() {
    for (name, data_type, expected) in [
        ("email", "text", Some(Kind::Email)),
        ("contactEmail", "character varying(255)", Some(Kind::Email)),
        ("E-MAIL", "varchar(100)", Some(Kind::Email)),
        ("email_verified", "boolean", None),
        ("email_verified", "text", None),
        ("email_template_id", "integer", None),
        ("email_address", "citext", Some(Kind::Email)),
        ("phone2", "text", Some(Kind::Phone)),
        ("mobile_number", "bigint", Some(Kind::Phone)),
        ("handynummer", "text", Some(Kind::Phone)),
        ("is_mobile", "boolean", None),
        ("firstName", "text", Some(Kind::Name)),
        ("LASTNAME", "text", Some(Kind::Name)),
        ("nachname", "varchar(80)", Some(Kind::Name)),
        ("apellidos", "text", Some(Kind::Name)),
        ("prénom", "text", Some(Kind::Name)),
        ("userName", "text", Some(Kind::Username)),
        ("birth_date", "date", Some(Kind::BirthDate)),
        ("dateOfBirth", "timestamp with time zone", Some(Kind::BirthDate)),
        ("geburtsdatum", "date", Some(Kind::BirthDate)),
        ("ssn", "character(11)", Some(Kind::NationalId)),
        ("passport_no", "text", Some(Kind::NationalId)),
        ("national_id", "text", Some(Kind::NationalId)),
        ("ip_address", "inet", Some(Kind::IpAddress)),
        ("last_sign_in_ip", "text", Some(Kind::IpAddress)),
        ("recipe_ip_rating", "integer", None),
        ("iban", "text", Some(Kind::Bank)),
        ("card_number", "varchar(19)", Some(Kind::Bank)),
        ("shipping_address", "jsonb", Some(Kind::Address)),
        ("street", "text", Some(Kind::Address)),
        ("Straße", "text", Some(Kind::Address)),
        ("password_hash", "text", Some(Kind::Credential)),
        ("encrypted_password", "bytea", Some(Kind::Credential)),
        ("avatarUrl", "text", Some(Kind::Picture)),
        ("religion", "text", Some(Kind::Trait)),
        ("user_agent", "text", Some(Kind::Device)),
        ("notes", "text", Some(Kind::FreeText)),
        // Of things, not of people.
        ("name", "text", None),
        ("city", "text", None),
        ("product_name", "text", None),
        ("title", "text", None),
        ("status", "text", None),
        ("price", "numeric(10,2)", None),
        ("created_at", "timestamp with time zone", None),
        ("zip_file", "text", None),
        ("shipping", "text", None),
        ("description", "text", Some(Kind::FreeText)),
        ("plinth_deleted_at", "timestamp with time zone", None),
    ] {
        assert_eq!(
            kind("things", name, data_type, &[]).map(|(kind, _)| kind),
            expected,
            "{name} {data_type}"
        );
    }
}

#[test]
fn what_may_mean_something_else_counts_in_tables_of_people() {
    for (name, expected) in [
        ("name", Some(Kind::Name)),
        ("nombre", Some(Kind::Name)),
        ("plz", Some(Kind::Address)),
        ("gender", Some(Kind::Trait)),
        ("token", Some(Kind::Credential)),
        ("photo", Some(Kind::Picture)),
        ("plan_name", None),
    ] {
        for people in [
            "customers",
            "Kunden",
            "app_users",
            "shop_clients",
            "team_member",
            "usuarios",
            "people",
        ] {
            assert_eq!(
                kind(people, name, "text", &[]).map(|(kind, _)| kind),
                expected,
                "{people}.{name}"
            );
        }
        assert_eq!(kind("products", name, "text", &[]), None, "products.{name}");
    }
    // Or beside what is surely personal.
    let beside = table("entries", &[("name", "text"), ("email", "text")]);
    let kinds: Vec<Kind> = of_table("entries", &beside, &BTreeMap::new())
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [Kind::Name, Kind::Email]);
    let trashed = Table {
        trashed: true,
        ..table("t_1", &[("name", "text")])
    };
    assert_eq!(of_table("trash:customers:1", &trashed, &BTreeMap::new()).len(), 1);
    assert_eq!(of_table("trash:products:1", &trashed, &BTreeMap::new()).len(), 0);
}

#[test]
fn values_say_what_a_column_holds_whatever_it_is_called() {
    for (values, expected) in [
        (
            &["ada@example.com", "bob@example.org", ""] as &[&str],
            Some(Kind::Email),
        ),
        (
            &["asked by ada@example.com to call", "nothing", "nothing"],
            Some(Kind::Email),
        ),
        (&["@mention", "a@b", "user@localhost"], None),
        (
            &["+49 170 1234567", "0170/1234567", "(555) 123-4567"],
            Some(Kind::Phone),
        ),
        (&["2024-01-02", "01.02.2024", "1.2.24"], None),
        (&["00012345", "00012346"], None),
        (&["192.168.0.1", "2001:db8::1"], Some(Kind::IpAddress)),
        (&["1.2.3", "10.4"], None),
        (
            &["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
            Some(Kind::Bank),
        ),
        (&["DE89 3704 0044 0532 0130 01"], None),
        (&["4111 1111 1111 1111"], Some(Kind::Bank)),
        (&["4111111111111112"], None),
        (&["078-05-1120", "219-09-9999"], Some(Kind::NationalId)),
        (&["Ada Lovelace", "Maria da Silva", "John Smith"], Some(Kind::Name)),
        (&["Blue Chair", "Wooden Table"], None),
        (&["12 Baker Street", "Hauptstraße 5, Berlin"], Some(Kind::Address)),
        (&["$2b$12$abcdefghijklmnopqrstuv"], Some(Kind::Credential)),
        (&["aa:bb:cc:dd:ee:ff"], Some(Kind::Device)),
        (&["open", "done"], None),
        (&["", " "], None),
    ] {
        let expected = expected.map(|kind| (kind, Why::Values));
        assert_eq!(kind("things", "x1", "text", values), expected, "{values:?}");
    }
}

#[test]
fn documents_are_looked_into_by_their_names_and_values() {
    for (values, expected) in [
        (
            &[r#"{"customer": {"phoneNumber": "5551234"}}"#, "{}"] as &[&str],
            Some(Kind::Phone),
        ),
        (&[r#"[{"x": "ada@example.com"}]"#], Some(Kind::Email)),
        (&[r#"{"note": "cut off with ada@example.com and"#], Some(Kind::Email)),
        (&[r#"{"size": 3, "tags": ["a"]}"#, "null"], None),
        (&[r#"{"email": null}"#, r#"{"email": ""}"#], None),
        (
            &[r#"{"user_id": "3d2c9c5e-0b5a-4a3e-9a44-0000000000a1"}"#],
            Some(Kind::PersonId),
        ),
        (&[r#"{"created_by": 7}"#], Some(Kind::PersonId)),
        (&[r#"{"order_id": 7, "sort_by": "size"}"#], None),
    ] {
        let expected = expected.map(|kind| (kind, Why::Values));
        assert_eq!(kind("things", "data", "jsonb", values), expected, "{values:?}");
    }
    assert_eq!(
        kind("customers", "data", "jsonb", &[]),
        Some((Kind::FreeText, Why::Type))
    );
}

#[test]
fn a_type_says_it_where_nothing_else_does() {
    assert_eq!(kind("logs", "origin", "inet", &[]), Some((Kind::IpAddress, Why::Type)));
    assert_eq!(
        kind("customers", "home", "point", &[]),
        Some((Kind::Location, Why::Type))
    );
    assert_eq!(kind("shops", "home", "point", &[]), None);
}

#[test]
fn a_value_of_several_parts_is_looked_into() {
    let values = &["(ada@example.com,\"+49 170 1234567\")", "(,)"];
    assert_eq!(
        kind("things", "reached", "contact_details", values),
        Some((Kind::Email, Why::Values))
    );
    let sampled = |data_type: &str| is_sampled(&table("things", &[("x", data_type)]).columns[0]);
    assert!(
        ["contact_details", "uuid", "uuid[]", "integer[]", "text[]"]
            .into_iter()
            .all(sampled)
    );
    assert!(!["boolean", "integer", "date", "bytea"].into_iter().any(sampled));
}

#[test]
fn where_something_was_and_when_is_somebodys_movement() {
    let places = |of: &str, columns: &[(&str, &str)]| {
        let found = of_table(of, &table(of, columns), &BTreeMap::new());
        found.iter().filter(|it| it.kind == Kind::Location).count()
    };
    let place = [
        ("name", "text"),
        ("lat", "double precision"),
        ("lng", "double precision"),
    ];
    assert_eq!(places("shops", &place), 0);
    assert_eq!(places("tracks", &place), 2);
    for (when, expected) in [("at", 2), ("created_at", 0)] {
        let with = [place.as_slice(), &[(when, "timestamp with time zone")]].concat();
        assert_eq!(places("shops", &with), expected, "{when}");
    }
    // Nothing else that may be somebody's becomes so.
    let with = [place.as_slice(), &[("at", "date")]].concat();
    assert_eq!(of_table("shops", &table("shops", &with), &BTreeMap::new()).len(), 2);
}
