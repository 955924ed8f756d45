use serde_json::json;

use super::*;
use crate::schema::ddl::Helpers;
use crate::schema::spec;

/// A project with `lists` and `list_members`, and `todos` that belong to lists.
fn project() -> (TableSpec, Known) {
    let mut known = Known::default();
    let lists = json!({"name": "lists", "columns": [{"name": "owner_id", "type": "uuid"}, {"name": "open", "type": "boolean"}]});
    known.insert(spec::parse(&lists, &known).unwrap());
    let members = json!({"name": "list_members", "columns": [
        {"name": "list_id", "type": "uuid", "references": {"table": "lists"}}, {"name": "member", "type": "uuid"}
    ]});
    known.insert(spec::parse(&members, &known).unwrap());
    let todos = json!({"name": "todos", "columns": [
        {"name": "title", "type": "text"}, {"name": "user_id", "type": "uuid"}, {"name": "list_id", "type": "uuid"},
        {"name": "rank", "type": "integer"}, {"name": "data", "type": "jsonb"}, {"name": "tags", "type": "text[]"},
        {"name": "due", "type": "timestamptz"}, {"name": "mood", "type": "enum", "values": ["good", "bad"]},
        {"name": "date", "type": "date"}
    ]});
    (spec::parse(&todos, &known).unwrap(), known)
}

fn helpers() -> Helpers {
    Helpers {
        auth: Ident::new("plinth").unwrap(),
        triggers: Ident::new("plinth").unwrap(),
        trash: Ident::new("trash_x").unwrap(),
    }
}

fn sql(text: &str, allow: Allow) -> String {
    let (todos, known) = project();
    let tree = Scope::new(&todos, &known, allow)
        .parse(text)
        .unwrap_or_else(|faults| panic!("{text}: {faults}"));
    tree.sql(&Ident::new("project_x").unwrap(), &helpers(), allow)
}

