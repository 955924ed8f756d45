//! Managed backends: made, found, restored, given up, removed; whatever fails on the way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use plinth::app::App;
use plinth::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth::config::{Config, Env, Migration};
use plinth::control::dial::{Trust, dial};
use plinth::error::Error;
use plinth::ident::{ProjectId, Ref, UserId};
use plinth::provisioning::{self, Disturb, Disturbance, Outcome, Provisioned, Request, State, Step};
use plinth::tenancy::{Caller, Isolation, MemberRole, PlatformRole, PlatformUser, ProjectAccess, RequestInfo};
use plinth_local::platform::{Function, Platform, Secrets};
use plinth_local::postgres::{Options, Server};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::world::{BASE_URL, platform, run, text, unique, world};

const LEVELS: [Isolation; 2] = [Isolation::Schema, Isolation::Database];

/// A connection as the superuser.
pub async fn superuser(database: &str) -> Client {
    let server = plinth_local::testing::server().await.unwrap();
    connect(server.url(database).expose()).await.unwrap()
}

pub async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(async {
        // It ends with the client, or with the server.
        let _ = connection.await;
    });
    Ok(client)
}

/// A project that has no backend yet, and what its owner needs to give it one.
pub struct Site {
    pub app: App,
    pub access: ProjectAccess,
}

impl Site {
    /// On the platform that the tests share.
    pub async fn new() -> Self {
        Self::on(platform().await, Arc::new(SystemClock)).await
    }

    pub async fn on(platform: &Platform, clock: SharedClock) -> Self {
        let app = platform.app_at(Function::Provision, clock).unwrap();
        let random: SharedRandom = Arc::new(SystemRandom);
        let (project, user, reference) = (random.uuid(), random.uuid(), random.project_ref());
        let owner = dial(&platform.master, &Trust::new(None).unwrap()).await.unwrap();
        let sql = "
            insert into plinth.projects (id, ref, name, created_by, created_at, updated_at)
            values ($1, $2, $2, $3, now(), now())";
        owner
            .execute(sql, &[&project, &reference.as_str(), &user])
            .await
            .unwrap();
        let sql = "
            insert into plinth.members (project_id, user_id, role, created_at, updated_at)
            values ($1, $2, 'owner', now(), now())";
        owner.execute(sql, &[&project, &user]).await.unwrap();
        let user = PlatformUser {
            id: UserId(user),
            email: None,
            role: PlatformRole::User,
            outside: None,
        };
        let request = RequestInfo {
            id: "test".into(),
            address: None,
        };
        let caller = Caller { user, request };
        let access = app
            .tenancy
            .require(caller, ProjectId(project), MemberRole::Owner)
            .await
            .unwrap();
        Self { app, access }
    }

    pub async fn provision(&self, isolation: Isolation) -> Result<Provisioned, Error> {
        let isolation = Some(isolation);
        provisioning::provision(&self.app, &self.access, Request { isolation }).await
    }

    async fn disturbed(&self, isolation: Isolation, after: Step, how: Disturbance) -> Result<Provisioned, Error> {
        let request = Request {
            isolation: Some(isolation),
        };
        provisioning::provision_disturbed(&self.app, &self.access, request, Disturb { after, how }).await
    }

    pub fn reference(&self) -> &Ref {
        self.access.reference()
    }

    /// Everything that is there of this project beside its own row, and nothing of anybody else's.
    async fn remains(&self) -> BTreeSet<String> {
        let reference = self.reference().as_str();
        let mut found = BTreeSet::new();
        let cell = superuser("plinth_cell").await;
        let sql = "
            select 'role ' || rolname from pg_roles where rolname like '%' || $1::text || '%'
            union all select 'database ' || datname from pg_database where datname like '%' || $1 || '%'
            union all select 'schema ' || nspname from pg_namespace where nspname like '%' || $1 || '%'
            union all select 'version ' || ref from plinth.version where ref = $1";
        found.extend(
            cell.query(sql, &[&reference])
                .await
                .unwrap()
                .iter()
                .map(|row| row.get::<_, String>(0)),
        );
        let control = superuser("plinth").await;
        let sql = "
            select 'backend ' || id from plinth.backends where project_id = $1
            union all select 'secret ' || purpose from plinth.secrets where project_id = $1
            union all select 'key ' || class from plinth.keys where project_id = $1
            union all select 'signing key ' || kid from plinth.signing_keys where project_id = $1
            union all select 'audit ' || action from plinth.audit_log where project_id = $1
            union all select 'wrong counter' from plinth.cells c
              where backends <> (select count(*) from plinth.backends b where b.cell_id = c.id)";
        let project = self.access.project().0;
        found.extend(
            control
                .query(sql, &[&project])
                .await
                .unwrap()
                .iter()
                .map(|row| row.get::<_, String>(0)),
        );
        found
    }

