-- What rows may change, as each of them finds it. Run by somebody whom no policy stops.
truncate public.todos, public.steps, public.langs, public.late_links, public.pairs, public.grades, public.only_key, public.no_key, public.counters,
  public.shapes, public.documents, public."Quoted Writes", public.notes, public.logs, public.insert_only restart identity;
insert into public.todos (title, done, priority, note) values
  ('write', false, 1, 'a'), ('read', true, 2, null), ('rest', false, null, 'c');
insert into public.steps values (1, 1, 'sit'), (2, 1, 'type'), (3, 2, 'open');
insert into public.langs values ('Rust', 1, 'kept'), ('C', 2, null), ('Haskell', 3, 'kept');
insert into public.pairs (a, b, v) values (1, 1, 'x'), (1, 2, 'y');
insert into public.grades values ('Ann', 'art', 1, 'good'), ('Ann', 'math', 2, null), ('Bob', 'art', 3, null);
insert into public.only_key values (1), (2);
insert into public.no_key values (1, 'one'), (2, 'two');
insert into public.shapes (id, w, h) values (1, 2, 3);
insert into public.documents (id, body) values (1, '{"k": "v"}');
insert into public."Quoted Writes" values ('a key', 'a value');
insert into public.notes values
  (1, 'a11ce000-0000-4000-8000-000000000001', 'of Alice', false),
  (2, 'b0b00000-0000-4000-8000-000000000002', 'of Bob', false),
  (3, 'b0b00000-0000-4000-8000-000000000002', 'of Bob, for all', true);
insert into public.logs values (1, '2025-05-05', 'old', 1), (2, '2026-05-05', 'new', 3);
