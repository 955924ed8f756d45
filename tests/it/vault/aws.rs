//! What only Secrets Manager does: names, tags, a window to restore in, secrets that change behind our back.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
use http::StatusCode;
use plinth::clock::{Clock, SharedRandom, SystemClock, SystemRandom};
use plinth::config::MasterKey;
use plinth::control::scram_verifier;
use plinth::ident::{BackendId, ProjectId};
use plinth::sensitive::Sensitive;
use plinth::testing::FixedClock;
use plinth::vault::{Kept, Owner, Vault};
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::credentials::{kept, managed, owner, sealed};
use crate::external::{Own, bare, body, database};
use crate::handmade::superuser;
use crate::moto::moto;
use crate::world::{World, run, unique};

const SECOND: Duration = Duration::from_secs(1);

async fn client() -> Client {
    moto().await;
    Client::new(plinth::control::aws::sdk().await.unwrap())
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(SystemClock.now()))
}

fn name(own: &Own) -> String {
    format!("plinth/tests/connection/{}", own.backend)
}

#[test]
fn a_connections_secret_says_whose_it_is_and_waits_thirty_days_for_its_end() {
    run(async {
        let world = World::of(&managed().await, Arc::new(SystemClock));
        let own = Own::of(&world, &body(json!({})).await).await;
        let client = client().await;
        let describe = async || client.describe_secret().secret_id(name(&own)).send().await;
        let described = describe().await.unwrap();
        let tags: Vec<_> = described
            .tags()
            .iter()
            .map(|tag| (tag.key().unwrap(), tag.value().unwrap()))
            .collect();
        let expected = [
            ("plinth:project", own.id.as_str()),
            ("plinth:backend", own.backend.as_str()),
        ];
        assert_eq!(tags, expected);
        assert!(described.deleted_date().is_none());

        world
            .delete(&own.provision())
            .bearer(&own.owner.token)
            .send()
            .await
            .expect(StatusCode::OK);
        let ends = describe().await.unwrap().deleted_date().unwrap().secs();
        let days = (ends - SystemClock.now().as_second()) as f64 / 86_400.0;
        assert!((29.9..=30.1).contains(&days), "{days}");

        let purge = managed().await.app(Function::Purge).unwrap();
        let Owner { project, backend } = owner(&own);
        let removed = plinth::provisioning::drop_backend(&purge, project, backend, false).await;
        assert!(removed.unwrap());
        let error = describe().await.unwrap_err().into_service_error();
        assert!(error.is_resource_not_found_exception(), "{error:?}");
    });
}

#[test]
fn a_backend_that_comes_back_has_its_secret_back_or_says_that_it_is_gone() {
    run(async {
        let world = World::of(&managed().await, Arc::new(SystemClock));
        let own = Own::of(&world, &body(json!({})).await).await;
        let give_up = async || {
            let call = world.delete(&own.provision()).bearer(&own.owner.token);
            call.send().await.expect(StatusCode::OK);
        };
        let restore = async || {
            let path = format!("/api/projects/{}/backend/restore", own.id);
            world.post(&path).bearer(&own.owner.token).send().await
        };
        give_up().await;
        restore().await.expect(StatusCode::OK);
        let described = client().await.describe_secret().secret_id(name(&own)).send().await;
        assert!(described.unwrap().deleted_date().is_none());

        give_up().await;
        let remove = client().await.delete_secret().secret_id(name(&own));
        remove.force_delete_without_recovery(true).send().await.unwrap();
        // A process that has read them lately would still have them.
        let path = format!("/api/projects/{}/backend/restore", own.id);
        let fresh = World::of(&managed().await, Arc::new(SystemClock));
        let gone = fresh.post(&path).bearer(&own.owner.token).send().await;
        assert_eq!(gone.code(StatusCode::CONFLICT), "provisioning/credentials-gone");
    });
}

