//! The steps that set a user's own database up: info → connection → schema → success. Where somebody is follows from what
//! is known and what is there, so that a step may be left, repeated or come back to at any time.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::store::{self, Progress};
use super::template::{self, Missing, verify};
use super::{Connected, NewConnection, door, get, refuse_guests, save};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::connections::shown;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::projects;
use crate::records;
use crate::tenancy::{Caller, Family, not_configured};

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SetupStep {
    /// What this is about.
    Info,
    /// Where the database is.
    Connection,
    /// Whether it has the tables.
    Schema,
    /// All is done.
    Success,
}

impl SetupStep {
    const ALL: [Self; 4] = [Self::Info, Self::Connection, Self::Schema, Self::Success];

    fn of(progress: Progress, connected: Option<&Connected>) -> Self {
        match connected {
            _ if progress.acknowledged.is_none() => Self::Info,
            None => Self::Connection,
            Some(connected) if progress.verified == Some(connected.since) => Self::Success,
            Some(_) => Self::Schema,
        }
    }

    /// What it needs to be over.
    fn needs(self) -> &'static str {
        match self {
            Self::Info => {
                "Your projects, tasks and team are kept in a database of your own, PostgreSQL or MySQL. Its address is \
                 kept sealed and is never shown again. POST {\"step\": \"info\"} when you are ready to name it."
            }
            Self::Connection => {
                "POST {\"step\": \"connection\", \"connectionString\": \"postgresql://user:password@host:5432/database\"} \
                 (or mysql://…). It is tried before it is kept."
            }
            Self::Schema => {
                "Run the SQL in your database, then POST {\"step\": \"schema\"}: the tables are looked at, and what is \
                 missing is told."
            }
            Self::Success => "Nothing: /api/projects?scope=database, /api/tasks and /api/team work on your database.",
        }
    }
}

/// A step, and whether it is over.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StepView {
    name: SetupStep,
    done: bool,
}

/// Where somebody is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Setup {
    /// The step that is on.
    pub step: SetupStep,
    /// All of them, in order.
    steps: Vec<StepView>,
    /// What the one that is on needs.
    needs: &'static str,
    /// Whether a database is connected.
    connected: bool,
    /// Its kind.
    provider: Option<String>,
    /// The template's tables, to be copied: for the kind of database that is connected, for each kind before.
    sql: BTreeMap<&'static str, &'static str>,
}

impl Setup {
    fn of(progress: Progress, connected: Option<Connected>) -> Self {
        let step = SetupStep::of(progress, connected.as_ref());
        let done = |name| name < step || step == SetupStep::Success;
        let steps = SetupStep::ALL.map(|name| StepView { name, done: done(name) });
        let provider = connected.map(|connected| connected.provider);
        let family = provider.as_deref().map(Family::of);
        let kinds = [("postgresql", Family::Postgres), ("mysql", Family::MySql)];
        let sql = kinds
            .into_iter()
            .filter(|(_, of)| family.is_none_or(|family| family == *of));
        Self {
            step,
            steps: steps.into(),
            needs: step.needs(),
            connected: provider.is_some(),
            provider,
            sql: sql.map(|(name, of)| (name, template::sql(of))).collect(),
        }
    }
}

/// Where the caller is.
///
/// # Errors
/// When the control database fails.
pub async fn setup(app: &App, caller: &Caller) -> Result<Setup> {
    let connected = get(app, caller).await?;
    let client = app.control.get().await?;
    let progress = store::progress(&*client, caller.user.id).await?;
    Ok(Setup::of(progress, connected))
}

