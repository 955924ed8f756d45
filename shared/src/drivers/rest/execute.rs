//! Runs a plan: sends what it takes, looks at what comes back, and shows of it what was asked for.

use serde_json::json;
use tokio::time::Instant;

use super::connect::Site;
use super::error;
use crate::backend::Scope;
use crate::backend::api::{Answer as Reply, Failure};
use crate::error::{Error, ErrorKind, Result};
use crate::query::answer::Answer;
use crate::query::plan::Page;
use crate::query::request::Return;
use crate::query::rest::{self, Ask, Check, Counted, List, MOST_PAGES, Resource, Row, Way, Work};
use crate::query::{Counts, Plan};

/// Runs a plan.
pub(super) async fn run(site: &Site, scope: &Scope, plan: &Plan) -> Result<Counts> {
    let end = Instant::now() + scope.deadline;
    let _entered = site.enter(end).await?;
    let resources = tokio::time::timeout_at(end, site.resources(false)).await;
    let resources = resources.map_err(|_| error::too_late(true))?;
    let resources = resources.map_err(error::unknown)?;
    let resource = resources.get(plan.table.as_str()).ok_or_else(gone)?;
    let work = rest::work(plan, resource)?;
    let task = Task { site, plan, resource };
    let done = tokio::time::timeout_at(end, Box::pin(task.perform(work))).await;
    done.map_err(|_| error::too_late(scope.read_only))?
}

/// The map has changed since the plan was made.
fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "42P01", "The resource is not in the map any more")
}

struct Task<'a> {
    site: &'a Site,
    plan: &'a Plan,
    resource: &'a Resource,
}

