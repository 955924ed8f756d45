//! RDS as a backend, acted by a PostgreSQL and a MariaDB: as its two engines, with a password, and with IAM tokens that
//! both know as their accounts' passwords. The clock of the SDK stands still, so a token is known beforehand.

mod engines;
mod iam;

use std::sync::Arc;

use plinth::clock::SystemClock;
use plinth::config::{AssumedRole, Iam};
use plinth::control::aws::database_token;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::moto::moto;
use crate::world::{World, platform};

const REGION: &str = "eu-central-1";
const LOGIN: &str = "iam_app";
const ROLE: &str = "arn:aws:iam::123456789012:role/plinth-databases";

/// The world where loopback databases are allowed, and one login with the functions' own role.
async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
        .get_or_init(|| async {
            moto().await;
            let platform = platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1,localhost");
            let platform = platform.with("PLINTH_IAM_LOGINS", &format!("{LOGIN}@127.0.0.1"));
            World::of(&platform, Arc::new(SystemClock))
        })
        .await
}

/// The token that signs in there: of the functions' own role, or of one that is assumed for that project.
async fn token(port: u16, login: &str, for_project: Option<&str>) -> String {
    moto().await;
    let role = for_project.map(|project| AssumedRole {
        arn: ROLE.to_owned(),
        external_id: project.to_owned(),
    });
    let iam = Iam {
        region: Some(REGION.to_owned()),
        role,
    };
    let token = database_token("127.0.0.1", port, login, &iam).await.unwrap();
    token.expose().to_owned()
}

/// The body of a provision with these credentials.
fn body(credentials: &Value) -> Value {
    json!({ "backendType": "external", "config": { "externalProvider": "aws-rds", "credentials": credentials } })
}
