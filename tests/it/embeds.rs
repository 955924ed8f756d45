//! Related rows where tenants share a database: every way from one relation to another, as the caller's role sees it.

use http::{Method, StatusCode};
use plinth::tenancy::Isolation;
use serde_json::json;

use crate::handmade::project;
use crate::world::{run, world};

const LEVELS: [Isolation; 2] = [Isolation::Schema, Isolation::Database];

/// Clients have projects, projects have tasks and members; a project without its client's leave shows to the service only.
const STUDIO: &str = "
    create table clients (id int primary key, name text);
    create table projects (id int primary key, name text, client_id int references clients, budget int);
    create table people (id int primary key, name text, boss_id int constraint boss references people);
    create table members (project_id int references projects, person_id int references people,
      primary key (project_id, person_id));
    insert into clients values (1, 'Ada'), (2, 'Bob'), (3, 'Cyd');
    insert into projects values (1, 'one', 1, 10), (2, 'two', 1, 20), (3, 'three', 2, 40), (4, 'none', null, 80);
    insert into people values (1, 'Eve', null), (2, 'Fay', 1), (3, 'Gil', 1);
    insert into members values (1, 1), (1, 2), (2, 2), (3, 3);
    alter table clients enable row level security;
    alter table projects enable row level security;
    alter table people enable row level security;
    alter table members enable row level security;
    create policy all_of_it on clients using (true) with check (true);
    create policy all_of_it on people using (true);
    create policy all_of_it on members using (true);
    create policy others on projects to $anon using (id <> 2);
    create policy service on projects to $service using (true) with check (true);
    grant select, insert, update, delete on clients, projects, people, members to $anon, $service;
";

#[test]
fn related_rows_are_shown_at_every_level() {
    run(async {
        let cases = [
            (
                "projects?select=name,clients(name)&order=id&limit=1",
                json!([{ "name": "one", "clients": { "name": "Ada" } }]),
            ),
            (
                "clients?select=name,projects(id)&projects.order=id.desc&order=id",
                json!([
                    { "name": "Ada", "projects": [{ "id": 2 }, { "id": 1 }] },
                    { "name": "Bob", "projects": [{ "id": 3 }] },
                    { "name": "Cyd", "projects": [] }
                ]),
            ),
            (
                "projects?select=id,people(name)&people.order=name.desc&people.limit=1&id=eq.1",
                json!([{ "id": 1, "people": [{ "name": "Fay" }] }]),
            ),
            (
                "people?select=name,boss_id(name),staff:people!boss(name)&id=lte.2&order=id&staff.order=id",
                json!([
                    { "name": "Eve", "boss_id": null, "staff": [{ "name": "Fay" }, { "name": "Gil" }] },
                    { "name": "Fay", "boss_id": { "name": "Eve" }, "staff": [] }
                ]),
            ),
            (
                "clients?select=name,projects!inner(people!inner(name))&projects.people.name=eq.Gil",
                json!([{ "name": "Bob", "projects": [{ "people": [{ "name": "Gil" }] }] }]),
            ),
            (
                "clients?select=name,projects()&projects=is.null",
                json!([{ "name": "Cyd" }]),
            ),
            (
                "clients?select=name,projects(count)&id=eq.1",
                json!([{ "name": "Ada", "projects": [{ "count": 2 }] }]),
            ),
            (
                "projects?select=id,...clients(client:name)&order=clients(name).desc.nullslast,id",
                json!([
                    { "id": 3, "client": "Bob" },
                    { "id": 1, "client": "Ada" },
                    { "id": 2, "client": "Ada" },
                    { "id": 4, "client": null }
                ]),
            ),
            (
                "clients?select=name,...projects(budget)&projects.order=id&id=eq.1",
                json!([{ "name": "Ada", "budget": [10, 20] }]),
            ),
        ];
        for level in LEVELS {
            let (world, project) = (world().await, project(level, STUDIO).await);
            for (rest, expected) in &cases {
                // Without names, preparing, by name.
                for _ in 0..3 {
                    let call = world.call(Method::GET, &project.rest(rest)).key(&project.secret);
                    assert_eq!(&call.send().await.expect(StatusCode::OK), expected, "{level:?} {rest}");
                }
            }
        }
    });
}

#[test]
fn related_rows_are_those_the_caller_may_see() {
    run(async {
        for level in LEVELS {
            let (world, project) = (world().await, project(level, STUDIO).await);
            let get = |rest: &str| world.call(Method::GET, &project.rest(rest)).key(&project.publishable);
            let reply = get("clients?select=id,projects(id)&id=eq.1").send().await;
            assert_eq!(
                reply.expect(StatusCode::OK),
                json!([{ "id": 1, "projects": [{ "id": 1 }] }])
            );
            let reply = get("clients?select=id,projects!inner()&projects.id=eq.2").send().await;
            assert_eq!(reply.expect(StatusCode::OK), json!([]));
            let counted = get("clients?select=id,projects!inner()&limit=1&order=id").header("prefer", "count=exact");
            let counted = counted.send().await;
            assert_eq!(counted.header("content-range"), "0-0/2");
        }
    });
}

#[test]
fn written_rows_are_shown_with_what_they_relate_to() {
    run(async {
        for level in LEVELS {
            let (world, project) = (world().await, project(level, STUDIO).await);
            let call = |method: Method, rest: &str| {
                let call = world.call(method, &project.rest(rest)).key(&project.secret);
                call.header("prefer", "return=representation")
            };
            let created = call(Method::POST, "projects?select=name,clients(name),people(name)")
                .json(&json!({ "id": 9, "name": "nine", "client_id": 3 }))
                .send()
                .await;
            assert_eq!(
                created.expect(StatusCode::CREATED),
                json!([{ "name": "nine", "clients": { "name": "Cyd" }, "people": [] }])
            );
            let moved = call(Method::PATCH, "projects?id=eq.9&select=id,...clients(name)")
                .json(&json!({ "client_id": 2 }))
                .send()
                .await;
            assert_eq!(moved.expect(StatusCode::OK), json!([{ "id": 9, "name": "Bob" }]));
            let gone = call(
                Method::DELETE,
                "projects?id=eq.9&select=id,clients(projects(id))&clients.projects.order=id",
            );
            // What is related is read as it was before.
            assert_eq!(
                gone.send().await.expect(StatusCode::OK),
                json!([{ "id": 9, "clients": { "projects": [{ "id": 3 }, { "id": 9 }] } }])
            );
        }
    });
}

#[test]
fn estimates_come_with_the_rows() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, STUDIO).await);
        for count in ["planned", "estimated"] {
            for _ in 0..3 {
                let call = world.call(Method::GET, &project.rest("clients?id=eq.1&select=id"));
                let reply = call
                    .key(&project.secret)
                    .header("prefer", &format!("count={count}"))
                    .send()
                    .await;
                assert_eq!(reply.expect(StatusCode::OK), json!([{ "id": 1 }]));
                assert_eq!(reply.header("content-range"), "0-0/1");
            }
        }
    });
}