impl Task<'_> {
    async fn perform(&self, work: Work) -> Result<Counts> {
        match work {
            Work::List(list) => self.list(&list).await,
            Work::Get { ask, checks, page } => self.get(&ask, &checks, page).await,
            Work::Insert { ask, after } => {
                let reply = self.site.caller().ask(&ask).await.map_err(error::write)?;
                self.written(&reply, after.as_ref()).await
            }
            Work::Update { ask, after } => match self.site.caller().ask(&ask).await {
                Ok(reply) => self.written(&reply, after.as_ref()).await,
                Err(failed) if is_missing(&failed) => self.touched(None),
                Err(failed) => Err(error::write(failed)),
            },
            Work::Nothing => self.touched(None),
            Work::Delete { before, ask } => self.delete(before.as_ref(), &ask).await,
        }
    }

    async fn list(&self, list: &List) -> Result<Counts> {
        let page = self.plan.shown.page;
        let mut answer = Answer::of(self.plan);
        let (mut skip, mut shown) = (list.skip, 0);
        let mut total = None;
        let mut reply = self.site.read(&list.ask).await.map_err(error::read)?;
        let mut parts = 1;
        loop {
            let rows = rest::rows(&reply.body, &self.resource.items, list)?;
            if parts == 1 {
                total = self.total(list, &reply, rows.len())?;
            }
            for row in &rows {
                if skip > 0 {
                    skip -= 1;
                } else if list.take.is_none_or(|take| shown < take) {
                    shown += 1;
                    self.show(&mut answer, row)?;
                }
            }
            if list.take.is_some_and(|take| shown >= take) {
                break;
            }
            match self.next(list, &reply).await? {
                Some(_) if parts == MOST_PAGES => return Err(small_parts()),
                Some(next) => reply = next,
                None => break,
            }
            parts += 1;
        }
        // Of what was asked for, all must be there, as far as anybody can tell.
        let due = total.map(|total| total.saturating_sub(page.offset).min(list.take.unwrap_or(u64::MAX)));
        if due.is_some_and(|due| shown < due) {
            return Err(small_parts());
        }
        Ok(Counts {
            body: answer.body(self.plan)?,
            page_rows: shown,
            total_rows: total,
            ..Counts::default()
        })
    }

    fn total(&self, list: &List, reply: &Reply, rows: usize) -> Result<Option<u64>> {
        match &list.counted {
            None => Ok(None),
            Some(Counted::Length) => Ok(Some(rows as u64)),
            Some(Counted::Told(told)) => rest::total(told, |name| reply.header(name), &reply.body).map(Some),
        }
    }

    /// The next part of a list, if there is one.
    async fn next(&self, list: &List, reply: &Reply) -> Result<Option<Reply>> {
        let next = match &list.way {
            Way::Single => return Ok(None),
            Way::Link => match reply.next_link() {
                Some(link) => self.site.read_next(&list.ask, &link).await,
                None => return Ok(None),
            },
            Way::Cursor { param, next } => match rest::cursor(&reply.body, next) {
                Some(mark) => {
                    let mut ask = list.ask.clone();
                    ask.query.retain(|(name, _)| name != param);
                    ask.query.push((param.clone(), mark));
                    self.site.read(&ask).await
                }
                None => return Ok(None),
            },
        };
        next.map(Some).map_err(error::read)
    }

    async fn get(&self, ask: &Ask, checks: &[Check], page: Page) -> Result<Counts> {
        let mut answer = Answer::of(self.plan);
        let (mut found, mut shown) = (0, 0);
        let reply = match self.site.read(ask).await {
            Ok(reply) => Some(reply),
            Err(failed) if is_missing(&failed) => None,
            Err(failed) => return Err(error::read(failed)),
        };
        let row = match &reply {
            Some(reply) => rest::one(&reply.body, &self.resource.item)?,
            None => None,
        };
        if let Some(row) = row.filter(|row| rest::passes(row, checks)) {
            found = 1;
            if page.offset == 0 && page.limit != Some(0) {
                shown = 1;
                self.show(&mut answer, &row)?;
            }
        }
        Ok(Counts {
            body: answer.body(self.plan)?,
            page_rows: shown,
            total_rows: self.plan.prefer.count.map(|_| found),
            ..Counts::default()
        })
    }

    async fn delete(&self, before: Option<&Ask>, ask: &Ask) -> Result<Counts> {
        let read = match before {
            None => None,
            Some(before) => match self.site.read(before).await {
                Ok(reply) => Some(reply),
                Err(failed) if is_missing(&failed) => return self.touched(None),
                Err(failed) => return Err(error::read(failed)),
            },
        };
        // What cannot be shown is not removed.
        let row = match &read {
            Some(reply) => rest::one(&reply.body, &self.resource.item)?,
            None => None,
        };
        match self.site.caller().ask(ask).await {
            Ok(_) => self.touched(Some(row.as_ref())),
            Err(failed) if is_missing(&failed) => self.touched(None),
            Err(failed) => Err(error::write(failed)),
        }
    }

    /// What a write answers: the row of the reply, or the one that is read after it.
    async fn written(&self, reply: &Reply, after: Option<&Ask>) -> Result<Counts> {
        let located = self.plan.prefer.representation == Some(Return::HeadersOnly);
        if !self.plan.shows_rows() && !located {
            return self.touched(Some(None));
        }
        let row = rest::one(&reply.body, &self.resource.item);
        let read = match (&row, after) {
            (Ok(Some(_)), _) | (_, None) => None,
            (_, Some(after)) => Some(self.site.read(after).await.map_err(|_| unseen())?),
        };
        let row = match &read {
            Some(reply) => rest::one(&reply.body, &self.resource.item),
            None => row,
        };
        match row {
            Ok(Some(row)) => self.touched(Some(Some(&row))),
            _ if located => self.touched(Some(None)),
            _ => Err(unseen()),
        }
    }

    /// One row was touched, or none.
    fn touched(&self, row: Option<Option<&Row<'_>>>) -> Result<Counts> {
        let rows = u64::from(row.is_some());
        rest::check_affected(self.plan, rows)?;
        let mut answer = Answer::of(self.plan);
        if let Some(Some(row)) = row {
            self.show(&mut answer, row)?;
        }
        let located = self.plan.prefer.representation == Some(Return::HeadersOnly);
        let key = row.flatten().and_then(|row| row.get(&self.resource.id));
        Ok(Counts {
            body: answer.body(self.plan)?,
            page_rows: rows,
            total_rows: self.plan.prefer.count.map(|_| rows),
            location: key
                .filter(|_| located)
                .map(|key| json!({ &self.resource.id: rest::text_of(key) }).to_string()),
            ..Counts::default()
        })
    }

    fn show(&self, answer: &mut Answer, row: &Row<'_>) -> Result<()> {
        if self.plan.shows_rows() {
            answer.add(Some(rest::shown_row(row, &self.plan.shown)))?;
        }
        Ok(())
    }
}

fn is_missing(failed: &Failure) -> bool {
    matches!(failed.status(), Some(404 | 410))
}

fn small_parts() -> Error {
    let message = "The API answers its list in smaller parts than its resource map tells";
    Error::new(ErrorKind::Upstream, "records/api-page", message)
        .with_hint("Check pagination.maxSize in the resource map")
}

fn unseen() -> Error {
    let message = "The row was written, but the API does not show it";
    Error::new(ErrorKind::Upstream, "records/api-unseen", message)
        .with_hint("Send Prefer: return=minimal, or add get to the resource map")
}
