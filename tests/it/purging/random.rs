//! Random things of random ages: a purge takes exactly those older than 30 days.

use jiff::Timestamp;
use plinth::clock::{RESTORE_WINDOW, Random, SystemRandom};
use plinth::purge;
use plinth_local::platform::Function;
use uuid::Uuid;

use super::{ONE_AT_A_TIME, SECOND, era};
use crate::accounts::{cell, superuser};
use crate::projects::master;
use crate::world::{Project, run, world};

/// Where a kind's rows are, and how one is made that ended then: `$1` id, `$2` project, `$3` when.
struct Kind {
    table: &'static str,
    make: &'static str,
}

const KINDS: [Kind; 5] = [
    Kind {
        table: "keys",
        make: "insert into plinth.keys (id, project_id, class, name, hash, hint, created_at, revoked_at)
               values ($1, $2, 'secret', 'k', sha256(uuid_send($1)), '', $3, $3)",
    },
    Kind {
        table: "members",
        make: "insert into plinth.members (project_id, user_id, role, created_at, updated_at, deleted_at)
               values ($2, $1, 'viewer', $3, $3, $3)",
    },
    Kind {
        table: "projects",
        make: "insert into plinth.projects (id, ref, name, created_by, created_at, updated_at, deleted_at)
               values ($1, translate(left(replace($1::uuid::text, '-', ''), 20), '0123456789', 'ghijklmnop'), $1::uuid::text, $2, $3, $3, $3)",
    },
    Kind {
        table: "jobs",
        make: "insert into plinth.jobs (id, kind, project_id, state, run_at, created_at, updated_at)
               values ($1, 'x', $2, 'succeeded', $3, $3, $3)",
    },
    Kind {
        table: "users",
        make: "insert into __schema__.users (id, email, created_at, updated_at, deleted_at) values ($1, $2::uuid::text, $3, $3, $3)",
    },
];

fn below(limit: u64) -> u64 {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes) % limit
}

async fn users(project: &Project, isolation: &str) -> (tokio_postgres::Client, String) {
    match isolation {
        "schema" => (cell().await, format!("auth_{}", project.reference)),
        _ => (superuser(&format!("p_{}", project.reference)).await, "auth".to_owned()),
    }
}

#[test]
fn exactly_what_is_older_than_thirty_days_goes() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let control = master().await;
        for (isolation, at) in [("schema", "2019-01-01T00:00:00Z"), ("database", "2019-07-01T00:00:00Z")] {
            let at = era(at);
            let project = world().await.project(isolation).await;
            let id: Uuid = project.id.parse().unwrap();
            let (accounts, schema) = users(&project, isolation).await;
            let note = "insert into plinth.end_user_deletions values ($1, $2, $3)
                on conflict (project_id) do update set since = excluded.since, latest = excluded.latest";
            let mut things: Vec<(usize, Uuid, Timestamp)> = Vec::new();
            for _ in 0..120 {
                let kind = usize::try_from(below(5)).unwrap();
                // Many on the edges of days, so that some are exactly 30 days old.
                let age = SECOND * u32::try_from(below(40 * 24)).unwrap() * 3600;
                let thing = Uuid::from_u128(u128::from(below(u64::MAX)) << 64 | u128::from(below(u64::MAX)));
                let sql = KINDS[kind].make.replace("__schema__", &schema);
                let client = if kind == 4 { &accounts } else { &control };
                client.execute(&sql, &[&thing, &id, &(at + age)]).await.unwrap();
                things.push((kind, thing, at + age));
            }
            let last = at + SECOND * 40 * 24 * 3600;
            control.execute(note, &[&id, &at, &last]).await.unwrap();
            let mut now = at + RESTORE_WINDOW;
            while now < last + RESTORE_WINDOW {
                let report = purge::run(&app, now).await.unwrap();
                assert!(report.complete, "{report:?}");
                let before = now.checked_sub(RESTORE_WINDOW).unwrap();
                for (kind, thing, ended) in &things {
                    let column = if *kind == 1 { "user_id" } else { "id" };
                    let (client, schema) = match kind {
                        4 => (&accounts, schema.as_str()),
                        _ => (&control, "plinth"),
                    };
                    let sql = format!(
                        "select count(*) from {schema}.{} where {column} = $1",
                        KINDS[*kind].table
                    );
                    let there: i64 = client.query_one(&sql, &[thing]).await.unwrap().get(0);
                    let expected = i64::from(*ended >= before);
                    assert_eq!(there, expected, "{} of {ended} as of {now}", KINDS[*kind].table);
                }
                now += SECOND * u32::try_from(1 + below(14 * 24)).unwrap() * 3600;
            }
        }
    });
}
