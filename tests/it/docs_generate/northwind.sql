-- Northwind: a trader of food, as its PostgreSQL script has it. A handful of rows.
create table categories (category_id smallint primary key, category_name varchar(15) not null, description text, picture bytea);
create table customer_demographics (customer_type_id varchar(5) primary key, customer_desc text);
create table customers (
  customer_id varchar(5) primary key, company_name varchar(40) not null, contact_name varchar(30), contact_title varchar(30),
  address varchar(60), city varchar(15), region varchar(15), postal_code varchar(10), country varchar(15),
  phone varchar(24), fax varchar(24)
);
create table customer_customer_demo (
  customer_id varchar(5) not null references customers, customer_type_id varchar(5) not null references customer_demographics,
  primary key (customer_id, customer_type_id)
);
create table employees (
  employee_id smallint primary key, last_name varchar(20) not null, first_name varchar(10) not null, title varchar(30),
  title_of_courtesy varchar(25), birth_date date, hire_date date, address varchar(60), city varchar(15),
  region varchar(15), postal_code varchar(10), country varchar(15), home_phone varchar(24), extension varchar(4),
  photo bytea, notes text, reports_to smallint references employees, photo_path varchar(255),
  constraint born_before_hired check (birth_date < hire_date)
);
create table region (region_id smallint primary key, region_description varchar(60) not null);
create table territories (
  territory_id varchar(20) primary key, territory_description varchar(60) not null,
  region_id smallint not null references region
);
create table employee_territories (
  employee_id smallint not null references employees, territory_id varchar(20) not null references territories,
  primary key (employee_id, territory_id)
);
create table shippers (shipper_id smallint primary key, company_name varchar(40) not null, phone varchar(24));
create table suppliers (
  supplier_id smallint primary key, company_name varchar(40) not null, contact_name varchar(30), contact_title varchar(30),
  address varchar(60), city varchar(15), region varchar(15), postal_code varchar(10), country varchar(15),
  phone varchar(24), fax varchar(24), homepage text
);
create table products (
  product_id smallint primary key, product_name varchar(40) not null, supplier_id smallint references suppliers,
  category_id smallint references categories, quantity_per_unit varchar(20), unit_price real, units_in_stock smallint,
  units_on_order smallint, reorder_level smallint, discontinued integer not null,
  constraint discontinued_or_not check (discontinued in (0, 1)), constraint price_not_negative check (unit_price >= 0)
);
create table orders (
  order_id smallint primary key, customer_id varchar(5) references customers, employee_id smallint references employees,
  order_date date, required_date date, shipped_date date, ship_via smallint references shippers, freight real,
  ship_name varchar(40), ship_address varchar(60), ship_city varchar(15), ship_region varchar(15),
  ship_postal_code varchar(10), ship_country varchar(15)
);
create table order_details (
  order_id smallint not null references orders on delete cascade, product_id smallint not null references products,
  unit_price real not null, quantity smallint not null check (quantity > 0),
  discount real not null check (discount >= 0 and discount <= 1), primary key (order_id, product_id)
);
create table us_states (state_id smallint primary key, state_name varchar(100), state_abbr varchar(2), state_region varchar(50));
create index orders_customer_id_idx on orders (customer_id);
create unique index customers_company_name_key on customers (company_name);
create index orders_open_idx on orders (order_date) where shipped_date is null;
comment on table products is 'What is sold, and how much of it is there';

create view products_above_average_price as
  select product_name, unit_price from products where unit_price > (select avg(unit_price) from products);
create function products_of(category text) returns table (product_id smallint, product_name text) language sql stable as
  $$ select p.product_id, p.product_name::text from northwind.products p
     join northwind.categories c using (category_id) where c.category_name = category $$;

insert into categories values (1, 'Beverages', 'Soft drinks, coffees, teas, beers, and ales', null);
insert into suppliers (supplier_id, company_name) values (1, 'Exotic Liquids');
insert into products values (1, 'Chai', 1, 1, '10 boxes x 30 bags', 18, 39, 0, 10, 1), (2, 'Chang', 1, 1, '24 - 12 oz bottles', 19, 17, 40, 25, 1);
insert into customers (customer_id, company_name) values ('ALFKI', 'Alfreds Futterkiste');
insert into shippers values (1, 'Speedy Express', '(503) 555-9831');
insert into orders (order_id, customer_id, ship_via) values (10248, 'ALFKI', 1);
insert into order_details values (10248, 1, 14, 12, 0);
