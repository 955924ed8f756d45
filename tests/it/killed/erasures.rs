//! Somebody's data, erased by workers that die.

use std::fmt::Write as _;

use plinth::ident::{ProjectId, UserId};
use plinth::jobs::JobView;
use plinth::privacy::map::{self, Wanted};
use plinth::tenancy::{Caller, MemberRole, PlatformRole, PlatformUser, RequestInfo};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::Bench;

/// Who goes, and who stays.
const EVE: &str = "0e000000-0000-4000-8000-000000000001";
const BOB: &str = "0e000000-0000-4000-8000-000000000002";

/// Eve as she is before each round: an account with two sessions, rows in three tables, a document that names her, an earlier
/// request with a copy that waits; and Bob beside her.
pub async fn wanted(bench: &Bench) -> Uuid {
    people(bench).await;
    confirmed(bench).await;
    let (project, now) = (bench.project_id(), bench.app.clock.now());
    let sql = "
        delete from plinth.privacy_requests where project_id = $1";
    bench.control.execute(sql, &[&project]).await.unwrap();
    let sql = "delete from plinth.document_versions where project_id = $1";
    bench.control.execute(sql, &[&project]).await.unwrap();
    bench
        .control
        .execute("delete from plinth.receipts where project_id = $1", &[&project])
        .await
        .unwrap();
    let sql = "
        insert into plinth.document_versions (id, project_id, number, origin, content, change_summary, created_at, deleted_at)
        values (gen_random_uuid(), $1, 1, 'edited', 'Ask eve@example.com, not steve@example.com', 'by Eve Example', $2, null),
          (gen_random_uuid(), $1, 2, 'edited', 'Ask Eve' || e'\\n' || 'Example', '', $2, $2)";
    bench.control.execute(sql, &[&project, &now]).await.unwrap();
    let (export, erasure) = (bench.app.random.uuid(), bench.app.random.uuid());
    let sql = "
        insert into plinth.privacy_requests (id, kind, scope, project_id, subject, created_at)
        values ($1, $2, 'end-user', $3, $4, $5)";
    let subject = json!({ "id": EVE });
    for (id, kind) in [(&export, "export"), (&erasure, "erasure")] {
        bench
            .control
            .execute(sql, &[id, &kind, &project, &subject, &now])
            .await
            .unwrap();
    }
    let sql = "insert into plinth.exports (id, object, bytes, created_at, expires_at) values ($1, $2, 3, $3, $3)";
    let object = format!("{export}.zip");
    bench.control.execute(sql, &[&export, &object, &now]).await.unwrap();
    std::fs::create_dir_all(&bench.files).unwrap();
    for file in std::fs::read_dir(&bench.files).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    std::fs::write(bench.files.join(object), "eve").unwrap();
    bench.enqueue("privacy.erase", &json!({ "request": erasure })).await
}

async fn people(bench: &Bench) {
    let reference = &bench.project.reference;
    let mut sql = format!(
        "create table if not exists project_{reference}.letters (id int primary key,
           author uuid references project_{reference}.app_users (id), body text);
         alter table project_{reference}.letters owner to p_{reference}_owner;
         delete from project_{reference}.letters; delete from project_{reference}.app_data;
         delete from project_{reference}.app_users; delete from auth_{reference}.users;"
    );
    for (at, id, name, email) in [
        (1, EVE, "Eve Example", "eve@example.com"),
        (2, BOB, "Bob Other", "bob@example.com"),
    ] {
        write!(
            sql,
            "insert into auth_{reference}.users (id, email, raw_user_meta_data, created_at, updated_at)
               values ('{id}', '{email}', '{{\"full_name\": \"{name}\"}}', '2026-01-01', '2026-01-01');
             insert into auth_{reference}.identities (id, user_id, provider, provider_id, created_at, updated_at)
               values (gen_random_uuid(), '{id}', 'email', '{id}', '2026-01-01', '2026-01-01');
             insert into auth_{reference}.sessions (id, user_id, created_at, refreshed_at)
               select gen_random_uuid(), '{id}', '2026-01-01', '2026-01-01' from generate_series(1, 2);
             insert into auth_{reference}.refresh_tokens (token_hash, session_id, created_at)
               select sha256(id::text::bytea), id, '2026-01-01' from auth_{reference}.sessions where user_id = '{id}';
             insert into project_{reference}.app_users (id, email, full_name, created_at, updated_at)
               values ('{id}', '{email}', '{name}', '2026-01-01', '2026-01-01');
             insert into project_{reference}.app_data (id, user_id, data_type, data, created_at, updated_at)
               select gen_random_uuid(), '{id}', 'row ' || n, null, '2026-01-01', '2026-01-01' from generate_series(1, 3) n;
             insert into project_{reference}.letters select {at} * 10 + n, '{id}', '{email}' from generate_series(1, 2) n;"
        )
        .unwrap();
    }
    bench.cell.batch_execute(&sql).await.unwrap();
}

