-- What the rows ask about. Run by the owner of the schema, which is on the search path; the roles `anon`,
-- `authenticated` and `service_role` exist. What rows may change is filled by data.sql, before each of them.

-- Films: to-one, to-many, one-to-one, many-to-many.
create table directors (id int primary key, first_name text not null, last_name text not null);
create table films (
  id int primary key,
  title text not null,
  year int not null,
  rating numeric,
  language text,
  director_id int references directors
);
create table technical_specs (film_id int primary key references films, runtime int, camera text);
create table actors (id int primary key, name text not null);
create table roles (
  film_id int references films,
  actor_id int references actors,
  character text,
  primary key (film_id, actor_id)
);
create table competitions (id int primary key, name text not null, year int not null);
create table nominations (
  competition_id int references competitions,
  film_id int references films,
  rank int not null,
  primary key (competition_id, film_id)
);
comment on table films is 'Films';
comment on column films.title is 'What it is called';

insert into directors values (1, 'Agnès', 'Varda'), (2, 'Akira', 'Kurosawa'), (3, 'Chantal', 'Akerman'), (4, 'Wim', 'Nobody');
insert into films values
  (1, 'Cléo from 5 to 7', 1962, 7.8, 'fr', 1),
  (2, 'Vagabond', 1985, 7.7, 'fr', 1),
  (3, 'Rashomon', 1950, 8.1, 'ja', 2),
  (4, 'Seven Samurai', 1954, 8.6, 'ja', 2),
  (5, 'Jeanne Dielman', 1975, 7.5, 'fr', 3),
  (6, 'Untitled', 2001, null, null, null);
insert into technical_specs values (1, 90, 'Cameflex'), (3, 88, 'Mitchell'), (4, 207, 'Mitchell');
insert into actors values (1, 'Corinne Marchand'), (2, 'Toshiro Mifune'), (3, 'Machiko Kyo'), (4, 'Sandrine Bonnaire');
insert into roles values (1, 1, 'Cléo'), (2, 4, 'Mona'), (3, 2, 'Tajomaru'), (3, 3, 'Masako'), (4, 2, 'Kikuchiyo');
insert into competitions values (1, 'Venice', 1951), (2, 'Cannes', 1962);
insert into nominations values (1, 3, 1), (2, 1, 3), (2, 4, 2);

-- Two foreign keys to one table.
create table addresses (id int primary key, street text not null);
create table orders (
  id int primary key,
  name text not null,
  billing_id int constraint billing references addresses,
  shipping_id int constraint shipping references addresses
);
insert into addresses values (1, 'First Street'), (2, 'Second Street'), (3, 'Third Street');
insert into orders values (1, 'one', 1, 2), (2, 'two', 3, 3), (3, 'three', null, 1);

-- Self reference.
create table employees (
  id int primary key,
  name text not null,
  manager_id int constraint employees_manager_fkey references employees
);
insert into employees values (1, 'Ada', null), (2, 'Bea', 1), (3, 'Cyd', 1), (4, 'Dot', 2);

-- Composite keys.
create table seats (hall text, number int, row_name text, primary key (hall, number));
create table bookings (
  id int primary key,
  guest text not null,
  hall text,
  seat int,
  constraint bookings_seat_fkey foreign key (hall, seat) references seats (hall, number)
);
insert into seats values ('blue', 1, 'A'), ('blue', 2, 'A'), ('red', 1, 'Z');
insert into bookings values (1, 'Eve', 'blue', 1), (2, 'Fay', 'red', 1), (3, 'Gil', null, null);

-- A cycle.
create table departments (id int primary key, name text not null, head_id int);
create table staff (
  id int primary key,
  name text not null,
  department_id int constraint staff_department_fkey references departments
);
alter table departments add constraint departments_head_fkey foreign key (head_id) references staff;
insert into departments values (1, 'Sound', null), (2, 'Light', null);
insert into staff values (1, 'Hal', 1), (2, 'Ida', 1), (3, 'Jon', 2);
update departments set head_id = case id when 1 then 2 else 3 end;

