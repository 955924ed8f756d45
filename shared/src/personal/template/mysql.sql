-- The tables of the project-management template, for MySQL 8.0.13 or later and MariaDB 10.6 or later.
-- Run it in your own database, as the login of the connection or as one that grants it its rights. Nothing is dropped.

create table if not exists profiles (
  id char(36) not null primary key, -- your user id
  email varchar(320),
  full_name varchar(200),
  avatar_url text,
  created_at datetime(6) not null default current_timestamp(6),
  updated_at datetime(6) not null default current_timestamp(6) on update current_timestamp(6)
) engine = InnoDB default character set utf8mb4;

create table if not exists projects (
  id char(36) not null default (uuid()) primary key,
  user_id char(36) not null,
  name varchar(200) not null,
  description text,
  status varchar(40) not null default 'planning',
  priority varchar(40) not null default 'medium',
  budget decimal(14, 2),
  spent decimal(14, 2) not null default 0,
  due_date date,
  created_at datetime(6) not null default current_timestamp(6),
  updated_at datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  unique key projects_id_user_id_key (id, user_id),
  key projects_user_id_idx (user_id)
) engine = InnoDB default character set utf8mb4;

-- A task's project is one of the same user's: the foreign key has both columns.
create table if not exists tasks (
  id char(36) not null default (uuid()) primary key,
  user_id char(36) not null,
  project_id char(36),
  title varchar(200) not null,
  description text,
  status varchar(40) not null default 'todo',
  priority varchar(40) not null default 'medium',
  assignee varchar(200),
  due_date date,
  created_at datetime(6) not null default current_timestamp(6),
  updated_at datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  key tasks_user_id_idx (user_id),
  key tasks_project_id_idx (project_id, user_id),
  foreign key (project_id, user_id) references projects (id, user_id) on delete cascade
) engine = InnoDB default character set utf8mb4;

create table if not exists team_members (
  id char(36) not null default (uuid()) primary key,
  user_id char(36) not null,
  name varchar(200) not null,
  email varchar(320) not null,
  role varchar(200) not null default 'Developer',
  workload int not null default 0,
  status varchar(40) not null default 'available',
  created_at datetime(6) not null default current_timestamp(6),
  updated_at datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  key team_members_user_id_idx (user_id)
) engine = InnoDB default character set utf8mb4;
