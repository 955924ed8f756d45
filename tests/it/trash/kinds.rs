//! Every kind of thing: deleted, listed with the request that brings it back, brought back; for 30 days and not a second
//! longer.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::clock::RESTORE_WINDOW;
use plinth::testing::FixedClock;
use serde_json::{Value, json};

use crate::world::{Project, Reply, User, World, platform, run, text, unique};

pub const KINDS: [&str; 7] = ["project", "backend", "table", "key", "member", "document", "end-user"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

/// A thing of some kind in a project of its own, in a world with a clock of its own.
pub struct Trial {
    pub kind: &'static str,
    pub world: World,
    pub clock: Arc<FixedClock>,
    pub project: Project,
    pub id: String,
    delete: String,
}

impl Trial {
    pub async fn of(kind: &'static str, isolation: &str, at: Timestamp) -> Self {
        let clock = Arc::new(FixedClock::at(at));
        let world = World::of(platform().await, clock.clone());
        let project = world.project(isolation).await;
        let api = format!("/api/projects/{}", project.id);
        let (id, delete) = match kind {
            "project" => (project.id.clone(), api),
            "backend" => (project.backend.clone(), format!("{api}/backend/provision")),
            "table" => {
                let column = json!({ "name": "title", "type": "text" });
                let design = json!({ "schemaJson": { "name": unique(), "columns": [column] } });
                let made = post(&world, &project.owner, &project.database("tables/create"), &design).await;
                let id = text(&made.expect(StatusCode::CREATED)["table"], "id");
                (id.clone(), project.database(&format!("tables/{id}")))
            }
            "key" => {
                let new = json!({ "class": "secret", "name": unique() });
                let made = post(&world, &project.owner, &format!("{api}/keys"), &new).await;
                let id = text(&made.expect(StatusCode::CREATED), "id");
                (id.clone(), format!("{api}/keys/{id}"))
            }
            "document" => {
                let docs = format!("{api}/docs");
                let made = post(&world, &project.owner, &docs, &json!({ "content": "# Shop" })).await;
                let id = text(&made.expect(StatusCode::CREATED), "versionId");
                (id.clone(), format!("{docs}/{id}"))
            }
            "member" => {
                let user = world.user().await;
                let new = json!({ "userId": user.id, "role": "developer" });
                let added = post(&world, &project.owner, &format!("{api}/members"), &new).await;
                added.expect(StatusCode::CREATED);
                (user.id.clone(), format!("{api}/members/{}", user.id))
            }
            _ => {
                let user = world.end_user(&project).await;
                let path = format!("/p/{}/auth/v1/admin/users/{}", project.reference, user.id);
                (user.id, path)
            }
        };
        Self {
            kind,
            world,
            clock,
            project,
            id,
            delete,
        }
    }

    /// Tokens end within the hour; their owner signs in again.
    async fn token(&self) -> String {
        let body = json!({ "email": self.project.owner.email, "password": "correct horse battery" });
        let path = "/auth/v1/token?grant_type=password";
        let session = self.world.post(path).json(&body).send().await.expect(StatusCode::OK);
        text(&session, "access_token")
    }

    async fn ask(&self, method: Method, path: &str) -> Reply {
        let call = self.world.call(method, path);
        if path.starts_with("/p/") {
            return call.key(&self.project.secret).send().await;
        }
        call.bearer(&self.token().await).send().await
    }

    pub async fn delete(&self) -> Reply {
        self.ask(Method::DELETE, &self.delete).await
    }

    pub async fn restore(&self) -> Reply {
        let path = match self.kind {
            "backend" => format!("/api/projects/{}/backend/restore", self.project.id),
            _ => format!("{}/restore", self.delete),
        };
        self.ask(Method::POST, &path).await
    }

    /// The trash of the project, this kind of thing.
    pub async fn listed(&self) -> Vec<Value> {
        let path = format!("/api/trash?projectId={}&kind={}", self.project.id, self.kind);
        let list = self.ask(Method::GET, &path).await.expect(StatusCode::OK);
        assert_eq!(list["missing"], json!([]));
        list["items"].as_array().unwrap().clone()
    }
}

async fn post(world: &World, by: &User, path: &str, body: &Value) -> Reply {
    world.post(path).bearer(&by.token).json(body).send().await
}

fn start() -> Timestamp {
    Timestamp::from_second(1_900_000_000).unwrap()
}

#[test]
fn what_is_deleted_is_listed_with_the_request_that_brings_it_back() {
    run(async {
        for kind in KINDS {
            let trial = Trial::of(kind, "schema", start()).await;
            assert_eq!(trial.listed().await, Vec::<Value>::new(), "{kind}");
            assert!(trial.delete().await.status.is_success(), "{kind}");
            let items = trial.listed().await;
            assert_eq!(items.len(), 1, "{kind}: {items:?}");
            let item = &items[0];
            assert_eq!(item["kind"], kind);
            assert_eq!(item["id"], json!(trial.id), "{kind}");
            assert_eq!(item["projectId"], json!(trial.project.id), "{kind}");
            assert_eq!(item["deletedAt"], json!(start()), "{kind}");
            assert_eq!(item["restorableUntil"], json!(start() + RESTORE_WINDOW), "{kind}");
            assert!(!text(item, "name").is_empty(), "{kind}");
            let by_key = kind == "end-user";
            let who = if by_key { "key:" } else { "user:" };
            assert!(text(item, "deletedBy").starts_with(who), "{kind}: {item}");
            assert_eq!(item["restore"]["credential"] == "secretKey", by_key);
            let method = Method::from_bytes(text(&item["restore"], "method").as_bytes()).unwrap();
            let restored = trial.ask(method, &text(&item["restore"], "path")).await;
            assert!(restored.status.is_success(), "{kind}: {}", restored.text);
            assert_eq!(trial.listed().await, Vec::<Value>::new(), "{kind}");
        }
    });
}

#[test]
fn deleting_and_restoring_twice_harms_nothing() {
    run(async {
        for (kind, deleted_twice, restored_twice) in [
            ("project", 404, 200),
            ("backend", 404, 200),
            ("table", 404, 409),
            ("key", 200, 200),
            ("member", 404, 200),
            ("document", 404, 200),
            ("end-user", 404, 200),
        ] {
            let trial = Trial::of(kind, "schema", start()).await;
            assert!(trial.delete().await.status.is_success(), "{kind}");
            trial.clock.advance(SECOND);
            assert_eq!(trial.delete().await.status.as_u16(), deleted_twice, "{kind}");
            assert_eq!(trial.listed().await[0]["deletedAt"], json!(start()), "{kind}");
            assert_eq!(trial.restore().await.status.as_u16(), 200, "{kind}");
            assert_eq!(trial.restore().await.status.as_u16(), restored_twice, "{kind}");
            assert_eq!(trial.listed().await, Vec::<Value>::new(), "{kind}");
        }
    });
}

#[test]
fn thirty_days_are_restorable_and_not_a_second_more() {
    run(async {
        for kind in KINDS {
            for (age, restorable) in [
                (29 * DAY, true),
                (RESTORE_WINDOW, true),
                (RESTORE_WINDOW + SECOND, false),
            ] {
                let trial = Trial::of(kind, "schema", start()).await;
                assert!(trial.delete().await.status.is_success(), "{kind}");
                trial.clock.advance(age);
                assert_eq!(trial.listed().await.len(), usize::from(restorable), "{kind} {age:?}");
                let expected = if restorable {
                    StatusCode::OK
                } else {
                    StatusCode::NOT_FOUND
                };
                let reply = trial.restore().await;
                assert_eq!(reply.status, expected, "{kind} {age:?}: {}", reply.text);
            }
        }
    });
}