/// The first round confirms the map that is found.
async fn confirmed(bench: &Bench) {
    let project = bench.project_id();
    let sql = "select count(*) from plinth.subject_maps where project_id = $1";
    let maps: i64 = bench.control.query_one(sql, &[&project]).await.unwrap().get(0);
    if maps > 0 {
        return;
    }
    let user = PlatformUser {
        id: UserId(bench.project.owner.id.parse().unwrap()),
        email: None,
        role: PlatformRole::User,
        outside: None,
        signed_in_at: None,
    };
    let caller = Caller {
        user,
        request: RequestInfo::default(),
    };
    let access = bench
        .app
        .tenancy
        .require(caller, ProjectId(project), MemberRole::Admin)
        .await
        .unwrap();
    let wanted = Wanted::parse(json!({ "confirm": true })).unwrap();
    Box::pin(map::confirm(&bench.app, &access, wanted, None)).await.unwrap();
}

/// What is left of both, everywhere, and what the receipt says.
pub async fn left(bench: &Bench, job: &JobView) -> String {
    let reference = &bench.project.reference;
    let mut told = String::new();
    for (name, id) in [("Eve", EVE), ("Bob", BOB)] {
        let sql = format!(
            "select format('accounts %s, identities %s, sessions %s, tokens %s, profiles %s, data %s, letters %s',
               (select count(*) from auth_{reference}.users where id = $1),
               (select count(*) from auth_{reference}.identities where user_id = $1),
               (select count(*) from auth_{reference}.sessions where user_id = $1),
               (select count(*) from auth_{reference}.refresh_tokens t join auth_{reference}.sessions s
                  on s.id = t.session_id where s.user_id = $1),
               (select count(*) from project_{reference}.app_users where id = $1),
               (select count(*) from project_{reference}.app_data where user_id = $1),
               (select count(*) from project_{reference}.letters where author = $1))"
        );
        let id: Uuid = id.parse().unwrap();
        let counts: String = bench.cell.query_one(&sql, &[&id]).await.unwrap().get(0);
        writeln!(told, "{name}: {counts}").unwrap();
    }
    let control = async |sql: &str| -> String {
        bench
            .control
            .query_one(sql, &[&bench.project_id()])
            .await
            .unwrap()
            .get(0)
    };
    let documents = "
        select string_agg(number || ': ' || content || ' (' || change_summary || ')', '; ' order by number)
        from plinth.document_versions where project_id = $1";
    writeln!(told, "documents: {}", control(documents).await).unwrap();
    let requests = "
        select count(*) || ', naming somebody: ' || count(subject) || ', exports: ' || (select count(*) from plinth.exports e
          join plinth.privacy_requests o on o.id = e.id where o.project_id = $1)
        from plinth.privacy_requests r where r.project_id = $1 and r.kind = 'erasure'";
    writeln!(told, "requests: {}", control(requests).await).unwrap();
    writeln!(told, "files: {}", std::fs::read_dir(&bench.files).unwrap().count()).unwrap();
    let sql =
        "select coalesce(string_agg(action, ' ' order by sequence), '') from plinth.audit_log where request_id = $1";
    let request = job.job.id.to_string();
    let audited: String = bench.control.query_one(sql, &[&request]).await.unwrap().get(0);
    writeln!(told, "audited: {audited}").unwrap();
    told + &receipts(bench).await
}

/// Each receipt, without what is another one each time.
async fn receipts(bench: &Bench) -> String {
    let sql = "select statement, jws from plinth.receipts where project_id = $1";
    let found = bench.control.query(sql, &[&bench.project_id()]).await.unwrap();
    let keys = plinth::privacy::receipt::public_keys(&bench.app)
        .await
        .unwrap()
        .to_string();
    let mut told = String::new();
    for row in found {
        let (mut statement, jws): (Value, String) = (row.get(0), row.get(1));
        let kid = serde_json::from_str::<Value>(&keys).unwrap()["keys"][0]["kid"].clone();
        let document = json!({ "receipt": statement, "jws": jws, "kid": kid }).to_string();
        let genuine = verify_receipt::verify(document.as_bytes(), keys.as_bytes()).is_ok();
        for name in ["jti", "iat", "requestedAt", "completedAt", "auditChain"] {
            statement.as_object_mut().unwrap().remove(name);
        }
        writeln!(told, "receipt: {statement}, genuine: {genuine}").unwrap();
    }
    told
}
