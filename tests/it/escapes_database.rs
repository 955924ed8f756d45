//! A project with a database of its own may run any SQL as its own login. Everything here is written as an attacker
//! would write it, and runs on that login.

use plinth::backend::{Address, Login};
use plinth::provisioning;
use plinth::sensitive::Sensitive;
use plinth::tenancy::Isolation;
use tokio_postgres::Client;

use crate::provisioning::{Site, connect, superuser};
use crate::world::{platform, run};

/// An attacker's project and a neighbour's.
struct Attack {
    address: Address,
    own: String,
    other: String,
}

impl Attack {
    async fn new() -> Self {
        let (site, neighbour) = (Site::new().await, Site::new().await);
        for one in [&site, &neighbour] {
            one.provision(Isolation::Database).await.unwrap();
        }
        let project = site.app.tenancy.refresh(site.reference()).await.unwrap();
        let backend = project.ready_backend().unwrap();
        let address = site.app.data_target(&project, backend).await.unwrap().address;
        Self {
            own: format!("p_{}", site.reference()),
            other: format!("p_{}", neighbour.reference()),
            address,
        }
    }

    /// The attacker's login at any database.
    async fn at(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        connect(url(&self.address, database).expose()).await
    }

    /// At home, with all the rights the tenant has there: the owner's.
    async fn home(&self) -> Client {
        let client = self.at(&self.own).await.unwrap();
        let owner = format!("set role \"{}_owner\"", self.own);
        client.batch_execute(&owner).await.unwrap();
        client
    }

    /// One of our logins, in the attacker's database.
    async fn ours(&self, login: &str) -> Client {
        let password = platform().await.password(login);
        let address = self.address.with_login(login, Some(&password), &self.own);
        connect(url(&address, &self.own).expose()).await.unwrap()
    }
}

fn url(address: &Address, database: &str) -> Sensitive {
    let Login::Password(password) = &address.auth else {
        panic!("no password")
    };
    let (login, host, port) = (&address.login, &address.host, address.port);
    Sensitive::new(format!(
        "postgresql://{login}:{}@{host}:{port}/{database}",
        password.expose()
    ))
}

/// The SQLSTATE a text ends with; empty when it succeeds.
async fn state(client: &Client, sql: &str) -> String {
    match client.batch_execute(sql).await {
        Ok(()) => String::new(),
        Err(error) => error
            .code()
            .map_or_else(|| error.to_string(), |code| code.code().to_owned()),
    }
}

