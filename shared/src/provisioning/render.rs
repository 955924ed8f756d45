//! The SQL of provisioning as text. Each text is one message, which Postgres runs as one transaction; names come from
//! [`Names`] only, and nothing of a tenant's is in it.

use crate::control::accounts_ddl;
use crate::error::{Error, Result};
use crate::ident::{Ident, Ref, literal};
use crate::schema::ddl::{Context, Helpers, Roles, create_table};
use crate::schema::known::Known;
use crate::schema::starter;
use crate::tenancy::{Isolation, Names};

/// Nothing waits longer for a lock, and no message works longer.
const LIMITS: &str =
    "set local lock_timeout = '3s'; set local statement_timeout = '15s'; set local search_path = pg_catalog;\n";
/// Connections a project's own login may have.
const CONNECTIONS: u32 = 20;

/// Everything of level `schema`.
pub(super) fn schema_level(reference: &Ref, control: i64) -> Result<String> {
    let names = Names(reference);
    let level = Isolation::Schema;
    let [schema, trash, auth] = [names.schema(level), names.trash(level), names.auth(level)];
    let owner = names.owner();
    let mut sql = String::from(LIMITS);
    sql += &roles(names, "plinth_api");
    sql += &format!(
        "create schema {} authorization {owner};
create schema {} authorization {owner};
create schema {};\n",
        schema.quoted(),
        trash.quoted(),
        auth.quoted(),
        owner = owner.quoted(),
    );
    sql += &accounts(&auth);
    sql += &owners_part(names, level, "plinth_auth")?;
    sql += &version(reference, control);
    Ok(sql)
}

/// The roles of level `database`, its login among them.
pub(super) fn database_roles(reference: &Ref, verifier: &str) -> String {
    let names = Names(reference);
    let own = names.own();
    let members = roles(names, &own.quoted().to_string());
    // NOINHERIT: should a data request lose its transaction, and its role with it, what follows has no rights at all.
    // The tenant's own SQL takes the owner's role first. Its search path is its own, while everybody else meets a
    // database where nothing of the tenant's is found without being named.
    format!(
        "{LIMITS}create role {own} login noinherit connection limit {CONNECTIONS} password {};\n{members}",
        literal(verifier),
        own = own.quoted(),
    )
}

/// The database, closed until [`database_admit`]: the template's access list is not copied, everybody could connect.
pub(super) fn database_create(reference: &Ref) -> String {
    format!(
        "create database {} template {} allow_connections false",
        Names(reference).own().quoted(),
        crate::control::CELL_TEMPLATE
    )
}

/// Who may connect, and what they find there.
pub(super) fn database_admit(reference: &Ref) -> String {
    let own = Names(reference).own();
    format!(
        "{LIMITS}revoke all on database {own} from public;
grant connect on database {own} to {own}, plinth_auth, plinth_control, plinth_privacy;
alter database {own} set search_path = pg_catalog;
alter role {own} in database {own} set search_path = public;
alter database {own} with allow_connections true;\n",
        own = own.quoted()
    )
}

/// What is in the database beside the template's helpers.
pub(super) fn database_furnish(reference: &Ref, control: i64) -> Result<String> {
    let names = Names(reference);
    let level = Isolation::Database;
    let [schema, trash, auth] = [names.schema(level), names.trash(level), names.auth(level)];
    let owner = names.owner();
    let mut sql = String::from(LIMITS);
    sql += &format!(
        "alter schema {} owner to {owner};
create schema {} authorization {owner};
create schema {};\n",
        schema.quoted(),
        trash.quoted(),
        auth.quoted(),
        owner = owner.quoted(),
    );
    sql += &accounts(&auth);
    sql += &auth_helpers(names);
    // The profile function is called on the project's own login, never on ours: what the tenant hung on the table (a
    // deferred trigger runs at commit, as whoever holds the session) must not find our rights.
    sql += &owners_part(names, level, &names.service().quoted().to_string())?;
    sql += &version(reference, control);
    Ok(sql)
}

