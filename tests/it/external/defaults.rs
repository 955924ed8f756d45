//! Settings that the database's owner gave to logins, roles and functions.

use http::StatusCode;
use plinth::control::scram_verifier;
use serde_json::{Value, json};

use super::{Own, PASSWORD, body, sql, token, world};
use crate::world::run;

/// A login and roles with settings; functions that tell them, and that take their time.
async fn prepared() -> Own {
    let verifier = scram_verifier(&PASSWORD.to_owned().into(), &[5; 16]);
    sql(&format!(
        "create role patient_login login noinherit password '{verifier}';
         alter role patient_login set statement_timeout = '7s';
         create role web_hasty; create role web_steady; create role web_idle;
         grant web_hasty, web_steady, web_idle to patient_login;
         alter role web_hasty set statement_timeout = '300ms';
         alter role web_hasty set work_mem = '5MB';
         alter role web_hasty set log_min_duration_statement = 0;
         alter role web_steady set default_transaction_isolation = 'REPEATABLE READ';
         alter role web_steady set statement_timeout = '1h';
         alter role web_idle set search_path = hidden;
         alter role web_idle set client_encoding = 'LATIN1';
         create schema timed; grant usage on schema timed to web_hasty, web_steady, web_idle;
         create view timed.session as select current_setting('statement_timeout') as timeout,
           current_setting('transaction_isolation') as isolation, current_setting('work_mem') as memory,
           current_setting('search_path') as path,
           current_setting('client_encoding') || ' ✓' as encoding;
         grant select on timed.session to web_hasty, web_steady, web_idle;
         create function timed.sleep(seconds float) returns text language plpgsql as $$
           begin perform pg_sleep(seconds); return 'slept'; end $$;
         create function timed.long(seconds float) returns text language plpgsql set statement_timeout = '6s' as $$
           begin perform pg_sleep(seconds); return 'slept'; end $$;
         create function timed.short(seconds float) returns text language plpgsql
           set statement_timeout = '50ms' set default_transaction_isolation = 'serializable' as $$
           begin perform pg_sleep(seconds); return current_setting('transaction_isolation'); end $$;"
    ))
    .await;
    let mut body = body(json!({ "schemas": ["timed"], "anonRole": "web_idle" })).await;
    let credentials = &mut body["config"]["credentials"]["connectionString"];
    *credentials = Value::from(credentials.as_str().unwrap().replace("users_login", "patient_login"));
    Own::of(world().await, &body).await
}

#[test]
fn the_settings_of_logins_roles_and_functions_count() {
    run(async {
        let own = prepared().await;
        let as_role = |role: &str| token(&json!({ "role": role }));
        for (role, expected) in [
            ("web_hasty", ["300ms", "read committed", "5MB"]),
            ("web_steady", ["", "repeatable read", "4MB"]),
            ("web_idle", ["7s", "read committed", "4MB"]),
        ] {
            let session = world().await.get(&own.rest("session")).bearer(&as_role(role));
            let told = session.send().await.expect(StatusCode::OK)[0].clone();
            assert_eq!(told["isolation"], expected[1], "{role}");
            assert_eq!(told["memory"], expected[2], "{role}");
            assert_eq!(told["encoding"], "UTF8 ✓", "{role}");
            // The exposed schema stays in front.
            assert_eq!(told["path"], "\"timed\", \"hidden\", pg_temp", "{role}");
            let timeout = told["timeout"].as_str().unwrap();
            match expected[0] {
                // Ours is shorter than an hour.
                "" => assert!(timeout.ends_with('s') && timeout != "7s", "{timeout}"),
                exactly => assert_eq!(timeout, exactly, "{role}"),
            }
        }
        for (role, function, seconds, expected) in [
            ("web_hasty", "sleep", 5.0, Err("57014")),
            ("web_hasty", "sleep", 0.01, Ok("slept")),
            ("web_hasty", "long", 0.5, Ok("slept")),
            ("web_steady", "short", 5.0, Err("57014")),
            ("web_steady", "short", 0.0, Ok("serializable")),
        ] {
            let call = world()
                .await
                .post(&own.rest(&format!("rpc/{function}")))
                .bearer(&as_role(role));
            let reply = call.json(&json!({ "seconds": seconds })).send().await;
            match expected {
                Ok(said) => assert_eq!(reply.expect(StatusCode::OK), said, "{role} {function}"),
                Err(code) => {
                    let refused = reply.code(StatusCode::INTERNAL_SERVER_ERROR);
                    assert_eq!(refused, code, "{role} {function}");
                }
            }
        }
    });
}
