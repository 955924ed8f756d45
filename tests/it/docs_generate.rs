//! Documentation written from what is really there: every name resolves, every snippet runs.

mod names;
mod requests;
mod snippets;

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use plinth::app::App;
use plinth::clock::SystemClock;
use plinth::control::scram_verifier;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::external::{Own, PASSWORD};
use crate::handmade::superuser;
use crate::work::ended_by;
use crate::world::{Project, World, platform, run, text, unique};

/// A platform on a port of its own, so that code outside of this process reaches it.
pub struct Served {
    pub world: World,
    pub url: String,
}

impl Served {
    pub async fn get() -> &'static Self {
        static SERVED: OnceCell<Served> = OnceCell::const_new();
        SERVED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let platform = platform().await.with("PLINTH_BASE_URL", &url);
        let world = World::of(
            &platform.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1"),
            Arc::new(SystemClock),
        );
        let router: Router = world.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { world, url }
    }

    pub fn worker(&self) -> App {
        self.world.app(Function::Worker)
    }

    /// Asks for a documentation and does all jobs that are due; answers the new version.
    pub async fn generate(&self, project: &Subject, what: Value) -> Value {
        loop {
            let job = self.ask(project, what.clone()).await;
            self.finish(project, &job).await;
            let made = self.latest(project).await;
            // The worker of another test may have taken the job, and knows the platform by another address.
            if !text(&made, "content").contains("http://") || text(&made, "content").contains(&self.url) {
                return made;
            }
        }
    }

    pub async fn ask(&self, project: &Subject, what: Value) -> String {
        let mut body = json!({ "projectId": project.id });
        for (name, value) in what.as_object().unwrap() {
            body[name] = value.clone();
        }
        let call = self.world.post("/api/generate-docs").bearer(&project.token).json(&body);
        text(&call.send().await.expect(StatusCode::ACCEPTED), "jobId")
    }

    /// Works until that job has ended; other tests' workers may do it as well.
    pub async fn finish(&self, project: &Subject, job: &str) {
        let seen = ended_by(&self.worker(), &self.world, &project.token, job).await;
        assert_eq!(seen["state"], "succeeded", "{seen}");
    }

    pub async fn latest(&self, project: &Subject) -> Value {
        let path = format!("/api/projects/{}/docs/latest", project.id);
        let call = self.world.get(&path).bearer(&project.token);
        call.send().await.expect(StatusCode::OK)
    }
}

/// A project that is documented.
pub struct Subject {
    pub id: String,
    pub token: String,
    pub publishable: String,
    pub secret: String,
}

impl Subject {
    fn of(project: &Project) -> Self {
        Self {
            id: project.id.clone(),
            token: project.owner.token.clone(),
            publishable: project.publishable.clone(),
            secret: project.secret.clone(),
        }
    }

    fn of_own(own: &Own) -> Self {
        Self {
            id: own.id.clone(),
            token: own.owner.token.clone(),
            publishable: own.publishable.clone(),
            secret: own.secret.clone(),
        }
    }
}

/// Chinook, by SQL in a database of its own.
pub async fn chinook() -> Subject {
    let world = &Served::get().await.world;
    let project = world.project("database").await;
    let body = json!({ "query": include_str!("docs_generate/chinook.sql"), "readOnly": false });
    let ran = world
        .post(&project.database("sql"))
        .bearer(&project.owner.token)
        .json(&body);
    ran.send().await.expect(StatusCode::OK);
    Subject::of(&project)
}

/// Pagila, designed, in a schema of its own.
pub async fn pagila() -> Subject {
    let world = &Served::get().await.world;
    let project = world.project("schema").await;
    let designs: Value = serde_json::from_str(include_str!("docs_generate/pagila.json")).unwrap();
    for design in designs.as_array().unwrap() {
        let body = json!({ "schemaJson": design });
        let made = world
            .post(&project.database("tables/create"))
            .bearer(&project.owner.token)
            .json(&body);
        made.send().await.expect(StatusCode::CREATED);
    }
    let rows = json!([{ "name": "English" }, { "name": "Italian" }]);
    let added = world
        .post(&project.rest("language"))
        .key(&project.secret)
        .json(&rows)
        .send()
        .await;
    added.expect(StatusCode::CREATED);
    Subject::of(&project)
}