#[test]
fn credentials_are_remembered_for_five_minutes_and_read_anew_when_refused() {
    run(async {
        let clock = clock();
        let app = managed().await.app_at(Function::Provision, clock.clone()).unwrap();
        let of = Owner {
            project: ProjectId(app.random.uuid()),
            backend: BackendId(app.random.uuid()),
        };
        let first = Sensitive::new(r#"{"password":"planted-1"}"#);
        let kept = app.credentials.put(&app.random, of, &first).await.unwrap();
        let get = async || app.credentials.get(of, &kept).await.unwrap();
        let Kept::Elsewhere(reference) = &kept else {
            panic!("{kept:?}")
        };
        let rotate = async |number: u32| {
            let text = json!({ "project": of.project, "credentials": { "password": format!("planted-{number}") } });
            let put = client().await.put_secret_value().secret_id(&reference.secret);
            put.secret_string(text.to_string()).send().await.unwrap();
            Sensitive::new(format!(r#"{{"password":"planted-{number}"}}"#))
        };
        assert_eq!(get().await, first);
        let second = rotate(2).await;
        clock.advance(299 * SECOND);
        assert_eq!(get().await, first);
        clock.advance(2 * SECOND);
        assert_eq!(get().await, second);

        let third = rotate(3).await;
        clock.advance(5 * SECOND);
        app.credentials.forget(of.backend);
        assert_eq!(
            get().await,
            second,
            "a wrong password does not cost a call with each request"
        );
        clock.advance(5 * SECOND);
        app.credentials.forget(of.backend);
        assert_eq!(get().await, third);
        // What is written is seen at once: its version is another.
        let again = app.credentials.put(&app.random, of, &first).await.unwrap();
        assert_eq!(app.credentials.get(of, &again).await.unwrap(), first);

        assert!(!format!("{:?} {kept:?}", app.credentials).contains("planted"));
        assert!(!crate::logs::logged().contains("planted-1"));
    });
}

#[test]
fn a_password_rotated_in_secrets_manager_is_found_when_the_database_refuses_the_old_one() {
    run(async {
        let clock = clock();
        let world = World::of(&managed().await, clock.clone());
        let (login, at) = (format!("rotating_{}", unique().replace('-', "_")), database().await);
        let server = superuser("postgres").await;
        let verifier = |password: &str| scram_verifier(&password.to_owned().into(), &[7; 16]);
        let make = format!(
            "create role {login} login noinherit password '{}'; grant web_anon to {login}",
            verifier("planted-one")
        );
        server.batch_execute(&make).await.unwrap();
        let mut asked = body(json!({})).await;
        asked["config"]["credentials"]["connectionString"] = format!("postgresql://{login}:planted-one@{at}").into();
        let own = Own::of(&world, &asked).await;
        let read = async || {
            let reply = world.get(&own.rest("todos?select=id&limit=1")).send().await;
            (reply.status, reply.text)
        };
        let served = (StatusCode::OK, r#"[{"id":1}]"#.to_owned());
        assert_eq!(read().await, served);

        let client = client().await;
        let value = client.get_secret_value().secret_id(name(&own)).send().await.unwrap();
        let mut content: Value = serde_json::from_str(value.secret_string().unwrap()).unwrap();
        assert_eq!(content["credentials"]["password"], "planted-one");
        content["credentials"]["password"] = "planted-two".into();
        let put = client.put_secret_value().secret_id(name(&own));
        put.secret_string(content.to_string()).send().await.unwrap();
        let change = format!(
            "alter role {login} password '{}';
             select pg_terminate_backend(pid) from pg_stat_activity where usename = '{login}'",
            verifier("planted-two")
        );
        server.batch_execute(&change).await.unwrap();
        clock.advance(11 * SECOND);
        // The connection that was ended may be met first.
        let first = read().await;
        assert!(
            first == served || first.0 == StatusCode::SERVICE_UNAVAILABLE,
            "{first:?}"
        );
        assert_eq!(read().await, served);
        assert!(!crate::logs::logged().contains("planted-two"));
    });
}

#[test]
fn a_secret_that_somebody_took_away_is_told_and_can_be_given_anew() {
    run(async {
        let platform = managed().await;
        let world = World::of(&platform, Arc::new(SystemClock));
        let whole = body(json!({})).await;
        let own = Own::of(&world, &whole).await;
        let delete = client().await.delete_secret().secret_id(name(&own));
        delete.force_delete_without_recovery(true).send().await.unwrap();
        let read = async |world: World| world.get(&own.rest("todos?select=id&limit=1")).send().await;
        let fresh = || World::of(&platform, Arc::new(SystemClock));
        let missing = read(fresh()).await;
        assert_eq!(missing.code(StatusCode::SERVICE_UNAVAILABLE), "vault/secret-missing");
        let given = world
            .post(&own.provision())
            .bearer(&own.owner.token)
            .json(&whole)
            .send();
        given.await.expect(StatusCode::OK);
        read(fresh()).await.expect(StatusCode::OK);
    });
}

#[test]
fn what_no_row_refers_to_is_given_up() {
    run(async {
        let world = World::of(&managed().await, Arc::new(SystemClock));
        let (owner, id, _) = bare(&world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let whole = body(json!({})).await;
        // The provision is cut off when its secret is written and its rows are not yet committed.
        let mut holder = superuser("plinth").await;
        let me: i32 = holder.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
        let lock = holder.transaction().await.unwrap();
        let chain = "select pg_advisory_xact_lock(hashtextextended('plinth.audit:' || $1, 0))";
        lock.execute(chain, &[&id]).await.unwrap();
        let sent = world.post(&path).bearer(&owner.token).json(&whole).send();
        let cut = async {
            let control = superuser("plinth").await;
            let sql =
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            while control.query_one(sql, &[&me]).await.unwrap().get::<_, i64>(0) == 0 {
                tick.tick().await;
            }
        };
        let (reply, ()) = tokio::join!(sent, cut);
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
        lock.rollback().await.unwrap();
        let secrets = async || {
            let mine = Filter::builder()
                .key(FilterNameStringType::TagValue)
                .values(&id)
                .build();
            let list = client()
                .await
                .list_secrets()
                .filters(mine)
                .include_planned_deletion(true);
            let listed = list.send().await.unwrap();
            let waits = |secret: &SecretListEntry| secret.deleted_date().is_some();
            listed.secret_list().iter().map(waits).collect::<Vec<_>>()
        };
        assert_eq!(secrets().await, [true]);
        let again = world.post(&path).bearer(&owner.token).json(&whole).send().await;
        again.expect(StatusCode::CREATED);
        let mut both = secrets().await;
        both.sort_unstable();
        assert_eq!(both, [false, true]);
    });
}

#[test]
fn a_changed_setting_moves_a_connection_with_its_next_change() {
    run(async {
        let (here, there) = (sealed().await, managed().await);
        let world = World::of(&here, Arc::new(SystemClock));
        let own = Own::of(&world, &body(json!({})).await).await;
        let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql" } });
        for (platform, elsewhere) in [(&there, true), (&here, false)] {
            let world = World::of(platform, Arc::new(SystemClock));
            let read = async || world.get(&own.rest("todos?select=id&limit=1")).send().await;
            read().await.expect(StatusCode::OK);
            let changed = world.post(&own.provision()).bearer(&own.owner.token).json(&body).send();
            changed.await.expect(StatusCode::OK);
            let kept = kept(&own).await.unwrap();
            assert_eq!(matches!(kept, Kept::Elsewhere(_)), elsewhere);
            read().await.expect(StatusCode::OK);
        }
        let left = client()
            .await
            .describe_secret()
            .secret_id(name(&own))
            .send()
            .await
            .unwrap();
        assert!(left.deleted_date().is_some(), "nothing refers to it");
    });
}

#[test]
fn a_running_process_learns_of_a_changed_master_key() {
    run(async {
        let (clock, client) = (clock(), client().await);
        let random: SharedRandom = Arc::new(SystemRandom);
        let name = format!("master-{}", unique());
        client
            .create_secret()
            .name(&name)
            .secret_string("a")
            .send()
            .await
            .unwrap();
        let vault = || Vault::new(MasterKey::SecretsManager(name.clone()), clock.clone());
        let running = vault();
        let before = running.seal(&random, None, b"secret").await.unwrap();
        let put = client.put_secret_value().secret_id(&name).secret_string("b, a");
        put.send().await.unwrap();
        let started_later = vault();
        let after = started_later.seal(&random, None, b"secret").await.unwrap();
        assert_ne!(before.key, after.key);
        assert_eq!(started_later.open(None, &before).await.unwrap(), b"secret");

        let error = running.open(None, &after).await.unwrap_err();
        assert_eq!(error.code(), "vault/sealed", "it has asked just now");
        assert_eq!(running.seal(&random, None, b"x").await.unwrap().key, before.key);
        clock.advance(10 * SECOND);
        assert_eq!(running.open(None, &after).await.unwrap(), b"secret");

        let put = client.put_secret_value().secret_id(&name).secret_string("c,b");
        put.send().await.unwrap();
        clock.advance(299 * SECOND);
        assert_eq!(running.seal(&random, None, b"x").await.unwrap().key, after.key);
        clock.advance(SECOND);
        let latest = running.seal(&random, None, b"x").await.unwrap();
        assert!(latest.key != after.key && latest.key != before.key);
        assert!(running.open(None, &before).await.is_err(), "its key was taken away");
    });
}
