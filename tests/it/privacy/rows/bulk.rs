//! Transactions over any number of rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mysql_async::prelude::Queryable as _;
use plinth::backend::{BulkScope, Fut, Sink, TextRow};
use plinth::error::{Error, Result};
use plinth::ident::Ident;
use plinth::subject::{Dialect, Facts};
use tokio::sync::Semaphore;

use super::ground::{Ground, Kept, of_cockroach, of_mariadb, of_postgres, statement};
use crate::handmade::superuser;
use crate::mysql::server as mariadb;
use crate::world::{run, unique};

async fn postgres() -> (Ground, String) {
    let database = plinth_local::testing::empty_database().await.unwrap();
    let name = database.name().to_string();
    let ground = Ground {
        dialect: Dialect::Postgres,
        records: of_postgres(&name).await,
        role: None,
        facts: Facts::default(),
    };
    (ground, name)
}

async fn maria() -> (Ground, String) {
    let name = mariadb::server().await.empty_database().await;
    let ground = Ground {
        dialect: Dialect::MySql,
        records: of_mariadb(&name).await,
        role: None,
        facts: Facts::default(),
    };
    (ground, name)
}

/// Takes rows only when it is let.
struct Slow {
    let_in: Arc<Semaphore>,
    taken: Arc<AtomicUsize>,
    largest: usize,
}

impl Sink for Slow {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        self.largest = self.largest.max(rows.len());
        self.taken.fetch_add(rows.len(), Ordering::SeqCst);
        let let_in = self.let_in.clone();
        Box::pin(async move {
            let_in.acquire().await.unwrap().forget();
            Ok(())
        })
    }
}

/// Rows of 10 kB: few of them are taken while their taker waits, and all in the end.
async fn streamed_slowly(ground: Ground, sql: &str, blocked: impl Future<Output = ()>) {
    const MANY: usize = 20_000;
    let let_in = Arc::new(Semaphore::new(1));
    let taken = Arc::new(AtomicUsize::new(0));
    let mut sink = Slow {
        let_in: let_in.clone(),
        taken: taken.clone(),
        largest: 0,
    };
    let sql = statement(sql.replace("$many", &MANY.to_string()));
    let streaming = tokio::spawn(async move {
        let mut transaction = ground.begin(true).await;
        let count = transaction.stream(&sql, &mut sink).await.unwrap();
        transaction.commit().await.unwrap();
        (count, sink.largest)
    });
    // It takes twice and then waits, and so does the server.
    while taken.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    blocked.await;
    let few = taken.load(Ordering::SeqCst);
    assert!(few < MANY / 10, "{few}");
    let_in.add_permits(MANY);
    let (count, largest) = streaming.await.unwrap();
    assert_eq!((count, taken.load(Ordering::SeqCst)), (MANY as u64, MANY));
    assert!(largest <= 500, "{largest}");
}

#[test]
fn rows_wait_for_a_slow_taker_on_postgres() {
    run(async {
        let (ground, name) = postgres().await;
        let client = superuser(&name).await;
        let blocked = async {
            let sql = "select from pg_stat_activity where datname = $1 and wait_event = 'ClientWrite'";
            while client.query(sql, &[&name]).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let sql = "select repeat('x', 10000) from generate_series(1, $many)";
        streamed_slowly(ground, sql, blocked).await;
    });
}

#[test]
fn rows_wait_for_a_slow_taker_on_mariadb() {
    run(async {
        let (ground, name) = maria().await;
        let sql = format!("select repeat('x', 10000) from {name}.many");
        let create = "create table many (id int primary key) select seq as id from seq_1_to_20000";
        let mut own = mariadb::server().await.admin(Some(&name)).await.unwrap();
        own.query_drop(create).await.unwrap();
        streamed_slowly(ground, &sql, async {}).await;
    });
}

/// Refuses rows.
struct Full;

impl Sink for Full {
    fn take(&mut self, _: Vec<TextRow>) -> Fut<'_, Result<()>> {
        Box::pin(async { Err(Error::invalid("test/full", "no more")) })
    }
}