    /// Whether any role of this project is there.
    pub async fn has_roles(&self) -> bool {
        self.remains().await.iter().any(|what| what.starts_with("role"))
    }

    /// Asserts that the project's data is served by exactly what belongs to that level.
    async fn assert_whole(&self, isolation: Isolation) {
        let found = self.remains().await;
        let count = |kind: &str| found.iter().filter(|what| what.starts_with(kind)).count();
        let expected = match isolation {
            Isolation::Schema => [
                ("role", 4),
                ("database", 0),
                ("schema", 3),
                ("version", 1),
                ("secret", 0),
            ],
            Isolation::Database => [
                ("role", 5),
                ("database", 1),
                ("schema", 0),
                ("version", 0),
                ("secret", 1),
            ],
        };
        for (kind, number) in expected {
            assert_eq!(count(kind), number, "{kind}: {found:?}");
        }
        for (kind, number) in [("backend", 1), ("key", 2), ("signing", 1), ("wrong", 0)] {
            assert_eq!(count(kind), number, "{kind}: {found:?}");
        }
        let database = match isolation {
            Isolation::Schema => "plinth_cell".to_owned(),
            Isolation::Database => format!("p_{}", self.reference()),
        };
        let inside = superuser(&database).await;
        let sql = "
            select c.relname::text, c.relrowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any($1) and c.relkind = 'r' order by 1";
        let schemas = vec![format!("project_{}", self.reference()), "public".to_owned()];
        let tables: Vec<(String, bool)> = inside
            .query(sql, &[&schemas])
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        assert_eq!(tables, [("app_data".to_owned(), true), ("app_users".to_owned(), true)]);
    }
}

#[test]
fn a_backend_is_made_once_and_found_after_that() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            assert_eq!((made.outcome, made.backend.state), (Outcome::Made, State::Ready));
            assert!(made.keys.is_some());
            site.assert_whole(level).await;
            let found = site.provision(level).await.unwrap();
            assert_eq!((found.outcome, found.backend.id), (Outcome::Found, made.backend.id));
            assert!(found.keys.is_none());
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn after_a_failure_at_any_step_nothing_is_left_and_a_repeat_succeeds() {
    run(async {
        for (level, steps) in [
            (Isolation::Schema, &Step::SCHEMA[..]),
            (Isolation::Database, &Step::DATABASE[..]),
        ] {
            for step in steps {
                let site = Site::new().await;
                let error = site.disturbed(level, *step, Disturbance::Fail).await.unwrap_err();
                assert_eq!(error.code(), "provisioning/failed", "{step:?}");
                assert_eq!(site.remains().await, BTreeSet::new(), "{level:?} {step:?}");
                let made = site.provision(level).await.unwrap();
                assert_eq!(made.outcome, Outcome::Made, "{step:?}");
                site.assert_whole(level).await;
            }
        }
    });
}

#[test]
fn after_a_death_at_any_step_a_repeat_completes() {
    run(async {
        for (level, steps) in [
            (Isolation::Schema, &Step::SCHEMA[..]),
            (Isolation::Database, &Step::DATABASE[..]),
        ] {
            for step in steps {
                let site = Site::new().await;
                let hung = site.disturbed(level, *step, Disturbance::Hang);
                // The step is reached within the time; then the future is dropped, as with a process that dies.
                tokio::time::timeout(Duration::from_secs(3), hung).await.unwrap_err();
                let made = site.provision(level).await.unwrap();
                assert_eq!(made.outcome, Outcome::Made, "{step:?}");
                assert!(made.keys.is_some());
                site.assert_whole(level).await;
            }
        }
    });
}

