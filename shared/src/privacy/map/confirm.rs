//! An owner confirms what was found, or writes what is right.

use serde_json::{Value, json};

use super::show::{Shown, SubjectMapView};
use super::{InForce, fitted, sample, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::privacy::ground;
use crate::schema::fault::Faults;
use crate::subject::{Structure, SubjectMap, check, find};
use crate::tenancy::ProjectAccess;

/// What is to be in force.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// What [`super::read`] shows: `{"confirm": true}`.
    Shown,
    /// This map.
    Written(Box<SubjectMap>),
}

impl Wanted {
    /// Out of a request's body.
    ///
    /// # Errors
    /// 422 `privacy/map` when it has another shape.
    pub fn parse(body: Value) -> Result<Self> {
        if body == json!({ "confirm": true }) {
            return Ok(Self::Shown);
        }
        let map: SubjectMap = serde_json::from_value(body).map_err(|error| {
            refused(&error.to_string())
                .with_hint("Send {\"confirm\": true}, or the map of GET /api/gdpr/subject-map, changed")
        })?;
        Ok(Self::Written(Box::new(map)))
    }
}

/// Puts a map in force for the tables as they are: the next version. The same one again makes none. With `seen`, the version
/// that it was based on must be in force still (0: none).
///
/// # Errors
/// As [`super::read`]; 422 `privacy/map`, each fault with its path; 409 `privacy/map-moved-on`.
pub async fn confirm(app: &App, access: &ProjectAccess, wanted: Wanted, seen: Option<i64>) -> Result<SubjectMapView> {
    let project = app.tenancy.refresh(access.reference()).await?;
    let ground = ground(app, &project).await?;
    let facts = &ground.facts;
    let before = store::latest(app, access.project()).await?;
    let (marks, limits) = sample::marks(&ground, before.as_ref().map(|before| &before.map)).await;
    let (shown, explicit) = match wanted {
        Wanted::Shown => (fitted(&ground, before.clone(), &marks).0.map, false),
        Wanted::Written(map) => (*map, true),
    };
    let faults = check(ground.dialect, &shown, facts);
    if !faults.is_empty() {
        return Err(faulty(&faults, explicit));
    }
    let base = before.as_ref().map_or(0, |before| i64::from(before.version));
    let new = New {
        map: shown.clone(),
        structure: Structure::of(facts),
        // What was shown was based on what was read just now.
        seen: seen.or((!explicit).then_some(base)),
    };
    let version = new.save(app, access).await?;
    let found = find(ground.dialect, facts, &marks, &shown);
    let shown = Shown {
        project: access.project(),
        in_force: InForce {
            version: Some(version),
            map: shown,
            changes: Vec::new(),
        },
        found,
        marks: &marks,
        limits,
    };
    Ok(shown.view(&ground))
}

struct New {
    map: SubjectMap,
    structure: Structure,
    /// The version it was based on.
    seen: Option<i64>,
}

impl New {
    async fn save(self, app: &App, access: &ProjectAccess) -> Result<i32> {
        let mut client = app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        store::lock(&transaction, access.project()).await?;
        let before = store::latest_in(&transaction, access.project()).await?;
        let latest = before.as_ref().map_or(0, |before| before.version);
        if self.seen.is_some_and(|seen| seen != i64::from(latest)) {
            return Err(moved_on(latest));
        }
        if before.is_some_and(|before| before.map == self.map && before.structure == self.structure) {
            return Ok(latest);
        }
        let new = store::Stored {
            version: latest.saturating_add(1),
            map: self.map,
            structure: self.structure,
            author: access.caller().user.id,
            created_at: app.clock.now(),
        };
        store::insert(&transaction, access.project(), &new).await?;
        let entry = Entry::by(
            access.caller(),
            Some(access.project()),
            "privacy.map-confirm",
            access.project(),
        );
        let entry = entry.with(json!({ "version": new.version, "tables": new.map.tables.len() }));
        audit::record(app, &transaction, &entry).await?;
        transaction.commit().await.map_err(failure)?;
        Ok(new.version)
    }
}

fn faulty(faults: &Faults, explicit: bool) -> Error {
    let hint = match explicit {
        true => "Every line of the details names a path in the map and what to change there",
        false => "What was found cannot be confirmed as it is: send a map that says who a person is",
    };
    refused(&faults.to_string()).with_hint(hint)
}

fn refused(details: &str) -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "privacy/map",
        "This is no subject map of these tables",
    )
    .with_details(details.to_owned())
}

fn moved_on(latest: i32) -> Error {
    let now = match latest {
        0 => "Nobody has confirmed one".to_owned(),
        latest => format!("Version {latest} is in force"),
    };
    Error::new(
        ErrorKind::Conflict,
        "privacy/map-moved-on",
        "The subject map has another version meanwhile",
    )
    .with_details(now)
    .with_hint("Read it again, make the change there, and send its version as If-Match")
}