#[test]
fn what_fails_or_is_dropped_leaves_nothing() {
    run(async {
        for (ground, name) in [postgres().await, maria().await] {
            let (table, is_mysql) = match ground.dialect {
                Dialect::MySql => (format!("{name}.t"), true),
                _ => ("public.t".to_owned(), false),
            };
            let mut transaction = ground.begin(false).await;
            let create = format!("create table {table} (id int primary key)");
            transaction.execute(&statement(create)).await.unwrap();
            transaction.commit().await.unwrap();
            let insert = |id: u8| statement(format!("insert into {table} values ({id})"));
            let count = statement(match is_mysql {
                true => format!("select cast(count(*) as char) from {table}"),
                false => format!("select count(*)::text from {table}"),
            });

            // Dropped.
            let mut transaction = ground.begin(false).await;
            assert_eq!(transaction.execute(&insert(1)).await.unwrap(), 1);
            drop(transaction);
            // Failed.
            let mut transaction = ground.begin(false).await;
            transaction.execute(&insert(2)).await.unwrap();
            let refused = transaction.execute(&insert(2)).await.unwrap_err();
            assert_eq!(refused.code(), "23505");
            let told = format!("{} {:?} {:?}", refused.public(), refused.details(), refused.hint());
            assert!(!told.contains("(2)") && !told.contains("'2'"), "{told}");
            assert!(transaction.execute(&insert(3)).await.is_err());
            assert!(transaction.commit().await.is_err());
            // Refused by its taker.
            let mut transaction = ground.begin(false).await;
            transaction.execute(&insert(4)).await.unwrap();
            let refused = transaction.stream(&count, &mut Full).await.unwrap_err();
            assert_eq!(refused.code(), "test/full");
            assert!(transaction.commit().await.is_err());
            // A read writes nothing.
            let mut transaction = ground.begin(true).await;
            assert_eq!(transaction.execute(&insert(5)).await.unwrap_err().code(), "25006");
            // Kept.
            let mut transaction = ground.begin(false).await;
            transaction.execute(&insert(6)).await.unwrap();
            transaction.commit().await.unwrap();
            let mut kept = Kept::default();
            let mut transaction = ground.begin(true).await;
            assert_eq!(transaction.stream(&count, &mut kept).await.unwrap(), 1);
            assert_eq!(kept.0, [[Some("1".to_owned())]], "{table}");
        }
    });
}

#[test]
fn reads_of_one_transaction_see_one_state() {
    run(async {
        for (ground, name) in [postgres().await, maria().await] {
            let (table, text) = match ground.dialect {
                Dialect::MySql => (format!("{name}.t"), "cast(count(*) as char)"),
                _ => ("public.t".to_owned(), "count(*)::text"),
            };
            let mut other = ground.begin(false).await;
            other
                .execute(&statement(format!("create table {table} (id int)")))
                .await
                .unwrap();
            other.commit().await.unwrap();
            let count = statement(format!("select {text} from {table}"));
            let mut reader = ground.begin(true).await;
            assert_eq!(reader.rows(&count).await.unwrap()[0][0].as_deref(), Some("0"));
            let mut other = ground.begin(false).await;
            other
                .execute(&statement(format!("insert into {table} values (1)")))
                .await
                .unwrap();
            other.commit().await.unwrap();
            assert_eq!(reader.rows(&count).await.unwrap()[0][0].as_deref(), Some("0"));
        }
    });
}