#[test]
fn a_race_ends_with_one_backend() {
    run(async {
        for level in LEVELS {
            let site = &Site::new().await;
            let (a, b, c) = tokio::join!(site.provision(level), site.provision(level), site.provision(level));
            let done = [a.unwrap(), b.unwrap(), c.unwrap()];
            assert!(done.iter().all(|one| one.backend.id == done[0].backend.id));
            assert!(done.iter().all(|one| one.backend.state == State::Ready));
            let made = done.iter().filter(|one| one.outcome == Outcome::Made);
            assert_eq!(made.count(), 1);
            assert_eq!(done.iter().filter(|one| one.keys.is_some()).count(), 1);
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn another_isolation_is_refused() {
    run(async {
        let site = Site::new().await;
        site.provision(Isolation::Schema).await.unwrap();
        let error = site.provision(Isolation::Database).await.unwrap_err();
        assert_eq!(error.code(), "provisioning/exists");
        site.assert_whole(Isolation::Schema).await;
        let found = provisioning::provision(&site.app, &site.access, Request::default()).await;
        assert_eq!(found.unwrap().outcome, Outcome::Found);
    });
}

#[test]
fn a_backend_given_up_stops_at_once_and_comes_back_with_its_data() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            let seen = site.app.tenancy.refresh(site.reference()).await.unwrap();
            let database = match level {
                Isolation::Schema => "plinth_cell".to_owned(),
                Isolation::Database => format!("p_{}", site.reference()),
            };
            let inside = superuser(&database).await;
            let schema = seen.names().schema(level);
            let table = format!("{}.app_data", schema.quoted());
            inside
                .batch_execute(&format!("insert into {table} (data_type) values ('kept')"))
                .await
                .unwrap();

            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            // A plan made before is refused, and the one made anew finds no backend.
            assert_eq!(
                check(&inside, site.reference(), seen.version).await,
                Some("PL001".to_owned())
            );
            let now = site.app.tenancy.refresh(site.reference()).await.unwrap();
            assert_eq!(now.ready_backend().unwrap_err().code(), "backend/not-provisioned");
            assert!(provisioning::find(&site.app, &site.access).await.unwrap().is_none());
            let again = provisioning::deprovision(&site.app, &site.access).await;
            assert_eq!(again.unwrap_err().code(), "backend/not-provisioned");

            let back = site.provision(level).await.unwrap();
            assert_eq!((back.outcome, back.backend.id), (Outcome::Restored, made.backend.id));
            let now = site.app.tenancy.refresh(site.reference()).await.unwrap();
            assert!(now.ready_backend().is_ok());
            assert_eq!(check(&inside, site.reference(), now.version).await, None);
            let rows = inside.query(&format!("select from {table}"), &[]).await.unwrap();
            assert_eq!(rows.len(), 1);
            let actions: Vec<String> = site
                .remains()
                .await
                .into_iter()
                .filter(|what| what.starts_with("audit"))
                .collect();
            assert_eq!(
                actions,
                [
                    "audit backend.deprovision",
                    "audit backend.provision",
                    "audit backend.restore"
                ]
            );
        }
    });
}

/// What the end of a data request says about a plan made at that version.
async fn check(inside: &Client, reference: &Ref, version: i64) -> Option<String> {
    let sql = format!("select plinth.check_version('{reference}', {version}, 1)");
    let error = inside.batch_execute(&sql).await.err()?;
    Some(error.code()?.code().to_owned())
}

#[test]
fn after_thirty_days_a_new_backend_takes_the_old_ones_place() {
    run(async {
        let clock = Arc::new(plinth::testing::FixedClock::at(plinth::clock::Clock::now(&SystemClock)));
        for level in LEVELS {
            let site = Site::on(platform().await, clock.clone()).await;
            let made = site.provision(level).await.unwrap();
            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            clock.advance(plinth::clock::RESTORE_WINDOW + Duration::from_secs(1));
            let fresh = site.provision(level).await.unwrap();
            assert_eq!(fresh.outcome, Outcome::Made);
            assert_ne!(fresh.backend.id, made.backend.id);
            assert!(fresh.keys.is_none(), "the project's keys are still there");
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn removal_takes_everything_and_can_be_repeated() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            let (project, id) = (site.access.project(), made.backend.id);
            let live = provisioning::drop_backend(&site.app, project, id, false).await;
            assert_eq!(live.unwrap_err().code(), "provisioning/not-deleted");
            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            // Somebody is still connected.
            let _lingering = superuser("plinth_cell").await;
            assert!(provisioning::drop_backend(&site.app, project, id, false).await.unwrap());
            assert!(!provisioning::drop_backend(&site.app, project, id, false).await.unwrap());
            let mut left = site.remains().await;
            left.retain(|what| !what.starts_with("audit") && !what.starts_with("key") && !what.starts_with("signing"));
            assert_eq!(left, BTreeSet::new());
        }
    });
}

