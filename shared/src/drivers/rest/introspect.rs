//! What an API has: as its map or its OpenAPI document tells, or as a page of rows shows.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::connect::{Samples, Site, Unknown};
use super::error;
use crate::backend::api::Failure;
use crate::backend::{Place, Probed, Scope, Snapshot, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::query::openapi::{Rights, Visible};
use crate::query::rest::{self, Member, Resource, Resources, Total};

/// Longest time the questions about an API that is tried may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(8);
/// Rows that a sample has at most.
const SAMPLE: u64 = 20;
/// Resources that are sampled, and how many at once.
const MOST_SAMPLES: usize = 25;
const AT_ONCE: usize = 4;

/// Reads the catalog.
///
/// # Errors
/// `PGRST002` when it cannot be read.
pub(super) async fn catalog(site: &Site, place: &Place, deadline: Duration) -> Result<Snapshot> {
    let end = Instant::now() + deadline;
    let _entered = site.enter(end).await?;
    let known = || site.samples.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = known().clone().filter(|samples| samples.is_fresh(place.generation));
    let found = tokio::time::timeout_at(end, Box::pin(read(site, fresh))).await;
    let (resources, columns, seen) = match found {
        Ok(found) => found.map_err(unreadable)?,
        Err(_) => return Err(unreadable(error::too_late(true))),
    };
    if seen {
        *known() = Some(Samples {
            generation: place.generation,
            at: Instant::now(),
            columns: columns.clone(),
        });
    }
    Ok(Snapshot {
        catalog: rest::catalog(&resources, &columns),
        version: 0,
    })
}

type Read = (Arc<Resources>, Arc<BTreeMap<String, Vec<Member>>>, bool);

async fn read(site: &Site, fresh: Option<Samples>) -> Result<Read> {
    let resources = site.resources(fresh.is_none()).await.map_err(error::unknown)?;
    if let Some(samples) = fresh {
        return Ok((resources, samples.columns, false));
    }
    let mut columns = BTreeMap::new();
    for (name, sample) in samples(site, &resources).await {
        match sample {
            Ok(sample) => drop(columns.insert(name, sample.columns)),
            // Of this one only its key is known.
            Err(Failed::Shape(_)) => {}
            Err(Failed::Call(failed)) if matches!(failed.status(), Some(400..=499)) && failed.status() != Some(401) => {
            }
            Err(Failed::Call(failed)) => return Err(error::read(failed)),
        }
    }
    Ok((resources, Arc::new(columns), true))
}

fn unreadable(error: Error) -> Error {
    // Who is not let in is told so, and a limit is a limit.
    if error.kind() != ErrorKind::Unavailable || error.code() == crate::backend::REFUSED {
        return error;
    }
    Error::new(
        ErrorKind::Unavailable,
        "PGRST002",
        "Could not query the database for the schema cache. Retrying.",
    )
    .with_retry_after(1)
    .with_source(error)
}

/// What a page of rows shows.
struct Sample {
    columns: Vec<Member>,
    rows: Option<i64>,
}

enum Failed {
    Call(Failure),
    Shape(Error),
}

/// Looks at the resources whose columns nobody declared.
async fn samples(site: &Site, resources: &Resources) -> Vec<(String, Result<Sample, Failed>)> {
    let unknown = resources
        .iter()
        .filter(|(_, resource)| resource.columns.is_empty() && resource.list.is_some());
    let asked = unknown
        .take(MOST_SAMPLES)
        .map(|(name, resource)| async move { (name.clone(), sample(site, resource).await) });
    let all: Vec<_> = asked.collect();
    futures_util::stream::iter(all).buffered(AT_ONCE).collect().await
}

async fn sample(site: &Site, resource: &Resource) -> Result<Sample, Failed> {
    let nothing = || Failed::Shape(Error::internal("no list"));
    let list = rest::first_page(resource, SAMPLE).ok_or_else(nothing)?;
    let reply = site.read(&list.ask).await.map_err(Failed::Call)?;
    let rows = rest::rows(&reply.body, &resource.items, &list).map_err(Failed::Shape)?;
    let parsed = |row: &rest::Row<'_>| -> Map<String, Value> {
        let members = row.iter();
        let members = members.filter_map(|(name, raw)| Some((name.clone(), serde_json::from_str(raw.get()).ok()?)));
        members.collect()
    };
    let most = usize::try_from(SAMPLE).unwrap_or(usize::MAX);
    let seen: Vec<_> = rows.iter().take(most).map(parsed).collect();
    let whole = resource.pagination == rest::Pagination::None;
    let told = |total: &Total| rest::total(total, |name| reply.header(name), &reply.body).ok();
    let total = match &resource.total {
        Some(total) => told(total),
        None => whole.then_some(rows.len() as u64),
    };
    Ok(Sample {
        columns: rest::sampled(&seen),
        rows: total.and_then(|total| i64::try_from(total).ok()),
    })
}

