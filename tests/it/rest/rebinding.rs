//! A name that changes its mind: what was checked is what is dialled, for every way out.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plinth::backend::dial::{Trust, dial};
use plinth::backend::{Address, Driver, Engine, Login, Target, Tls};
use plinth::config::{Found, Lookup, Names, Outbound};
use plinth::ident::Ident;
use plinth::query::rest::{Api as Described, Auth, Source, resources};
use plinth::token::RemoteKeys;
use serde_json::json;
use tokio::net::TcpListener;

use super::server::{Api, Certificate, Door};
use crate::world::run;

/// What the guard lets through, and what a name says once it was asked.
const PERMITTED: &str = "127.0.0.2";
const NAME: &str = "rebinding.example.com";

/// Says the permitted address first, and another ever after.
struct Fickle {
    then: IpAddr,
    asked: Mutex<Vec<String>>,
}

impl Lookup for Fickle {
    fn lookup<'a>(&'a self, host: &'a str, _: u16) -> Found<'a> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(host.to_owned());
        let first = asked.len() == 1;
        Box::pin(async move { Ok(vec![if first { PERMITTED.parse().unwrap() } else { self.then }]) })
    }
}

/// Listens at one port of two addresses.
struct Places {
    port: u16,
    /// Who came to the permitted one, unless somebody else serves it, and to the other.
    came: Arc<[AtomicUsize; 2]>,
}

impl Places {
    /// The port, and the listener at the permitted address.
    async fn make() -> (Self, TcpListener) {
        loop {
            let permitted = TcpListener::bind((PERMITTED, 0)).await.unwrap();
            let port = permitted.local_addr().unwrap().port();
            let Ok(other) = TcpListener::bind(("127.0.0.1", port)).await else {
                continue;
            };
            let came = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
            count(other, came.clone(), 1);
            return (Self { port, came }, permitted);
        }
    }
}

fn count(listener: TcpListener, came: Arc<[AtomicUsize; 2]>, at: usize) {
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            // Whoever sees the end of the connection finds it counted.
            came[at].fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
}

fn fickle(then: &str) -> (Arc<Fickle>, Arc<Outbound>) {
    let fickle = Arc::new(Fickle {
        then: then.parse().unwrap(),
        asked: Mutex::default(),
    });
    let guard = Outbound::parse(PERMITTED)
        .unwrap()
        .resolved_by(Names::by(fickle.clone()));
    (fickle, Arc::new(guard))
}

fn address(port: u16, guard: &Arc<Outbound>) -> Address {
    Address {
        host: NAME.to_owned(),
        port,
        database: "d".to_owned(),
        login: "u".to_owned(),
        auth: Login::Password("p".to_owned().into()),
        tls: Tls::Disable,
        guard: Some(guard.clone()),
    }
}

fn target(engine: Engine, address: Address, trust: Trust, api: Option<Described>) -> Target {
    Target {
        engine,
        address,
        trust,
        connections: 1,
        queue: 0,
        wait: Duration::from_secs(1),
        pooler: false,
        owner: None,
        api: api.map(Arc::new),
    }
}

/// What a way out did: how often the name was asked for, who came to the permitted place, who to the other.
fn found(fickle: &Fickle, places: &Places) -> (usize, usize, usize) {
    let came = |at: usize| places.came[at].load(Ordering::SeqCst);
    (fickle.asked.lock().unwrap().len(), came(0), came(1))
}

const AFTERWARDS: [&str; 2] = ["127.0.0.1", "169.254.169.254"];

#[test]
fn postgres_is_dialled_where_it_was_checked() {
    run(async {
        for then in AFTERWARDS {
            let (places, permitted) = Places::make().await;
            count(permitted, places.came.clone(), 0);
            let (fickle, guard) = fickle(then);
            let dialled = dial(&address(places.port, &guard), &Trust::new(None).unwrap()).await;
            assert!(dialled.is_err());
            assert_eq!(found(&fickle, &places), (1, 1, 0), "{then}");
        }
    });
}

#[test]
fn mysql_is_dialled_where_it_was_checked() {
    run(async {
        for then in AFTERWARDS {
            let (places, permitted) = Places::make().await;
            count(permitted, places.came.clone(), 0);
            let (fickle, guard) = fickle(then);
            let driver = plinth::drivers::mysql::driver();
            let target = target(
                Engine::MySql,
                address(places.port, &guard),
                Trust::new(None).unwrap(),
                None,
            );
            let probed = driver.probe(&target, &Ident::new("d").unwrap()).await;
            assert!(probed.is_err());
            assert_eq!(found(&fickle, &places), (1, 1, 0), "{then}");
        }
    });
}

#[test]
fn an_api_is_dialled_where_it_was_checked() {
    run(async {
        let certificate = Certificate::make(NAME, 2040);
        for then in AFTERWARDS {
            let (places, permitted) = Places::make().await;
            let server = Api::on(permitted, Door::Open, &certificate);
            let (fickle, guard) = fickle(then);
            let map = json!({ "people": { "list": "/whole/people", "columns": { "id": "bigint" } } });
            let api = Described {
                base_url: format!("https://{NAME}:{}/v1", places.port),
                auth: Auth::None,
                headers: Default::default(),
                health_path: None,
                source: Source::Resources(resources(&map).unwrap()),
            };
            let trust = Trust::new(Some(&certificate.authority)).unwrap();
            let target = target(Engine::Rest, address(places.port, &guard), trust, Some(api));
            let driver: Arc<dyn Driver> = plinth::drivers::rest::driver();
            driver.probe(&target, &Ident::new("api").unwrap()).await.unwrap();
            assert_eq!(server.calls(), ["GET /v1/whole/people"]);
            assert_eq!(found(&fickle, &places), (1, 0, 0), "{then}");
            // Another connection asks again, and is refused what it hears.
            let refused = driver.probe(&target, &Ident::new("api").unwrap()).await.unwrap_err();
            assert_eq!(refused.code(), "outbound/forbidden");
            assert_eq!((server.calls().len(), found(&fickle, &places)), (0, (2, 0, 0)));
        }
    });
}

#[test]
fn keys_are_fetched_where_the_name_was_checked() {
    run(async {
        for then in AFTERWARDS {
            let (places, permitted) = Places::make().await;
            count(permitted, places.came.clone(), 0);
            let (fickle, guard) = fickle(then);
            let url = format!("https://{NAME}:{}/jwks", places.port);
            let fetched = RemoteKeys::guarded(guard).get(&url, None).await;
            assert!(fetched.is_err());
            assert_eq!(found(&fickle, &places), (1, 1, 0), "{then}");
        }
    });
}

#[test]
fn keys_are_not_fetched_from_where_a_redirection_points() {
    run(async {
        let api = Api::start(Door::Open).await;
        let elsewhere = Api::start(Door::Open).await;
        let guard = Arc::new(Outbound::parse("127.0.0.1").unwrap());
        let keys = RemoteKeys::guarded(guard);
        for kind in ["away", "near", "round"] {
            let url = format!("http://127.0.0.1:{}/v1/odd/{kind}", api.port);
            assert_eq!(
                keys.get(&url, None).await.unwrap_err().code(),
                "auth/issuer-unavailable"
            );
            assert_eq!(api.calls().len(), 1, "{kind}");
        }
        assert_eq!(elsewhere.calls(), [""; 0]);
    });
}
