
declare
  link record;
  held boolean;
begin
  -- Who refers to this row.
  for link in
    select k.conname as name, k.confdeltype as action, k.conrelid::regclass as child,
      string_agg(format('c.%I = ($1).%I', ca.attname, pa.attname), ' and ') as joined,
      exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'plinth_deleted_at'
        and not a.attisdropped) as keeps
    from pg_constraint k
    cross join lateral unnest(k.conkey, k.confkey) as u (child, parent)
    join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = u.child
    join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = u.parent
    where k.contype = 'f' and k.confrelid = tg_relid
    group by k.oid
  loop
    if link.action = 'c' and link.keeps and old.plinth_deleted_at is null then
      execute format('update %s c set plinth_deleted_at = $2 where %s and c.plinth_deleted_at is null',
        link.child, link.joined) using old, new.plinth_deleted_at;
    elsif link.action = 'c' and link.keeps then
      execute format('update %s c set plinth_deleted_at = $3 where %s and c.plinth_deleted_at = $2',
        link.child, link.joined) using old, old.plinth_deleted_at, new.plinth_deleted_at;
    elsif link.action in ('a', 'r') and old.plinth_deleted_at is null then
      execute format('select exists (select from %s c where %s%s)', link.child, link.joined,
        case when link.keeps then ' and c.plinth_deleted_at is null' else '' end) into held using old;
      if held then
        raise exception 'update or delete on table "%" violates foreign key constraint "%" on table "%"',
          tg_table_name, link.name, (select relname from pg_class where oid = link.child)
          using errcode = '23503', detail = 'The row is still referenced';
      end if;
    end if;
  end loop;
  if new.plinth_deleted_at is not null then
    return null;
  end if;
  -- Whom it would go with.
  for link in
    select k.confrelid::regclass as parent,
      string_agg(format('p.%I = ($1).%I', pa.attname, ca.attname), ' and ') as joined
    from pg_constraint k
    cross join lateral unnest(k.conkey, k.confkey) as u (child, parent)
    join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = u.child
    join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = u.parent
    where k.contype = 'f' and k.conrelid = tg_relid and k.confdeltype in ('a', 'r', 'c')
      and exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'plinth_deleted_at'
        and not a.attisdropped)
    group by k.oid
  loop
    execute format('select exists (select from %s p where %s and p.plinth_deleted_at is not null)',
      link.parent, link.joined) into held using new;
    if held then
      raise exception 'a row of table "%" refers to a deleted row of table "%"', tg_table_name,
        (select relname from pg_class where oid = link.parent)
        using errcode = '23503', hint = 'Restore that row first';
    end if;
  end loop;
  return null;
end
