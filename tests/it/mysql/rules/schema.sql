create table notes (
  id int auto_increment primary key, user_id char(36) not null, body varchar(50) collate utf8mb4_unicode_ci,
  shared tinyint(1) not null default 0);
create table boards (id int primary key, title varchar(50) not null);
create table members (
  board_id int not null, user_id varchar(50) character set latin1 not null, primary key (board_id, user_id),
  constraint members_board foreign key (board_id) references boards (id));
create table tags (id int primary key, word varchar(20) not null unique);
create table note_tags (
  note_id int not null, tag_id int not null, primary key (note_id, tag_id),
  constraint note_tags_note foreign key (note_id) references notes (id) on delete cascade,
  constraint note_tags_tag foreign key (tag_id) references tags (id));
create table inbox (body varchar(50));
create table ledger (id int primary key, amount int not null, note varchar(20));
create table secrets (id int primary key);
create table unruled (id int primary key)
