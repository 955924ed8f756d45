//! Who is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::who::NamedSubject;
use super::{AskedSubject, Who};
use crate::accounts::{self, Person};
use crate::app::App;
use crate::backend::{BulkTransaction, TextRow};
use crate::error::{Error, ErrorKind, Result};
use crate::privacy::Ground;
use crate::subject::{Subject, SubjectMap, sql};
use crate::tenancy::{Project, Tier};

/// Finds the person that somebody names in a project: among the accounts of a managed backend, deleted ones that are not
/// purged yet included, or in the map's root table. Whoever is found in several ways is named alike.
///
/// # Errors
/// 400 `privacy/subject`; 404 `privacy/subject-not-found`; 409 `privacy/subject-ambiguous` when several have that address;
/// the engine's.
pub(crate) async fn resolve(
    app: &App,
    project: &Arc<Project>,
    ground: &Ground,
    map: &SubjectMap,
    asked: &AskedSubject,
) -> Result<Who> {
    let named = asked.named()?;
    let managed = project
        .backend
        .as_ref()
        .is_some_and(|backend| backend.tier == Tier::Managed);
    if managed && let Some(person) = account(app, project, &named).await? {
        return Ok(Who::Id(person.id.to_string()));
    }
    let mut rows = ground.begin().await?;
    let found = Rows {
        ground,
        map,
        rows: &mut *rows,
    };
    found.find(named).await?.ok_or_else(not_found)
}

async fn account(app: &App, project: &Arc<Project>, named: &NamedSubject) -> Result<Option<Person>> {
    let id = match named {
        NamedSubject::Email(address) => return accounts::person_by_address(app, project, address).await,
        NamedSubject::Id(id) => Some(id),
        NamedSubject::Key(key) => key.get("id").filter(|_| key.len() == 1),
    };
    match id.and_then(|id| id.parse::<Uuid>().ok()) {
        Some(id) => accounts::person(app, project, id).await,
        None => Ok(None),
    }
}

/// The account of a person who was found, if it is there and the project keeps accounts.
///
/// # Errors
/// When the backend's database cannot be reached.
pub(crate) async fn person_of(app: &App, project: &Arc<Project>, who: &Who) -> Result<Option<Person>> {
    match who.account(project) {
        Some(id) => accounts::person(app, project, id).await,
        None => Ok(None),
    }
}

/// The person, as statements about their rows name them: with the address that their row in the root table lost when their
/// account went into the trash, if they had proved that it is theirs.
pub(crate) fn subject_of(who: &Who, person: Option<&Person>) -> Subject {
    let lost = |person: &&Person| person.deleted_at.and(person.email_confirmed_at).is_some();
    Subject {
        address: person.filter(lost).and_then(|person| person.email.clone()),
        ..who.subject()
    }
}

/// A look at the root table.
struct Rows<'a> {
    ground: &'a Ground,
    map: &'a SubjectMap,
    rows: &'a mut dyn BulkTransaction,
}

impl Rows<'_> {
    async fn find(mut self, named: NamedSubject) -> Result<Option<Who>> {
        let root = &self.map.root;
        let who = match named {
            NamedSubject::Email(address) => return self.by_address(&address).await,
            NamedSubject::Id(id) if root.key.len() <= 1 => Who::Id(id),
            NamedSubject::Id(_) => return Err(several_columns(&root.key)),
            NamedSubject::Key(key) if root.table.is_some() && key.keys().eq(sorted(&root.key)) => self.named(key),
            NamedSubject::Key(_) => return Err(several_columns(&root.key)),
        };
        let found = match &root.table {
            Some(_) => self.by_key(&who).await,
            None => self.anywhere(&who).await,
        };
        match found {
            // A text that is no number, say, is nobody's id.
            Err(error) if matches!(error.kind(), ErrorKind::Invalid) => Ok(None),
            found => found,
        }
    }

    async fn by_address(&mut self, address: &str) -> Result<Option<Who>> {
        let (ground, map) = (self.ground, self.map);
        let Some(statement) = sql::find_by_email(ground.dialect, &ground.facts, map, address)? else {
            return Err(Error::invalid(
                "privacy/subject",
                "People cannot be looked up by their e-mail addresses here",
            )
            .with_hint("Name the column with them as root.email in the subject map, or send the person's id"));
        };
        let mut found = self.rows.rows(&statement).await?;
        if found.len() > 1 {
            return Err(Error::new(
                ErrorKind::Conflict,
                "privacy/subject-ambiguous",
                "Several people have that e-mail address",
            )
            .with_hint("Send the person's id"));
        }
        Ok(found.pop().map(|values| self.key_of(values)))
    }

    /// The person of that key, with its values as the database writes them.
    async fn by_key(&mut self, who: &Who) -> Result<Option<Who>> {
        let ground = self.ground;
        let Some(statement) = sql::find_by_key(ground.dialect, &ground.facts, self.map, &who.subject())? else {
            return Ok(None);
        };
        let found = self.rows.rows(&statement).await?.pop();
        Ok(found.map(|values| self.key_of(values)))
    }

    /// Somebody without a row of their own is there as long as anything of theirs is, under the id that is written there.
    async fn anywhere(&mut self, who: &Who) -> Result<Option<Who>> {
        let (ground, map) = (self.ground, self.map);
        let mut there = false;
        for label in map.tables.keys() {
            let statement = sql::count(ground.dialect, &ground.facts, map, &who.subject(), label)?;
            there = crate::privacy::ground::number(self.rows.rows(&statement).await?) > 0;
            if there {
                break;
            }
        }
        if !there {
            return Ok(None);
        }
        for statement in sql::find_ids(ground.dialect, &ground.facts, map, &who.subject())? {
            let found = self.rows.rows(&statement).await?;
            if let Some(id) = found.into_iter().flatten().flatten().next() {
                return Ok(Some(Who::Id(id)));
            }
        }
        Ok(None)
    }

    /// The person with those values of the root's key.
    fn key_of(&self, values: TextRow) -> Who {
        let names = self.map.root.key.iter().cloned();
        self.named(names.zip(values.into_iter().map(Option::unwrap_or_default)).collect())
    }

    fn named(&self, mut key: BTreeMap<String, String>) -> Who {
        match self.map.root.key.as_slice() {
            [only] => Who::Id(key.remove(only).unwrap_or_default()),
            _ => Who::Key(key),
        }
    }
}

fn sorted(key: &[String]) -> impl Iterator<Item = &String> {
    let mut sorted: Vec<_> = key.iter().collect();
    sorted.sort_unstable();
    sorted.into_iter()
}

fn several_columns(key: &[String]) -> Error {
    Error::invalid("privacy/subject", "The subject does not name a person").with_hint(format!(
        "People are told apart by {}: send {{\"key\": {{…}}}} with a value for each",
        if key.is_empty() {
            "their ids".to_owned()
        } else {
            key.join(", ")
        }
    ))
}

/// There is nobody of that name.
pub(crate) fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/subject-not-found",
        "There is nobody of that name here",
    )
    .with_hint(
        "Send the person's id, their e-mail address, or {\"key\": {…}} with the columns that the subject map names",
    )
}
