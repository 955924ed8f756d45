//! What a deploy prepares, and cells that fill up.

use std::sync::Arc;

use plinth::app::App;
use plinth::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use plinth::config::{Config, Env, Migration};
use plinth::control::dial::{Trust, dial};
use plinth::provisioning::{self, Outcome};
use plinth::tenancy::Isolation;
use plinth_local::platform::{Platform, Secrets};
use plinth_local::postgres::{Options, Server};

use super::site::{Site, connect};
use crate::world::{BASE_URL, run};

/// A platform on a server of its own, with room for that many backends.
pub async fn platform_of_its_own(capacity: i32) -> (Server, Platform) {
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
        let pairs = [
            ("PLINTH_MASTER_URL", at("master", "m")),
            ("PLINTH_CONTROL_URL", at("plinth_control", "c")),
            ("PLINTH_CELL_LOGIN", "plinth_provision".to_owned()),
            ("PLINTH_CELL_PASSWORD", "p".to_owned()),
            ("PLINTH_LOGIN_CONTROL_PASSWORD", "c".to_owned()),
            ("PLINTH_LOGIN_RECORDS_PASSWORD", "r".to_owned()),
            ("PLINTH_LOGIN_AUTH_PASSWORD", "a".to_owned()),
            ("PLINTH_LOGIN_PRIVACY_PASSWORD", "v".to_owned()),
            ("PLINTH_LOGIN_PROVISION_PASSWORD", "p".to_owned()),
            ("PLINTH_LOGIN_SQL_PASSWORD", "s".to_owned()),
            ("PLINTH_LOGIN_CONNECT_PASSWORD", "t".to_owned()),
            ("PLINTH_LOGIN_API_PASSWORD", "d".to_owned()),
            ("PLINTH_ENCRYPTION_KEY", "k".to_owned()),
            ("PLINTH_CELL_CAPACITY", "7".to_owned()),
        ];
        let env = Env::of(pairs.clone().map(|(name, value)| (name.to_owned(), value)));
        let settings = Migration::from_env(&env).unwrap();
        let config = Config::from_env(&env).unwrap();
        let app = App::new(config, Arc::new(SystemClock), Arc::new(SystemRandom), vec![]).unwrap();
        for _ in 0..2 {
            let report = provisioning::migrate(&app, &settings).await.unwrap();
            assert_eq!((report.upgraded, report.failed), (0, 0));
            assert_eq!((report.secrets.resealed, report.secrets.left), (0, 0));
        }
        // The same with another master key, the old one still there: the one secret is sealed anew.
        let keys = [("PLINTH_ENCRYPTION_KEY", "new"), ("PLINTH_ENCRYPTION_KEYS_OLD", "k")];
        let keys = keys.map(|(name, value)| (name, value.to_owned()));
        let rotated = Env::of(
            pairs
                .into_iter()
                .chain(keys)
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let config = Config::from_env(&rotated).unwrap();
        let rotated = App::new(config, Arc::new(SystemClock), Arc::new(SystemRandom), vec![]).unwrap();
        for resealed in [1, 0] {
            let report = provisioning::migrate(&rotated, &settings).await.unwrap();
            assert_eq!((report.secrets.resealed, report.secrets.left), (resealed, 0));
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
