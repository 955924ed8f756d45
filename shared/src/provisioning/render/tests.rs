use insta::assert_snapshot;

use super::*;

fn reference() -> Ref {
    "abcdefghijklmnopqrst".parse().unwrap()
}

/// The accounts' tables and the default tables are pinned elsewhere: one line stands for each here.
fn own_part(sql: &str, level: Isolation) -> String {
    let reference = reference();
    let names = Names(&reference);
    sql.replace(&accounts_ddl(&names.auth(level)), "-- accounts\n")
        .replace(&starter_tables(names, level).unwrap(), "-- default tables\n")
}

#[test]
fn schema_level_renders_as_one_message() {
    let sql = schema_level(&reference(), 7).unwrap();
    assert_snapshot!(own_part(&sql, Isolation::Schema), @r#"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    create role "p_abcdefghijklmnopqrst_owner" nologin in role project_owner role plinth_provision, plinth_privacy;
    create role "p_abcdefghijklmnopqrst_service" nologin in role service_role role plinth_api;
    create role "p_abcdefghijklmnopqrst_authenticated" nologin in role authenticated role plinth_api;
    create role "p_abcdefghijklmnopqrst_anon" nologin in role anon role plinth_api;
    create schema "project_abcdefghijklmnopqrst" authorization "p_abcdefghijklmnopqrst_owner";
    create schema "trash_abcdefghijklmnopqrst" authorization "p_abcdefghijklmnopqrst_owner";
    create schema "auth_abcdefghijklmnopqrst";
    -- accounts
    grant usage on schema "auth_abcdefghijklmnopqrst" to plinth_auth;
    grant select, insert, update, delete on table "auth_abcdefghijklmnopqrst".users, "auth_abcdefghijklmnopqrst".identities, "auth_abcdefghijklmnopqrst".sessions, "auth_abcdefghijklmnopqrst".refresh_tokens to plinth_auth;
    grant usage on schema "auth_abcdefghijklmnopqrst" to plinth_control, plinth_privacy;
    grant select (id, email, phone, deleted_at) on table "auth_abcdefghijklmnopqrst".users to plinth_control;
    grant select, delete on table "auth_abcdefghijklmnopqrst".users, "auth_abcdefghijklmnopqrst".identities, "auth_abcdefghijklmnopqrst".sessions, "auth_abcdefghijklmnopqrst".refresh_tokens to plinth_privacy;
    grant usage, create on schema "auth_abcdefghijklmnopqrst" to "p_abcdefghijklmnopqrst_owner";
    set local role "p_abcdefghijklmnopqrst_owner";
    grant usage on schema "project_abcdefghijklmnopqrst" to "p_abcdefghijklmnopqrst_service", "p_abcdefghijklmnopqrst_authenticated", "p_abcdefghijklmnopqrst_anon";
    -- default tables
    create function "auth_abcdefghijklmnopqrst".sync_profile(id uuid, email text, meta jsonb) returns void
    language sql security definer set search_path = pg_catalog as $body$
      insert into "project_abcdefghijklmnopqrst".app_users as profile (id, email, full_name, avatar_url, metadata)
      select $1, $2, $3 ->> 'full_name', $3 ->> 'avatar_url', coalesce($3, '{}') where $2 is not null
      on conflict (id) do update set email = excluded.email, metadata = excluded.metadata,
        full_name = coalesce(excluded.full_name, profile.full_name),
        avatar_url = coalesce(excluded.avatar_url, profile.avatar_url)
    $body$;
    create function "auth_abcdefghijklmnopqrst".address_profile(id uuid, address text) returns void
    language sql security definer set search_path = pg_catalog as $body$
      update "project_abcdefghijklmnopqrst".app_users as profile set email = coalesce($2, $1::text || '@deleted.invalid') where profile.id = $1
    $body$;
    create function "auth_abcdefghijklmnopqrst".forget_profile(id uuid) returns void
    language plpgsql security definer set search_path = pg_catalog as $body$
    begin
      delete from "project_abcdefghijklmnopqrst".app_users as profile where profile.id = $1;
      set constraints all immediate;
    exception when foreign_key_violation or restrict_violation then
      update "project_abcdefghijklmnopqrst".app_users as profile
      set email = $1::text || '@deleted.invalid', full_name = null, avatar_url = null, metadata = '{}'
      where profile.id = $1;
    end
    $body$;
    revoke execute on function "auth_abcdefghijklmnopqrst".sync_profile(uuid, text, jsonb), "auth_abcdefghijklmnopqrst".address_profile(uuid, text),
      "auth_abcdefghijklmnopqrst".forget_profile(uuid) from public;
    grant execute on function "auth_abcdefghijklmnopqrst".sync_profile(uuid, text, jsonb), "auth_abcdefghijklmnopqrst".address_profile(uuid, text),
      "auth_abcdefghijklmnopqrst".forget_profile(uuid) to plinth_auth;
    reset role;
    revoke usage, create on schema "auth_abcdefghijklmnopqrst" from "p_abcdefghijklmnopqrst_owner";
    insert into plinth.version (ref, control) values ('abcdefghijklmnopqrst', 7);
    "#);
    assert_snapshot!(schema_drop(&reference()), @r#"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    drop schema if exists "project_abcdefghijklmnopqrst", "trash_abcdefghijklmnopqrst", "auth_abcdefghijklmnopqrst" cascade;
    delete from plinth.version where ref = 'abcdefghijklmnopqrst';
    do $body$
    declare
      found record;
      tie record;
    begin
      for found in select oid, rolname from pg_roles where rolname in ('p_abcdefghijklmnopqrst_owner', 'p_abcdefghijklmnopqrst_service', 'p_abcdefghijklmnopqrst_authenticated', 'p_abcdefghijklmnopqrst_anon') loop
        begin
          execute format('drop role %I', found.rolname);
        exception when dependent_objects_still_exist then
          for tie in select roleid::regrole as role, member::regrole as member from pg_auth_members
            where found.oid in (roleid, member) loop
            execute format('revoke %s from %s', tie.role, tie.member);
          end loop;
          execute format('alter role %I nologin password null', found.rolname);
          execute format('alter role %I rename to %I', found.rolname, 'gone_' || found.oid);
        end;
      end loop;
    end
    $body$;
    "#);
}

#[test]
fn database_level_renders_step_by_step() {
    let reference = reference();
    assert_snapshot!(database_roles(&reference, "SCRAM-SHA-256$1:c2FsdA==$a:b"), @r#"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    create role "p_abcdefghijklmnopqrst" login noinherit connection limit 20 password 'SCRAM-SHA-256$1:c2FsdA==$a:b';
    create role "p_abcdefghijklmnopqrst_owner" nologin in role project_owner role plinth_provision, "p_abcdefghijklmnopqrst";
    create role "p_abcdefghijklmnopqrst_service" nologin in role service_role role "p_abcdefghijklmnopqrst";
    create role "p_abcdefghijklmnopqrst_authenticated" nologin in role authenticated role "p_abcdefghijklmnopqrst";
    create role "p_abcdefghijklmnopqrst_anon" nologin in role anon role "p_abcdefghijklmnopqrst";
    "#);
    assert_snapshot!(database_create(&reference), @r#"create database "p_abcdefghijklmnopqrst" template plinth_template allow_connections false"#);
    assert_snapshot!(database_admit(&reference), @r#"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    revoke all on database "p_abcdefghijklmnopqrst" from public;
    grant connect on database "p_abcdefghijklmnopqrst" to "p_abcdefghijklmnopqrst", plinth_auth, plinth_control, plinth_privacy;
    alter database "p_abcdefghijklmnopqrst" set search_path = pg_catalog;
    alter role "p_abcdefghijklmnopqrst" in database "p_abcdefghijklmnopqrst" set search_path = public;
    alter database "p_abcdefghijklmnopqrst" with allow_connections true;
    "#);
    let furnish = database_furnish(&reference, 7).unwrap();
    assert_snapshot!(own_part(&furnish, Isolation::Database), @r#"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    alter schema "public" owner to "p_abcdefghijklmnopqrst_owner";
    create schema "plinth_trash" authorization "p_abcdefghijklmnopqrst_owner";
    create schema "auth";
    -- accounts
    grant usage on schema "auth" to plinth_auth;
    grant select, insert, update, delete on table "auth".users, "auth".identities, "auth".sessions, "auth".refresh_tokens to plinth_auth;
    grant usage on schema "auth" to plinth_control, plinth_privacy;
    grant select (id, email, phone, deleted_at) on table "auth".users to plinth_control;
    grant select, delete on table "auth".users, "auth".identities, "auth".sessions, "auth".refresh_tokens to plinth_privacy;
    create function auth.uid() returns uuid language sql stable set search_path = pg_catalog as 'select plinth.uid()';
    create function auth.role() returns text language sql stable set search_path = pg_catalog as 'select plinth.role()';
    create function auth.email() returns text language sql stable set search_path = pg_catalog as 'select plinth.email()';
    create function auth.jwt() returns jsonb language sql stable set search_path = pg_catalog as 'select plinth.jwt()';
    revoke execute on all functions in schema auth from public;
    grant usage on schema auth to anon, authenticated, service_role, project_owner;
    grant execute on all functions in schema auth to anon, authenticated, service_role, project_owner;
    grant select (id, email, phone, email_confirmed_at, phone_confirmed_at, last_sign_in_at, raw_app_meta_data,
      raw_user_meta_data, is_anonymous, created_at, updated_at, deleted_at) on auth.users to "p_abcdefghijklmnopqrst_owner", "p_abcdefghijklmnopqrst_service";
    grant usage, create on schema "auth" to "p_abcdefghijklmnopqrst_owner";
    set local role "p_abcdefghijklmnopqrst_owner";
    grant usage on schema "public" to "p_abcdefghijklmnopqrst_service", "p_abcdefghijklmnopqrst_authenticated", "p_abcdefghijklmnopqrst_anon";
    -- default tables
    create function "auth".sync_profile(id uuid, email text, meta jsonb) returns void
    language sql security definer set search_path = pg_catalog as $body$
      insert into "public".app_users as profile (id, email, full_name, avatar_url, metadata)
      select $1, $2, $3 ->> 'full_name', $3 ->> 'avatar_url', coalesce($3, '{}') where $2 is not null
      on conflict (id) do update set email = excluded.email, metadata = excluded.metadata,
        full_name = coalesce(excluded.full_name, profile.full_name),
        avatar_url = coalesce(excluded.avatar_url, profile.avatar_url)
    $body$;
    create function "auth".address_profile(id uuid, address text) returns void
    language sql security definer set search_path = pg_catalog as $body$
      update "public".app_users as profile set email = coalesce($2, $1::text || '@deleted.invalid') where profile.id = $1
    $body$;
    create function "auth".forget_profile(id uuid) returns void
    language plpgsql security definer set search_path = pg_catalog as $body$
    begin
      delete from "public".app_users as profile where profile.id = $1;
      set constraints all immediate;
    exception when foreign_key_violation or restrict_violation then
      update "public".app_users as profile
      set email = $1::text || '@deleted.invalid', full_name = null, avatar_url = null, metadata = '{}'
      where profile.id = $1;
    end
    $body$;
    revoke execute on function "auth".sync_profile(uuid, text, jsonb), "auth".address_profile(uuid, text),
      "auth".forget_profile(uuid) from public;
    grant execute on function "auth".sync_profile(uuid, text, jsonb), "auth".address_profile(uuid, text),
      "auth".forget_profile(uuid) to "p_abcdefghijklmnopqrst_service";
    reset role;
    revoke create on schema "auth" from "p_abcdefghijklmnopqrst_owner";
    insert into plinth.version (ref, control) values ('abcdefghijklmnopqrst', 7);
    "#);
    assert_snapshot!(database_drop(&reference), @r#"drop database if exists "p_abcdefghijklmnopqrst" with (force)"#);
    assert_snapshot!(database_roles_drop(&reference), @r"
    set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;
    do $body$
    declare
      found record;
      tie record;
    begin
      for found in select oid, rolname from pg_roles where rolname in ('p_abcdefghijklmnopqrst_owner', 'p_abcdefghijklmnopqrst_service', 'p_abcdefghijklmnopqrst_authenticated', 'p_abcdefghijklmnopqrst_anon', 'p_abcdefghijklmnopqrst') loop
        begin
          execute format('drop role %I', found.rolname);
        exception when dependent_objects_still_exist then
          for tie in select roleid::regrole as role, member::regrole as member from pg_auth_members
            where found.oid in (roleid, member) loop
            execute format('revoke %s from %s', tie.role, tie.member);
          end loop;
          execute format('alter role %I nologin password null', found.rolname);
          execute format('alter role %I rename to %I', found.rolname, 'gone_' || found.oid);
        end;
      end loop;
    end
    $body$;
    ");
}
