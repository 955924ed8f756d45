delete from note_tags; delete from tags; delete from notes; delete from members; delete from boards; delete from inbox;
delete from ledger; delete from secrets;
insert into notes (id, user_id, body, shared) values
  (1, 'a11ce000-0000-4000-8000-000000000001', 'of Alice', 0),
  (2, 'b0b00000-0000-4000-8000-000000000002', 'of Bob', 0),
  (3, 'b0b00000-0000-4000-8000-000000000002', 'of Bob, for all', 1),
  (4, 'A11CE000-0000-4000-8000-000000000001', 'of another case', 0);
alter table notes auto_increment = 5;
insert into boards values (1, 'Alice''s'), (2, 'Bob''s'), (3, 'of both');
insert into members values
  (1, 'a11ce000-0000-4000-8000-000000000001'), (3, 'a11ce000-0000-4000-8000-000000000001'),
  (2, 'b0b00000-0000-4000-8000-000000000002'), (3, 'b0b00000-0000-4000-8000-000000000002');
insert into tags values (1, 'hard'), (2, 'fun'), (3, 'hidden');
insert into note_tags values (1, 1), (1, 3), (2, 2), (3, 2), (3, 3);
insert into ledger values (1, 1, null), (2, 0, null), (3, 50, null), (4, 500, null);
insert into secrets values (1)
