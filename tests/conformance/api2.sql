-- A second schema, for backends that serve several.
create schema api2;
create table api2.things (id int primary key, name text not null);
insert into api2.things values (1, 'one'), (2, 'two');
-- Named as a table of the first schema.
create table api2.items (id int primary key, note text);
insert into api2.items values (1, 'of the second schema');
create table api2.parts (id int primary key, thing_id int references api2.things);
insert into api2.parts values (7, 1);
create function api2.where_am_i() returns text stable language sql as $$ select 'api2' $$;
grant usage on schema api2 to anon, authenticated, service_role;
grant select on all tables in schema api2 to anon, authenticated, service_role;
grant insert, delete on api2.things to anon, authenticated, service_role;
