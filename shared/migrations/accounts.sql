-- Accounts of one audience: the platform's own users (schema "plinth" of the control database) or a project's end users
-- (schema auth_<ref>, or auth in a database of its own). __schema__ is replaced by the quoted name.
create table __schema__.users (
  id uuid primary key,
  email text,
  phone text,
  encrypted_password text,
  email_confirmed_at timestamptz,
  phone_confirmed_at timestamptz,
  invited_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb not null default '{}',
  raw_user_meta_data jsonb not null default '{}',
  is_anonymous boolean not null default false,
  banned_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create unique index users_email_key on __schema__.users (lower(email)) where deleted_at is null;
create unique index users_phone_key on __schema__.users (phone) where deleted_at is null and phone is not null;

-- One row per way of signing in; provider_id is the provider's own id of the person.
create table __schema__.identities (
  id uuid primary key,
  user_id uuid not null references __schema__.users (id) on delete cascade,
  provider text not null,
  provider_id text not null,
  identity_data jsonb not null default '{}',
  email text,
  last_sign_in_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (provider, provider_id)
);
create index identities_user_id_idx on __schema__.identities (user_id);

create table __schema__.sessions (
  id uuid primary key,
  user_id uuid not null references __schema__.users (id) on delete cascade,
  aal text not null default 'aal1',
  amr jsonb not null default '[]',
  user_agent text,
  ip text,
  not_after timestamptz,
  created_at timestamptz not null,
  refreshed_at timestamptz not null
);
create index sessions_user_id_idx on __schema__.sessions (user_id);

-- Only the SHA-256 of a refresh token is kept. A used token that comes again ends its session (rotation with reuse
-- detection, RFC 9700 section 4.14.2).
create table __schema__.refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references __schema__.sessions (id) on delete cascade,
  parent_hash bytea,
  used_at timestamptz,
  created_at timestamptz not null
);
create index refresh_tokens_session_id_idx on __schema__.refresh_tokens (session_id);
