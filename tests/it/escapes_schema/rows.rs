//! Ways out through the records API: queries, paths, headers, bodies.

use http::StatusCode;
use serde_json::json;

use super::{SECRET, neighbours};
use crate::tables::create;
use crate::world::{Project, Reply, run, text, world};

/// Requests for rows that reach outside, as query strings behind a table: `{ref}` is the neighbour's.
const QUERIES: &[&str] = &[
    "select=id::regclass",
    "select=title::regclass",
    "select=title::regrole",
    "select=title::oid",
    "select=title::xml",
    "select=title::name",
    "select=title::\"text\"",
    "select=title::pg_catalog.text",
    "select=title::text;set role x",
    "select=title::project_{ref}.mood",
    "select=tableoid",
    "select=\"tableoid\"",
    "select=ctid",
    "select=xmin",
    "select=to_jsonb",
    "select=\"to_jsonb\"",
    "select=to_jsonb(notes)",
    "select=notes",
    "select=set_config('role','p_{ref}_owner',true)",
    "select=query_to_xml('select 1',true,true,'')",
    "select=version()",
    "select=current_user",
    "select=\"title\",(select word from project_{ref}.vault)",
    "select=title\" from project_{ref}.vault --",
    "select=x:\"title\"\"\"::regclass",
    "select=project_{ref}.vault",
    "select=body->>'x'::regclass",
    "select=body->x::regclass",
    "select=body->>x::regclass",
    "select=body->>x::text)::regclass",
    "select=body->\"'||set_config('role','x',true)||'\"::regclass",
    "select=vault(*)",
    "select=pg_authid(*)",
    "select=*,app_users!project_{ref}(*)",
    "select=title.upper()",
    "select=upper(title)",
    "tableoid=eq.1",
    "ctid=eq.(0,1)",
    "\"to_jsonb\"=eq.1",
    "notes=eq.x",
    "title::regclass=eq.1",
    "title=eq::regclass.x",
    "title=regclass.x",
    "title=fts(pg_catalog.english).x",
    "title=fts(project_{ref}.english).x",
    "title=fts(english'; set role x; --).x",
    "title=wfts(nonsense).x",
    "title=is.set_config('role','x',true)",
    "title=is.(select 1)",
    "title=not.is.drop",
    "title=op.x",
    "title\"=eq.x",
    "or=(tableoid.eq.1,title.eq.x)",
    "or=(title.eq.x,set_config('role','x',true))",
    "or=(title.fts(pg_catalog.simple).x)",
    "body->>'x'::regclass=eq.1",
    "order=tableoid",
    "order=title.asc;set role x",
    "order=upper(title)",
    "order=title.asc.nullsfirst.x",
    "order=(select 1)",
    "order=title::regclass",
    "order=vault(word)",
    "order=\"to_jsonb\"",
    "limit=1;set role x",
    "limit=(select 1)",
    "limit=-1",
    "offset=1 union select 1",
    "columns=tableoid",
    "on_conflict=tableoid",
];

/// What is only text: it finds nothing, and does nothing.
const TEXTS: &[&str] = &[
    "title=eq.'; set role p_{ref}_owner; --",
    "title=eq.x') or set_config('role','p_{ref}_owner',true) is null --",
    "title=like.*query_to_xml('select 1',true,true,'')*",
    "title=in.(\"a');set role x;--\",b)",
    "title=eq.$1",
    "and=(title.eq.x;set role x)",
    "title=plfts(\"english\").x",
    "title=eq.project_{ref}.vault",
    "title=plfts(english).'; select 1",
    "body->>\"x' || set_config('role','x',true) || '\"=eq.1",
    "body->>x=eq.'::regclass",
    "tags=cs.{\"'; set role x\"}",
    "or=(title.eq.\"x),set_config('role','x',true)\",title.eq.y)",
];

