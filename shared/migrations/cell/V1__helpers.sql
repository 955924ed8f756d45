-- What every database that holds managed backends carries: helpers for policies, the version row, the trigger function.
-- Owned by the provisioning login. Tenants' roles reach it only through the groups.
create schema if not exists plinth;
grant usage on schema plinth to anon, authenticated, service_role, project_owner, plinth_control, plinth_privacy,
  plinth_api;
-- A project's own login asks whether a plan was current after its transaction, when it has put off its role.
grant usage on schema plinth to public;

-- The claims of the request's token. Empty after a commit rather than null, hence nullif.
create function plinth.jwt() returns jsonb language sql stable set search_path = pg_catalog as
  $$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function plinth.uid() returns uuid language sql stable set search_path = pg_catalog as
  $$ select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid $$;
create function plinth.role() returns text language sql stable set search_path = pg_catalog as
  $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $$;
create function plinth.email() returns text language sql stable set search_path = pg_catalog as
  $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email' $$;

create function plinth.touch_updated_at() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  new.updated_at := now();
  return new;
end
$$;

-- control: keys, settings, state (moved by the control plane, pushed here); schema: tables and policies (moved by the
-- very transaction that changes them); migration: the last change that was applied.
create table plinth.version (
  ref text primary key,
  control bigint not null default 0,
  schema bigint not null default 1,
  migration uuid
);

-- Run at the end of every data request, after its query: a plan made on older keys, settings or tables is refused.
-- A plan made on a newer control version than has been pushed is fine.
create function plinth.check_version(reference text, control_seen bigint, schema_seen bigint) returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  perform from plinth.version v
    where v.ref = reference and v.control <= control_seen and v.schema = schema_seen;
  if not found then
    raise exception 'the plan is older than the backend' using errcode = 'PL001';
  end if;
end
$$;

create function plinth.schema_version(reference text) returns bigint
language sql stable security definer set search_path = pg_catalog as
  $$ select schema from plinth.version where ref = reference $$;

-- Tells a backend that keys, settings or state have moved on. Never goes back.
create function plinth.push_version(reference text, moved bigint) returns void
language sql security definer set search_path = pg_catalog as
  $$ update plinth.version set control = greatest(control, moved) where ref = reference $$;

-- The last change of a project's tables that this database knows of, and the note of the next one, made in the very
-- transaction that changes them. Tenants' own SQL may run as an owner in a database of its own only, where there is no
-- other project; in the shared database only the provisioning login passes.
create function plinth.last_migration(reference text) returns uuid
language sql stable security definer set search_path = pg_catalog as
  $$ select v.migration from plinth.version v where v.ref = reference $$;
create function plinth.schema_changed(reference text, change uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  if session_user not in ('plinth_provision', 'p_' || reference) then
    raise exception 'not the login of this project' using errcode = '42501';
  end if;
  update plinth.version v set schema = v.schema + 1, migration = change where v.ref = reference;
  if not found then
    raise exception 'the project has no version here' using errcode = 'P0002';
  end if;
end
$$;
-- The same for what a project's own SQL has changed beside the designer: its last migration stays the last.
create function plinth.schema_touched(reference text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  if session_user not in ('plinth_provision', 'p_' || reference) then
    raise exception 'not the login of this project' using errcode = '42501';
  end if;
  update plinth.version v set schema = v.schema + 1 where v.ref = reference;
  if not found then
    raise exception 'the project has no version here' using errcode = 'P0002';
  end if;
end
$$;

revoke execute on all functions in schema plinth from public;
grant execute on function plinth.jwt(), plinth.uid(), plinth.role(), plinth.email(), plinth.touch_updated_at(),
  plinth.check_version(text, bigint, bigint), plinth.schema_version(text) to anon, authenticated, service_role;
-- Owners' tables name the helpers in policies, defaults and triggers.
grant execute on function plinth.jwt(), plinth.uid(), plinth.role(), plinth.email(), plinth.touch_updated_at(),
  plinth.last_migration(text), plinth.schema_changed(text, uuid), plinth.schema_touched(text) to project_owner;
grant execute on function plinth.check_version(text, bigint, bigint), plinth.schema_version(text) to plinth_api;
grant execute on function plinth.check_version(text, bigint, bigint) to public;
grant execute on function plinth.push_version(text, bigint) to plinth_control, plinth_privacy;
