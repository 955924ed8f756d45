-- Chinook: a shop for digital media, as its PostgreSQL script has it. A handful of rows.
create table "Artist" ("ArtistId" int not null, "Name" varchar(120), constraint "PK_Artist" primary key ("ArtistId"));
create table "Album" (
  "AlbumId" int not null, "Title" varchar(160) not null, "ArtistId" int not null,
  constraint "PK_Album" primary key ("AlbumId"),
  constraint "FK_AlbumArtistId" foreign key ("ArtistId") references "Artist" ("ArtistId")
);
create table "Employee" (
  "EmployeeId" int not null, "LastName" varchar(20) not null, "FirstName" varchar(20) not null, "Title" varchar(30),
  "ReportsTo" int, "BirthDate" timestamp, "HireDate" timestamp, "Address" varchar(70), "City" varchar(40),
  "State" varchar(40), "Country" varchar(40), "PostalCode" varchar(10), "Phone" varchar(24), "Fax" varchar(24),
  "Email" varchar(60),
  constraint "PK_Employee" primary key ("EmployeeId"),
  constraint "FK_EmployeeReportsTo" foreign key ("ReportsTo") references "Employee" ("EmployeeId")
);
create table "Customer" (
  "CustomerId" int not null, "FirstName" varchar(40) not null, "LastName" varchar(20) not null, "Company" varchar(80),
  "Address" varchar(70), "City" varchar(40), "State" varchar(40), "Country" varchar(40), "PostalCode" varchar(10),
  "Phone" varchar(24), "Fax" varchar(24), "Email" varchar(60) not null, "SupportRepId" int,
  constraint "PK_Customer" primary key ("CustomerId"),
  constraint "FK_CustomerSupportRepId" foreign key ("SupportRepId") references "Employee" ("EmployeeId")
);
create table "Genre" ("GenreId" int not null, "Name" varchar(120), constraint "PK_Genre" primary key ("GenreId"));
create table "MediaType" (
  "MediaTypeId" int not null, "Name" varchar(120), constraint "PK_MediaType" primary key ("MediaTypeId")
);
create table "Track" (
  "TrackId" int not null, "Name" varchar(200) not null, "AlbumId" int, "MediaTypeId" int not null, "GenreId" int,
  "Composer" varchar(220), "Milliseconds" int not null, "Bytes" int, "UnitPrice" numeric(10,2) not null,
  constraint "PK_Track" primary key ("TrackId"),
  constraint "FK_TrackAlbumId" foreign key ("AlbumId") references "Album" ("AlbumId") on delete set null,
  constraint "FK_TrackMediaTypeId" foreign key ("MediaTypeId") references "MediaType" ("MediaTypeId"),
  constraint "FK_TrackGenreId" foreign key ("GenreId") references "Genre" ("GenreId"),
  constraint "CK_TrackUnitPrice" check ("UnitPrice" >= 0)
);
create table "Invoice" (
  "InvoiceId" int not null, "CustomerId" int not null, "InvoiceDate" timestamp not null, "BillingAddress" varchar(70),
  "BillingCity" varchar(40), "BillingState" varchar(40), "BillingCountry" varchar(40), "BillingPostalCode" varchar(10),
  "Total" numeric(10,2) not null,
  constraint "PK_Invoice" primary key ("InvoiceId"),
  constraint "FK_InvoiceCustomerId" foreign key ("CustomerId") references "Customer" ("CustomerId")
);
create table "InvoiceLine" (
  "InvoiceLineId" int not null, "InvoiceId" int not null, "TrackId" int not null, "UnitPrice" numeric(10,2) not null,
  "Quantity" int not null,
  constraint "PK_InvoiceLine" primary key ("InvoiceLineId"),
  constraint "FK_InvoiceLineInvoiceId" foreign key ("InvoiceId") references "Invoice" ("InvoiceId") on delete cascade,
  constraint "FK_InvoiceLineTrackId" foreign key ("TrackId") references "Track" ("TrackId")
);
create table "Playlist" (
  "PlaylistId" int not null, "Name" varchar(120), constraint "PK_Playlist" primary key ("PlaylistId")
);
create table "PlaylistTrack" (
  "PlaylistId" int not null, "TrackId" int not null,
  constraint "PK_PlaylistTrack" primary key ("PlaylistId", "TrackId"),
  constraint "FK_PlaylistTrackPlaylistId" foreign key ("PlaylistId") references "Playlist" ("PlaylistId"),
  constraint "FK_PlaylistTrackTrackId" foreign key ("TrackId") references "Track" ("TrackId")
);
create index "IFK_AlbumArtistId" on "Album" ("ArtistId");
create index "IFK_TrackAlbumId" on "Track" ("AlbumId");
create index "IFK_CustomerSupportRepId" on "Customer" ("SupportRepId");
create index "IX_TrackNameLower" on "Track" (lower("Name"));
comment on table "Artist" is 'Bands and soloists | whoever <b>recorded</b> an album';
comment on column "Track"."Milliseconds" is 'Length of the track';
comment on table "Track" is 'Single pieces of music or film, sold one by one';

create view "AlbumList" with (security_invoker) as
  select a."AlbumId", a."Title", r."Name" as "ArtistName" from "Album" a join "Artist" r using ("ArtistId");
create function "TracksOfGenre"("genre" text) returns setof "Track" language sql stable as
  $$ select t.* from "Track" t join "Genre" g using ("GenreId") where g."Name" = genre order by t."TrackId" $$;
comment on function "TracksOfGenre"(text) is 'All tracks of a genre';
create function "RaisePrices"("percent" numeric) returns int language sql as
  $$ with raised as (update "Track" set "UnitPrice" = "UnitPrice" * (1 + percent / 100) where true returning 1)
     select count(*)::int from raised $$;

insert into "Artist" values (1, 'AC/DC'), (2, 'Accept');
insert into "Album" values (1, 'For Those About To Rock We Salute You', 1), (2, 'Balls to the Wall', 2);
insert into "Genre" values (1, 'Rock');
insert into "MediaType" values (1, 'MPEG audio file');
insert into "Track" values (1, 'For Those About To Rock (We Salute You)', 1, 1, 1, 'Angus Young', 343719, 11170334, 0.99);
insert into "Employee" ("EmployeeId", "LastName", "FirstName") values (1, 'Adams', 'Andrew');
insert into "Customer" ("CustomerId", "FirstName", "LastName", "Email", "SupportRepId") values (1, 'Luís', 'Gonçalves', 'luisg@example.com', 1);

alter table "Artist" enable row level security;
alter table "Album" enable row level security;
alter table "Track" enable row level security;
alter table "Invoice" enable row level security;
create policy "Everybody reads artists" on "Artist" for select to anon, authenticated using (true);
create policy "Everybody reads albums" on "Album" for select to anon, authenticated using (true);
create policy "Cheap tracks" on "Track" for select to anon, authenticated using ("UnitPrice" <= 0.99);
create policy "Staff changes" on "Artist" for update to authenticated using ((select auth.jwt()) ->> 'team' = 'staff');
create policy "The server" on "Artist" to service_role using (true) with check (true);
create policy "The server" on "Album" to service_role using (true) with check (true);
create policy "The server" on "Track" to service_role using (true) with check (true);
grant select on "Artist", "Album", "Track", "AlbumList" to anon, authenticated;
grant update on "Artist" to authenticated;
grant select, insert, update, delete on all tables in schema public to service_role;