/// The four roles. `login` is the login of data requests, which may become three of them; at level `database` all four.
fn roles(names: Names<'_>, login: &str) -> String {
    let own = names.own().quoted().to_string();
    let owners = if login == own {
        format!("plinth_provision, {own}")
    } else {
        // What is done about a person's data is done as the tables' owner. Where tenants' code may be at work it is done on
        // the project's own login.
        "plinth_provision, plinth_privacy".to_owned()
    };
    format!(
        "create role {} nologin in role project_owner role {owners};
create role {} nologin in role service_role role {login};
create role {} nologin in role authenticated role {login};
create role {} nologin in role anon role {login};\n",
        names.owner().quoted(),
        names.service().quoted(),
        names.authenticated().quoted(),
        names.anon().quoted(),
    )
}

/// Credentials: ours, and worked on by the auth function's login alone. The control plane sees who was deleted.
fn accounts(auth: &Ident) -> String {
    let ddl = accounts_ddl(auth);
    // "All tables in schema" would read the whole of pg_class, which grows with every project of the cell.
    let tables: Vec<&str> = ddl
        .lines()
        .filter_map(|line| line.strip_prefix("create table "))
        .filter_map(|rest| rest.strip_suffix(" ("))
        .collect();
    format!(
        "{ddl}grant usage on schema {auth} to plinth_auth;
grant select, insert, update, delete on table {} to plinth_auth;
grant usage on schema {auth} to plinth_control, plinth_privacy;
grant select (id, email, phone, deleted_at) on table {auth}.users to plinth_control;
grant select, delete on table {} to plinth_privacy;\n",
        tables.join(", "),
        tables.join(", "),
        auth = auth.quoted()
    )
}

/// What the owner of the project's objects makes itself, in one go: each change of role costs a look at the memberships
/// of ours, and the provisioning login has one in every project of the cell.
fn owners_part(names: Names<'_>, level: Isolation, profile_caller: &str) -> Result<String> {
    let [schema, auth, owner] = [names.schema(level), names.auth(level), names.owner()];
    Ok(format!(
        "grant usage, create on schema {auth} to {owner};
set local role {owner};
grant usage on schema {schema} to {service}, {authenticated}, {anon};
{tables}{profile}reset role;
revoke {revoked} on schema {auth} from {owner};\n",
        auth = auth.quoted(),
        owner = owner.quoted(),
        schema = schema.quoted(),
        service = names.service().quoted(),
        authenticated = names.authenticated().quoted(),
        anon = names.anon().quoted(),
        tables = starter_tables(names, level)?,
        profile = profile_functions(&auth, &schema, profile_caller),
        // At level database auth.uid() and its like are there too.
        revoked = if level == Isolation::Database {
            "create"
        } else {
            "usage, create"
        },
    ))
}

