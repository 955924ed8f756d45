use serde_json::json;

use super::*;

fn parse(config: &Value) -> Result<Request> {
    Request::parse(config, &Outbound::parse("127.0.0.1,10.0.0.5").unwrap())
}

fn url(text: &str) -> Value {
    json!({"externalProvider": "postgresql", "credentials": {"connectionString": text}})
}

#[test]
fn the_whole_section_is_read() {
    let request = parse(&json!({
        "externalProvider": "supabase", "requireApiKey": false,
        "credentials": {"connectionString": "postgresql://me%40x:p%2Fw@db.example.com:6543/my%20db?sslmode=require"},
        "rest": {"schemas": ["api", "Two"], "extraSearchPath": [], "anonRole": "anon", "serviceRole": "service_role",
            "jwtSecret": "a secret of thirty-two characters", "jwksUrl": null, "roleClaim": ".app.role",
            "audience": null, "preRequest": "api.check", "maxRows": null, "txOverride": true, "aggregates": false,
            "plan": false, "openapi": true, "appSettings": {"app.settings.name": "value"}},
    }))
    .unwrap();
    let credentials = request.credentials.unwrap();
    assert_eq!(
        (&*credentials.username, &*credentials.password, &*credentials.database),
        ("me@x", "p/w", "my db")
    );
    assert_eq!(
        (credentials.port, credentials.plain, credentials.pooler),
        (6543, false, true)
    );
    let rest = request.rest.unwrap();
    assert_eq!(rest.settings.schemas.len(), 2);
    assert_eq!(rest.settings.pre_request.unwrap().to_string(), "api.check");
    assert!(rest.jwt_secret == Change::Set("a secret of thirty-two characters".to_owned()));
}

#[test]
fn parts_in_place_of_a_string_are_read() {
    let parts = json!({"host": "db.example.com", "database": "d", "username": "u", "password": "p"});
    let config = json!({"externalProvider": "postgresql", "credentials": parts});
    let request = parse(&config).unwrap();
    let credentials = request.credentials.unwrap();
    assert_eq!(
        (credentials.port, credentials.plain, credentials.pooler),
        (5432, false, false)
    );
    assert!(request.rest.is_none() && request.require_api_key.is_none());
}

#[test]
fn plain_text_is_for_hosts_the_operator_trusts() {
    for (text, plain) in [
        ("postgresql://u:p@127.0.0.1/d", Some(true)),
        ("postgresql://u:p@10.0.0.5/d?sslmode=disable", Some(true)),
        ("postgresql://u:p@10.0.0.5/d", Some(false)),
        ("postgresql://u:p@db.example.com/d?sslmode=verify-full", Some(false)),
        ("postgresql://u:p@db.example.com/d?sslmode=disable", None),
        ("postgresql://u:p@db.example.com/d?sslmode=maybe", None),
    ] {
        let credentials = parse(&url(text)).ok().and_then(|request| request.credentials);
        assert_eq!(credentials.map(|credentials| credentials.plain), plain, "{text}");
    }
}

#[test]
fn what_is_left_out_stays_and_null_removes() {
    let rest = |rest: Value| {
        let request = parse(&json!({"externalProvider": "postgresql", "rest": rest})).unwrap();
        request.rest.unwrap()
    };
    assert!(rest(json!({})).jwt_secret == Change::Keep);
    let removed = rest(json!({"jwtSecret": null, "appSettings": null}));
    assert!(removed.jwt_secret == Change::Remove && removed.app_settings == Change::Remove);
    let key = json!({"kty": "oct", "k": "c2VjcmV0"});
    assert!(rest(json!({"jwtSecret": key})).jwt_secret == Change::Set(key.to_string()));
}

#[test]
fn every_fault_is_named_by_its_path_and_no_value_is_quoted() {
    let error = parse(&json!({
        "externalProvider": "postgresql", "isolation": "schema", "requireApiKey": "no",
        "credentials": {"connectionString": "planted", "password": "planted", "sslmode": "x", "pooler": 1},
        "rest": {"schemas": ["", 5], "anonRole": "none", "jwtSecret": "planted", "roleClaim": "a b", "maxRows": 0,
            "preRequest": "a.b.", "appSettings": {"role": "planted", "app.x": 1, "app.tenant_id": "x"}, "nope": 1,
            "openapi": "yes", "extraSearchPath": "public"},
    }))
    .unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        ("provisioning/config", ErrorKind::Invalid)
    );
    let details = error.details().unwrap();
    assert!(!details.contains("planted"), "{details}");
    let paths: Vec<_> = details
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(path, _)| path)
        .collect();
    for path in [
        "config.isolation",
        "config.requireApiKey",
        "config.credentials.sslmode",
        "config.credentials.connectionString",
        "config.credentials.password",
        "config.credentials.pooler",
        "config.rest.nope",
        "config.rest.schemas[0]",
        "config.rest.schemas[1]",
        "config.rest.schemas",
        "config.rest.extraSearchPath",
        "config.rest.anonRole",
        "config.rest.roleClaim",
        "config.rest.maxRows",
        "config.rest.openapi",
        "config.rest.jwtSecret",
        "config.rest.appSettings.role",
        "config.rest.appSettings.app.x",
        "config.rest.appSettings.app.tenant_id",
    ] {
        assert!(paths.contains(&path), "{path}: {details}");
    }
}

#[test]
fn a_connection_string_of_another_shape_is_refused() {
    for text in [
        "",
        "postgresql://",
        "mysql://u:p@h/d",
        "postgresql://u:p@h",
        "postgresql://u@h/d",
        "postgresql://h/d",
        "postgresql://u:p@/d",
        "postgresql://u:p@h1,h2/d",
        "postgresql://u:p@%2Ftmp/d",
        "postgresql://u:p@h/d?host=/tmp",
        "postgresql://u:p@h/d?options=-csearch_path%3Dx",
        "postgresql://u:p@h/d%00",
        "host=h user=u password=p dbname=d",
    ] {
        let error = parse(&url(text)).unwrap_err();
        assert_eq!(error.code(), "provisioning/config", "{text}");
    }
}

#[test]
fn a_mysql_url_is_read() {
    let config = |text: &str| json!({"externalProvider": "mysql", "credentials": {"connectionString": text}});
    for (text, port, plain) in [
        ("mysql://u:p%40@db.example.com/shop", 3306, false),
        (
            "mariadb://u:p%40@db.example.com:3307/shop?ssl-mode=VERIFY_IDENTITY",
            3307,
            false,
        ),
        ("mysql://u:p%40@db.example.com/shop?sslmode=require", 3306, false),
    ] {
        let credentials = parse(&config(text)).unwrap().credentials.unwrap();
        assert_eq!((credentials.port, credentials.plain), (port, plain), "{text}");
        assert_eq!((&*credentials.password, &*credentials.database), ("p@", "shop"));
        assert!(!credentials.pooler);
    }
    for text in [
        "postgresql://u:p@h/d",
        "mysql://u:p@h",
        "mysql://u:p@h/d?allowLocalInfile=true",
    ] {
        assert_eq!(
            parse(&config(text)).unwrap_err().code(),
            "provisioning/config",
            "{text}"
        );
    }
}

#[test]
fn a_kind_that_is_not_served_is_named() {
    for (config, code) in [
        (
            json!({"externalProvider": "mongodb"}),
            "provisioning/provider-unsupported",
        ),
        (json!({"externalProvider": 1}), "provisioning/config"),
        (json!({}), "provisioning/config"),
        (json!(null), "provisioning/config"),
    ] {
        assert_eq!(parse(&config).unwrap_err().code(), code, "{config}");
    }
}
