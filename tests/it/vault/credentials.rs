//! Credentials behind their port: one suite, two places.

use std::sync::Arc;

use http::StatusCode;
use plinth::clock::SystemClock;
use plinth::ident::{BackendId, ProjectId};
use plinth::vault::{CredentialStore, Kept, Owner};
use plinth_local::platform::{Function, Platform};
use serde_json::{Value, json};

use crate::external::{Own, PASSWORD, SECRET, body, signed, url};
use crate::handmade::superuser;
use crate::moto::moto;
use crate::world::{World, platform, run};

#[test]
fn sealed_rows_pass_the_suite() {
    run(async { suite(&sealed().await).await });
}

#[test]
fn secrets_manager_passes_the_suite() {
    run(async { suite(&managed().await).await });
}

/// The platform that keeps credentials in the control database.
pub async fn sealed() -> Platform {
    platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1")
}

/// The platform that keeps them in Secrets Manager.
pub async fn managed() -> Platform {
    moto().await;
    let platform = sealed().await.with("PLINTH_CREDENTIALS", "secrets-manager");
    platform.with("PLINTH_STAGE", "tests")
}

pub fn owner(own: &Own) -> Owner {
    Owner {
        project: ProjectId(own.id.parse().unwrap()),
        backend: BackendId(own.backend.parse().unwrap()),
    }
}

/// What the control database has of them.
pub async fn kept(own: &Own) -> Option<Kept> {
    let sql = "select envelope from plinth.secrets where project_id = $1 and purpose = 'connection'";
    let row = superuser("plinth").await.query_opt(sql, &[&owner(own).project.0]).await;
    row.unwrap().map(|row| serde_json::from_value(row.get(0)).unwrap())
}

async fn keep(own: &Own, kept: &Kept) {
    let sql = "update plinth.secrets set envelope = $2 where project_id = $1 and purpose = 'connection'";
    let kept = serde_json::to_value(kept).unwrap();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&owner(own).project.0, &kept];
    superuser("plinth").await.execute(sql, &params).await.unwrap();
}

/// As a process sees it that has just started.
async fn rows(platform: &Platform, own: &Own, token: Option<&str>) -> (StatusCode, String) {
    let world = World::of(platform, Arc::new(SystemClock));
    let mut call = world.get(&own.rest("todos?select=id&limit=1"));
    if let Some(token) = token {
        call = call.bearer(token);
    }
    let reply = call.send().await;
    (reply.status, reply.text)
}

async fn suite(platform: &Platform) {
    let world = &World::of(platform, Arc::new(SystemClock));
    let own = Own::of(world, &body(json!({})).await).await;
    let change = async |config: Value| {
        let body = json!({ "backendType": "external", "config": config });
        let sent = world.post(&own.provision()).bearer(&own.owner.token).json(&body).send();
        sent.await.expect(StatusCode::OK)
    };
    let give_up = async || {
        let sent = world.delete(&own.provision()).bearer(&own.owner.token).send();
        sent.await.expect(StatusCode::OK);
    };
    let served = (StatusCode::OK, r#"[{"id":1}]"#.to_owned());
    assert_eq!(rows(platform, &own, None).await, served);

    // What is left out stays, what is sent counts at once.
    let rest = json!({ "schemas": ["api"], "anonRole": "web_anon" });
    change(json!({ "externalProvider": "postgresql", "rest": rest })).await;
    let token = signed(&json!({ "role": "web_user" }), SECRET);
    assert_eq!(rows(platform, &own, Some(&token)).await, served);
    let other = "planted-other-secret-of-32-characters";
    let rest = json!({ "schemas": ["api"], "anonRole": "web_anon", "jwtSecret": other });
    change(json!({ "externalProvider": "postgresql", "rest": rest })).await;
    let (status, _) = rows(platform, &own, Some(&token)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let token = signed(&json!({ "role": "web_user" }), other);
    assert_eq!(rows(platform, &own, Some(&token)).await, served);

    // What is kept of one project's opens for no other.
    let stranger = Own::of(world, &body(json!({})).await).await;
    let (mine, theirs) = (kept(&own).await.unwrap(), kept(&stranger).await.unwrap());
    assert!(!serde_json::to_string(&mine).unwrap().contains("planted"));
    keep(&stranger, &mine).await;
    let (status, text) = rows(platform, &stranger, None).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
    keep(&stranger, &theirs).await;
    assert_eq!(rows(platform, &stranger, None).await, served);

    // Given up, brought back without credentials, given up again and gone for good.
    give_up().await;
    let (status, _) = rows(platform, &own, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    change(json!({ "externalProvider": "postgresql" })).await;
    assert_eq!(rows(platform, &own, Some(&token)).await, served);
    give_up().await;
    let with_new = json!({ "externalProvider": "postgresql", "credentials": { "connectionString": url().await } });
    change(with_new).await;
    assert_eq!(rows(platform, &own, Some(&token)).await, served);
    give_up().await;
    let last = kept(&own).await.unwrap();
    let purge = platform.app(Function::Purge).unwrap();
    let Owner { project, backend } = owner(&own);
    for there in [true, false] {
        let removed = plinth::provisioning::drop_backend(&purge, project, backend, false).await;
        assert_eq!(removed.unwrap(), there);
    }
    assert_eq!(kept(&own).await, None);
    assert!(is_gone(&purge.credentials, owner(&own), &last).await);
    // Its neighbour's are not.
    assert_eq!(rows(platform, &stranger, None).await, served);

    let logged = crate::logs::logged();
    for secret in [PASSWORD, SECRET, other] {
        assert!(!logged.contains(secret), "{secret}");
    }
}

/// An envelope is gone with its row; a secret has to be asked for.
async fn is_gone(store: &CredentialStore, of: Owner, last: &Kept) -> bool {
    match last {
        Kept::Sealed(_) => true,
        Kept::Elsewhere(_) => {
            store.restore(last).await.unwrap();
            store.get(of, last).await.unwrap_err().code() == plinth::vault::SECRET_MISSING
        }
    }
}
