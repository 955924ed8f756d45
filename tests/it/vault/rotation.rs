//! A master key is replaced while people go on working, and then taken away.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use plinth::clock::SystemClock;
use plinth::control::dial::{Trust, dial};
use plinth::error::Result;
use plinth::ident::ProjectId;
use plinth::vault::{Envelope, Resealed, reseal};
use plinth_local::platform::{Function, Platform};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::external::{Own, body};
use crate::provisioning::deploy::platform_of_its_own;
use crate::provisioning::site::connect;
use crate::world::{Project, User, World, run};

const KEY: &str = "PLINTH_ENCRYPTION_KEY";
const OLD: &str = "PLINTH_ENCRYPTION_KEYS_OLD";

#[test]
fn a_key_is_replaced_under_a_writers_hands_and_the_old_one_is_not_needed_any_more() {
    run(async {
        let (server, platform) = platform_of_its_own(10).await;
        let platform = platform.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1");
        let first = platform.env(Function::Provision)[KEY].clone();
        let both = platform.with(KEY, "the second key").with(OLD, &first);
        let second = platform.with(KEY, "the second key");
        let control = connect(server.url("plinth").expose()).await.unwrap();

        let world = World::of(&platform, Arc::new(SystemClock));
        let managed = world.project("database").await;
        let external = Own::of(&world, &body(json!({})).await).await;
        let user = world.end_user(&managed).await;
        let all = sealed_with(&control).await.len();
        assert_eq!(
            all, 5,
            "a login, a connection, and the signing keys of two projects and the platform"
        );
        everything_opens(&platform, &managed, &external, &user).await;
        everything_opens(&both, &managed, &external, &user).await;

        // Without the old key nothing is touched, and the report says so.
        let report = resealing(&second).await.await.unwrap().unwrap();
        assert_eq!(report, Resealed { resealed: 0, left: 5 });
        everything_opens(&platform, &managed, &external, &user).await;

        // It is killed half-way, while it waits for somebody's lock.
        let (mut holder, keys) = (
            connect(server.url("plinth").expose()).await.unwrap(),
            "plinth.signing_keys",
        );
        let lock = holder.transaction().await.unwrap();
        lock.batch_execute("select from plinth.signing_keys for update")
            .await
            .unwrap();
        let cut_off = resealing(&both).await;
        let waiting = waits_for(&control, keys).await;
        cut_off.abort();
        let kill = "select pg_terminate_backend($1)";
        control.query_one(kill, &[&waiting]).await.unwrap();
        lock.rollback().await.unwrap();
        gone(&control, waiting).await;
        let kinds = sealed_with(&control).await;
        let new = current(&second).await;
        assert_eq!(kinds.iter().filter(|key| **key == new).count(), 2, "{kinds:?}");
        everything_opens(&both, &managed, &external, &user).await;

        // Somebody who has only the old key writes a secret, and again while the next run has read the first.
        let project = ProjectId(external.id.parse().unwrap());
        let stale = platform.app(Function::Provision).unwrap();
        let opened = both.app(Function::Provision).unwrap();
        let sql = "select envelope from plinth.secrets where project_id = $1 and purpose = 'connection'";
        let envelope: Value = control.query_one(sql, &[&project.0]).await.unwrap().get(0);
        let envelope: Envelope = serde_json::from_value(envelope).unwrap();
        let good = opened.vault.open(Some(project), &envelope).await.unwrap();
        let write = "update plinth.secrets set envelope = $2 where project_id = $1 and purpose = 'connection'";
        let sealed = async |secret: &[u8]| {
            let envelope = stale.vault.seal(&stale.random, Some(project), secret).await.unwrap();
            serde_json::to_value(envelope).unwrap()
        };
        control
            .execute(write, &[&project.0, &sealed(b"{}").await])
            .await
            .unwrap();
        let late = holder.transaction().await.unwrap();
        late.execute(write, &[&project.0, &sealed(&good).await]).await.unwrap();
        let resumed = resealing(&both).await;
        waits_for(&control, "plinth.secrets").await;
        late.commit().await.unwrap();
        let report = resumed.await.unwrap().unwrap();
        assert_eq!(
            report,
            Resealed { resealed: 4, left: 0 },
            "three keys, and what was written last"
        );

        everything_opens(&second, &managed, &external, &user).await;
        let again = resealing(&second).await.await.unwrap().unwrap();
        assert_eq!(again, Resealed { resealed: 0, left: 0 });
        assert!(sealed_with(&control).await.iter().all(|key| *key == new));
    });
}

/// A process of its own, with that platform's keys and the owner's login.
async fn resealing(platform: &Platform) -> JoinHandle<Result<Resealed>> {
    let app = platform.app(Function::Provision).unwrap();
    let client = dial(&platform.master, &Trust::new(None).unwrap()).await.unwrap();
    tokio::spawn(async move { reseal(&app.vault, &app.random, &client).await })
}

/// By fresh processes: a platform user's token (the platform's signing key), an end user's (the project's), the project's
/// own login, and the user's own database.
async fn everything_opens(platform: &Platform, managed: &Project, external: &Own, user: &User) {
    let world = World::of(platform, Arc::new(SystemClock));
    let body = json!({ "email": user.email, "password": "correct horse battery" });
    let sign_in = format!("/p/{}/auth/v1/token?grant_type=password", managed.reference);
    let session = world.post(&sign_in).key(&managed.publishable).json(&body).send().await;
    let session = session.expect(StatusCode::OK);
    let token = session["access_token"].as_str().unwrap();
    let rows = world.get(&managed.rest("app_data")).key(&managed.publishable);
    rows.bearer(token).send().await.expect(StatusCode::OK);
    world.user().await;
    let rows = world.get(&external.rest("todos?select=id&limit=1")).send().await;
    assert_eq!(rows.expect(StatusCode::OK), json!([{ "id": 1 }]));
}

async fn current(platform: &Platform) -> String {
    let app = platform.app(Function::Provision).unwrap();
    app.vault.seal(&app.random, None, b"x").await.unwrap().key
}

/// The key of each envelope.
async fn sealed_with(control: &Client) -> Vec<String> {
    let sql = "
        select envelope ->> 'key' from plinth.secrets
        union all select envelope ->> 'key' from plinth.signing_keys";
    let rows = control.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The process that waits for a lock to update that table.
async fn waits_for(control: &Client, table: &str) -> i32 {
    let sql = "
        select pid from pg_stat_activity
        where wait_event_type = 'Lock' and query like 'update ' || $1 || ' set envelope%'";
    until(async || control.query_opt(sql, &[&table]).await.unwrap().map(|row| row.get(0))).await
}

async fn gone(control: &Client, pid: i32) {
    let sql = "select from pg_stat_activity where pid = $1";
    until(async || control.query_opt(sql, &[&pid]).await.unwrap().is_none().then_some(())).await;
}

async fn until<T>(found: impl AsyncFn() -> Option<T>) -> T {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        tick.tick().await;
        if let Some(found) = found().await {
            return found;
        }
    }
}