-- A many-to-many of people with themselves.
create table people (id int primary key, name text not null);
create table follows (
  follower_id int constraint follower references people,
  followed_id int constraint followed references people,
  primary key (follower_id, followed_id)
);
insert into people values (1, 'Kay'), (2, 'Lee'), (3, 'Mia');
insert into follows values (1, 2), (1, 3), (3, 1);

-- Plain rows to page through, and none at all.
create table items (id int primary key);
insert into items select * from generate_series(1, 15);
create table nothing (id int primary key, name text);

-- One column of each kind.
create type mood as enum ('sad', 'ok', 'happy');
create domain email as text check (value like '%@%');
create type place as (city text, lat numeric, lon numeric);
create table kinds (
  id int primary key,
  small smallint,
  big bigint,
  exact numeric(10, 2),
  approximate double precision,
  flag boolean,
  words text,
  code varchar(8),
  uid uuid,
  day date,
  at timestamptz,
  local timestamp,
  clock time,
  span interval,
  bytes bytea,
  ints int[],
  tags text[],
  matrix int[],
  ages int4range,
  period daterange,
  feeling mood,
  feelings mood[],
  mail email,
  spot place,
  spots place[],
  data jsonb,
  raw json,
  search tsvector
);
insert into kinds values
  (1, 1, 9007199254740993, 10.50, 1.5, true, 'the quick fox', 'abc', 'c0ffee00-0000-4000-8000-000000000001',
   '2026-01-02', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05', '03:04:05', '1 day 02:00', '\x00ff',
   '{1,2,3}', '{red,green}', '{{1,2},{3,4}}', '[1,10)', '[2026-01-01,2026-02-01)', 'happy', '{ok,sad}', 'a@example.com',
   '("Paris, France",48.85,2.35)', '{"(Rome,41.9,12.5)","(Oslo,59.9,10.7)"}',
   '{"a": {"b": {"c": 1}}, "list": [10, 20, {"x": "y"}], "name": "first", "n": 5, "key with space": "spaced", "nil": null, "ok": true}',
   '{"a": 1, "z": [1]}', to_tsvector('english', 'the quick brown foxes jumped')),
  (2, 2, -5, 20.25, 2.5, false, 'lazy dogs sleep', 'ab,c', 'c0ffee00-0000-4000-8000-000000000002',
   '2026-06-15', '2026-06-15T12:00:00Z', '2026-06-15T12:00:00', '12:00:00', '3 months', '\xdeadbeef',
   '{3,4}', '{green,"light blue"}', null, '[10,20)', '[2026-02-01,2026-03-01)', 'sad', '{}', 'b@example.com',
   '(Berlin,52.52,13.4)', '{}',
   '{"a": {"b": {"c": 2}}, "list": [30], "name": "second", "n": 15, "ok": false}',
   '{"a": 2}', to_tsvector('english', 'lazy dogs sleep')),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
   null, null, null, null, null, null, null, null);

-- Texts that need care.
create table texts (id int primary key, v text);
insert into texts values (1, 'plain'), (2, 'with,comma'), (3, 'with.dot'), (4, 'with "quotes"'), (5, 'back\slash'),
  (6, '(parens)'), (7, ''), (8, null), (9, 'Ünïcødé'), (10, 'a&b=c'), (11, '100%'), (12, 'null'), (13, 'PLAIN'), (14, 'a+b c'),
  (15, 'with:colon'), (16, '{braces}');

-- Names that need quotes.
create table "Weird Table" (
  "ID" int primary key,
  "space col" text,
  "dot.col" text,
  "comma,col" text,
  ":colon" text,
  "paren(s)" text,
  "quote""d" text,
  "ünï" text,
  "select" text,
  "json->arrow" text
);
insert into "Weird Table" values
  (1, 'sp', 'dot', 'comma', 'colon', 'paren', 'quote', 'uni', 'sel', 'arrow'),
  (2, 'sp2', 'dot2', 'comma2', 'colon2', 'paren2', 'quote2', 'uni2', 'sel2', 'arrow2');
