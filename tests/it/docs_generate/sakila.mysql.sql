create table language (
  language_id tinyint unsigned not null auto_increment, name char(20) not null,
  last_update timestamp not null default current_timestamp on update current_timestamp, primary key (language_id)
);
create table film (
  film_id smallint unsigned not null auto_increment, title varchar(128) not null, description text, release_year year,
  language_id tinyint unsigned not null, rental_duration tinyint unsigned not null default 3,
  rental_rate decimal(4,2) not null default 4.99, length smallint unsigned,
  rating enum('G','PG','PG-13','R','NC-17') default 'G', primary key (film_id), key idx_title (title),
  constraint fk_film_language foreign key (language_id) references language (language_id) on delete restrict on update cascade,
  constraint rate_not_negative check (rental_rate >= 0)
) comment = 'Films that can be rented';
create table actor (
  actor_id smallint unsigned not null auto_increment, first_name varchar(45) not null, last_name varchar(45) not null,
  primary key (actor_id), key idx_actor_last_name (last_name)
);
create table film_actor (
  actor_id smallint unsigned not null, film_id smallint unsigned not null, primary key (actor_id, film_id),
  constraint fk_film_actor_actor foreign key (actor_id) references actor (actor_id) on delete cascade,
  constraint fk_film_actor_film foreign key (film_id) references film (film_id) on delete cascade
);
create view film_list as select f.film_id, f.title, l.name as language from film f join language l using (language_id);
insert into language (language_id, name) values (1, 'English');
insert into film (film_id, title, language_id) values (1, 'ACADEMY DINOSAUR', 1);
insert into actor (actor_id, first_name, last_name) values (1, 'PENELOPE', 'GUINESS');
insert into film_actor values (1, 1);