/// Does a step: `{"step": "info"}`, `{"step": "connection", …}` with what [`NewConnection::read`] takes,
/// `{"step": "schema"}`. A step may be done again.
///
/// # Errors
/// 400 `connections/setup-step`; as [`save`]; 404 `connections/not-configured` where the tables cannot be looked for; 422
/// `connections/schema-incomplete`, its details the list of what is missing.
pub async fn advance(app: &App, caller: &Caller, body: &Value) -> Result<Setup> {
    refuse_guests(caller, "Guests may not connect databases")?;
    let step = body.get("step").and_then(Value::as_str).unwrap_or_default();
    match step {
        "info" => only_the_step(body)?,
        "schema" => only_the_step(body)?,
        "connection" => {
            let mut given = body.clone();
            given.as_object_mut().map(|members| members.remove("step"));
            Box::pin(save(app, caller, &NewConnection::read(&given)?)).await?;
            return setup(app, caller).await;
        }
        other => {
            return Err(Error::invalid("connections/setup-step", "There is no such step")
                .with_details(format!("step: \"{}\"", shown(other)))
                .with_hint("step is info, connection or schema; GET tells which one is on"));
        }
    }
    if step == "info" {
        note(app, caller, "setup.info", None).await?;
    } else {
        let connected = get(app, caller).await?.ok_or_else(not_configured)?;
        Box::pin(look(app, caller)).await?;
        note(app, caller, "setup.schema", Some(&connected)).await?;
    }
    setup(app, caller).await
}

fn only_the_step(body: &Value) -> Result<()> {
    let members = body.as_object().into_iter().flatten();
    match members.map(|(name, _)| name).find(|name| *name != "step") {
        None => Ok(()),
        Some(other) => Err(Error::invalid("connections/setup-step", "This step takes nothing else")
            .with_details(format!("body.{}: there is no such setting", shown(other)))),
    }
}

/// Looks for the template's tables.
async fn look(app: &App, caller: &Caller) -> Result<()> {
    let (catalog, indexes) = records::look(app, &door(caller)).await?;
    let missing = verify(&catalog, &indexes);
    if missing.is_empty() {
        return Ok(());
    }
    Err(incomplete(&missing))
}

fn incomplete(missing: &[Missing]) -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "connections/schema-incomplete",
        "The template's tables are not all there",
    )
    .with_details_json(json!(missing))
    .with_hint("Run the SQL of GET /api/user/database-connection/setup in your database, then try again")
}

/// Begins anew: the connection stays, what was acknowledged and verified is forgotten.
///
/// # Errors
/// When the control database fails.
pub async fn reset(app: &App, caller: &Caller) -> Result<Setup> {
    note(app, caller, "setup.reset", None).await?;
    setup(app, caller).await
}

/// Keeps a step with its audit row.
async fn note(app: &App, caller: &Caller, action: &'static str, verified: Option<&Connected>) -> Result<()> {
    let user = caller.user.id;
    let personal = app.tenancy.personal(user).await?;
    let project: Option<ProjectId> = personal.map(|personal| personal.project);
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    projects::refuse_barred(app, &transaction, &caller.user).await?;
    let now = app.clock.now();
    match (action, verified) {
        ("setup.reset", _) => store::reset(&transaction, user).await?,
        (_, Some(connected)) => store::verified(&transaction, user, connected.since, now).await?,
        (_, None) => store::acknowledge(&transaction, user, now).await?,
    }
    let entry = Entry::by(caller, project, action, "database");
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_step_follows_from_what_is_known_and_there() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let connected = Connected {
            provider: "mysql".to_owned(),
            since: at(5),
        };
        for (acknowledged, verified, connected, expected, kinds) in [
            (None, None, None, SetupStep::Info, 2),
            (None, Some(at(5)), Some(&connected), SetupStep::Info, 1),
            (Some(at(1)), None, None, SetupStep::Connection, 2),
            (Some(at(1)), Some(at(5)), None, SetupStep::Connection, 2),
            (Some(at(1)), None, Some(&connected), SetupStep::Schema, 1),
            // Another connection than the one that was looked at.
            (Some(at(1)), Some(at(4)), Some(&connected), SetupStep::Schema, 1),
            (Some(at(1)), Some(at(5)), Some(&connected), SetupStep::Success, 1),
        ] {
            let progress = Progress { acknowledged, verified };
            let setup = Setup::of(progress, connected.cloned());
            assert_eq!((setup.step, setup.sql.len()), (expected, kinds));
            let done = setup.steps.iter().filter(|step| step.done).count();
            let before = SetupStep::ALL.iter().position(|step| *step == expected).unwrap();
            assert_eq!(done, if expected == SetupStep::Success { 4 } else { before });
        }
    }
}
