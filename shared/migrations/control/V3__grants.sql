-- Each login gets what its functions do, and no more. None of them owns anything here.
grant usage on schema plinth to plinth_control, plinth_privacy, plinth_records, plinth_auth, plinth_sql, plinth_connect;

grant select, insert, update on plinth.projects, plinth.members, plinth.backends, plinth.tables, plinth.policies, plinth.migrations,
  plinth.keys, plinth.connections, plinth.document_versions, plinth.jobs, plinth.outbox, plinth.idempotency
  to plinth_control, plinth_privacy;
-- What a job has done is never taken back.
grant select, insert on plinth.job_items to plinth_control, plinth_privacy;
grant select, insert, update, delete on plinth.secrets, plinth.database_setups to plinth_control, plinth_privacy;
grant select, update on plinth.cells to plinth_control, plinth_privacy;
grant insert, select (kid, project_id, public_jwk, created_at, retired_at) on plinth.signing_keys to plinth_control, plinth_privacy;
grant select (id, email, raw_app_meta_data, raw_user_meta_data, created_at, deleted_at, banned_until)
  on plinth.users to plinth_control, plinth_privacy;
-- Outside issuers' users get a row when they are first seen, by whichever function sees them.
grant insert on plinth.users, plinth.identities to plinth_control, plinth_privacy;
grant select on plinth.identities to plinth_control, plinth_privacy;
grant select on plinth.audit_log, plinth.audit_subjects, plinth.backend_health to plinth_control, plinth_privacy;
-- Purging what is past its 30 days; the rest hangs on projects and backends by foreign key.
grant delete on plinth.projects, plinth.members, plinth.backends, plinth.connections, plinth.tables, plinth.keys, plinth.jobs,
  plinth.outbox, plinth.idempotency to plinth_control, plinth_privacy;

grant delete on plinth.document_versions to plinth_control, plinth_privacy;
grant select, update, delete on plinth.end_user_deletions to plinth_control, plinth_privacy;
grant select, insert, update, delete on plinth.purge_runs to plinth_control, plinth_privacy;

grant execute on function plinth.audit_text(uuid, uuid, bigint, timestamptz, text, text, jsonb, text),
  plinth.audit_digest(bytea, text), plinth.audit_hash(bytea, bytea, bytea, text),
  plinth.audit_forget_addresses(timestamptz, bigint) to plinth_control, plinth_privacy;
grant execute on function plinth.bump(uuid), plinth.resolve(text), plinth.note(jsonb, jsonb),
  plinth.audit(uuid, uuid, timestamptz, text, text, jsonb, text, text, text, bytea) to plinth_control, plinth_privacy;

grant execute on function plinth.resolve(text), plinth.note(jsonb, jsonb) to plinth_records;

grant execute on function plinth.resolve(text), plinth.note(jsonb, jsonb),
  plinth.audit(uuid, uuid, timestamptz, text, text, jsonb, text, text, text, bytea) to plinth_auth;
grant select, insert, update, delete on plinth.users, plinth.identities, plinth.sessions, plinth.refresh_tokens
  to plinth_auth;
grant select on plinth.signing_keys to plinth_auth;
-- Where end users were deleted.
grant select, insert, update on plinth.end_user_deletions to plinth_auth;

-- Who may run a script, where, and that it was run; the script itself runs on the project's own login.
grant execute on function plinth.resolve(text), plinth.note(jsonb, jsonb),
  plinth.audit(uuid, uuid, timestamptz, text, text, jsonb, text, text, text, bytea) to plinth_sql;

-- Where a user's own database is; nothing else, as this one dials hosts that users name.
grant execute on function plinth.connection(uuid) to plinth_connect;

-- Whose own database is where.
grant execute on function plinth.personal(uuid) to plinth_control, plinth_privacy, plinth_records;

grant execute on function plinth.platform_keys(), plinth.access(uuid, uuid, uuid, boolean)
  to plinth_control, plinth_privacy, plinth_records, plinth_auth, plinth_sql, plinth_connect;

-- What is done about a person's data.
grant select, insert on plinth.subject_maps, plinth.receipts, plinth.receipt_keys to plinth_privacy;
grant select, insert, update, delete on plinth.privacy_requests, plinth.exports to plinth_privacy;
-- A copy of somebody's data holds all of it but the password's hash and what is kept of refresh tokens.
grant select (id, email, phone, email_confirmed_at, phone_confirmed_at, invited_at, last_sign_in_at, raw_app_meta_data,
  raw_user_meta_data, is_anonymous, banned_until, created_at, updated_at, deleted_at) on plinth.users to plinth_privacy;
grant select on plinth.sessions to plinth_privacy;
grant select (session_id) on plinth.refresh_tokens to plinth_privacy;
-- Whoever confirmed a map may have to be forgotten; the map itself is never changed.
grant update (author) on plinth.subject_maps to plinth_privacy;
grant execute on function plinth.forget_identity(uuid, uuid, bigint), plinth.end_sessions(uuid),
  plinth.erase_account(uuid) to plinth_privacy;

-- End users ask for their own data, and for its end: the login that serves them writes such requests, with their jobs, and
-- sees no others.
grant execute on function plinth.has_subject_map(uuid) to plinth_privacy, plinth_auth;
grant insert, select on plinth.privacy_requests, plinth.exports to plinth_auth;
grant update (job_id, receipt_hash, expires_at) on plinth.privacy_requests to plinth_auth;
grant update (link_hash, link_address, link_expires_at, fetched_at) on plinth.exports to plinth_auth;
grant insert, select (id, kind, project_id, payload, state, idempotency_key) on plinth.jobs to plinth_auth;
alter table plinth.privacy_requests enable row level security;
create policy all_of_them on plinth.privacy_requests to plinth_privacy using (true) with check (true);
create policy their_own on plinth.privacy_requests to plinth_auth
  using (self) with check (self and scope = 'end-user' and requested_by is null);
alter table plinth.exports enable row level security;
create policy all_of_them on plinth.exports to plinth_privacy using (true) with check (true);
create policy their_own on plinth.exports to plinth_auth
  using (exists (select from plinth.privacy_requests r where r.id = exports.id));
alter table plinth.jobs enable row level security;
create policy all_of_them on plinth.jobs to plinth_control, plinth_privacy using (true) with check (true);
create policy their_own on plinth.jobs to plinth_auth
  using (kind in ('privacy.export', 'privacy.erase'))
  with check (kind in ('privacy.export', 'privacy.erase') and created_by is null);
