delete from task_tags; delete from tags; delete from tasks; delete from projects; delete from clients; delete from kinds;
delete from items; delete from places; delete from log; delete from `odd``name`;
insert into clients values (1, 'Apple'), (2, 'Bär');
insert into projects (id, name, client_id) values (1, 'iPod', 1), (2, 'iPhone', 1), (3, 'Honey', 2), (4, 'Alone', null);
insert into tasks (id, project_id, title, rank) values
  (1, 1, 'draw', 2), (2, 1, 'build', 1), (3, 2, 'draw', null), (4, 3, 'catch', 5), (5, 2, 'ship', 3);
insert into tags values (1, 'hard'), (2, 'fun'), (3, 'lost');
insert into task_tags values (1, 1), (1, 2), (2, 1), (4, 2);
insert into kinds values
  (1, 1, 9007199254740993, 12345678901234567890.0123456789, 1e300, 0.1, b'101', x'00ff10', '{"a": [1, 2.50], "b": null}',
   '2024-02-29', '-10:30:00.250', '2024-02-29 12:34:56.120000', '2024-02-29 12:34:56.5', 'ok', 'é'),
  (18446744073709551615, 0, -1, 0, 0, 0, b'0', '', '[]', '1000-01-01', '00:00:00', '9999-12-31 23:59:59.999999', null,
   'sad', ''),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
insert into items (id, sku, name, price, made) values
  (1, 'a-1', 'first', 1.10, '2024-01-01 00:00:00'), (2, 'b_2', 'Second', 20, '2024-01-02 00:00:00'),
  (3, 'c%3', 'third', null, '2024-01-03 00:00:00');
alter table items auto_increment = 4;
alter table tasks auto_increment = 6;
insert into places values (1, point(1, 2), 'a,b', 2024);
insert into log values ('one'), ('two');
insert into `odd``name` values (1, 'x')
