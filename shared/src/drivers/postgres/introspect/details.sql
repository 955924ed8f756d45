with space as (
  select n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname = $1
),
-- Whom a publishable key, a signed-in user and a secret key are in the database; a role that is not there has no rights.
who as (
  select w.kind, r.oid, r.rolsuper or r.rolbypassrls as bypasses
  from (values ('anyone', $2), ('signedIn', $3), ('secret', coalesce(nullif($4, ''), current_user::text))) w (kind, name)
  join pg_catalog.pg_roles r on r.rolname = w.name
),
relation as (
  select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relnamespace
  from pg_catalog.pg_class c join space s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
),
granted as (
  select r.oid, json_object_agg(w.kind, json_build_object(
    'select', pg_catalog.has_any_column_privilege(w.oid, r.oid, 'select'),
    'insert', pg_catalog.has_any_column_privilege(w.oid, r.oid, 'insert'),
    'update', pg_catalog.has_any_column_privilege(w.oid, r.oid, 'update'),
    'delete', pg_catalog.has_table_privilege(w.oid, r.oid, 'delete'))) as rights
  from relation r cross join who w
  where pg_catalog.has_schema_privilege(w.oid, r.relnamespace, 'usage')
  group by r.oid
),
checks as (
  select k.conrelid as oid, json_agg(json_build_object(
    'name', k.conname, 'expression', pg_catalog.pg_get_expr(k.conbin, k.conrelid)) order by k.conname) as checks
  from pg_catalog.pg_constraint k join relation r on r.oid = k.conrelid
  where k.contype = 'c' group by 1
),
deletion as (
  select k.conrelid as oid, json_object_agg(k.conname, case k.confdeltype
    when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict'
    else 'no action' end) as actions
  from pg_catalog.pg_constraint k join relation r on r.oid = k.conrelid
  where k.contype = 'f' group by 1
),
indexes as (
  select i.indrelid as oid, json_agg(json_build_object(
    'name', c.relname, 'unique', i.indisunique, 'method', a.amname,
    'columns', (
      select json_agg(coalesce(t.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k.at::int, true)) order by k.at)
      from unnest(i.indkey::int2[]) with ordinality k (number, at)
      left join pg_catalog.pg_attribute t on t.attrelid = i.indrelid and t.attnum = k.number and k.number > 0
      where k.at <= i.indnkeyatts),
    'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid)) order by c.relname) as indexes
  from pg_catalog.pg_index i
  join relation r on r.oid = i.indrelid
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_am a on a.oid = c.relam
  where i.indisvalid group by 1
),
policy as (
  select p.polrelid as oid, p.polname, json_build_object(
    'name', p.polname,
    'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
      else 'all' end,
    'restrictive', not p.polpermissive,
    'anyone', coalesce(pg_catalog.bool_or(w.kind = 'anyone'), false),
    'signedIn', coalesce(pg_catalog.bool_or(w.kind = 'signedIn'), false),
    'secret', coalesce(pg_catalog.bool_or(w.kind = 'secret'), false),
    'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
    'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) as policy
  from pg_catalog.pg_policy p
  join relation r on r.oid = p.polrelid
  join who w on (0::oid = any (p.polroles)
    or exists (select from unnest(p.polroles) g (oid) where g.oid <> 0 and pg_catalog.pg_has_role(w.oid, g.oid, 'usage')))
  group by p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polqual, p.polwithcheck
),
-- Whom row-level security does not bind.
unbound as (
  select r.oid from relation r join who w on w.kind = 'secret'
  where w.bypasses or not r.relforcerowsecurity and pg_catalog.pg_has_role(w.oid, r.relowner, 'usage')
),
policies as (
  select oid, json_agg(policy order by polname) as policies from policy group by 1
),
callers as (
  select p.proname, w.kind, pg_catalog.bool_or(pg_catalog.has_function_privilege(w.oid, p.oid, 'execute')
    and pg_catalog.has_schema_privilege(w.oid, s.oid, 'usage')) as may
  from pg_catalog.pg_proc p join space s on s.oid = p.pronamespace cross join who w
  where p.prokind = 'f' group by 1, 2
)
select json_build_object(
  'tables', coalesce((
    select json_object_agg(r.relname, json_build_object(
      'rowSecurity', r.relrowsecurity, 'secretUnbound', r.oid in (select oid from unbound), 'checks', coalesce(c.checks, '[]'), 'onDelete', coalesce(d.actions, '{}'),
      'indexes', coalesce(i.indexes, '[]'), 'policies', coalesce(p.policies, '[]'),
      'anyone', coalesce(g.rights -> 'anyone', '{}'), 'signedIn', coalesce(g.rights -> 'signedIn', '{}'),
      'secret', coalesce(g.rights -> 'secret', '{}')))
    from relation r
    left join checks c on c.oid = r.oid
    left join deletion d on d.oid = r.oid
    left join indexes i on i.oid = r.oid
    left join policies p on p.oid = r.oid
    left join granted g on g.oid = r.oid), '{}'),
  'functions', coalesce((
    select json_object_agg(f.proname, f.callers)
    from (select c.proname, json_object_agg(c.kind, c.may) as callers from callers c group by 1) f), '{}'),
  'description', (select pg_catalog.obj_description(s.oid, 'pg_namespace') from space s))::text
