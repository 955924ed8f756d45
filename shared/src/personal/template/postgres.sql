-- The tables of the project-management template, for PostgreSQL 13 or later (and what speaks its protocol).
-- Run it in your own database, as the login of the connection or as one that grants it its rights. Nothing is dropped.

create table if not exists profiles (
  id uuid primary key, -- your user id
  email text,
  full_name text,
  avatar_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists projects (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  description text,
  status text not null default 'planning',
  priority text not null default 'medium',
  budget numeric(14, 2),
  spent numeric(14, 2) not null default 0,
  due_date date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, user_id)
);

-- A task's project is one of the same user's: the foreign key has both columns.
create table if not exists tasks (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  project_id uuid,
  title text not null,
  description text,
  status text not null default 'todo',
  priority text not null default 'medium',
  assignee text,
  due_date date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (project_id, user_id) references projects (id, user_id) on delete cascade
);

create table if not exists team_members (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  email text not null,
  role text not null default 'Developer',
  workload integer not null default 0,
  status text not null default 'available',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index if not exists projects_user_id_idx on projects (user_id);
create index if not exists tasks_user_id_idx on tasks (user_id);
create index if not exists tasks_project_id_idx on tasks (project_id, user_id);
create index if not exists team_members_user_id_idx on team_members (user_id);
