//! A project to provision, and a look at everything that is there of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use plinth::app::App;
use plinth::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth::control::dial::{Trust, dial};
use plinth::error::Error;
use plinth::ident::{ProjectId, Ref, UserId};
use plinth::provisioning::{self, Disturb, Disturbance, Provisioned, Request, Step};
use plinth::tenancy::{Caller, Isolation, MemberRole, PlatformRole, PlatformUser, ProjectAccess, RequestInfo};
use plinth_local::platform::{Function, Platform};
use tokio_postgres::Client;

use crate::world::platform;

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
            signed_in_at: None,
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

    pub async fn disturbed(&self, isolation: Isolation, after: Step, how: Disturbance) -> Result<Provisioned, Error> {
        let request = Request {
            isolation: Some(isolation),
        };
        provisioning::provision_disturbed(&self.app, &self.access, request, Disturb { after, how }).await
    }

    pub fn reference(&self) -> &Ref {
        self.access.reference()
    }

    /// Everything that is there of this project beside its own row, and nothing of anybody else's.
    pub async fn remains(&self) -> BTreeSet<String> {
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
    pub async fn assert_whole(&self, isolation: Isolation) {
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
