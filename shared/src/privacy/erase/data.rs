//! A person's rows in the data's own database: counted, recognised, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::copies::Unrenewed;
use super::plan::{Others, PlannedGap, PlannedTable};
use super::refused::{all_gone, not_denied, quiet, refuse, told, unseen};
use super::values::{Known, Values};
use super::{plan_changed, stale, unconfirmed};
use crate::accounts::Person;
use crate::app::App;
use crate::backend::{BulkScope, BulkTransaction};
use crate::error::{Error, Result};
use crate::privacy::ground::number;
use crate::privacy::map::{InForce, in_force, of_version};
use crate::privacy::requests::{Who, person_of, subject_of};
use crate::privacy::{Ground, ground};
use crate::subject::erase::{Told, denied, nesting, others, refresh, steps};
use crate::subject::{Kind, Marks, Rule, Subject, SubjectMap, sql};
use crate::tenancy::Project;

/// Longest time for the transaction that removes rows: well within a worker's try.
const LONGEST: Duration = Duration::from_secs(180);

/// Longest time for renewing all copies of rows.
const RENEWAL: Duration = Duration::from_secs(60);

/// So many rows of each table.
pub(super) type Counts = BTreeMap<String, u64>;

/// A person in a project.
pub(super) struct Site {
    pub(super) project: Arc<Project>,
    map: InForce,
    /// What its owner has confirmed: tables that are gone by now among them.
    pub(super) said: SubjectMap,
    ground: Ground,
    subject: Subject,
    /// Their account's id, where the project keeps accounts.
    pub(super) account: Option<Uuid>,
    /// Their account, as it was when this was looked at, if it was there.
    pub(super) person: Option<Person>,
}

impl Site {
    /// Looks at the tables as they are.
    ///
    /// # Errors
    /// As [`ground`].
    pub async fn of(app: &App, project: Arc<Project>, who: &Who) -> Result<Self> {
        let ground = Box::pin(ground(app, &project)).await?;
        let map = in_force(app, &project, &ground).await?;
        let said = map.map.clone();
        Self::new(app, project, who, (ground, map, said)).await
    }

    /// The same by the version of the map that was followed when their rows went, whatever it is by now.
    ///
    /// # Errors
    /// As [`ground`].
    pub async fn by_version(app: &App, project: Arc<Project>, who: &Who, version: i32) -> Result<Self> {
        let ground = Box::pin(ground(app, &project)).await?;
        let (map, said) = of_version(app, &project, &ground, version).await?;
        Self::new(app, project, who, (ground, map, said)).await
    }

    async fn new(
        app: &App,
        project: Arc<Project>,
        who: &Who,
        (ground, map, said): (Ground, InForce, SubjectMap),
    ) -> Result<Self> {
        let person = person_of(app, &project, who).await?;
        Ok(Self {
            account: who.account(&project),
            subject: subject_of(who, person.as_ref()),
            person,
            project,
            map,
            said,
            ground,
        })
    }

    /// The version of the map, if its owner has confirmed it for these tables.
    ///
    /// # Errors
    /// 409 `privacy/map-unconfirmed`, `privacy/map-stale`, `privacy/not-granted`.
    pub fn confirmed(&self) -> Result<i32> {
        let version = self.map.version.ok_or_else(unconfirmed)?;
        if self.map.is_stale() {
            let changes = serde_json::to_value(&self.map.changes).map_err(Error::internal)?;
            let words: Vec<_> = self.map.changes.iter().map(told).collect();
            return Err(stale().with_details(words.join("; ")).with_details_json(changes));
        }
        not_denied(&denied(&self.ground.facts, self.map()))?;
        Ok(version)
    }

    /// Refuses where that is another version than the one that somebody has confirmed an erasure by.
    ///
    /// # Errors
    /// As [`Site::confirmed`]; 409 `privacy/plan-changed`.
    pub fn is_by(&self, version: i32) -> Result<()> {
        (self.confirmed()? == version).then_some(()).ok_or_else(plan_changed)
    }

    /// Begins to read; all of it sees one state.
    ///
    /// # Errors
    /// The engine's.
    pub async fn begin(&self) -> Result<Box<dyn BulkTransaction>> {
        self.ground.begin().await
    }

    fn map(&self) -> &SubjectMap {
        &self.map.map
    }

    /// What becomes of how many rows of each table.
    ///
    /// # Errors
    /// The engine's.
    pub async fn tables(&self, rows: &mut dyn BulkTransaction) -> Result<Vec<PlannedTable>> {
        let mut tables = Vec::new();
        for (label, entry) in &self.map().tables {
            let rows = self.count(rows, label).await?;
            let columns = match &entry.rule {
                Rule::Anonymise { columns } => columns.clone(),
                Rule::Delete | Rule::Keep { .. } => Vec::new(),
            };
            tables.push(PlannedTable {
                table: label.clone(),
                rule: entry.rule.action().to_owned(),
                rows,
                columns,
                reason: entry.rule.reason().map(str::to_owned),
            });
        }
        Ok(tables)
    }

