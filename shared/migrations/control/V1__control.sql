-- The control database. Owned by the migrating login; every other login gets only what is granted at the end.
create schema if not exists plinth;
revoke all on schema plinth from public;

create table plinth.cells (
  id integer primary key,
  name text not null unique,
  host text not null,
  port integer not null,
  database text not null,
  capacity integer not null check (capacity >= 0),
  backends integer not null default 0 check (backends >= 0),
  open boolean not null default true,
  created_at timestamptz not null default now()
);

create table plinth.projects (
  id uuid primary key,
  ref text not null unique check (ref ~ '^[a-z]{20}$'),
  name text not null,
  description text,
  status text not null default 'active',
  settings jsonb not null default '{}',
  -- Moves whenever keys, settings or the backend change; pushed to the backend's own plinth.version.
  version bigint not null default 1,
  -- The number of the last version of its documentation; none is given out twice, deleted ones included.
  document_number integer not null default 0,
  -- Null once they are erased.
  created_by uuid,
  -- Whose own database the project's backend is: made for them, one for each, and not counted among what they made.
  personal_of uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create unique index projects_name_key on plinth.projects (created_by, lower(name))
  where deleted_at is null and personal_of is null;
create unique index projects_personal_key on plinth.projects (personal_of) where deleted_at is null;

-- How far a platform user has come with the setup of their own database. The rest of it follows from what is there.
create table plinth.database_setups (
  user_id uuid primary key,
  -- Of the introduction.
  acknowledged_at timestamptz,
  -- Which connection the tables were found behind: the time it was last changed. Another one is verified anew.
  verified_connection timestamptz,
  updated_at timestamptz not null
);

create table plinth.members (
  project_id uuid not null references plinth.projects (id) on delete cascade,
  user_id uuid not null,
  role text not null check (role in ('owner', 'admin', 'developer', 'viewer')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  primary key (project_id, user_id)
);
create index members_user_id_idx on plinth.members (user_id) where deleted_at is null;

create table plinth.secrets (
  id uuid primary key,
  project_id uuid references plinth.projects (id) on delete cascade,
  purpose text not null,
  -- An AES-256-GCM envelope: key id, nonce, ciphertext and tag; the project id is its associated data.
  envelope jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique nulls not distinct (project_id, purpose)
);

create table plinth.connections (
  id uuid primary key,
  project_id uuid references plinth.projects (id) on delete cascade,
  provider text not null,
  settings jsonb not null default '{}',
  secret_id uuid references plinth.secrets (id),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);

create table plinth.backends (
  id uuid primary key,
  project_id uuid not null references plinth.projects (id) on delete cascade,
  name text not null default 'main',
  tier text not null check (tier in ('managed', 'dedicated', 'external')),
  isolation text check (isolation in ('schema', 'database')),
  cell_id integer references plinth.cells (id),
  connection_id uuid references plinth.connections (id),
  state text not null check (state in ('provisioning', 'ready', 'failed')),
  settings jsonb not null default '{}',
  -- What of ours is installed in it; migrate raises it step by step.
  installed integer not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create unique index backends_project_key on plinth.backends (project_id) where deleted_at is null;

-- How a user's own database fares, as the requests that were sent there found.
create table plinth.backend_health (
  backend_id uuid primary key references plinth.backends (id) on delete cascade,
  last_ok_at timestamptz,
  last_error_at timestamptz,
  last_error_class text
);

create table plinth.tables (
  id uuid primary key,
  backend_id uuid not null references plinth.backends (id) on delete cascade,
  name text not null,
  spec jsonb not null,
  version bigint not null default 1,
  -- Where a deleted table waits: its name in the trash schema.
  trash_name text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create unique index tables_name_key on plinth.tables (backend_id, name) where deleted_at is null;

-- Row rules of tables in a user's own database whose engine has none. The table is named as it is there.
create table plinth.policies (
  backend_id uuid not null references plinth.backends (id) on delete cascade,
  table_name text not null,
  policies jsonb not null,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (backend_id, table_name)
);

create table plinth.migrations (
  id uuid primary key,
  backend_id uuid not null references plinth.backends (id) on delete cascade,
  table_id uuid not null,
  sequence bigint not null,
  kind text not null,
  up text not null,
  down text not null,
  checksum text not null,
  -- The table's design after this step; kept so that a step that was cut off between databases can be finished.
  spec jsonb,
  state text not null default 'pending' check (state in ('pending', 'applied', 'failed')),
  error text,
  -- The nil uuid once they are erased.
  author uuid not null,
  created_at timestamptz not null,
  applied_at timestamptz,
  unique (backend_id, sequence)
);

create table plinth.keys (
  id uuid primary key,
  project_id uuid not null references plinth.projects (id) on delete cascade,
  class text not null check (class in ('publishable', 'secret')),
  name text not null,
  -- SHA-256 of the whole key; the key itself has 256 random bits and is shown once.
  hash bytea not null unique,
  hint text not null,
  created_by uuid,
  created_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  replaced_by uuid references plinth.keys (id) on delete set null
);
create index keys_project_id_idx on plinth.keys (project_id);

-- One signing key per issuer and time; project_id null is the platform's own.
create table plinth.signing_keys (
  kid text primary key,
  project_id uuid references plinth.projects (id) on delete cascade,
  public_jwk jsonb not null,
  envelope jsonb not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index signing_keys_current_key on plinth.signing_keys (project_id) nulls not distinct where retired_at is null;

create table plinth.document_versions (
  id uuid primary key,
  project_id uuid not null references plinth.projects (id) on delete cascade,
  -- Counts from 1 in each project; the highest that is not deleted is the latest.
  number integer not null,
  origin text not null check (origin in ('generated', 'edited', 'reverted')),
  -- The version it was made of; it may be gone by now.
  based_on uuid,
  content text not null,
  change_summary text not null,
  author uuid,
  -- The job that generated it. Jobs run at least once; each makes one version.
  job_id uuid constraint document_versions_job_key unique,
  created_at timestamptz not null,
  deleted_at timestamptz,
  unique (project_id, number)
);

create table plinth.jobs (
  id uuid primary key,
  kind text not null,
  project_id uuid references plinth.projects (id) on delete cascade,
  payload jsonb not null default '{}',
  state text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  -- Counts every claim and never goes back: whoever writes to a claimed job proves by it that the job is still theirs.
  attempts integer not null default 0,
  -- The attempt after which it is given up.
  last_attempt integer not null default 8,
  run_at timestamptz not null,
  lease_until timestamptz,
  -- Set while it runs; its worker ends it.
  cancel_requested_at timestamptz,
  progress integer not null default 0 check (progress between 0 and 100),
  message text,
  result jsonb,
  error text,
  error_code text,
  idempotency_key text,
  created_by uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index jobs_due_idx on plinth.jobs (run_at) where state in ('queued', 'running');
create index jobs_project_id_idx on plinth.jobs (project_id, created_at desc, id desc);
create index jobs_created_by_idx on plinth.jobs (created_by, created_at desc, id desc);
create index jobs_failed_idx on plinth.jobs (created_at desc, id desc) where state = 'failed';
-- Whoever asks again with the same key gets the same job.
create unique index jobs_idempotency_key on plinth.jobs (kind, project_id, idempotency_key) nulls not distinct
  where idempotency_key is not null;

-- What a job of many items has done, each with its outcome: written in the transaction of its effect.
create table plinth.job_items (
  job_id uuid not null references plinth.jobs (id) on delete cascade,
  item text not null,
  outcome jsonb not null,
  -- Of the try that did it.
  attempt integer not null,
  at timestamptz not null,
  primary key (job_id, item)
);

-- Projects whose managed backend holds end users that were deleted, from the first such moment to the last: where the purge
-- has to look, and when. Noted before the deletion itself, which happens in another database.
create table plinth.end_user_deletions (
  project_id uuid primary key references plinth.projects (id) on delete cascade,
  since timestamptz not null,
  latest timestamptz not null
);
create index end_user_deletions_since_idx on plinth.end_user_deletions (since);

-- What each run of the purge did. One without an end was cut off; the next one went on from there.
create table plinth.purge_runs (
  id uuid primary key,
  started_at timestamptz not null,
  ended_at timestamptz,
  -- Whether everything that was due is gone.
  complete boolean,
  report jsonb
);

-- Which rows of a project's tables belong to a person, as its owner has confirmed it.
create table plinth.subject_maps (
  project_id uuid not null references plinth.projects (id) on delete cascade,
  -- Counts from 1 in each project; the highest is the one in force.
  version integer not null,
  map jsonb not null,
  -- The tables it was confirmed for. With others it is stale.
  structure jsonb not null,
  author uuid not null,
  created_at timestamptz not null,
  primary key (project_id, version)
);

-- Somebody's data is asked for, or is to be erased. Jobs name such a row and nobody: who it is about stands here alone, and
-- is emptied by an erasure.
create table plinth.privacy_requests (
  id uuid primary key,
  kind text not null check (kind in ('export', 'erasure')),
  scope text not null check (scope in ('platform-user', 'end-user')),
  project_id uuid references plinth.projects (id) on delete cascade,
  -- {"id": …} or {"key": {"<column>": "<value>"}}; null once erased.
  subject jsonb,
  -- What an erasure would do, and the SHA-256 of the token that confirms it. No personal data.
  plan jsonb,
  token_hash bytea,
  -- SHA-256 of each token that lets somebody fetch what came of it without an account, one after the other: the receipt's.
  receipt_hash bytea,
  job_id uuid,
  -- Whether the person asked themselves.
  self boolean not null default false,
  requested_by uuid,
  created_at timestamptz not null,
  -- Until when it may be confirmed; null once it is.
  expires_at timestamptz
);
create index privacy_requests_project_id_idx on plinth.privacy_requests (project_id, created_at desc);
create index privacy_requests_expires_at_idx on plinth.privacy_requests (expires_at) where expires_at is not null;

-- Copies of people's data that wait to be fetched.
create table plinth.exports (
  -- The request's, which goes with its project.
  id uuid primary key,
  -- Its file. The row is there before it, and until it is removed, whatever becomes of the request: no file is ever forgotten.
  object text not null,
  -- How long the file is; null while it is being made.
  bytes bigint,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Of the link, which works once: SHA-256 of its token, of the address it works from, until when, and when it was used.
  link_hash bytea,
  link_address text,
  link_expires_at timestamptz,
  fetched_at timestamptz
);
create index exports_expires_at_idx on plinth.exports (expires_at);

-- What proves an erasure: a signed statement without personal data. It outlives the project.
create table plinth.receipts (
  -- The request's.
  id uuid primary key,
  project_id uuid,
  statement jsonb not null,
  -- RFC 7515, compact.
  jws text not null,
  -- SHA-256 of each token that lets somebody fetch it without an account, one after the other.
  token_hash bytea,
  issued_at timestamptz not null
);

-- The public halves of what receipts are signed with (Ed25519); the private one is the secret "receipt:<kid>". Retired keys
-- stay published: receipts are kept for years.
create table plinth.receipt_keys (
  kid text primary key,
  public_jwk jsonb not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index receipt_keys_current_key on plinth.receipt_keys ((true)) where retired_at is null;

-- What the trash lists and the purge removes.
create index projects_deleted_at_idx on plinth.projects (deleted_at) where deleted_at is not null;
create index backends_deleted_at_idx on plinth.backends (deleted_at) where deleted_at is not null;
create index members_deleted_at_idx on plinth.members (deleted_at) where deleted_at is not null;
create index document_versions_deleted_at_idx on plinth.document_versions (deleted_at) where deleted_at is not null;
create index tables_deleted_at_idx on plinth.tables (backend_id, deleted_at) where deleted_at is not null;
create index keys_ended_at_idx on plinth.keys (least(revoked_at, expires_at));

-- Replies to requests that carried an Idempotency-Key: the same key of the same caller gets the same reply, and the
-- thing is made once. Never holds a secret.
create table plinth.idempotency (
  caller uuid not null,
  key text not null,
  -- SHA-256 of what was asked: the same key for something else is a mistake to be told.
  fingerprint bytea not null,
  reply jsonb,
  created_at timestamptz not null,
  primary key (caller, key)
);
create index idempotency_created_at_idx on plinth.idempotency (created_at);

-- Version moves that the backend's own database has still to hear of.
create table plinth.outbox (
  id bigint generated always as identity primary key,
  project_id uuid not null references plinth.projects (id) on delete cascade,
  version bigint not null,
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  -- Not to be tried again before; null: at once.
  retry_at timestamptz,
  done_at timestamptz
);
create index outbox_open_idx on plinth.outbox (project_id) where done_at is null;

-- Moves a project's version; the same transaction notes that its backend must hear of it.
create function plinth.bump(project uuid) returns bigint language sql security definer set search_path = pg_catalog as $$
  with moved as (
    update plinth.projects set version = version + 1 where id = project returning id, version
  ), noted as (
    insert into plinth.outbox (project_id, version) select id, version from moved
  )
  select version from moved
$$;

-- The audit log. A chain per project (and one for the platform, project_id null): each row's hash covers the one before
-- and salted digests of who and from where, which live apart in audit_subjects: forgetting a person, or the address once
-- its term is over, takes the salt along and leaves the chain whole.
create table plinth.audit_log (
  id uuid primary key,
  project_id uuid,
  -- The project's chain, or the platform's: what an index finds.
  chain uuid not null generated always as (coalesce(project_id, '00000000-0000-0000-0000-000000000000')) stored,
  sequence bigint not null,
  at timestamptz not null,
  action text not null,
  target text,
  details jsonb not null default '{}',
  request_id text,
  actor_digest bytea not null,
  address_digest bytea not null,
  previous bytea not null,
  hash bytea not null,
  unique (chain, sequence)
);
create table plinth.audit_subjects (
  audit_id uuid primary key references plinth.audit_log (id),
  actor text,
  actor_salt bytea not null,
  address text,
  -- Null once the address is forgotten.
  address_salt bytea
);
create index audit_subjects_actor_idx on plinth.audit_subjects (actor);
-- Those that still have an address: what is past its term is looked for among them alone.
create index audit_subjects_addresses_idx on plinth.audit_subjects (audit_id) where address_salt is not null;

create index audit_log_target_idx on plinth.audit_log (target);

-- What of an entry is hashed, beside the entry before and the digests. It goes into exports, so that whoever has one can
-- verify it without this database.
create function plinth.audit_text(id uuid, project uuid, sequence bigint, at timestamptz, action text, target text,
  details jsonb, request text) returns text language sql immutable set search_path = pg_catalog as $$
  select jsonb_build_array(id, project, sequence, extract(epoch from at), action, target, details, request)::text
$$;

create function plinth.audit_digest(salt bytea, value text) returns bytea
language sql immutable set search_path = pg_catalog as $$
  select sha256(salt || convert_to(coalesce(value, ''), 'UTF8'))
$$;

-- SHA-256 over the hash of the entry before (empty for the first), both digests and the text, one behind the other.
create function plinth.audit_hash(previous bytea, actor_digest bytea, address_digest bytea, body text) returns bytea
language sql immutable set search_path = pg_catalog as $$
  select sha256(previous || actor_digest || address_digest || convert_to(body, 'UTF8'))
$$;

-- Appends an entry; the salt is 32 bytes, one half for each digest.
create function plinth.audit(id uuid, project uuid, at timestamptz, action text, target text, details jsonb,
  request text, actor text, address text, salt bytea) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
  own_chain uuid := coalesce(project, '00000000-0000-0000-0000-000000000000');
  head record;
  place bigint;
  actor_salt bytea := substring(salt from 1 for 16);
  address_salt bytea := substring(salt from 17);
  actor_digest bytea := plinth.audit_digest(actor_salt, actor);
  address_digest bytea := plinth.audit_digest(address_salt, address);
begin
  -- One writer per chain at a time; held until the caller's transaction ends.
  perform pg_advisory_xact_lock(hashtextextended('plinth.audit:' || coalesce(project::text, 'platform'), 0));
  select l.sequence, l.hash into head from plinth.audit_log l
    where l.chain = own_chain order by l.sequence desc limit 1;
  place := coalesce(head.sequence, 0) + 1;
  insert into plinth.audit_log (id, project_id, sequence, at, action, target, details, request_id, actor_digest,
      address_digest, previous, hash)
    values (id, project, place, at, action, target, coalesce(details, '{}'), request, actor_digest, address_digest,
      coalesce(head.hash, ''), plinth.audit_hash(coalesce(head.hash, ''), actor_digest, address_digest,
        plinth.audit_text(id, project, place, at, action, target, coalesce(details, '{}'), request)));
  insert into plinth.audit_subjects values (id, actor, actor_salt, address, address_salt);
end
$$;

-- Forgets the addresses of entries older than that, at most so many; tells how many.
create function plinth.audit_forget_addresses(before timestamptz, most bigint) returns bigint
language sql security definer set search_path = pg_catalog as $$
  with due as (
    select s.audit_id from plinth.audit_subjects s join plinth.audit_log l on l.id = s.audit_id
    where l.at < before and s.address_salt is not null order by l.at limit most for update of s skip locked
  ), forgotten as (
    update plinth.audit_subjects s set address = null, address_salt = null from due where s.audit_id = due.audit_id
    returning 1
  )
  select count(*) from forgotten
$$;

-- Forgets who acted, and from where, in entries of a person's: a platform user's in all chains, an end user's in the chain
-- of their project. At most so many; tells how many. Nobody else's, and nothing of the platform's own work.
create function plinth.forget_identity(person uuid, project uuid, most bigint) returns bigint
language sql security definer set search_path = pg_catalog as $$
  with due as (
    select s.audit_id from plinth.audit_subjects s join plinth.audit_log l on l.id = s.audit_id
    where s.actor = case when project is null then 'user:' else 'end-user:' end || person::text
      and (project is null or l.project_id = project)
    limit most for update of s
  ), forgotten as (
    delete from plinth.audit_subjects s using due where s.audit_id = due.audit_id returning 1
  )
  select count(*) from forgotten
$$;

-- All that a data request needs to know of a project, in one row. The only way in for the records login.
create function plinth.resolve(reference text) returns jsonb
language sql stable security definer set search_path = pg_catalog as $$
  select jsonb_build_object(
    'id', p.id, 'ref', p.ref, 'version', p.version, 'settings', p.settings,
    'backend', (
      select jsonb_build_object('id', b.id, 'tier', b.tier, 'isolation', b.isolation, 'state', b.state,
        'settings', b.settings, 'installed', b.installed,
        'cell', (select jsonb_build_object('id', c.id, 'host', c.host, 'port', c.port, 'database', c.database)
                 from plinth.cells c where c.id = b.cell_id),
        'login', (select s.envelope from plinth.secrets s where s.project_id = p.id and s.purpose = 'login'),
        -- Of a user's own database: what is secret of it leaves sealed.
        'connection', (
          select jsonb_build_object('provider', c.provider,
            'secret', (select s.envelope from plinth.secrets s where s.id = c.secret_id),
            'rest', (select s.envelope from plinth.secrets s where s.project_id = p.id and s.purpose = 'rest'))
          from plinth.connections c where c.id = b.connection_id and c.deleted_at is null),
        'policies', (
          select jsonb_object_agg(r.table_name, r.policies) from plinth.policies r where r.backend_id = b.id))
      from plinth.backends b where b.project_id = p.id and b.deleted_at is null),
    'keys', coalesce((
      select jsonb_agg(jsonb_build_object('id', k.id, 'class', k.class, 'hash', encode(k.hash, 'hex'),
        'expires_at', k.expires_at)) from plinth.keys k where k.project_id = p.id and k.revoked_at is null), '[]'),
    'jwks', coalesce((
      select jsonb_agg(s.public_jwk) from plinth.signing_keys s where s.project_id = p.id), '[]'))
  from plinth.projects p where p.ref = reference and p.deleted_at is null
$$;

-- What a test of a project's connection needs to know. What is secret of it leaves sealed; other secrets do not leave.
create function plinth.connection(project uuid)
returns table (id uuid, tier text, provider text, settings jsonb, envelope jsonb)
language sql stable security definer set search_path = pg_catalog as $$
  select b.id, b.tier, c.provider, b.settings, s.envelope
  from plinth.backends b
  left join plinth.connections c on c.id = b.connection_id and c.deleted_at is null
  left join plinth.secrets s on s.id = c.secret_id and s.purpose = 'connection'
  where b.project_id = project and b.deleted_at is null
$$;

-- Notes when keys were last used, {"<key id>": "<time>"}, and how users' own databases fare,
-- {"<backend id>": {"ok": "<time>", "failed": "<time>", "class": "dns"}}; flushed at most once a minute by each process.
create function plinth.note(used jsonb, health jsonb) returns void language sql security definer
set search_path = pg_catalog as $$
  update plinth.keys k set last_used_at = greatest(k.last_used_at, u.value::timestamptz)
  from jsonb_each_text(used) u where k.id = u.key::uuid;
  insert into plinth.backend_health as h (backend_id, last_ok_at, last_error_at, last_error_class)
  select b.id, (n.value ->> 'ok')::timestamptz, (n.value ->> 'failed')::timestamptz, n.value ->> 'class'
  from jsonb_each(health) n
  join plinth.backends b on b.id = n.key::uuid and b.tier = 'external'
  on conflict (backend_id) do update set
    last_ok_at = greatest(h.last_ok_at, excluded.last_ok_at),
    last_error_at = greatest(h.last_error_at, excluded.last_error_at),
    last_error_class = case
      when excluded.last_error_at >= coalesce(h.last_error_at, '-infinity') then excluded.last_error_class
      else h.last_error_class
    end
$$;


-- The platform's public keys, for every function that meets platform tokens.
create function plinth.platform_keys() returns jsonb language sql stable security definer set search_path = pg_catalog as $$
  select jsonb_build_object('keys', coalesce(jsonb_agg(s.public_jwk), '[]'))
  from plinth.signing_keys s where s.project_id is null
$$;

-- What a platform user is to a project, named by its id or its backend's. No row: they are strangers.
-- plinth.users comes with the next migration.
set local check_function_bodies = off;
create function plinth.access(account uuid, project uuid, backend uuid, include_deleted boolean)
returns table (id uuid, ref text, role text, deleted_at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
  select p.id, p.ref, m.role, p.deleted_at
  from plinth.projects p
  join plinth.members m on m.project_id = p.id and m.user_id = account and m.deleted_at is null
  where (p.deleted_at is null or include_deleted)
    and (p.id = project
      or p.id = (select b.project_id from plinth.backends b where b.id = backend and b.deleted_at is null))
    and not exists (select from plinth.users u where u.id = account and (u.deleted_at is not null or u.banned_until > now()))
$$;

-- The project that holds a platform user's own database, and what that is.
create function plinth.personal(account uuid)
returns table (id uuid, ref text, version bigint, provider text, connected_at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
  select p.id, p.ref, p.version, c.provider, c.updated_at
  from plinth.projects p
  join plinth.members m on m.project_id = p.id and m.user_id = account and m.deleted_at is null
  left join plinth.backends b on b.project_id = p.id and b.tier = 'external' and b.deleted_at is null
  left join plinth.connections c on c.id = b.connection_id and c.deleted_at is null
  where p.personal_of = account and p.deleted_at is null
    and not exists (select from plinth.users u where u.id = account and (u.deleted_at is not null or u.banned_until > now()))
$$;

-- Whether somebody has confirmed which rows of a project are whose.
create function plinth.has_subject_map(project uuid) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
  select exists (select from plinth.subject_maps where project_id = project)
$$;

-- Ends a platform user's sessions; tells how many.
create function plinth.end_sessions(person uuid) returns bigint
language sql security definer set search_path = pg_catalog as $$
  with ended as (delete from plinth.sessions where user_id = person returning 1) select count(*) from ended
$$;

-- Removes a platform user's account with all that hangs on it; tells how many rows of each table.
create function plinth.erase_account(person uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog as $$
declare
  counts jsonb := jsonb_build_object(
    'users', (select count(*) from plinth.users where id = person),
    'identities', (select count(*) from plinth.identities where user_id = person),
    'sessions', (select count(*) from plinth.sessions where user_id = person),
    'refresh_tokens', (
      select count(*) from plinth.refresh_tokens t join plinth.sessions s on s.id = t.session_id
      where s.user_id = person));
begin
  delete from plinth.users where id = person;
  return counts;
end
$$;
revoke execute on all functions in schema plinth from public;
