//! The profile row of end users, and whose rights its table's triggers find.

use http::StatusCode;
use plinth::control::dial::{Trust, dial};
use plinth_local::platform::Function;
use serde_json::json;
use tokio_postgres::Client;

use super::{Door, PASSWORD, cell, superuser};
use crate::world::{Project, World, run, text, unique, world};

/// Where the profiles are, with all rights, and the table's name.
async fn profiles(project: &Project, isolation: &str) -> (Client, String) {
    match isolation {
        "schema" => (cell().await, format!("project_{}.app_users", project.reference)),
        _ => (
            superuser(&format!("p_{}", project.reference)).await,
            "public.app_users".to_owned(),
        ),
    }
}

/// The project's own database, as its own login.
async fn tenant(world: &World, project: &Project) -> Client {
    let app = world.app(Function::Auth);
    let project = app.tenancy.refresh(&project.reference.parse().unwrap()).await.unwrap();
    let target = app
        .data_target(&project, project.ready_backend().unwrap())
        .await
        .unwrap();
    dial(&target.address, &Trust::new(None).unwrap()).await.unwrap()
}

#[test]
fn a_profile_row_follows_its_user_at_both_levels() {
    run(async {
        let world = world().await;
        for isolation in ["schema", "database"] {
            let project = world.project(isolation).await;
            let door = Door::of(world, &project);
            let email = format!("{}@example.com", unique());
            let data = json!({ "full_name": "Ann", "avatar_url": "a.png" });
            let body = json!({ "email": email, "password": PASSWORD, "data": data });
            let session = door.post("/signup").json(&body).send().await.expect(StatusCode::OK);
            let (database, table) = profiles(&project, isolation).await;
            let profile = async || {
                let sql = format!("select id::text, email, full_name, avatar_url from {table}");
                let row = database.query_one(&sql, &[]).await.unwrap();
                [0, 1, 2, 3].map(|column| row.get::<_, Option<String>>(column).unwrap_or_default())
            };
            let id = text(&session["user"], "id");
            assert_eq!(profile().await, [&id, &email, "Ann", "a.png"].map(String::from));
            let token = text(&session, "access_token");
            let body = json!({ "data": { "full_name": "Ann B" } });
            door.put("/user")
                .bearer(&token)
                .json(&body)
                .send()
                .await
                .expect(StatusCode::OK);
            assert_eq!(profile().await[2], "Ann B");
        }
    });
}

#[test]
fn a_profile_that_is_refused_leaves_no_account() {
    run(async {
        let world = world().await;
        for isolation in ["schema", "database"] {
            let project = world.project(isolation).await;
            let door = Door::of(world, &project);
            let (database, table) = profiles(&project, isolation).await;
            let rule = format!("alter table {table} add check (email not like 'banned%')");
            database.batch_execute(&rule).await.unwrap();
            let body = json!({ "email": "banned@example.com", "password": PASSWORD });
            let refused = door.post("/signup").json(&body).send().await;
            assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "profile_refused");
            assert!(!refused.text.contains("check"), "{}", refused.text);
            let nobody = door.sign_in("banned@example.com", PASSWORD).await;
            assert_eq!(nobody.code(StatusCode::BAD_REQUEST), "invalid_credentials");

            database
                .batch_execute(&format!("drop table {table} cascade"))
                .await
                .unwrap();
            door.post("/signup").json(&body).send().await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_tenants_trigger_never_runs_in_a_session_of_ours() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let door = Door::of(world, &project);
        let tenant = tenant(world, &project).await;
        let owner = format!("p_{}_owner", project.reference);
        tenant
            .batch_execute(&format!(
                "set role {owner};
                 create table public.seen (at text, who text, login text);
                 grant all on public.seen to public;
                 create function public.spy() returns trigger language plpgsql as $$ begin
                   insert into public.seen values (tg_name, current_user, session_user);
                   set constraints all deferred;
                   perform set_config('search_path', 'public', false);
                   return new;
                 end $$;
                 create trigger at_once after insert on public.app_users for each row execute function public.spy();
                 create constraint trigger at_commit after insert on public.app_users
                   deferrable initially deferred for each row execute function public.spy();"
            ))
            .await
            .unwrap();
        // The tenant may make of its function what it likes.
        let altered = "alter function auth.sync_profile(uuid, text, jsonb) security invoker";
        for alter in ["select", altered] {
            tenant.batch_execute(alter).await.unwrap();
            door.sign_up().await;
        }
        let rows = tenant.query("select at, login from public.seen", &[]).await.unwrap();
        assert_eq!(rows.len(), 4);
        let login = format!("p_{}", project.reference);
        assert!(rows.iter().all(|row| row.get::<_, &str>(1) == login));
    });
}

#[test]
fn what_a_tenants_trigger_raises_reaches_the_client() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let door = Door::of(world, &project);
        tenant(world, &project)
            .await
            .batch_execute(&format!(
                "set role p_{}_owner;
                 create function public.no() returns trigger language plpgsql as $$ begin
                   raise exception 'members only';
                 end $$;
                 create trigger no before insert on public.app_users for each row execute function public.no();",
                project.reference
            ))
            .await
            .unwrap();
        let body = json!({ "email": format!("{}@example.com", unique()), "password": PASSWORD });
        let refused = door.post("/signup").json(&body).send().await;
        assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "profile_refused");
        assert_eq!(refused.json()["details"], "members only");
    });
}