    async fn count(&self, rows: &mut dyn BulkTransaction, label: &str) -> Result<u64> {
        let ground = &self.ground;
        let statement = sql::count(ground.dialect, &ground.facts, self.map(), &self.subject, label)?;
        Ok(number(rows.rows(&statement).await?))
    }

    /// Rows of other people that hang on what would go.
    ///
    /// # Errors
    /// The engine's.
    pub async fn others(&self, rows: &mut dyn BulkTransaction) -> Result<Vec<Others>> {
        let ground = &self.ground;
        let mut found = Vec::new();
        for hanging in others(ground.dialect, &ground.facts, self.map(), &self.subject)? {
            let answer = rows.rows(&hanging.statement).await;
            let rows = number(answer.map_err(|error| unseen(error, &hanging))?);
            if rows > 0 {
                found.push(Others {
                    table: hanging.table,
                    foreign_key: hanging.foreign_key,
                    on: hanging.on,
                    rows,
                });
            }
        }
        Ok(found)
    }

    /// Columns that look personal by their names and lead to nobody.
    pub fn gaps(&self) -> Vec<PlannedGap> {
        let gaps = self.ground.gaps(self.map()).into_iter();
        gaps.map(|gap| PlannedGap {
            table: gap.table,
            column: gap.column,
        })
        .collect()
    }

    /// What they can be recognised by in texts: from their account and, as far as what they wrote counts, their row in the
    /// root table.
    ///
    /// # Errors
    /// The engine's.
    pub async fn values(&self, rows: &mut dyn BulkTransaction, known: Known) -> Result<Values> {
        let mut values = Values::default();
        if let Some(person) = &self.person {
            of_account(&mut values, person, known);
        }
        let (ground, root) = (&self.ground, &self.map().root);
        let (Known::Said, Some(label)) = (known, &root.table) else {
            return Ok(values);
        };
        let marks = Marks::by_name(&ground.facts);
        let statement = sql::read(ground.dialect, &ground.facts, self.map(), &self.subject, label)?;
        for row in rows.rows(&statement).await? {
            let text = row.into_iter().next().flatten().unwrap_or_default();
            let row: BTreeMap<String, Value> = serde_json::from_str(&text).map_err(Error::internal)?;
            let kind = |column: &str| match root.email.as_deref() {
                Some(email) if email == column => Some(Kind::Email),
                _ => marks.kind(label, column),
            };
            let columns = ground.facts.tables.get(label).map_or(&[][..], |table| &table.columns);
            let mut names = Vec::new();
            for column in columns {
                let name = column.name.as_str();
                let (Some(kind), Some(value)) = (kind(name), row.get(name).and_then(in_words)) else {
                    continue;
                };
                values.add(kind, &value);
                if kind == Kind::Name && !value.trim().is_empty() && !value.trim().contains(char::is_whitespace) {
                    names.push(value.trim().to_owned());
                }
            }
            // A first and a last name in columns of their own.
            values.add(Kind::Name, &names.join(" "));
        }
        Ok(values)
    }

    /// Does what the map says, in one transaction that is still open: whoever calls commits it. How many rows of each table
    /// there were, those that stay among them.
    ///
    /// # Errors
    /// 409 `privacy/others-hang-on`, `privacy/rows-stay`; the engine's, without what it says of values.
    pub async fn sweep(&self) -> Result<(Counts, Box<dyn BulkTransaction>)> {
        let mut rows = self.begin_to_write(LONGEST).await?;
        refuse(&self.others(&mut *rows).await.map_err(quiet)?)?;
        let ground = &self.ground;
        let (mut counts, mut expected) = (Counts::new(), Counts::new());
        for (label, entry) in &self.map().tables {
            counts.insert(label.clone(), 0);
            // What is emptied is not compared: MySQL tells the rows that are not the same as before.
            let told = match &entry.rule {
                Rule::Keep { .. } => &mut counts,
                Rule::Delete => &mut expected,
                Rule::Anonymise { .. } => continue,
            };
            let found = self.count(&mut *rows, label).await.map_err(quiet)?;
            told.insert(label.clone(), found);
        }
        for step in steps(ground.dialect, &ground.facts, self.map(), &self.subject)? {
            match &step.told {
                Told::Nothing => {
                    rows.execute(&step.statement).await.map_err(quiet)?;
                }
                Told::Changed(label) => {
                    let changed = rows.execute(&step.statement).await.map_err(quiet)?;
                    *counts.entry(label.clone()).or_default() += changed;
                }
                Told::Counts(_) => {
                    let answer = rows.rows(&step.statement).await.map_err(quiet)?;
                    for (label, changed) in step.told.counts(answer.first().map_or(&[], Vec::as_slice)) {
                        *counts.entry(label).or_default() += changed;
                    }
                }
            }
        }
        all_gone(&expected, &counts)?;
        Ok((counts, rows))
    }