async fn with_notes() -> (Project, Project) {
    let (attacker, neighbour) = neighbours().await;
    let design = json!({ "name": "notes", "policy": "public-read", "columns": [
        { "name": "title", "type": "text" }, { "name": "body", "type": "jsonb" }, { "name": "tags", "type": "text[]" } ] });
    create(&attacker, design).await.expect(StatusCode::CREATED);
    let row = json!({ "title": "mine", "body": { "x": "y" }, "tags": ["a"] });
    let call = world()
        .await
        .post(&attacker.rest("notes"))
        .key(&attacker.secret)
        .json(&row);
    assert_eq!(call.send().await.status, StatusCode::CREATED);
    (attacker, neighbour)
}

/// Percent-encodes what may not stand in a query as it is.
fn encoded(query: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=&.,()*:_-;!".contains(&byte);
    let encode = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    query.bytes().map(encode).collect()
}

fn is_ours(code: &str) -> bool {
    code.starts_with("PGRST") || code == "42703" || code.contains('/')
}

/// Refused with a code of ours, not with an SQLSTATE, which would mean that Postgres was asked. 42703 is ours too, as
/// PostgREST's clients know it: Postgres itself has every one of these system columns and functional notations.
#[track_caller]
fn refused_before_postgres(reply: &Reply, neighbour: &Project, what: &str) {
    let refused = reply.status.is_client_error() || reply.status == StatusCode::NOT_IMPLEMENTED;
    assert!(refused, "{what}: {} {}", reply.status, reply.text);
    let code = text(&reply.json(), "code");
    assert!(is_ours(&code), "{what}: {}", reply.text);
    silent(reply, neighbour, what);
}

#[track_caller]
fn silent(reply: &Reply, neighbour: &Project, what: &str) {
    assert!(!reply.text.contains(SECRET), "{what}: {}", reply.text);
    let told = format!("p_{}", neighbour.reference);
    assert!(
        what.contains(&told) || !reply.text.contains(&told),
        "{what}: {}",
        reply.text
    );
}

#[test]
fn no_query_reaches_outside() {
    run(async {
        let (attacker, neighbour) = with_notes().await;
        let mut through = Vec::new();
        for query in QUERIES {
            let query = query.replace("{ref}", &neighbour.reference);
            let path = attacker.rest(&format!("notes?{}", encoded(&query)));
            for key in [&attacker.secret, &attacker.publishable] {
                let body = json!([{ "title": "x" }]);
                let only_writes = query.starts_with("columns=") || query.starts_with("on_conflict=");
                let call = match only_writes {
                    true => world()
                        .await
                        .post(&path)
                        .header("prefer", "resolution=merge-duplicates")
                        .json(&body),
                    false => world().await.get(&path),
                };
                let reply = call.key(key).send().await;
                let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
                if reply.status.is_success() || !is_ours(&code) {
                    through.push(format!("{query} {}", reply.text));
                } else {
                    refused_before_postgres(&reply, &neighbour, &query);
                }
            }
        }
        assert!(through.is_empty(), "{through:#?}");
        for query in TEXTS {
            let query = query.replace("{ref}", &neighbour.reference);
            let path = attacker.rest(&format!("notes?{}", encoded(&query)));
            let reply = world().await.get(&path).key(&attacker.secret).send().await;
            assert_eq!(reply.expect(StatusCode::OK), json!([]), "{query}");
        }
    });
}

