//! The kinds of jobs whose workers are killed, each with how a round begins and what there must be in its end.

use std::pin::Pin;

use plinth::app::App;
use plinth::audit::{self, Entry};
use plinth::control::failure;
use plinth::error::{Error, Result};
use plinth::jobs::{Done, Handler, Job, JobView};
use plinth::tenancy::RequestInfo;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::Bench;
use super::{copies, erasures};

pub type Told<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub struct Case {
    pub kind: &'static str,
    /// Asks for a job. What it needs beside the bench's project, the first round may make.
    pub begin: for<'a> fn(&'a Bench) -> Told<'a, Uuid>,
    /// All that the job was to bring about, in words that are the same in each round: no ids, no times.
    pub end: for<'a> fn(&'a Bench, &'a JobView) -> Told<'a, String>,
}

pub const CASES: &[Case] = &[
    Case {
        kind: "versions.push",
        begin: |bench| Box::pin(moved(bench)),
        end: |bench, job| Box::pin(told(bench, job)),
    },
    Case {
        kind: "docs.generate",
        begin: |bench| Box::pin(undocumented(bench)),
        end: |bench, job| Box::pin(documented(bench, job)),
    },
    Case {
        kind: "privacy.export",
        begin: |bench| Box::pin(copies::wanted(bench)),
        end: |bench, job| Box::pin(copies::kept(bench, job)),
    },
    Case {
        kind: "privacy.erase",
        begin: |bench| Box::pin(erasures::wanted(bench)),
        end: |bench, job| Box::pin(erasures::left(bench, job)),
    },
    Case {
        kind: "test.items",
        begin: |bench| Box::pin(async { bench.enqueue("test.items", &json!({ "items": ITEMS })).await }),
        end: |bench, job| Box::pin(noted(bench, job)),
    },
];

/// All kinds that the workers know.
pub fn kinds() -> Vec<(&'static str, Handler)> {
    let own: [(&'static str, Handler); 1] = [("test.items", items)];
    worker::KINDS.iter().copied().chain(own).collect()
}

/// A project whose version has moved, and nobody has told its backend.
async fn moved(bench: &Bench) -> Uuid {
    let project = bench.project_id();
    bench
        .control
        .execute("select plinth.bump($1)", &[&project])
        .await
        .unwrap();
    bench.enqueue("versions.push", &json!({})).await
}

async fn told(bench: &Bench, job: &JobView) -> String {
    let sql = "
        select p.version, (select count(*) from plinth.outbox o where o.project_id = p.id and o.done_at is null)
        from plinth.projects p where p.id = $1";
    let row = bench.control.query_one(sql, &[&bench.project_id()]).await.unwrap();
    let (version, open): (i64, i64) = (row.get(0), row.get(1));
    let sql = "select control from plinth.version where ref = $1";
    let heard = bench.cell.query_one(sql, &[&bench.project.reference]).await.unwrap();
    let behind = version - heard.get::<_, i64>(0);
    format!("result: {:?}, untold: {open}, behind by: {behind}", job.result)
}

/// A project of whose documentation there is no version.
async fn undocumented(bench: &Bench) -> Uuid {
    let sql = "delete from plinth.document_versions where project_id = $1";
    bench.control.execute(sql, &[&bench.project_id()]).await.unwrap();
    bench.enqueue("docs.generate", &json!({})).await
}

/// Each version that was made, and each entry about one in the audit log.
async fn documented(bench: &Bench, job: &JobView) -> String {
    let sql = "
        select coalesce(string_agg(id::text || ' ' || md5(content), ', ' order by created_at), '')
        from plinth.document_versions where project_id = $1";
    let versions: String = bench
        .control
        .query_one(sql, &[&bench.project_id()])
        .await
        .unwrap()
        .get(0);
    let sql = "
        select coalesce(string_agg(action, ' ' order by sequence), '') from plinth.audit_log where request_id = $1";
    let request = job.job.id.to_string();
    let audited: String = bench.control.query_one(sql, &[&request]).await.unwrap().get(0);
    let result = job.result.clone().unwrap_or_default();
    let version = result["versionId"].as_str().unwrap_or("none");
    // The one that the result names, if any.
    let versions = versions.replace(version, "of the result");
    let (tables, bytes) = (&result["tables"], &result["bytes"]);
    format!("versions: {versions}\naudited: {audited}\ntables: {tables}, bytes: {bytes}")
}

const ITEMS: i32 = 6;

fn items<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(do_items(app, job))
}

/// Things that would show if they were done twice: each item is an entry in the audit log.
async fn do_items(app: &App, job: &Job) -> Result<Value> {
    let count = job.payload["items"].as_i64().unwrap_or_default();
    let done = job.items(app).await?;
    for number in 1..=count {
        let item = format!("item {number}");
        if done.contains_key(&item) {
            continue;
        }
        let percent = u8::try_from(100 * (number - 1) / count).map_err(Error::internal)?;
        job.progress(app, percent, &item).await?;
        let mut client = app.control.get().await?;
        let transaction = client.transaction().await.map_err(failure)?;
        let request = RequestInfo::default();
        let entry = Entry::by_system("test", &request, job.project, "test.item", job.id);
        audit::record(app, &transaction, &entry.with(json!({ "item": number }))).await?;
        job.done(app, &transaction, &item, &json!({ "number": number })).await?;
        transaction.commit().await.map_err(failure)?;
    }
    Ok(json!({ "items": job.items(app).await?.len() }))
}

async fn noted(bench: &Bench, job: &JobView) -> String {
    let (job, result) = (job.job.id, &job.result);
    let sql = "
        select coalesce(string_agg(details ->> 'item', ' ' order by sequence), '') from plinth.audit_log where target = $1";
    let effects: String = bench.control.query_one(sql, &[&job.to_string()]).await.unwrap().get(0);
    let sql = "
        select coalesce(string_agg(item || ' = ' || (outcome ->> 'number'), ', ' order by item), '')
        from plinth.job_items where job_id = $1";
    let items: String = bench.control.query_one(sql, &[&job]).await.unwrap().get(0);
    format!("result: {result:?}\neffects: {effects}\nitems: {items}")
}
