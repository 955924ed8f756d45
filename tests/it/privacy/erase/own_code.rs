//! What an owner's database does by itself while somebody is erased.

use serde_json::json;

use super::external::own_postgres;
use super::{about, confirmed, erased, map, planned};
use crate::external;
use crate::work::ended;
use crate::world::{run, text};

const TABLES: &str = "
    create table people (id int primary key, email text);
    create table notes (id int primary key, author int references people on delete set null, body text);
    insert into people values (1, 'ann@example.com'), (2, 'bob@example.com');
    insert into notes values (1, 1, 'of ann'), (2, 2, 'of bob')";

#[test]
fn a_trigger_that_keeps_rows_is_told_and_nothing_goes() {
    run(async {
        let world = external::world().await;
        let tables = format!(
            "{TABLES};
             create function keep() returns trigger language plpgsql as 'begin return null; end';
             create trigger keep before delete on notes for each row execute function keep()"
        );
        let (database, own) = own_postgres(world, &tables).await;
        let (project, token) = (&own.id, &own.owner.token);
        let go = json!({ "action": "delete" });
        map(world, token, project, &[("people", go.clone()), ("notes", go.clone())]).await;
        let request = about(project, &json!("ann@example.com"));
        let plan = planned(world, token, &request).await;
        let asked = confirmed(world, token, &request, &plan).await;
        let job = ended(world, token, &text(&asked, "jobId")).await;
        assert_eq!(
            (&job["errorCode"], &job["attempts"]),
            (&json!("privacy/rows-stay"), &json!(1)),
            "{job}"
        );
        assert!(text(&job, "error").contains("notes: 1 of 1"), "{job}");
        let left = database.query("select from people union all select from notes", &[]);
        assert_eq!(left.await.unwrap().len(), 4, "nothing is half done");

        let sql = "drop trigger keep on notes";
        database.batch_execute(sql).await.unwrap();
        erased(world, token, &request).await;
        let left = database.query("select from people union all select from notes", &[]);
        assert_eq!(left.await.unwrap().len(), 2);
    });
}

#[test]
fn copies_of_copies_are_renewed_after_what_they_are_made_of() {
    run(async {
        let world = external::world().await;
        let tables = format!(
            "{TABLES};
             create materialized view z_base as select email, body from people join notes on author = people.id;
             create view m_between as select email || ' wrote ' || body as line from z_base;
             create materialized view a_top as select line from m_between;
             create table letters (mail text)"
        );
        let (database, own) = own_postgres(world, &tables).await;
        let (project, token) = (&own.id, &own.owner.token);
        let go = json!({ "action": "delete" });
        map(world, token, project, &[("people", go.clone()), ("notes", go)]).await;
        let (plan, _, receipt) = erased(world, token, &about(project, &json!("ann@example.com"))).await;
        assert_eq!(plan["gaps"], json!([{ "table": "letters", "column": "mail" }]));
        let lines = database.query("select line from a_top", &[]).await.unwrap();
        let lines: Vec<String> = lines.iter().map(|row| row.get(0)).collect();
        assert_eq!(lines, ["bob@example.com wrote of bob"], "{receipt}");
    });
}