/// The functions that keep an end user's profile row; they run with the rights of the tables' owner.
///
/// A deleted account leaves its profile as it was, as the app's own rows may refer to it, but for the address: that one is
/// free again. Once the account is purged the profile goes too, as the app's foreign keys say; where they do not let it go,
/// everything about the person does.
fn profile_functions(auth: &Ident, schema: &Ident, caller: &str) -> String {
    format!(
        "create function {auth}.sync_profile(id uuid, email text, meta jsonb) returns void
language sql security definer set search_path = pg_catalog as $body$
  insert into {schema}.app_users as profile (id, email, full_name, avatar_url, metadata)
  select $1, $2, $3 ->> 'full_name', $3 ->> 'avatar_url', coalesce($3, '{{}}') where $2 is not null
  on conflict (id) do update set email = excluded.email, metadata = excluded.metadata,
    full_name = coalesce(excluded.full_name, profile.full_name),
    avatar_url = coalesce(excluded.avatar_url, profile.avatar_url)
$body$;
create function {auth}.address_profile(id uuid, address text) returns void
language sql security definer set search_path = pg_catalog as $body$
  update {schema}.app_users as profile set email = coalesce($2, $1::text || '@deleted.invalid') where profile.id = $1
$body$;
create function {auth}.forget_profile(id uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $body$
begin
  delete from {schema}.app_users as profile where profile.id = $1;
  set constraints all immediate;
exception when foreign_key_violation or restrict_violation then
  update {schema}.app_users as profile
  set email = $1::text || '@deleted.invalid', full_name = null, avatar_url = null, metadata = '{{}}'
  where profile.id = $1;
end
$body$;
revoke execute on function {auth}.sync_profile(uuid, text, jsonb), {auth}.address_profile(uuid, text),
  {auth}.forget_profile(uuid) from public;
grant execute on function {auth}.sync_profile(uuid, text, jsonb), {auth}.address_profile(uuid, text),
  {auth}.forget_profile(uuid) to {caller};\n",
        auth = auth.quoted(),
        schema = schema.quoted(),
    )
}

/// `auth.uid()` and its like, and what a tenant may see of its end users' accounts.
///
/// Nobody may reference `auth.users`: the check of a foreign key casts with the tenant's own cast function, as the owner
/// of the referenced table.
fn auth_helpers(names: Names<'_>) -> String {
    let mut sql = String::new();
    for (name, returns) in [("uid", "uuid"), ("role", "text"), ("email", "text"), ("jwt", "jsonb")] {
        sql += &format!(
            "create function auth.{name}() returns {returns} language sql stable set search_path = pg_catalog as 'select plinth.{name}()';\n"
        );
    }
    let [owner, service] = [names.owner(), names.service()];
    sql += &format!(
        "revoke execute on all functions in schema auth from public;
grant usage on schema auth to anon, authenticated, service_role, project_owner;
grant execute on all functions in schema auth to anon, authenticated, service_role, project_owner;
grant select (id, email, phone, email_confirmed_at, phone_confirmed_at, last_sign_in_at, raw_app_meta_data,
  raw_user_meta_data, is_anonymous, created_at, updated_at, deleted_at) on auth.users to {}, {};\n",
        owner.quoted(),
        service.quoted()
    );
    sql
}

fn version(reference: &Ref, control: i64) -> String {
    format!(
        "insert into plinth.version (ref, control) values ({}, {control});\n",
        literal(reference.as_str())
    )
}

/// The default tables.
fn starter_tables(names: Names<'_>, level: Isolation) -> Result<String> {
    let schema = names.schema(level);
    let roles = Roles {
        owner: names.owner(),
        service: names.service(),
        authenticated: names.authenticated(),
        anon: names.anon(),
    };
    let helpers = Helpers {
        auth: match level {
            Isolation::Schema => Ident::fixed("plinth"),
            Isolation::Database => names.auth(level),
        },
        triggers: Ident::fixed("plinth"),
        trash: names.trash(level),
    };
    let tables = [starter::app_users(), starter::app_data()];
    let known = Known::new(tables.clone());
    let context = Context {
        schema: &schema,
        roles: &roles,
        helpers: &helpers,
        known: &known,
    };
    let mut sql = String::new();
    for table in &tables {
        let change = create_table(table, &context).map_err(|faults| Error::internal(faults.to_string()))?;
        sql += &change.up_sql();
    }
    for statement in starter::users_view(&context) {
        sql += &format!("{statement};\n");
    }
    Ok(sql)
}

/// Takes everything of level `schema` away; what is not there is passed over.
pub(super) fn schema_drop(reference: &Ref) -> String {
    let names = Names(reference);
    let level = Isolation::Schema;
    format!(
        "{LIMITS}drop schema if exists {}, {}, {} cascade;
delete from plinth.version where ref = {};
{}",
        names.schema(level).quoted(),
        names.trash(level).quoted(),
        names.auth(level).quoted(),
        literal(reference.as_str()),
        roles_drop(reference, level),
    )
}

/// Takes the database away, whoever is connected. One statement: it has no transaction.
pub(super) fn database_drop(reference: &Ref) -> String {
    format!(
        "drop database if exists {} with (force)",
        Names(reference).own().quoted()
    )
}

/// Takes the roles of level `database` away, once nothing is left that they own.
pub(super) fn database_roles_drop(reference: &Ref) -> String {
    format!("{LIMITS}{}", roles_drop(reference, Isolation::Database))
}

/// Drops the project's roles. Names of roles are no secret, and a role that a neighbour granted something of its own to
/// cannot be dropped: such a one loses its name, its login and its memberships, and is nobody from then on.
fn roles_drop(reference: &Ref, level: Isolation) -> String {
    let names = Names(reference);
    let own = (level == Isolation::Database).then(|| names.own());
    let four = [names.owner(), names.service(), names.authenticated(), names.anon()];
    let roles: Vec<String> = four.iter().chain(&own).map(|role| literal(role.as_str())).collect();
    format!(
        "do $body$
declare
  found record;
  tie record;
begin
  for found in select oid, rolname from pg_roles where rolname in ({}) loop
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
$body$;\n",
        roles.join(", ")
    )
}

#[cfg(test)]
mod tests;