#[test]
fn roles_can_become_what_they_must_and_nobody_else() {
    run(async {
        let (site, other) = (Site::new().await, Site::new().await);
        site.provision(Isolation::Schema).await.unwrap();
        other.provision(Isolation::Database).await.unwrap();
        let cell = superuser("plinth_cell").await;
        let sql = "
            select m.rolname || ' in ' || r.rolname from pg_auth_members a
            join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
            where r.rolname like $1 or m.rolname like $1 order by 1";
        for (one, expected) in [
            (
                &site,
                "p_x_anon in anon, p_x_authenticated in authenticated, p_x_owner in project_owner, \
                 p_x_service in service_role, plinth_api in p_x_anon, plinth_api in p_x_authenticated, \
                 plinth_api in p_x_service, plinth_provision in p_x_owner",
            ),
            (
                &other,
                "p_x in p_x_anon, p_x in p_x_authenticated, p_x in p_x_owner, p_x in p_x_service, p_x_anon in anon, \
                 p_x_authenticated in authenticated, p_x_owner in project_owner, p_x_service in service_role, \
                 plinth_provision in p_x_owner",
            ),
        ] {
            let like = format!("p_{}%", one.reference());
            let rows = cell.query(sql, &[&like]).await.unwrap();
            let found: Vec<String> = rows
                .iter()
                .map(|row| row.get::<_, String>(0).replace(one.reference().as_str(), "x"))
                .collect();
            assert_eq!(found.join(", "), expected);
        }
        let sql = "
            select rolname::text from pg_roles where rolname like $1
              and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls or not rolinherit
                or (rolcanlogin and length(rolname) > 22))";
        for one in [&site, &other] {
            let rows = cell.query(sql, &[&format!("p_{}%", one.reference())]).await.unwrap();
            assert!(rows.is_empty());
        }
        // Nothing of the project's is reachable by everybody, and credentials by the auth login alone.
        let sql = "
            select n.nspname || '.' || c.relname || ' ' || coalesce(a.grantee::regrole::text, 'public') || ' ' || a.privilege_type
            from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
            where n.nspname = $1 and c.relkind = 'r' and a.grantee not in (c.relowner, 'plinth_auth'::regrole)";
        let auth = format!("auth_{}", site.reference());
        assert!(cell.query(sql, &[&auth]).await.unwrap().is_empty());
        let sql = "
            select r.rolname::text from pg_roles r where r.rolname like 'p\\_%' and has_schema_privilege(r.oid, $1, 'usage')";
        assert!(cell.query(sql, &[&auth]).await.unwrap().is_empty());
        let rows = cell
            .query(sql, &[&format!("project_{}", site.reference())])
            .await
            .unwrap();
        assert_eq!(rows.len(), 4, "its own roles and no other project's");
    });
}

/// A platform on a server of its own, with room for that many backends.
async fn platform_of_its_own(capacity: i32) -> (Server, Platform) {
    let mut options = Options::new("");
    options.binaries = plinth_local::config::LocalConfig::from_env().unwrap().postgres_bin;
    let server = Server::temporary(options).await.unwrap();
    let random: SharedRandom = Arc::new(SystemRandom);
    let secrets = Secrets::generate(&random);
    let platform = Platform::prepare(&server.url("postgres"), BASE_URL, secrets)
        .await
        .unwrap();
    let master = dial(&platform.master, &Trust::new(None).unwrap()).await.unwrap();
    let sql = format!("update plinth.cells set capacity = {capacity}");
    master.batch_execute(&sql).await.unwrap();
    (server, platform)
}

