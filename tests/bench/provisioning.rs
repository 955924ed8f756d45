//! How long it takes to make a backend, at both levels, in an empty and in a full cell.
//!
//! `cargo run --release -p plinth-tests --bin bench-provisioning [projects in the full cell] [samples]`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at the first surprise"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use plinth::app::App;
use plinth::clock::{SharedRandom, SystemRandom};
use plinth::control::dial::{Trust, dial};
use plinth::ident::{ProjectId, UserId};
use plinth::provisioning::{self, Request};
use plinth::tenancy::{Caller, Isolation, MemberRole, PlatformRole, PlatformUser, ProjectAccess, RequestInfo};
use plinth_local::config::LocalConfig;
use plinth_local::platform::{Function, Platform, Secrets};
use plinth_local::postgres::{Options, Server};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (full, samples) = (number(1_000), number(60));

    let mut options = Options::new("");
    options.binaries = LocalConfig::from_env().unwrap().postgres_bin;
    let server = Server::temporary(options).await.unwrap();
    let random: SharedRandom = Arc::new(SystemRandom);
    let secrets = Secrets::generate(&random);
    let platform = Platform::prepare(&server.url("postgres"), "http://127.0.0.1:8787", secrets)
        .await
        .unwrap();
    let bench = Bench {
        app: platform.app(Function::Provision).unwrap(),
        platform,
        random,
    };

    println!("level     projects   p50 ms   p95 ms   max ms   ({samples} samples, one after the other)");
    bench.provision(Isolation::Schema).await;
    bench.measure(Isolation::Schema, samples).await;
    bench.measure(Isolation::Database, samples).await;
    while bench.projects().await < full {
        bench.provision(Isolation::Schema).await;
    }
    bench.measure(Isolation::Schema, samples).await;
    bench.measure(Isolation::Database, samples).await;
    bench.together(samples).await;
    server.stop().await.unwrap();
}

struct Bench {
    app: App,
    platform: Platform,
    random: SharedRandom,
}

impl Bench {
    async fn measure(&self, level: Isolation, samples: usize) {
        let there = self.projects().await;
        let mut times = Vec::new();
        for _ in 0..samples {
            times.push(self.provision(level).await);
        }
        print(level.as_str(), there, times);
    }

    /// Four at a time.
    async fn together(&self, samples: usize) {
        let there = self.projects().await;
        let mut times = Vec::new();
        for _ in 0..samples.div_ceil(4) {
            let one = || self.provision(Isolation::Schema);
            let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
            times.extend([a, b, c, d]);
        }
        print("schema x4", there, times);
    }

    async fn provision(&self, level: Isolation) -> Duration {
        let access = self.project().await;
        let isolation = Some(level);
        let begun = Instant::now();
        provisioning::provision(&self.app, &access, Request { isolation })
            .await
            .unwrap();
        begun.elapsed()
    }

    async fn projects(&self) -> usize {
        let owner = dial(&self.platform.master, &Trust::new(None).unwrap()).await.unwrap();
        let row = owner.query_one("select count(*) from plinth.backends", &[]);
        usize::try_from(row.await.unwrap().get::<_, i64>(0)).unwrap()
    }

    async fn project(&self) -> ProjectAccess {
        let (project, user, reference) = (self.random.uuid(), self.random.uuid(), self.random.project_ref());
        let owner = dial(&self.platform.master, &Trust::new(None).unwrap()).await.unwrap();
        let sql = "
            with project as (
              insert into plinth.projects (id, ref, name, created_by, created_at, updated_at)
              values ($1, $2, $2, $3, now(), now()) returning id
            )
            insert into plinth.members (project_id, user_id, role, created_at, updated_at)
            select id, $3, 'owner', now(), now() from project";
        owner
            .execute(sql, &[&project, &reference.as_str(), &user])
            .await
            .unwrap();
        let user = PlatformUser {
            id: UserId(user),
            email: None,
            role: PlatformRole::User,
            outside: None,
            signed_in_at: None,
        };
        let request = RequestInfo {
            id: "bench".into(),
            address: None,
        };
        let caller = Caller { user, request };
        self.app
            .tenancy
            .require(caller, ProjectId(project), MemberRole::Owner)
            .await
            .unwrap()
    }
}

fn print(level: &str, there: usize, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!("{level:9} {there:8} {:8.1} {:8.1} {:8.1}", at(50), at(95), at(100));
}
