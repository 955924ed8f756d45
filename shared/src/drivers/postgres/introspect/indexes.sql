select coalesce(json_object_agg(t.name, t.indexes), '{}')::text
from (
  select c.relname::text as name, json_agg(x.columns) as indexes
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select json_agg(a.attname::text order by k.at) as columns
    from unnest(i.indkey::int2[]) with ordinality k (number, at)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
    where k.at <= i.indnkeyatts
  ) x
  where n.nspname = $1 and i.indisvalid and i.indpred is null and i.indexprs is null
  group by 1
) t
