select pg_catalog.json_build_object(
  'tables', (
    select pg_catalog.json_object_agg(c.relname, pg_catalog.json_build_object(
      'select', pg_catalog.has_any_column_privilege(c.oid, 'select'),
      'insert', pg_catalog.has_any_column_privilege(c.oid, 'insert'),
      -- Who may delete may write the mark of deleted rows, and has no other right by that.
      'update', exists (
        select from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname <> 'plinth_deleted_at'
          and pg_catalog.has_column_privilege(c.oid, a.attnum, 'update')),
      'delete', pg_catalog.has_table_privilege(c.oid, 'delete')))
    from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition),
  'functions', (
    select pg_catalog.json_agg(distinct p.proname)
    from pg_catalog.pg_proc p
    where p.pronamespace = n.oid and p.prokind = 'f' and pg_catalog.has_function_privilege(p.oid, 'execute')),
  'description', pg_catalog.obj_description(n.oid, 'pg_namespace'))::text
from pg_catalog.pg_namespace n where n.nspname = $1