#[test]
fn allowed_grammar_renders_from_the_tree() {
    let cases = [
        ("user_id = auth.uid()", r#""user_id" = (select "plinth"."uid"())"#),
        (
            "(select auth.uid()) = todos.user_id",
            r#"(select "plinth"."uid"()) = "user_id""#,
        ),
        (
            "auth.role() = 'authenticated' AND auth.email() ILIKE '%@x.org'",
            r#"((select "plinth"."role"()) = 'authenticated') and ((select "plinth"."email"()) ilike '%@x.org')"#,
        ),
        (
            "auth.jwt() ->> 'org' = data->>'org'",
            r#"((select "plinth"."jwt"()) ->> 'org') = ("data" ->> 'org')"#,
        ),
        (
            "TITLE like 'a%' or rank between 1 and 10",
            r#"("title" like 'a%') or ("rank" between 1 and 10)"#,
        ),
        ("rank in (1, 2, -3)", r#""rank" in (1, 2, - 3)"#),
        (
            "title is not null and not (rank is distinct from 3)",
            r#"("title" is not null) and (not ("rank" is distinct from 3))"#,
        ),
        (
            r#"data @> '{"a":1}' and data ? 'b'"#,
            r#"("data" @> '{"a":1}') and ("data" ? 'b')"#,
        ),
        (
            "tags && array['x','y'] and 'z' = any(tags)",
            r#"("tags" && array['x', 'y']) and ('z' = any ("tags"))"#,
        ),
        (
            "lower(title) || 'x' = coalesce(title, '')",
            r#"(pg_catalog.lower("title") || 'x') = coalesce("title", '')"#,
        ),
        (
            "due > now() and date_trunc('day', due) < current_timestamp",
            r#"("due" > pg_catalog.now()) and (pg_catalog.date_trunc('day', "due") < current_timestamp)"#,
        ),
        (
            "mood = 'good'::todos_mood",
            r#""mood" = cast('good' as "project_x"."todos_mood")"#,
        ),
        (
            "cast(data->>'n' as numeric(10,2)) > 1.5",
            r#"cast("data" ->> 'n' as decimal(10,2)) > 1.5"#,
        ),
        (
            "case when rank > 1 then true else false end",
            r#"case when ("rank" > 1) then true else false end"#,
        ),
        ("extract(year from due) = 2024", r#"extract(year from "due") = 2024"#),
        (
            "due at time zone 'UTC' > '2024-01-01'",
            r#"("due" at time zone 'UTC') > '2024-01-01'"#,
        ),
        ("title = 'it''s' -- a comment", r#""title" = 'it''s'"#),
        ("title = 'a\\'", r#""title" = E'a\\'"#),
        ("/* a /* nested */ one */ \"date\" is null", r#""date" is null"#),
        (
            "exists (select 1 from list_members m where m.list_id = todos.list_id and member = auth.uid())",
            r#"exists (select 1 from "project_x"."list_members" as "m" where ("m"."list_id" = "todos"."list_id") and ("m"."member" = (select "plinth"."uid"())))"#,
        ),
        (
            "not exists (select * from lists where id = list_id and exists (select 1 from list_members as m where m.list_id = lists.id))",
            r#"not exists (select 1 from "project_x"."lists" as "lists" where ("lists"."id" = "todos"."list_id") and exists (select 1 from "project_x"."list_members" as "m" where "m"."list_id" = "lists"."id"))"#,
        ),
        (
            "trim(title) <> '' and substring(title from 1 for 2) = 'ab' and ceil(rank) = 1",
            r#"((pg_catalog.btrim("title") <> '') and (pg_catalog.substr("title", 1, 2) = 'ab')) and (pg_catalog.ceil("rank") = 1)"#,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(sql(text, Allow::POLICY), expected, "{text}");
    }
}

#[test]
fn canonical_text_parses_to_the_same_tree() {
    let (todos, known) = project();
    let scope = Scope::new(&todos, &known, Allow::POLICY);
    for text in [
        "user_id = (select auth.uid())",
        "rank in (1,2) and tags && array['x'] and title like '%''%'",
        "\"date\" > '2020-01-01'::date and data ? 'x' and mood = 'good'::todos_mood and rank::double precision > 1e3",
        "exists (select 1 from list_members m where m.list_id = todos.list_id and m.member = any(array[auth.uid()]))",
        "case rank when 1 then due else now() end at time zone 'UTC' is not null",
        "id is null and data is null and rank is null",
        "exists (select 1 from lists where id = list_id and open)",
        "data #>> '{a,b}' = 'x' or (rank + 1) * 2 % 3 = 0 or extract(dow from due) = 1 or due::timestamptz is null",
    ] {
        let tree = scope.parse(text).unwrap();
        assert_eq!(scope.parse(&tree.to_string()).unwrap(), tree, "{text} → {tree}");
    }
}

#[test]
fn escape_attempts_are_refused() {
    for attempt in [
        // settings and roles
        "set_config('role', 'p_other_owner', false) is not null",
        "pg_catalog.set_config('role', 'x', true) = 'x'",
        "\"set_config\"('role','x',true) = 'x'",
        "SET_CONFIG('role','x',true) = 'x'",
        "current_setting('request.jwt.claims') is not null",
        "current_setting('app.tenant_id', true) = '1'",
        "current_user = 'x'",
        "session_user = 'x'",
        "user = 'x'",
        "current_role = 'x'",
        "current_schema = 'x'",
        "current_catalog = 'x'",
        // text that is run
        "query_to_xml('select 1', true, true, '') is not null",
        "table_to_xml('pg_class', true, true, '') is not null",
        "database_to_xml(true, true, '') is not null",
        "cursor_to_xml('c', 1, true, true, '') is not null",
        "dblink('host=x', 'select 1') is not null",
        "xpath('/a', '<a/>') is not null",
        "ts_stat('select 1') is not null",
        "pg_read_file('/etc/passwd') is not null",
        "pg_sleep(10) is null",
        "pg_terminate_backend(1)",
        "lo_import('/etc/passwd') = 1",
        "has_table_privilege('project_other.todos', 'select')",
        "to_regclass('project_other.todos') is not null",
        "format_type(25, -1) = 'text'",
        "col_description(1, 1) is null",
        "nextval('s') = 1",
        "version() = 'x'",
        "txid_current() > 0",
        "to_jsonb(todos) is not null",
        "row_to_json(todos) is not null",
        "repeat('x', 1000000000) is null",
        "generate_series(1, 1000000000) > 0",
        "unnest(tags) = 'x'",
        "count(*) > 0",
        "sum(rank) > 0",
        "array_agg(rank) is null",
        "row_number() over () = 1",
        "lower(title) over (partition by rank) = 'x'",
        "lower(distinct title) = 'x'",
        "max(rank) filter (where true) = 1",
        "lower(variadic tags) = 'x'",
        "lower(x => title) = 'x'",
        // casts that print catalogs
        "rank::regclass = 'x'",
        "rank::oid::regclass::text = 'x'",
        "cast(rank as regclass) is null",
        "'project_other.todos'::regclass is not null",
        "regclass 'pg_class' is not null",
        "rank::regrole is null",
        "rank::regproc is null",
        "'x'::regnamespace is null",
        "title::xml is null",
        "title::name = 'x'",
        "title::\"char\" = 'x'",
        "title::pg_catalog.text = 'x'",
        "title::pg_catalog.regclass is null",
        "title::project_other.mood is null",
        "title::lists is null",
        "title::int4range is null",
        "title::bytea is null",
        "title::varchar(3) = 'x'",
        "title::text[][] is null",
        "title::text[3] is null",
        "try_cast(title as text) = 'x'",
        "title::setof text = 'x'",
        "title::todos_mood%type = 'x'",
        // literals in disguise
        "interval '1 day' is not null",
        "date '2020-01-01' = \"date\"",
        "timestamp 'now' < due",
        "title = E'\\047; drop table x; --'",
        "title = U&'d\\0061ta'",
        "U&\"d\\0061ta\" is null",
        "title = $$x$$",
        "title = $a$x$a$",
        "title = N'x'",
        "rank = x'1F'",
        "rank = B'1'",
        "rank = $1",
        "rank = :x",
        "rank = ?",
        "title = \"literal\"",
        "rank = 1_000",
        "rank = 0x1F",
        // names
        "tableoid = 1",
        "todos.tableoid = 1",
        "ctid is not null",
        "xmin is not null",
        "\"to_jsonb\" is null",
        "todos.to_jsonb is null",
        "todos.lower is null",
        "todos is not null",
        "todos.* is null",
        "(todos).title = 'x'",
        "(todos).tableoid = 1",
        "todos.title.x = 'x'",
        "project_x.todos.title = 'x'",
        "project_other.todos.title = 'x'",
        "a.b.c = 1",
        "\"TITLE\" = 'x'",
        "`title` = 'x'",
        "[title] = 'x'",
        "new.title = 'x'",
        "excluded.title = 'x'",
        "tags[1] = 'x'",
        "tags[1:2] is null",
        "data['a'] is null",
        "(data).a is null",
        "data:a is null",
        // operators and grammar
        "title operator(pg_catalog.=) 'x'",
        "title operator(project_other.=) 'x'",
        "title ~ 'x'",
        "title ~* '(a+)+$'",
        "title similar to 'x'",
        "title ~~ 'x'",
        "rank |/ 4 = 2",
        "@ rank = 1",
        "rank # 1 = 1",
        "rank << 1 = 1",
        "title collate \"C\" = 'x'",
        "title collate project_other.c = 'x'",
        "row(1, 2) = row(1, 2)",
        "(rank, title) = (1, 'x')",
        "(rank, title) in ((1, 'x'))",
        "array(select title from lists) is null",
        "title like any (array['x'])",
        "title is json",
        "title is normalized",
        "title is of (text)",
        "xmlelement(name a) is null",
        "grouping(rank) = 1",
        "{fn lower('x')} = 'x'",
        "auth.uid",
        "auth.uid(1) is null",
        "auth.uid(*) is null",
        "auth.users is null",
        "auth.delete_user() is null",
        "plinth.uid() is null",
        "public.lower(title) = 'x'",
        "x.auth.uid() is null",
        // subqueries
        "(select 1) = 1",
        "(select title from todos) = 'x'",
        "(select auth.uid() from lists) is null",
        "(select auth.uid() where true) is null",
        "(select auth.uid(), 1) is null",
        "(select auth.uid() union select auth.uid()) is null",
        "(select auth.uid() limit 1) is null",
        "(select set_config('role','x',true)) = 'x'",
        "(with x as (select 1) select auth.uid()) is null",
        "rank in (select 1)",
        "user_id in (select member from list_members)",
        "rank = any (select 1)",
        "rank = all (values (1))",
        "exists (select 1)",
        "exists (select 1 from pg_class)",
        "exists (select 1 from pg_catalog.pg_class)",
        "exists (select 1 from information_schema.tables)",
        "exists (select 1 from project_other.todos)",
        "exists (select 1 from auth.users)",
        "exists (select 1 from todos)",
        "exists (select 1 from todos t where t.id = todos.id)",
        "exists (select 1 from lists, list_members)",
        "exists (select 1 from lists join list_members on true)",
        "exists (select 1 from lists cross join pg_class)",
        "exists (select 1 from (select 1) s)",
        "exists (select 1 from lateral (select 1) s)",
        "exists (select 1 from generate_series(1, 9))",
        "exists (select 1 from dblink('x', 'y') as t(a int))",
        "exists (select 1 from only lists)",
        "exists (select 1 from lists tablesample system (1))",
        "exists (select 1 from lists as l(a, b))",
        "exists (select 1 from lists todos where true)",
        "exists (select 1 from lists where ctid is null)",
        "exists (select 1 from lists where lists is null)",
        "exists (select 1 from lists where pg_class.oid = 1)",
        "exists (select set_config('role','x',true) from lists)",
        "exists (select lists.* from lists)",
        "exists (select 1 from lists group by id)",
        "exists (select 1 from lists having set_config('a','b',true) = 'b')",
        "exists (select 1 from lists order by pg_sleep(1))",
        "exists (select 1 from lists limit pg_sleep(1))",
        "exists (select 1 from lists for update)",
        "exists (select 1 from lists union select 1 from pg_class)",
        "exists (select distinct on (pg_sleep(1)) 1 from lists)",
        "exists (select 1 into x from lists)",
        "exists (with d as (delete from lists returning 1) select 1 from d)",
        "exists (table lists)",
        "exists (values (1))",
        "exists (insert into lists values (1))",
        // more than one expression
        "true; drop table todos",
        "true) with check (true); drop table todos; --",
        "true) or (true",
        "true, false",
        "true as x",
        "select 1",
        "drop table todos",
        "set role p_other_owner",
        "true \\! id",
        "\\copy todos to '/tmp/x'",
        "true union select 1",
        "",
        " ",
        "-- nothing",
        "/* open",
        "'open",
        "\"open",
        "title = 'a\0b'",
        "title =",
        "= title",
    ] {
        let (todos, known) = project();
        let result = Scope::new(&todos, &known, Allow::POLICY).parse(attempt);
        let tree = result.map(|tree| tree.sql(&Ident::new("project_x").unwrap(), &helpers(), Allow::POLICY));
        assert!(tree.is_err(), "{attempt} became {}", tree.unwrap());
    }
}

#[test]
fn faults_name_what_is_refused() {
    let (todos, known) = project();
    let fault = |text| {
        Scope::new(&todos, &known, Allow::POLICY)
            .parse(text)
            .unwrap_err()
            .to_string()
    };
    assert!(fault("set_config('a','b',true) = 'b'").contains("The function \"set_config\" is not allowed"));
    assert!(
        fault("rank::regclass is null").contains("A cast to \"REGCLASS\" is not allowed"),
        "{}",
        fault("rank::regclass is null")
    );
    assert!(fault("tableoid = 1").contains("There is no column \"tableoid\""));
    assert!(fault("exists (select 1 from pg_class)").contains("There is no table \"pg_class\""));
}

#[test]
fn place_limits_what_an_expression_may_use() {
    let (todos, known) = project();
    let parse = |text, allow| Scope::new(&todos, &known, allow).parse(text);
    assert!(parse("rank > 1", Allow::CHECK).is_ok());
    assert!(parse("user_id = auth.uid()", Allow::CHECK).is_err());
    assert!(parse("exists (select 1 from lists)", Allow::CHECK).is_err());
    assert!(parse("now()", Allow::DEFAULT).is_ok());
    assert!(parse("rank + 1", Allow::DEFAULT).is_err());
    assert_eq!(sql("auth.uid()", Allow::DEFAULT), r#""plinth"."uid"()"#);
}

#[test]
fn size_and_depth_are_limited_without_a_stack_overflow() {
    let (todos, known) = project();
    let parse = |text: &str| Scope::new(&todos, &known, Allow::POLICY).parse(text);
    let deep = |n: usize| format!("{}rank{} = 1", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(20)).is_ok());
    for text in [
        deep(40),
        deep(1500),
        deep(100_000),
        "not ".repeat(1000) + "true",
        "- ".repeat(2000) + "1",
        "1+".repeat(2000) + "1 = 1",
        "rank = 1 or ".repeat(300) + "true",
        format!("{}1{}", "case when true then ".repeat(150), " end".repeat(150)),
        "rank".to_owned() + &"::text".repeat(600),
        "lower(".repeat(600),
        "/*".repeat(2000),
        "exists (select 1 from lists where ".repeat(100) + "true" + &")".repeat(100),
        "a".repeat(1_000_000),
        "rank between 1 and ".repeat(200) + "1",
        "[".repeat(1000),
        "case ".repeat(800),
        "(select ".repeat(500),
    ] {
        assert!(parse(&text).is_err(), "{}…", &text[..40.min(text.len())]);
    }
}

#[test]
fn renames_follow_into_exists_and_keep_their_meaning() {
    let (todos, known) = project();
    let text = "rank > 1 and exists (select 1 from lists where lists.id = todos.list_id)";
    let mut tree = Scope::new(&todos, &known, Allow::POLICY).parse(text).unwrap();
    tree.rename_column("todos", "list_id", &Ident::new("list").unwrap());
    tree.rename_table("todos", &Ident::new("tasks").unwrap(), true);
    assert_eq!(
        tree.to_string(),
        "(rank > 1) and exists (select 1 from lists where lists.id = tasks.list)"
    );
    assert!(
        tree.mentions("lists", None) && tree.mentions("lists", Some("id")) && !tree.mentions("todos", Some("rank"))
    );
}
