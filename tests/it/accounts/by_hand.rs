//! A project with nothing but accounts and a profile table, made without the services that usually make it.

use std::sync::Arc;

use plinth::accounts::signing;
use plinth::clock::{SharedRandom, SystemRandom};
use plinth::control::{CELL_DATABASE, Client, accounts_ddl};
use plinth::ident::{ProjectId, Ref};
use plinth::tenancy::{Cell, Isolation, Names};
use plinth::token::{KeyClass, ProjectKey};
use plinth_local::platform::Function;
use uuid::Uuid;

use crate::world::World;

pub struct Project {
    pub id: Uuid,
    pub reference: Ref,
    pub backend: Uuid,
    pub publishable: String,
    pub secret: String,
}

/// Level `schema`.
pub async fn project(world: &World) -> Project {
    let random: SharedRandom = Arc::new(SystemRandom);
    let reference = random.project_ref();
    let [id, backend, owner] = [random.uuid(), random.uuid(), random.uuid()];
    furnish(&cell(world).await, &reference).await;
    let app = world.app(Function::Projects);
    let control = app.control.get().await.unwrap();
    control
        .batch_execute(&format!(
            "insert into plinth.projects (id, ref, name, created_by, created_at, updated_at)
             values ('{id}', '{reference}', '{reference}', '{owner}', now(), now());
             insert into plinth.backends (id, project_id, tier, isolation, cell_id, state, created_at, updated_at)
             values ('{backend}', '{id}', 'managed', 'schema', 1, 'ready', now(), now())"
        ))
        .await
        .unwrap();
    signing::ensure(&app, &*control, Some(ProjectId(id))).await.unwrap();
    signing::ensure(&app, &*control, Some(ProjectId(id))).await.unwrap();
    let mut keys = Vec::new();
    for class in [KeyClass::Publishable, KeyClass::Secret] {
        let key = ProjectKey::generate(&random, class, &reference);
        let sql = "insert into plinth.keys (id, project_id, class, name, hash, hint, created_at)
            values ($1, $2, $3, 'k', $4, $5, now())";
        let (hash, hint) = (key.hash(), key.hint());
        control
            .execute(sql, &[&random.uuid(), &id, &class.as_str(), &hash, &hint])
            .await
            .unwrap();
        keys.push(key.text().expose().to_owned());
    }
    Project {
        id,
        reference,
        backend,
        secret: keys.pop().unwrap(),
        publishable: keys.pop().unwrap(),
    }
}

/// The cell's shared database, as provisioning.
pub async fn cell(world: &World) -> Client {
    let app = world.app(Function::Provision);
    let cell = Cell {
        id: 1,
        host: world.platform.master.host.clone(),
        port: world.platform.master.port,
        database: CELL_DATABASE.to_owned(),
    };
    app.cells.shared(&cell).unwrap().get().await.unwrap()
}

async fn furnish(cell: &Client, reference: &Ref) {
    let names = Names(reference);
    let (auth, schema) = (names.auth(Isolation::Schema), names.schema(Isolation::Schema));
    cell.batch_execute(&format!(
        "create schema {auth}; {ddl}; grant usage on schema {auth} to plinth_auth;
         grant select, insert, update, delete on all tables in schema {auth} to plinth_auth;
         create schema {schema};
         create table {schema}.app_users (id uuid primary key, email text unique not null, full_name text,
           avatar_url text, metadata jsonb);
         create function {auth}.sync_profile(id uuid, email text, meta jsonb) returns void
           language sql security definer set search_path = pg_catalog as $$
           insert into {schema}.app_users values ($1, $2, $3 ->> 'full_name', $3 ->> 'avatar_url', $3)
           on conflict (id) do update set email = excluded.email, full_name = excluded.full_name,
             avatar_url = excluded.avatar_url, metadata = excluded.metadata $$;
         revoke execute on function {auth}.sync_profile from public;
         grant execute on function {auth}.sync_profile to plinth_auth;",
        ddl = accounts_ddl(&auth)
    ))
    .await
    .unwrap();
}
