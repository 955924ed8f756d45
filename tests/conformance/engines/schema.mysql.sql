create table clients (id int primary key, name varchar(50) not null);
create table projects (
  id int auto_increment primary key, name varchar(50) not null, client_id int null,
  constraint projects_client foreign key (client_id) references clients (id));
create table tasks (
  id int auto_increment primary key, project_id int not null, title varchar(50) not null, `rank` int null,
  constraint tasks_project foreign key (project_id) references projects (id));
create table tags (id int primary key, word varchar(20) not null unique);
create table task_tags (
  task_id int not null, tag_id int not null, primary key (task_id, tag_id),
  constraint task_tags_task foreign key (task_id) references tasks (id) on delete cascade,
  constraint task_tags_tag foreign key (tag_id) references tags (id));
create table items (
  id int auto_increment primary key, sku varchar(20) not null unique, name varchar(20) not null default 'none',
  price decimal(10,2) null, made datetime not null default current_timestamp, check (price >= 0));
create table documents (id int primary key, body json not null);
create view open_tasks as select t.id, t.title, p.name as project from tasks t join projects p on p.id = t.project_id;