#[test]
fn a_full_cell_refuses_until_there_is_room() {
    run(async {
        let (_server, platform) = platform_of_its_own(2).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let sites = [
            Site::on(&platform, clock.clone()).await,
            Site::on(&platform, clock.clone()).await,
            Site::on(&platform, clock.clone()).await,
        ];
        let [a, b, c] = &sites;
        let level = Isolation::Schema;
        let (x, y, z) = tokio::join!(a.provision(level), b.provision(level), c.provision(level));
        let mut done: Vec<_> = [(a, x), (b, y), (c, z)].into_iter().collect();
        done.sort_by_key(|(_, outcome)| outcome.is_err());
        let Ok([first, second, refused]) = <[_; 3]>::try_from(done) else {
            panic!()
        };
        assert!(second.1.is_ok());
        assert_eq!(refused.1.unwrap_err().code(), "provisioning/cells-full");

        // A backend that was given up keeps its place until it is removed.
        provisioning::deprovision(&first.0.app, &first.0.access).await.unwrap();
        assert_eq!(
            refused.0.provision(level).await.unwrap_err().code(),
            "provisioning/cells-full"
        );
        let id = first.1.unwrap().backend.id;
        let removed = provisioning::drop_backend(&first.0.app, first.0.access.project(), id, false).await;
        assert!(removed.unwrap());
        assert_eq!(refused.0.provision(level).await.unwrap().outcome, Outcome::Made);
    });
}

#[test]
fn the_api_shows_keys_once_and_secrets_never() {
    run(async {
        let world = world().await;
        for isolation in ["schema", "database"] {
            let owner = world.user().await;
            let body = json!({ "name": unique() });
            let made = world
                .post("/api/projects")
                .bearer(&owner.token)
                .json(&body)
                .send()
                .await;
            let project = made.expect(StatusCode::CREATED)["project"].clone();
            let path = format!("/api/projects/{}/backend/provision", text(&project, "id"));
            let nothing = json!({ "enabled": false, "backendType": null, "connectionInfo": null });
            let show = || world.get(&path).bearer(&owner.token);
            assert_eq!(show().send().await.expect(StatusCode::OK), nothing);

            let body = json!({ "backendType": "jcal-managed", "config": { "isolation": isolation } });
            let provision = || world.post(&path).bearer(&owner.token).json(&body);
            let first = provision().send().await.expect(StatusCode::CREATED);
            let url = format!("{BASE_URL}/p/{}", text(&project, "ref"));
            assert_eq!(
                (text(&first, "status"), text(&first, "apiUrl")),
                ("ready".into(), url.clone())
            );
            assert!(text(&first, "apiKey").starts_with("plinth_publishable_"));
            assert!(text(&first, "secretKey").starts_with("plinth_secret_"));
            let again = provision().send().await.expect(StatusCode::OK);
            for same in ["status", "apiUrl", "database", "backendType"] {
                assert_eq!(again[same], first[same], "{same}");
            }
            assert_eq!((&again["apiKey"], &again["secretKey"]), (&Value::Null, &Value::Null));
            assert!(!text(&again, "hint").is_empty());

            let shown = show().send().await.expect(StatusCode::OK);
            let info = &shown["connectionInfo"];
            assert_eq!(
                (&shown["enabled"], &info["databaseId"]),
                (&json!(true), &first["database"]["id"])
            );
            let keys: Vec<&String> = info.as_object().unwrap().keys().collect();
            assert_eq!(
                keys,
                [
                    "apiUrl",
                    "cell",
                    "createdAt",
                    "databaseId",
                    "isolation",
                    "schema",
                    "state"
                ]
            );

            let create = world.post("/api/database/create").bearer(&owner.token);
            let found = create
                .json(&json!({ "projectId": project["id"] }))
                .send()
                .await
                .expect(StatusCode::OK);
            assert_eq!(text(&found, "message"), "Database created with users table");
            assert_eq!(found["database"], first["database"]);

            let reload = format!("/api/projects/{}/backend/reload", text(&project, "id"));
            world
                .post(&reload)
                .bearer(&owner.token)
                .send()
                .await
                .expect(StatusCode::OK);

            let gone = world
                .delete(&path)
                .bearer(&owner.token)
                .send()
                .await
                .expect(StatusCode::OK);
            assert_eq!(
                (text(&gone, "status"), text(&gone, "propagation")),
                ("deleted".into(), "done".into())
            );
            assert_eq!(show().send().await.expect(StatusCode::OK), nothing);
            let back = provision().send().await.expect(StatusCode::OK);
            assert_eq!(back["database"]["id"], first["database"]["id"]);
        }
    });
}

