(select json_build_object(
  'login', (
    select json_build_object(g.name, g.reset_val) from pg_catalog.pg_settings g where g.name = 'statement_timeout'),
  'roles', coalesce((
    select json_object_agg(r.rolname, r.settings)
    from (
      select r.rolname, json_object_agg(g.name, pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1)) as settings
      from pg_catalog.pg_roles r
      cross join lateral unnest(r.rolconfig) c (setting)
      -- Anybody may set these; the rest would need rights that a login hardly has.
      join pg_catalog.pg_settings g on g.context = 'user'
        and pg_catalog.lower(g.name) = pg_catalog.lower(pg_catalog.split_part(c.setting, '=', 1))
        -- Who a transaction is, what it may do and how it is read stay ours to say.
        and g.name not in ('role', 'session_authorization', 'client_encoding', 'transaction_isolation',
          'transaction_read_only', 'transaction_deferrable')
      where pg_catalog.pg_has_role(r.oid, 'member')
      group by r.rolname) r), '{}'))::text)