/// Looks at an API that nobody uses yet.
///
/// # Errors
/// As [`crate::backend::Driver::probe`]; `external/permission`, `external/api-path`, `external/api-shape` (422),
/// `external/rate-limited` (429), `external/protocol`, `external/redirect`, `external/unavailable` (502).
pub(super) async fn probe(target: &Target) -> Result<Probed> {
    let site = Site::new(target).map_err(error::refused_probe)?;
    let looked = tokio::time::timeout(PROBE_DEADLINE, Box::pin(look(&site))).await;
    looked.map_err(|_| error::late())?
}

async fn look(site: &Site) -> Result<Probed> {
    let caller = site.caller();
    caller.sign_in().await.map_err(error::refused_probe)?;
    if let Some(path) = &caller.api().health_path {
        site.read(&rest::plain(path)).await.map_err(error::refused_probe)?;
    }
    let resources = site.resources(true).await.map_err(|unknown| match unknown {
        Unknown::Call(failed) => error::refused_probe(failed),
        Unknown::Document(why) => unusable("openapiPath", why),
    })?;
    let mut found = Probed::default();
    let mut columns = BTreeMap::new();
    for (name, sample) in samples(site, &resources).await {
        match sample {
            Ok(sample) => {
                found.rows.extend(sample.rows.map(|rows| (name.clone(), rows)));
                columns.insert(name, sample.columns);
            }
            Err(Failed::Call(failed)) => {
                return Err(error::refused_probe(failed).with_details(format!("resource {name}")));
            }
            Err(Failed::Shape(wrong)) => {
                let why = wrong.details().map_or_else(|| wrong.public().to_owned(), str::to_owned);
                return Err(unusable(&name, why).with_source(wrong));
            }
        }
    }
    let declared = resources.values().find(|resource| !resource.columns.is_empty());
    if let (true, None, Some(resource)) = (columns.is_empty(), &caller.api().health_path, declared)
        && let Some(list) = rest::first_page(resource, 1)
    {
        // Nothing was asked yet: whether the credentials are taken shows here.
        site.read(&list.ask).await.map_err(error::refused_probe)?;
    }
    found.catalog = rest::catalog(&resources, &columns);
    Ok(found)
}

fn unusable(name: &str, why: String) -> Error {
    let message = "The API does not answer in the form that its resource map tells";
    Error::new(ErrorKind::Unprocessable, "external/api-shape", message)
        .with_details(format!("{name}: {why}"))
        .with_hint("Check items, total and pagination in the resource map")
}

/// What the map has paths for.
pub(super) async fn visible(site: &Site, scope: &Scope) -> Result<Visible> {
    let end = Instant::now() + scope.deadline;
    let _entered = site.enter(end).await?;
    let resources = tokio::time::timeout_at(end, site.resources(false)).await;
    let resources = resources.map_err(|_| error::too_late(true))?.map_err(error::unknown)?;
    let rights = |resource: &Resource| Rights {
        select: resource.list.is_some() || resource.get.is_some(),
        insert: resource.create.is_some(),
        update: resource.update.is_some(),
        delete: resource.delete.is_some(),
    };
    let tables = resources
        .iter()
        .map(|(name, resource)| (name.clone(), rights(resource)));
    Ok(Visible {
        tables: tables.collect(),
        ..Visible::default()
    })
}