/// Northwind, in somebody's own PostgreSQL.
pub async fn northwind() -> Subject {
    platform().await;
    let (login, anon, database) = (unique(), unique(), unique());
    let server = superuser("postgres").await;
    let verifier = scram_verifier(&PASSWORD.to_owned().into(), &[5; 16]);
    let roles =
        format!("create role {anon}; create role {login} login password '{verifier}'; grant {anon} to {login};");
    server.batch_execute(&roles).await.unwrap();
    server
        .batch_execute(&format!("create database {database} owner {login}"))
        .await
        .unwrap();
    let script = format!(
        "set role {login}; create schema northwind; set search_path = northwind; {}
         grant usage on schema northwind to {anon};
         grant select on products, categories, suppliers, products_above_average_price to {anon};",
        include_str!("docs_generate/northwind.sql")
    );
    superuser(&database).await.batch_execute(&script).await.unwrap();
    let server = plinth_local::testing::server().await.unwrap();
    let address: tokio_postgres::Config = server.url(&database).expose().parse().unwrap();
    let url = format!(
        "postgresql://{login}:{PASSWORD}@127.0.0.1:{}/{database}",
        address.get_ports()[0]
    );
    let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
        "credentials": { "connectionString": url },
        "rest": { "schemas": ["northwind"], "extraSearchPath": [], "anonRole": anon } } });
    Subject::of_own(&Own::of(&Served::get().await.world, &body).await)
}

/// A part of Sakila, in somebody's own MariaDB.
pub async fn sakila() -> Subject {
    use mysql_async::prelude::Queryable as _;

    let server = crate::mysql::server::server().await;
    let database = server.empty_database().await;
    let mut admin = server.admin(Some(&database)).await.unwrap();
    admin
        .query_drop(include_str!("docs_generate/sakila.mysql.sql"))
        .await
        .unwrap();
    let body = crate::mysql::body(server, &database);
    Subject::of_own(&Own::of(&Served::get().await.world, &body).await)
}

/// What must hold of each of them.
async fn holds(subject: &Subject) -> String {
    let served = Served::get().await;
    let version = served.generate(subject, json!({})).await;
    assert_eq!(version["origin"], "generated");
    let content = text(&version, "content");
    if let Some(folder) = std::env::var_os("PLINTH_SHOW_DOCS") {
        std::fs::write(
            std::path::Path::new(&folder).join(format!("{}.md", subject.id)),
            &content,
        )
        .unwrap();
    }
    names::all_resolve(served, subject, &content).await;
    snippets::all_run(subject, &content).await;
    content
}

#[test]
fn chinook_in_its_own_database_is_described_and_its_code_runs() {
    run(async {
        let subject = chinook().await;
        let content = holds(&subject).await;
        for expected in [
            "Everybody may read rows where `UnitPrice` is at most 0.99.",
            "Signed-in users may change all rows."
                .replace("all rows", "rows where the `team` in the user's token is `staff`")
                .as_str(),
            "Bands and soloists &#124; whoever \\<b\\>recorded\\</b\\> an album",
            "deleting the row there deletes the row here",
            "### Function `TracksOfGenre`",
            "`RaisePrices`",
            "```mermaid\nerDiagram\n",
        ] {
            assert!(content.contains(expected), "{expected} is not in:\n{content}");
        }
    });
}

#[test]
fn pagila_in_a_schema_is_described_and_its_code_runs() {
    run(async {
        let subject = pagila().await;
        let content = holds(&subject).await;
        for expected in [
            "Everybody may read all rows.",
            "Signed-in users may add, change and delete rows where `user_id` is the user's own id.",
            "there is a row in `customer` where `customer.customer_id` equals `rental.customer_id` and",
            "`mpaa_rating`: `G`, `PG`, `PG-13`, `R`, `NC-17`",
            "### Sign somebody up and keep rows of theirs",
        ] {
            assert!(content.contains(expected), "{expected} is not in:\n{content}");
        }
    });
}

#[test]
fn northwind_in_ones_own_postgres_is_described_and_its_code_runs() {
    run(async {
        let subject = northwind().await;
        let content = holds(&subject).await;
        for expected in [
            "Its data is in a PostgreSQL database of its owner's",
            "`discontinued` is one of `0`, `1`",
            "`orders_open_idx`",
            "`products_above_average_price`",
        ] {
            assert!(content.contains(expected), "{expected} is not in:\n{content}");
        }
    });
}

#[test]
fn sakila_in_ones_own_mysql_is_described_and_its_code_runs() {
    run(async {
        let subject = sakila().await;
        let content = holds(&subject).await;
        for expected in [
            "MySQL database of its owner's",
            "Films that can be rented",
            "idx\\_title",
            "`rental_rate` is at least 0",
        ] {
            assert!(
                content.contains(&expected.replace("\\_", "_")),
                "{expected} is not in:\n{content}"
            );
        }
    });
}
