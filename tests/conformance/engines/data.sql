delete from task_tags;
delete from tags;
delete from tasks;
delete from projects;
delete from clients;
delete from items;
delete from documents;
insert into clients values (1, 'Apple'), (2, 'Bär');
insert into projects (id, name, client_id) values (1, 'iPod', 1), (2, 'iPhone', 1), (3, 'Honey', 2), (4, 'Alone', null);
insert into tasks (id, project_id, title, rank) values
  (1, 1, 'draw', 2), (2, 1, 'build', 1), (3, 2, 'draw', null), (4, 3, 'catch', 5), (5, 2, 'ship', 3);
insert into tags values (1, 'hard'), (2, 'fun'), (3, 'lost');
insert into task_tags values (1, 1), (1, 2), (2, 1), (4, 2);
insert into items (id, sku, name, price, made) values
  (1, 'a-1', 'first', 1.10, '2024-01-01 00:00:00'), (2, 'b_2', 'Second', 20, '2024-01-02 00:00:00'),
  (3, 'c%3', 'third', null, '2024-01-03 00:00:00');
insert into documents values (1, '{"a": [1, 2.5], "b": null, "c": "text"}'), (2, '{"a": [], "c": "other"}');
