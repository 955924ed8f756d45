//! Who is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::who::NamedSubject;
use super::{AskedSubject, Who};
use crate::accounts;
use crate::app::App;
use crate::backend::BulkTransaction;
use crate::error::{Error, ErrorKind, Result};
use crate::privacy::Ground;
use crate::subject::{SubjectMap, sql};
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

async fn account(app: &App, project: &Arc<Project>, named: &NamedSubject) -> Result<Option<accounts::Person>> {
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
        let Some(values) = found.pop() else { return Ok(None) };
        let key = map
            .root
            .key
            .iter()
            .cloned()
            .zip(values.into_iter().map(Option::unwrap_or_default));
        Ok(Some(self.named(key.collect())))
    }

    /// The person of that key, with its values as the database writes them.
    async fn by_key(&mut self, who: &Who) -> Result<Option<Who>> {
        let (ground, root) = (self.ground, &self.map.root);
        let label = root.table.as_deref().unwrap_or_default();
        let statement = sql::read(ground.dialect, &ground.facts, self.map, &who.subject(), label)?;
        let found = self.rows.rows(&statement).await?;
        // The root's own rows come by their key; others may lead to the person too.
        for row in found {
            let text = row.into_iter().next().flatten().unwrap_or_default();
            let row: Value = serde_json::from_str(&text).map_err(Error::internal)?;
            let key = root
                .key
                .iter()
                .map(|column| Some((column.clone(), written(row.get(column)?)?)));
            if let Some(key) = key.collect::<Option<BTreeMap<_, _>>>()
                && same(&key, who)
            {
                return Ok(Some(self.named(key)));
            }
        }
        Ok(None)
    }

    /// Somebody without a row of their own is there as long as anything of theirs is.
    async fn anywhere(&mut self, who: &Who) -> Result<Option<Who>> {
        let (ground, map) = (self.ground, self.map);
        for label in map.tables.keys() {
            let statement = sql::count(ground.dialect, &ground.facts, map, &who.subject(), label)?;
            if crate::privacy::ground::number(self.rows.rows(&statement).await?) > 0 {
                return Ok(Some(who.clone()));
            }
        }
        Ok(None)
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

/// Whether the database means the same by both: it has found one by the other, among rows that may lead elsewhere.
fn same(key: &BTreeMap<String, String>, who: &Who) -> bool {
    let alike = |one: &str, other: &str| {
        one.eq_ignore_ascii_case(other)
            || matches!((one.parse::<i128>(), other.parse::<i128>()), (Ok(one), Ok(other)) if one == other)
    };
    match who {
        Who::Id(id) => key.values().all(|value| alike(value, id)),
        Who::Key(asked) => key
            .iter()
            .all(|(column, value)| asked.get(column).is_some_and(|asked| alike(value, asked))),
    }
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
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