create table "Ünïcode" ("ключ" int primary key, "значение" text, "Weird ID" int references "Weird Table");
insert into "Ünïcode" values (1, 'да', 1), (2, 'нет', null);

-- Views: renamed, filtered, joined, over a view, materialized.
create view film_list as select id as number, title as name, year, director_id as made_by from films;
create view recent_films as select number, name, year, made_by from film_list where year >= 1960;
create view film_makers as
  select f.id, f.title, d.id as maker_id, d.last_name as maker from films f join directors d on d.id = f.director_id;
create view role_list as select film_id, character as part from roles;
-- Keeps both keys of its junction: another way from films to competitions.
create view entries as select competition_id, film_id, rank from nominations;
create materialized view decade_stats as
  select year / 10 * 10 as decade, count(*)::int as films, max(rating) as best from films group by 1;
create view constants as select 1 as one, 'two'::text as two;

-- Partitioned.
create table logs (
  id int,
  day date,
  message text,
  film_id int references films,
  primary key (id, day)
) partition by range (day);
create table logs_2025 partition of logs for values from ('2025-01-01') to ('2026-01-01');
create table logs_2026 partition of logs for values from ('2026-01-01') to ('2027-01-01');

-- What rows write to; filled by data.sql.
create table todos (
  id int generated by default as identity primary key,
  title text not null,
  done boolean not null default false,
  priority int default 3,
  note text default 'none',
  constraint todos_priority_check check (priority between 0 and 9)
);
create table steps (id int primary key, todo_id int references todos on delete cascade, what text);
create view open_todos as select id, title, done, priority from todos where not done;
create table langs (name text primary key, rank int not null, note text default 'new');
create table late_links (id int primary key, before int references late_links deferrable initially deferred);
create table pairs (id int generated by default as identity primary key, a int, b int, v text, unique (a, b));
create table grades (student text, subject text, grade int, remark text, primary key (student, subject));
create table only_key (id int primary key);
create table no_key (a int, b text);
create table counters (id int generated always as identity primary key, n int);
create table shapes (id int primary key, w int, h int, area int generated always as (w * h) stored);
create table documents (id int primary key, body jsonb, tags text[], feeling mood, spot place, at timestamptz);
create table "Quoted Writes" ("The Key" text primary key, "A Value" text);