#[test]
fn a_role_is_taken_and_rows_that_policies_keep_from_it_are_an_error() {
    run(async {
        let (mut ground, name) = postgres().await;
        let role = format!("r_{}", unique());
        let client = superuser(&name).await;
        client
            .batch_execute(&format!(
                "create role {role}; create table public.t (id int); insert into public.t values (1);
                 alter table public.t enable row level security; grant select on public.t to {role}"
            ))
            .await
            .unwrap();
        ground.role = Some(Ident::new(role.as_str()).unwrap());
        let mut transaction = ground.begin(true).await;
        let settings = "select current_user::text, current_setting('search_path'), current_setting('TimeZone')";
        let settings = transaction.rows(&statement(settings)).await.unwrap();
        let told: Vec<&str> = settings[0].iter().flatten().map(String::as_str).collect();
        assert_eq!(told, [role.as_str(), "pg_catalog, \"public\", pg_temp", "UTC"]);
        for records in [of_postgres(&name).await, of_cockroach(&name).await] {
            ground.records = records;
            let read = statement("select id::text from public.t");
            let refused = ground.begin(true).await.rows(&read).await.unwrap_err();
            assert_eq!(refused.code(), "42501");
            assert!(refused.hint().unwrap().contains("bypassrls"));
        }
        client
            .batch_execute(&format!("drop owned by {role}; drop role {role}"))
            .await
            .unwrap();
    });
}

#[test]
fn what_hangs_on_tables_finds_others_as_for_requests_and_the_engines_functions_stay_its_own() {
    run(async {
        let (ground, name) = postgres().await;
        let client = superuser(&name).await;
        client
            .batch_execute(
                "create table notes (id int); create table gone (id int); insert into notes values (7);
                 create function keep() returns trigger language plpgsql as
                   $$ begin insert into gone values (old.id); return old; end $$;
                 create function many() returns int language sql as 'select count(*)::int from gone';
                 create materialized view counted as select many();
                 create trigger keep after delete on notes for each row execute function keep();
                 create function lower(text) returns text language sql as 'select ''theirs''::text'",
            )
            .await
            .unwrap();
        let mut transaction = ground.begin(false).await;
        let delete = statement("delete from public.notes");
        assert_eq!(transaction.execute(&delete).await.unwrap(), 1);
        let refresh = statement("refresh materialized view public.counted");
        transaction.execute(&refresh).await.unwrap();
        let told = statement("select many::text, lower('OURS'::text) from public.counted");
        let told = transaction.rows(&told).await.unwrap();
        assert_eq!(told, [[Some("1".to_owned()), Some("ours".to_owned())]]);
        transaction.commit().await.unwrap();
    });
}

#[test]
fn what_takes_too_long_ends_at_the_deadline() {
    run(async {
        for ((ground, _), sleep) in [
            (postgres().await, "select pg_sleep(600)::text"),
            (maria().await, "select sleep(600)"),
        ] {
            let scope = BulkScope {
                role: None,
                schemas: Vec::new(),
                read_only: false,
                deadline: std::time::Duration::from_secs(2),
            };
            let mut transaction = ground.records.bulk().unwrap().begin(&scope).await.unwrap();
            let refused = transaction.rows(&statement(sleep)).await.unwrap_err();
            assert_eq!(refused.code(), "records/deadline");
        }
    });
}

#[test]
fn a_commit_that_nobody_heard_of_says_so() {
    run(async {
        let (ground, name) = postgres().await;
        let client = superuser(&name).await;
        let mut transaction = ground.begin(false).await;
        let pid = transaction
            .rows(&statement("select pg_backend_pid()::text"))
            .await
            .unwrap();
        let pid = pid[0][0].clone().unwrap();
        client
            .query_one(&format!("select pg_terminate_backend({pid}, 60000)"), &[])
            .await
            .unwrap();
        assert_eq!(
            transaction.commit().await.unwrap_err().code(),
            "records/outcome-unknown"
        );

        let (ground, _) = maria().await;
        let mut transaction = ground.begin(false).await;
        let id = transaction
            .rows(&statement("select cast(connection_id() as char)"))
            .await
            .unwrap();
        let id = id[0][0].clone().unwrap();
        mariadb::server().await.sql(&format!("kill {id}")).await;
        assert_eq!(
            transaction.commit().await.unwrap_err().code(),
            "records/outcome-unknown"
        );
    });
}