    /// Renews copies of rows, as far as that goes within [`RENEWAL`]: what stays as it is, is its owner's to renew. None of it
    /// keeps an erasure from its end.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn renew(&self, app: &App) -> Result<BTreeMap<String, Unrenewed>> {
        let ground = &self.ground;
        let until = app.clock.now().checked_add(RENEWAL).map_err(Error::internal)?;
        let mut left = BTreeMap::new();
        for (name, statement) in refresh(ground.dialect, &ground.facts, &self.nested().await?) {
            let time = Duration::try_from(until.duration_since(app.clock.now())).unwrap_or_default();
            if time.is_zero() {
                left.insert(name.to_string(), Unrenewed::OutOfTime);
                continue;
            }
            let mut rows = self.begin_to_write(time).await?;
            let renewed = match rows.execute(&statement).await {
                Ok(_) => rows.commit().await,
                Err(error) => Err(error),
            };
            if let Err(error) = renewed {
                tracing::warn!(project = %self.project.id, code = error.code(), "a copy of rows could not be renewed");
                left.insert(name.to_string(), Unrenewed::by(&error));
            }
        }
        Ok(left)
    }

    /// Copies of rows as they are made of each other, where there are several: those that others are made of come first.
    async fn nested(&self) -> Result<Vec<String>> {
        if self.ground.facts.copies.len() < 2 {
            return Ok(Vec::new());
        }
        let mut rows = self.begin().await?;
        let answer = rows.rows(&nesting(self.ground.dialect)).await.map_err(quiet)?;
        Ok(answer.into_iter().filter_map(|row| row.into_iter().next()?).collect())
    }

    async fn begin_to_write(&self, deadline: Duration) -> Result<Box<dyn BulkTransaction>> {
        let scope = BulkScope {
            read_only: false,
            deadline,
            ..self.ground.scope.clone()
        };
        let bulk = self.ground.records.bulk();
        let bulk = bulk.ok_or_else(|| Error::internal("a backend that can be counted and not erased"))?;
        bulk.begin(&scope).await.map_err(quiet)
    }

    /// Tables whose rows go.
    pub fn deleted(&self) -> BTreeSet<&str> {
        let tables = self.map().tables.iter();
        tables
            .filter(|(_, entry)| entry.rule == Rule::Delete)
            .map(|(label, _)| label.as_str())
            .collect()
    }
}

/// As a text would say it: telephone numbers are kept as texts and as numbers.
fn in_words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What an account says of a person.
fn of_account(values: &mut Values, person: &Person, known: Known) {
    let counts = |confirmed: Option<Timestamp>| known == Known::Said || confirmed.is_some();
    if counts(person.email_confirmed_at) {
        values.add(Kind::Email, person.email.as_deref().unwrap_or_default());
    }
    if counts(person.phone_confirmed_at) {
        values.add(Kind::Phone, person.phone.as_deref().unwrap_or_default());
    }
    if known == Known::Said {
        of_metadata(values, &person.metadata);
    }
}

/// What somebody said of themselves when they signed up.
pub(super) fn of_metadata(values: &mut Values, metadata: &serde_json::Map<String, Value>) {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    for name in ["full_name", "name", "display_name"] {
        values.add(Kind::Name, text(name));
    }
    values.add(Kind::Name, &format!("{} {}", text("first_name"), text("last_name")));
    values.add(Kind::Name, &format!("{} {}", text("given_name"), text("family_name")));
    values.add(Kind::Email, text("email"));
    values.add(Kind::Phone, text("phone"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_write_of_themselves_counts_where_somebody_else_has_seen_the_plan() {
        let said = json!({ "full_name": "Primary key", "email": "support@company.example" });
        let person = Person {
            id: Uuid::nil(),
            email: Some("ann@example.com".to_owned()),
            phone: Some("+491701234567".to_owned()),
            email_confirmed_at: Some(Timestamp::UNIX_EPOCH),
            phone_confirmed_at: None,
            metadata: said.as_object().cloned().unwrap(),
            deleted_at: None,
            sessions: 0,
            identities: 0,
        };
        let all = |known| {
            let mut values = Values::default();
            of_account(&mut values, &person, known);
            values.all()
        };
        assert_eq!(all(Known::Confirmed), ["ann@example.com"]);
        let said = [
            "ann@example.com",
            "support@company.example",
            "+491701234567",
            "Primary key",
        ];
        assert_eq!(all(Known::Said), said);
    }

    #[test]
    fn numbers_are_looked_for_however_they_are_kept() {
        for (value, words) in [
            (json!("0170 1234567"), Some("0170 1234567")),
            (json!(491_701_234_567_i64), Some("491701234567")),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(in_words(&value).as_deref(), words, "{value}");
        }
    }
}