-- Rows of one's own.
create table notes (
  id int primary key,
  owner uuid default (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid,
  body text,
  shared boolean not null default false
);
alter table notes enable row level security;
create policy own on notes to authenticated
  using (owner = (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid)
  with check (owner = (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid);
create policy shared on notes for select to anon, authenticated using (shared);
create policy everything on notes to service_role using (true) with check (true);

-- Rights in part, and none.
create table locked (id int primary key);
insert into locked values (1);
create table partly (id int primary key, shown text, hidden text);
insert into partly values (1, 'seen', 'unseen');
create table insert_only (id int primary key, v text);
create table read_only (id int primary key, v text);
insert into read_only values (1, 'one');

-- Computed columns and relationships.
create function full_name(directors) returns text stable language sql as $$ select $1.first_name || ' ' || $1.last_name $$;
create function is_old(films) returns boolean stable language sql as $$ select $1.year < 1960 $$;
create function maker(films) returns setof directors rows 1 stable language sql as
  $$ select * from directors where id = $1.director_id $$;
create function works(directors) returns setof films stable language sql as
  $$ select * from films where director_id = $1.id $$;
create function peers(films) returns setof films stable language sql as
  $$ select * from films where language = $1.language and id <> $1.id $$;

-- Functions to call.
create function add(a int, b int) returns int immutable language sql as 'select a + b';
create function greet(name text default 'world') returns text immutable language sql as $$ select 'Hello, ' || name $$;
create function with_defaults(a int, b text default 'b', c boolean default true) returns json stable language sql as
  $$ select json_build_object('a', a, 'b', b, 'c', c) $$;
create function nothing_to_say() returns void volatile language sql as '';
create function no_text() returns text stable language sql as 'select null::text';
create function yes() returns boolean stable language sql as 'select true';
create function today() returns date stable language sql as $$ select '2026-01-02'::date $$;
create function best_mood() returns mood stable language sql as $$ select 'happy'::mood $$;
create function some_ints() returns int[] stable language sql as $$ select '{1,2,3}'::int[] $$;
create function some_json() returns json stable language sql as $$ select '{"a": [1, 2]}'::json $$;
create function some_jsonb_list() returns jsonb stable language sql as $$ select '[1, "two"]'::jsonb $$;
create function counting(up_to int) returns setof int stable language sql as 'select generate_series(1, up_to)';
create function no_numbers() returns setof int stable language sql as 'select 1 where false';
create function labelled() returns table (n int, label text) stable language sql as
  $$ values (1, 'one'), (2, 'two'), (3, 'three') $$;
create function single_column() returns table (n int) stable language sql as 'values (1), (2)';
create function double_and_triple(a int, out doubled int, out tripled int) immutable language sql as 'select a * 2, a * 3';
create function one_out(a int, out b int) immutable language sql as 'select a + 1';
create function swap(inout x text, inout y text) immutable language sql as 'select y, x';
create function many_out(out a int, out b text) returns setof record stable language sql as $$ values (1, 'x'), (2, 'y') $$;
create function a_place() returns place stable language sql as $$ select ('Paris', 48.85, 2.35)::place $$;
create function places() returns setof place stable language sql as
  $$ values ('Paris', 48.85, 2.35), ('Oslo', 59.9, 10.7) $$;
create function film(id int) returns films stable language sql as 'select * from films where films.id = $1';
create function all_films() returns setof films stable language sql as 'select * from films order by id';
create function films_since(since int) returns setof films stable language sql as
  'select * from films where year >= since order by id';
create function first_film() returns setof films rows 1 stable language sql as 'select * from films order by id limit 1';
create function item_range(min int, max int) returns setof items stable language sql as
  'select * from items where id > min and id <= max order by id';
create function total(variadic v int[]) returns int immutable language sql as 'select coalesce(sum(x), 0)::int from unnest(v) x';
create function join_words(sep text, variadic words text[]) returns text immutable language sql as
  'select array_to_string(words, sep)';
create function sum_array(v int[]) returns int immutable language sql as 'select coalesce(sum(x), 0)::int from unnest(v) x';
create function json_key(j jsonb, k text) returns text immutable language sql as 'select j ->> k';
create function mood_rank(m mood) returns int immutable language sql as
  $$ select array_position(enum_range(null::mood), m) $$;
create function city_of(spot place) returns text immutable language sql as 'select (spot).city';
-- Overloads: told apart by names, and not.
create function describe(a int) returns text immutable language sql as $$ select 'a' $$;
create function describe(a int, b int) returns text immutable language sql as $$ select 'a and b' $$;
create function describe(name text) returns text immutable language sql as $$ select 'name' $$;
create function ambiguous(a int) returns text immutable language sql as $$ select 'int' $$;
create function ambiguous(a text) returns text immutable language sql as $$ select 'text' $$;
-- One unnamed parameter takes the whole body.
create function echo_json(json) returns json immutable language sql as 'select $1';
create function echo_jsonb(jsonb) returns jsonb immutable language sql as 'select $1';
create function echo_text(text) returns text immutable language sql as 'select $1';
create function byte_count(bytea) returns int immutable language sql as 'select length($1)';
-- Writes.
create function add_todo(title text) returns todos volatile language sql as
  'insert into todos (title) values ($1) returning *';
create function finish_all() returns setof todos volatile language sql as
  'update todos set done = true where not done returning *';
create function count_done() returns int volatile language sql as
  'with done as (update todos set done = true returning 1) select count(*)::int from done';
create function sneaky_write() returns int stable language sql as $$ select (add_todo('sneaked in')).id $$;
create function raise_state(state text) returns int stable language plpgsql as
  $$ begin raise exception using errcode = state, message = 'raised'; end $$;
create function divide(a int, b int) returns int immutable language sql as 'select a / b';
-- Errors.
create function raise_plain() returns int stable language plpgsql as
  $$ begin raise exception 'plain trouble' using detail = 'the detail', hint = 'the hint'; end $$;
create function raise_402() returns int stable language plpgsql as
  $$ begin raise sqlstate 'PT402' using message = 'Payment Required', detail = 'Quota exceeded', hint = 'Upgrade your plan'; end $$;
create function raise_pgrst() returns int stable language plpgsql as $$ begin
  raise sqlstate 'PGRST' using
    message = '{"code":"123","message":"Payment Required","details":"Quota exceeded","hint":"Upgrade your plan"}',
    detail = '{"status":402,"headers":{"X-Powered-By":"Nerd Rage","X-Other":"yes"}}';
end $$;
create function raise_pgrst_text() returns int stable language plpgsql as $$ begin
  raise sqlstate 'PGRST' using
    message = '{"code":"124","message":"Busy"}',
    detail = '{"status":419,"status_text":"Page Expired","headers":{}}';
end $$;
create function raise_pgrst_bad_message() returns int stable language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = 'INVALID', detail = '{"status":332,"headers":{}}';
end $$;
create function raise_pgrst_bad_detail() returns int stable language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = '{"code":"123","message":"ABC"}', detail = 'INVALID';
end $$;
create function raise_pgrst_no_detail() returns int stable language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = '{"code":"123","message":"ABC"}';
end $$;
-- What a function knows of the request, and says of the reply.
create function claim(name text) returns text stable language sql as
  $$ select nullif(current_setting('request.jwt.claims', true), '')::json ->> name $$;
create function header(name text) returns text stable language sql as
  $$ select current_setting('request.headers', true)::json ->> name $$;
create function verb() returns text stable language sql as $$ select current_setting('request.method', true) $$;
create function path() returns text stable language sql as $$ select current_setting('request.path', true) $$;
create function zone() returns text stable language sql as $$ select current_setting('timezone') $$;
create function teapot() returns json volatile language plpgsql as $$ begin
  perform set_config('response.status', '418', true);
  return '{"message": "short and stout"}';
end $$;
create function with_headers() returns text volatile language plpgsql as $$ begin
  perform set_config('response.headers', '[{"X-First": "one"}, {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}]', true);
  return 'done';
end $$;
create function own_content_type() returns text volatile language plpgsql as $$ begin
  perform set_config('response.headers', '[{"Content-Type": "application/custom+json"}]', true);
  return 'done';
end $$;
create function bad_headers() returns text volatile language plpgsql as $$ begin
  perform set_config('response.headers', '{"X-First": "one"}', true);
  return 'done';
end $$;
create function bad_status() returns text volatile language plpgsql as $$ begin
  perform set_config('response.status', 'many', true);
  return 'done';
end $$;
create function for_service() returns text stable language sql as $$ select 'for you' $$;
comment on function add(int, int) is 'Adds';

-- Rights.
grant select on all tables in schema public to anon, authenticated, service_role;
revoke select on locked, partly, insert_only from anon, authenticated, service_role;
grant select (id, shown) on partly to anon, authenticated, service_role;
grant insert on insert_only to anon, authenticated, service_role;
grant insert, update, delete on todos, steps, open_todos, langs, late_links, pairs, grades, only_key, no_key, counters, shapes, documents,
  "Quoted Writes", notes, logs to anon, authenticated, service_role;
grant usage on all sequences in schema public to anon, authenticated, service_role;
grant execute on all functions in schema public to anon, authenticated, service_role;
revoke execute on function for_service() from public, anon, authenticated;
