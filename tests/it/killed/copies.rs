//! A copy of somebody's data, made by workers that die.

use std::fmt::Write as _;
use std::time::Duration;

use plinth::jobs::JobView;
use serde_json::json;
use uuid::Uuid;

use super::bench::Bench;

/// Who it is about.
const ANN: &str = "0a000000-0000-4000-8000-000000000001";
const TERM: Duration = Duration::from_secs(72 * 60 * 60);

/// A request for a copy, and no other one.
pub async fn wanted(bench: &Bench) -> Uuid {
    if bench.files.exists() {
        std::fs::remove_dir_all(&bench.files).unwrap();
    }
    let reference = &bench.project.reference;
    let sql = format!(
        "insert into auth_{reference}.users (id, email, created_at, updated_at)
           values ('{ANN}', 'ann@example.com', '2026-01-01', '2026-01-01') on conflict do nothing;
         insert into project_{reference}.app_users (id, email, created_at, updated_at)
           values ('{ANN}', 'ann@example.com', '2026-01-01', '2026-01-01') on conflict do nothing;
         delete from project_{reference}.app_data;
         insert into project_{reference}.app_data (id, user_id, data_type, data, created_at, updated_at)
           select ('0b000000-0000-4000-8000-00000000000' || n)::uuid, '{ANN}', 'row ' || n, null, '2026-01-01', '2026-01-01'
           from generate_series(1, 3) n;"
    );
    bench.cell.batch_execute(&sql).await.unwrap();
    let (project, request, now) = (bench.project_id(), bench.app.random.uuid(), bench.app.clock.now());
    let sql = "delete from plinth.privacy_requests where project_id = $1 and kind = 'export'";
    bench.control.execute(sql, &[&project]).await.unwrap();
    let sql = "
        insert into plinth.privacy_requests (id, kind, scope, project_id, subject, created_at)
        values ($1, 'export', 'end-user', $2, $3, $4)";
    let subject = json!({ "id": ANN });
    bench
        .control
        .execute(sql, &[&request, &project, &subject, &now])
        .await
        .unwrap();
    let sql = "insert into plinth.exports (id, object, created_at, expires_at) values ($1, $2, $3, $4)";
    let (object, until) = (format!("{request}.zip"), now.checked_add(TERM).unwrap());
    bench
        .control
        .execute(sql, &[&request, &object, &now, &until])
        .await
        .unwrap();
    bench.enqueue("privacy.export", &json!({ "request": request })).await
}

/// Each file in the folder and what it holds, and each row.
pub async fn kept(bench: &Bench, job: &JobView) -> String {
    let result = job.result.clone().unwrap_or_default();
    let id = result["exportId"].as_str().unwrap_or("none").to_owned();
    let sql = "
        select coalesce(string_agg(e.id::text || ' ' || e.object || ' ' || coalesce(e.bytes::text, 'none'), ', '), '')
        from plinth.exports e join plinth.privacy_requests r on r.id = e.id where r.project_id = $1";
    let rows: String = bench
        .control
        .query_one(sql, &[&bench.project_id()])
        .await
        .unwrap()
        .get(0);
    let mut told = format!("rows: {}, tables: {}\n", result["rows"], result["tables"]);
    let mut names = Vec::new();
    for file in std::fs::read_dir(&bench.files).unwrap() {
        let file = file.unwrap();
        names.push(file.file_name().into_string().unwrap().replace(&id, "<id>"));
        let bytes = std::fs::read(file.path()).unwrap();
        let noted = rows == format!("{id} {id}.zip {}", bytes.len()) && result["bytes"] == bytes.len();
        writeln!(told, "one row, and it says how long: {noted}").unwrap();
        for (name, content) in crate::privacy::unzipped(&bytes) {
            // When it was made stands in the index alone.
            let content = if name.starts_with("index.") {
                String::new()
            } else {
                content
            };
            writeln!(told, "{name}: {content}").unwrap();
        }
    }
    names.sort();
    format!("{told}files: {names:?}")
}