#[test]
fn wrong_requests_are_refused_with_a_hint() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let stranger = world.user().await;
        let path = format!("/api/projects/{}/backend/provision", project.id);
        for (body, status, code) in [
            (json!({"backendType": "dedicated"}), 501, "provisioning/unsupported"),
            (
                json!({"backendType": "external", "config": {"externalProvider": "postgresql", "credentials": {"password": "planted"}}}),
                501,
                "provisioning/unsupported",
            ),
            (json!({"backendType": "other"}), 400, "provisioning/backend-type"),
            (json!({"backendType": 1}), 400, "http/body"),
            (json!([]), 400, "http/body"),
            (
                json!({"config": {"isolation": "x'; drop role y"}}),
                400,
                "provisioning/isolation",
            ),
            (json!({"config": {"isolation": "database"}}), 409, "provisioning/exists"),
        ] {
            let reply = world.post(&path).bearer(&project.owner.token).json(&body).send().await;
            assert_eq!(reply.status, status, "{body}");
            assert_eq!(reply.json()["code"], code, "{body}");
            assert!(!reply.text.contains("planted"));
        }
        for reply in [
            world.get(&path).bearer(&stranger.token).send().await,
            world.post(&path).bearer(&stranger.token).json(&json!({})).send().await,
            world.delete(&path).bearer(&stranger.token).send().await,
            world
                .post("/api/database/create")
                .bearer(&stranger.token)
                .json(&json!({"projectId": project.id}))
                .send()
                .await,
            world
                .post("/api/database/create")
                .bearer(&stranger.token)
                .json(&json!({"projectId": "x"}))
                .send()
                .await,
        ] {
            assert_eq!(reply.code(StatusCode::NOT_FOUND), "projects/not-found");
        }
        assert_eq!(world.get(&path).send().await.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn a_deploy_prepares_a_bare_server_and_can_be_repeated() {
    run(async {
        let mut options = Options::new("");
        options.binaries = plinth_local::config::LocalConfig::from_env().unwrap().postgres_bin;
        let server = Server::temporary(options).await.unwrap();
        let root = connect(server.url("postgres").expose()).await.unwrap();
        let sql = "
            create role master login createrole createdb password 'm';
            alter database postgres owner to master;
            alter database template1 owner to master";
        root.batch_execute(sql).await.unwrap();
        // What the cloud's own superuser grants its customers' first login.
        root.batch_execute("create database plinth owner master").await.unwrap();
        let at = |login: &str, password: &str| {
            let url = server.url_as(login, &password.to_owned().into(), "plinth");
            url.expose().to_owned()
        };
        let env = [
            ("PLINTH_MASTER_URL", at("master", "m")),
            ("PLINTH_CONTROL_URL", at("plinth_control", "c")),
            ("PLINTH_CELL_LOGIN", "plinth_provision".to_owned()),
            ("PLINTH_CELL_PASSWORD", "p".to_owned()),
            ("PLINTH_LOGIN_CONTROL_PASSWORD", "c".to_owned()),
            ("PLINTH_LOGIN_RECORDS_PASSWORD", "r".to_owned()),
            ("PLINTH_LOGIN_AUTH_PASSWORD", "a".to_owned()),
            ("PLINTH_LOGIN_PROVISION_PASSWORD", "p".to_owned()),
            ("PLINTH_LOGIN_API_PASSWORD", "d".to_owned()),
            ("PLINTH_ENCRYPTION_KEY", "k".to_owned()),
            ("PLINTH_CELL_CAPACITY", "7".to_owned()),
        ];
        let env = Env::of(env.map(|(name, value)| (name.to_owned(), value)));
        let settings = Migration::from_env(&env).unwrap();
        let config = Config::from_env(&env).unwrap();
        let app = App::new(config, Arc::new(SystemClock), Arc::new(SystemRandom), vec![]).unwrap();
        for _ in 0..2 {
            let report = provisioning::migrate(&app, &settings).await.unwrap();
            assert_eq!((report.upgraded, report.failed), (0, 0));
        }
        let control = connect(server.url("plinth").expose()).await.unwrap();
        let row = control
            .query_one(
                "select (select count(*) from plinth.signing_keys where project_id is null),
                   (select capacity from plinth.cells)",
                &[],
            )
            .await
            .unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1)), (1, 7));
        // A stranger's login gets in nowhere.
        root.batch_execute("create role tenant login password 't'")
            .await
            .unwrap();
        for database in ["plinth", "plinth_cell", "plinth_template", "postgres", "template1"] {
            let url = server.url_as("tenant", &"t".to_owned().into(), database);
            let refused = connect(url.expose()).await.err().unwrap();
            assert_eq!(refused.code().unwrap().code(), "42501", "{database}");
        }
    });
}