#[test]
fn no_path_header_or_body_reaches_outside() {
    run(async {
        let (attacker, neighbour) = with_notes().await;
        let own = format!("project_{}", neighbour.reference);
        for path in [
            "vault".to_owned(),
            format!("{own}.vault"),
            format!("%22{own}%22.%22vault%22"),
            "pg_authid".into(),
            "pg_catalog.pg_roles".into(),
            "information_schema.tables".into(),
            "plinth.version".into(),
            "version".into(),
            "notes%22;set%20role%20x".into(),
            "notes%00".into(),
            "rpc/set_config".into(),
            "rpc/query_to_xml".into(),
            "rpc/uid".into(),
            format!("auth_{}.users", neighbour.reference),
            "notes/../vault".into(),
            "to_jsonb(notes)".into(),
        ] {
            for method in ["GET", "POST", "PATCH", "DELETE"] {
                let call = world()
                    .await
                    .call(method.parse().unwrap(), &attacker.rest(&path))
                    .key(&attacker.secret);
                let reply = call
                    .json(&json!({ "title": "x", "setting_name": "role", "new_value": "x" }))
                    .send()
                    .await;
                refused_before_postgres(&reply, &neighbour, &format!("{method} {path}"));
            }
        }
        for (name, value) in [
            ("accept-profile", own.as_str()),
            ("accept-profile", "pg_catalog"),
            ("accept-profile", "information_schema"),
            ("accept-profile", "plinth"),
            ("accept-profile", "public\"; set role x; --"),
        ] {
            let reply = world()
                .await
                .get(&attacker.rest("notes"))
                .key(&attacker.secret)
                .header(name, value)
                .send()
                .await;
            refused_before_postgres(&reply, &neighbour, &format!("{name}: {value}"));
        }
        // What is not understood is passed over, and what is passed on is bound: the rows are the attacker's own.
        for (name, value) in [
            ("prefer", "timezone=UTC'; set role x; --"),
            ("prefer", "timezone=$(x)"),
            ("prefer", "tx=x; set role x"),
            ("x-role", "p_x_owner"),
            ("role", "service_role"),
            ("x-forwarded-user", "postgres"),
            ("x-plinth-role", "owner"),
            ("x-hasura-role", "admin"),
            ("x-request-id", "'; set role x; --"),
            ("user-agent", "'); set role x; --"),
            ("range", "0-0"),
            ("x-client-info", "\\'; reset role"),
        ] {
            let reply = world()
                .await
                .get(&attacker.rest("notes?select=title"))
                .key(&attacker.secret)
                .header(name, value)
                .send()
                .await;
            if reply.status.is_success() {
                assert_eq!(reply.json(), json!([{ "title": "mine" }]), "{name}: {value}");
            } else if value.starts_with("timezone") {
                // A bound value, which Postgres knows no time zone by.
                assert_eq!(reply.code(StatusCode::BAD_REQUEST), "22023", "{name}: {value}");
            } else {
                refused_before_postgres(&reply, &neighbour, &format!("{name}: {value}"));
            }
        }
        for body in [
            json!({ "tableoid": 1 }),
            json!({ "ctid": "(0,1)" }),
            json!({ "to_jsonb": 1 }),
            json!({ "xmin": 1 }),
            json!({ "title\") values ('x'); set role x; --": 1 }),
            json!({ "title": "x", "nothing": 1 }),
        ] {
            for method in ["POST", "PATCH"] {
                let path = attacker.rest("notes?title=eq.mine");
                let reply = world()
                    .await
                    .call(method.parse().unwrap(), &path)
                    .key(&attacker.secret)
                    .json(&body)
                    .send()
                    .await;
                refused_before_postgres(&reply, &neighbour, &format!("{method} {body}"));
            }
        }
        let facade = attacker.database("records/query");
        for body in [
            json!({ "tableName": format!("{own}.vault") }),
            json!({ "tableName": "pg_roles" }),
            json!({ "tableName": "notes", "filters": { "tableoid": 1 } }),
            json!({ "tableName": "notes", "filters": { "title::regclass": 1 } }),
        ] {
            let reply = world()
                .await
                .post(&facade)
                .bearer(&attacker.owner.token)
                .json(&body)
                .send()
                .await;
            refused_before_postgres(&reply, &neighbour, &body.to_string());
        }
        // Another's backend, and another's key on this one.
        let theirs = world()
            .await
            .get(&neighbour.rest("vault"))
            .key(&attacker.secret)
            .send()
            .await;
        assert_eq!(theirs.status, StatusCode::UNAUTHORIZED);
        silent(&theirs, &neighbour, "another's ref");
    });
}