async fn names(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn no_other_database_opens() {
    run(async {
        let attack = Attack::new().await;
        for database in [
            "plinth",
            "plinth_cell",
            "plinth_template",
            "postgres",
            "template1",
            &attack.other,
        ] {
            let error = attack
                .at(database)
                .await
                .err()
                .unwrap_or_else(|| panic!("{database} opened"));
            assert_eq!(error.code().unwrap().code(), "42501", "{database}");
        }
        assert_eq!(
            attack.at("template0").await.err().unwrap().code().unwrap().code(),
            "55000"
        );
    });
}

/// Each of these is refused for lack of privilege, whatever else is wrong with it.
const REFUSED: &[&str] = &[
    // Credentials and secrets.
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from auth.users",
    "select encrypted_password from auth.users",
    "select * from auth.refresh_tokens",
    "select * from auth.sessions",
    "select * from auth.identities",
    "insert into auth.users (id, created_at, updated_at) values (gen_random_uuid(), now(), now())",
    "update auth.users set email = 'eve@example.com'",
    "delete from auth.users",
    "truncate auth.users cascade",
    "copy auth.users to stdout",
    "select * from pg_statistic",
    "select * from pg_statistic_ext_data",
    "select * from pg_user_mapping",
    "select * from pg_largeobject",
    "select * from pg_subscription",
    // Code that would run as somebody else.
    "create table public.r (u uuid references auth.users (id))",
    "create table public.r (u bytea references auth.refresh_tokens (token_hash))",
    "create trigger t before insert on auth.users for each row execute function plinth.touch_updated_at()",
    "create policy p on auth.users using (true)",
    "create rule r as on select to auth.users do instead select 1",
    "create index on auth.users ((public.f(email)))",
    "alter table auth.users add column x int default 1",
    "alter table auth.users owner to current_user",
    "create function auth.f() returns int language sql as 'select 1'",
    "create function plinth.f() returns int language sql as 'select 1'",
    "create or replace function plinth.uid() returns uuid language sql as 'select null::uuid'",
    "create or replace function auth.uid() returns uuid language sql as 'select null::uuid'",
    "alter function plinth.uid() reset all",
    "alter function auth.uid() security definer",
    "drop function plinth.check_version(text, bigint, bigint)",
    "alter function auth.sync_profile(uuid, text, jsonb) owner to plinth_auth",
    "create function public.f() returns int language c as 'x'",
    "create function public.f() returns int language internal as 'int4in'",
    "create event trigger e on ddl_command_start execute function plinth.touch_updated_at()",
    "create operator class public.o default for type text using btree as operator 1 <",
    "create cast (text as uuid) without function as implicit",
    "alter default privileges for role plinth_provision grant all on tables to public",
    // Our bookkeeping.
    "select * from plinth.version",
    "update plinth.version set control = 0",
    "delete from plinth.version",
    "select plinth.push_version('x', 1)",
    "create table plinth.t (a int)",
    "alter schema plinth owner to current_user",
    "alter schema auth owner to current_user",
    "drop schema plinth cascade",
    "drop schema auth cascade",
    // The database and the cluster.
    "alter database $own rename to mine",
    "alter database $own owner to $own",
    "alter database $own connection limit 100",
    "alter database $own set search_path = public",
    "alter database $other set search_path = public",
    "drop database $other",
    "create database mine",
    "create database mine template $other",
    "create schema mine",
    "create temp table t (a int)",
    "create extension dblink",
    "create extension postgres_fdw",
    "create extension file_fdw",
    "create extension adminpack",
    "create extension pgcrypto",
    "create foreign data wrapper w",
    "create publication p for all tables",
    "create publication p for table public.app_users",
    "create subscription s connection 'host=127.0.0.1' publication p with (connect = false)",
    "create tablespace t location '/tmp'",
    "create access method m type table handler heap_tableam_handler",
    "create trusted language l handler f",
    "alter system set log_statement = 'all'",
    "load 'auto_explain'",
    "set log_statement = 'none'",
    "set session_preload_libraries = 'x'",
    "set session_replication_role = replica",
    "alter role current_user set log_min_duration_statement = 0",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "select pg_create_physical_replication_slot('s')",
    "select pg_promote()",
    "show data_directory",
    "select * from pg_hba_file_rules",
    "select * from pg_file_settings",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'plinth%' or usename = 'postgres'",
    // Files and programs.
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "select * from pg_ls_logdir()",
    "select pg_stat_file('PG_VERSION')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/x')",
    "copy public.app_users from '/etc/passwd'",
    "copy public.app_users to '/tmp/x'",
    "copy public.app_users from program 'id'",
    "copy (select 1) to program 'id'",
    // Other roles.
    "set role plinth_provision",
    "set role plinth_auth",
    "set role plinth_control",
    "set role plinth_api",
    "set role plinth_admin",
    "set role postgres",
    "set role $other",
    "set role ${other}_owner",
    "set role ${other}_service",
    "set role ${other}_anon",
    "select set_config('role', 'plinth_provision', false)",
    "set session authorization plinth_provision",
    "create role eve",
    "create role eve login superuser",
    "drop role $other",
    "alter role current_user superuser",
    "alter role current_user createrole",
    "alter role current_user connection limit 1000",
    "alter role $other password 'x'",
    "alter role plinth_provision password 'x'",
    "alter role all set search_path = public",
    "alter role $other in database $own set search_path = public",
    "grant ${other}_owner to current_user",
    "grant plinth_provision to current_user",
    "grant ${own}_owner to $other",
    "grant $own to $other",
    "grant $own to plinth_auth",
    "grant pg_read_all_data to current_user",
    "grant pg_execute_server_program to current_user",
    "reassign owned by plinth_provision to current_user",
    "drop owned by plinth_provision",
    "alter table public.app_users owner to plinth_provision",
    "alter table public.app_users owner to ${other}_owner",
];

#[test]
fn everything_outside_is_refused() {
    run(async {
        let attack = Attack::new().await;
        let setting_up = attack.home().await;
        setting_up
            .batch_execute("create function public.f(text) returns text immutable language sql as 'select $1'")
            .await
            .unwrap();
        let mut wrong = Vec::new();
        for sql in REFUSED {
            let client = attack.home().await;
            let sql = sql
                .replace("${own}", &attack.own)
                .replace("${other}", &attack.other)
                .replace("$own", &attack.own)
                .replace("$other", &attack.other);
            let ended = state(&client, &sql).await;
            if ended != "42501" {
                wrong.push(format!("{ended:6} {sql}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn the_database_cannot_be_opened_to_others() {
    run(async {
        let attack = Attack::new().await;
        let acl = "select datacl::text from pg_database where datname = current_database()";
        let client = attack.home().await;
        let before = names(&client, acl).await;
        for right in ["connect", "create", "temp", "all"] {
            // Without the option to grant Postgres only warns.
            state(&client, &format!("grant {right} on database {} to public", attack.own)).await;
        }
        assert_eq!(names(&client, acl).await, before);
    });
}

#[test]
fn what_can_be_read_is_exactly_the_projects_own() {
    run(async {
        let attack = Attack::new().await;
        let client = attack.home().await;
        let sql = "
            select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'v', 'm', 'f', 'p', 'S') and n.nspname not in ('pg_catalog', 'information_schema')
              and has_schema_privilege(n.oid, 'usage')
              and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'select')
                       else has_any_column_privilege(c.oid, 'select, insert, update, references') end
            order by 1";
        let readable = ["auth.users", "public.app_data", "public.app_users", "public.users"];
        assert_eq!(names(&client, sql).await, readable);
        let sql = "
            select a.attname::text from pg_attribute a where attrelid = 'auth.users'::regclass and attnum > 0
              and has_column_privilege(attrelid, attnum, 'select') order by 1";
        let harmless = [
            "created_at",
            "deleted_at",
            "email",
            "email_confirmed_at",
            "id",
            "is_anonymous",
            "last_sign_in_at",
            "phone",
            "phone_confirmed_at",
            "raw_app_meta_data",
            "raw_user_meta_data",
            "updated_at",
        ];
        assert_eq!(names(&client, sql).await, harmless);
        let sql = "
            select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname in ('auth', 'plinth') and p.prosecdef and has_function_privilege(p.oid, 'execute') order by 1";
        // What runs with our rights and can be called: nothing that moves a version somebody else relies on.
        for callable in names(&client, sql).await {
            let known = [
                "auth.address_profile",
                "auth.forget_profile",
                "auth.sync_profile",
                "plinth.check_version",
                "plinth.last_migration",
                "plinth.schema_changed",
                "plinth.schema_touched",
                "plinth.schema_version",
            ];
            assert!(known.contains(&callable.as_str()), "{callable}");
        }
    });
}

/// Names of roles and databases stay visible, and nothing that hangs on them.
#[test]
fn neighbours_are_names_and_nothing_more() {
    run(async {
        let attack = Attack::new().await;
        let client = attack.home().await;
        let roles = names(&client, "select rolname::text from pg_roles").await;
        let databases = names(&client, "select datname::text from pg_database").await;
        assert!(roles.contains(&attack.other) && databases.contains(&attack.other));
        let passwords = names(&client, "select distinct rolpassword from pg_roles").await;
        assert_eq!(passwords, ["********"]);
        // Of ours; other tests make roles and databases with settings, as users have them.
        let settings = names(
            &client,
            "select distinct split_part(s, '=', 1) from pg_db_role_setting cross join unnest(setconfig) s
             left join pg_roles r on r.oid = setrole left join pg_database d on d.oid = setdatabase
             where r.rolname ~ '^(plinth|p)_' or d.datname ~ '^(plinth|p)(_|$)'",
        )
        .await;
        assert_eq!(settings, ["search_path"]);
        let sql = "
            select distinct query from pg_stat_activity
            where usename is distinct from current_user and query <> '' and backend_type = 'client backend'";
        let shown = names(&client, sql).await;
        assert!(
            shown.iter().all(|query| query == "<insufficient privilege>"),
            "{shown:?}"
        );
        let comments = names(&client, "select description from pg_shdescription").await;
        assert!(comments.iter().all(|text| !text.contains(&attack.other)));
    });
}

#[test]
fn our_logins_find_nothing_of_the_tenants_without_naming_it() {
    run(async {
        let attack = Attack::new().await;
        let client = attack.home().await;
        let traps = "
            create function public.lower(varchar) returns text language sql as 'select ''trapped''';
            create function public.now() returns timestamptz language sql as 'select null::timestamptz';
            create table public.users_of_ours (a int)";
        client.batch_execute(traps).await.unwrap();
        for login in ["plinth_auth", "plinth_control", "plinth_provision"] {
            let ours = attack.ours(login).await;
            let path = names(&ours, "show search_path").await;
            assert_eq!(path, ["pg_catalog"], "{login}");
            assert_eq!(names(&ours, "select lower('X'::varchar)").await, ["x"]);
        }
    });
}

/// A deferred trigger runs at commit, as the login of the session that fired it.
#[test]
fn a_trigger_on_the_profile_table_never_runs_in_a_session_of_ours() {
    run(async {
        let attack = Attack::new().await;
        let client = attack.home().await;
        let trap = "
            create table public.trap (who text);
            create function public.spring() returns trigger language plpgsql as $$
              begin insert into public.trap values (session_user || ' ' || current_user); return null; end $$;
            create constraint trigger spring after insert or update on public.app_users
              deferrable initially deferred for each row execute function public.spring();
            grant all on public.app_users, public.trap to public;
            grant usage on schema public to public;
            alter function auth.sync_profile(uuid, text, jsonb) security invoker;
            grant execute on function auth.sync_profile(uuid, text, jsonb) to public";
        client.batch_execute(trap).await.unwrap();
        let sync = "select auth.sync_profile(gen_random_uuid(), 'a@example.com', '{}')";
        client.batch_execute(sync).await.unwrap();
        let own = format!("{0} {0}_owner", attack.own);
        assert_eq!(names(&client, "select who from public.trap").await, [own]);
        // Our login could call it now, for the tenant says who may: it must not, and does not.
        let theirs = names(
            &superuser(&attack.own).await,
            "select r.rolname::text from pg_auth_members m join pg_roles r on r.oid = m.roleid
             join pg_roles u on u.oid = m.member where u.rolname = 'plinth_auth'",
        )
        .await;
        assert!(theirs.is_empty(), "plinth_auth is a member of {theirs:?}");
    });
}

/// The check of a foreign key casts to the referenced type, with the cast of the referencing tenant, as the owner of the
/// referenced table.
#[test]
fn a_cast_of_the_tenants_never_runs_as_the_owner_of_our_tables() {
    run(async {
        let attack = Attack::new().await;
        let client = attack.home().await;
        let trap = "
            create table public.trap (who text);
            create type public.bait as (id uuid);
            create function public.spring(public.bait) returns uuid language plpgsql as $$
              begin insert into public.trap values (current_user); return ($1).id; end $$;
            create cast (public.bait as uuid) with function public.spring(public.bait) as implicit";
        client.batch_execute(trap).await.unwrap();
        for table in ["users", "sessions", "identities"] {
            let sql = format!("create table public.r_{table} (b public.bait references auth.{table} (id))");
            assert_eq!(state(&client, &sql).await, "42501");
        }
    });
}

/// What a tenant grants on its own things to roles of a neighbour must not keep the neighbour from going.
#[test]
fn a_neighbours_grants_do_not_keep_a_project_from_being_removed() {
    run(async {
        let attack = Attack::new().await;
        for level in [Isolation::Schema, Isolation::Database] {
            let victim = Site::new().await;
            let made = victim.provision(level).await.unwrap();
            let client = attack.home().await;
            let roles = [
                format!("p_{}_anon", victim.reference()),
                format!("p_{}_owner", victim.reference()),
            ];
            for (number, role) in roles.iter().enumerate() {
                let sql = format!(
                    "create table public.{0}_{number} (a int); grant select on public.{0}_{number} to {role};
                     create policy p on public.{0}_{number} to {role} using (true)",
                    level.as_str()
                );
                client.batch_execute(&sql).await.unwrap();
            }
            provisioning::deprovision(&victim.app, &victim.access).await.unwrap();
            let project = victim.access.project();
            let removed = provisioning::drop_backend(&victim.app, project, made.backend.id, false).await;
            assert!(removed.unwrap());
            assert!(!victim.has_roles().await);
        }
        // The attacker's own things are still there.
        assert_eq!(state(&attack.home().await, "select from public.schema_0").await, "");
    });
}
