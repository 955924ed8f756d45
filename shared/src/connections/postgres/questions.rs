//! What a connection test asks: four questions that go out together, so that they cost one round trip. Unnamed statements
//! and no setting, so that any pooler may be in between; answers are JSON, so that no type has to be looked up.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Client;

use crate::connections::report::{LoginRights, RoleRights, SchemaRights};
use crate::control::{Param, texts};

/// `version()` unqualified, as CockroachDB and its likes answer it.
const FACTS: &str = "
    select pg_catalog.json_build_object(
      'version', version(), 'user', current_user, 'database', pg_catalog.current_database(),
      'process', pg_catalog.pg_backend_pid(),
      'readOnly', pg_catalog.pg_is_in_recovery() or
        pg_catalog.current_setting('default_transaction_read_only') = 'on')::text";

const LOGIN: &str = "
    select pg_catalog.json_build_object(
      'superuser', r.rolsuper, 'bypassRls', r.rolbypassrls, 'createRole', r.rolcreaterole, 'createDatabase', r.rolcreatedb,
      'createSchema', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
      'connect', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CONNECT'),
      'managedSuperuser', coalesce((select pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER')
        from pg_catalog.pg_roles m where m.rolname = 'rds_superuser'), false))::text
    from pg_catalog.pg_roles r where r.rolname = current_user";

/// One privilege a call: a list means any of them.
const SCHEMAS: &str = "
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', s.name, 'exists', n.oid is not null,
      'usage', coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false),
      'create', coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false),
      'createByPublic', coalesce(pg_catalog.has_schema_privilege('public', n.oid, 'CREATE'), false),
      'tables', t.total, 'select', t.readable, 'insert', t.insertable, 'update', t.updatable, 'delete', t.deletable,
      'more', t.more, 'owned', t.owned, 'withoutRowSecurity', t.open) order by s.position)::text, '[]')
    from pg_catalog.unnest($1::text[]) with ordinality s (name, position)
    left join pg_catalog.pg_namespace n on n.nspname = s.name
    left join lateral (
      select count(*) as total,
        count(*) filter (where pg_catalog.has_table_privilege(c.oid, 'SELECT')) as readable,
        count(*) filter (where pg_catalog.has_table_privilege(c.oid, 'INSERT')) as insertable,
        count(*) filter (where pg_catalog.has_table_privilege(c.oid, 'UPDATE')) as updatable,
        count(*) filter (where pg_catalog.has_table_privilege(c.oid, 'DELETE')) as deletable,
        count(*) filter (where pg_catalog.has_table_privilege(c.oid, 'TRUNCATE, REFERENCES, TRIGGER')) as more,
        count(*) filter (where pg_catalog.pg_get_userbyid(c.relowner) = current_user) as owned,
        count(*) filter (where not c.relrowsecurity) as open
      from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p')
    ) t on true";

const ROLES: &str = "
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', s.name, 'exists', r.oid is not null,
      'granted', coalesce(pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER'), false)) order by s.position)::text, '[]')
    from pg_catalog.unnest($1::text[]) with ordinality s (name, position)
    left join pg_catalog.pg_roles r on r.rolname = s.name";

/// The least that a server can be asked.
const TRIVIAL: &str = "select 1";

/// What the server says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) process: i32,
    pub(super) read_only: bool,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The server, or the way to it, refused.
    Postgres(tokio_postgres::Error),
    /// It is of another shape than asked for.
    Shape,
}

/// The answers, each by itself: servers that are only like PostgreSQL may not know all of it.
pub(super) struct Answers {
    pub(super) facts: Result<Facts, NoAnswer>,
    pub(super) login: Result<LoginRights, NoAnswer>,
    pub(super) schemas: Result<Vec<SchemaRights>, NoAnswer>,
    pub(super) roles: Result<Vec<RoleRights>, NoAnswer>,
}

/// Asks everything in one round trip.
pub(super) async fn ask(client: &Client, schemas: &[String], roles: &[String]) -> Answers {
    let (schemas, roles) = (schemas.to_vec(), roles.to_vec());
    let (schemas, roles) = ([texts(&schemas)], [texts(&roles)]);
    // Polled together, they are sent together.
    let (facts, login, schemas, roles) = futures_util::join!(
        answer(client, FACTS, &[]),
        answer(client, LOGIN, &[]),
        answer(client, SCHEMAS, &schemas),
        answer(client, ROLES, &roles),
    );
    Answers {
        facts,
        login,
        schemas,
        roles,
    }
}

async fn answer<T: DeserializeOwned>(client: &Client, sql: &str, params: &[Param<'_>]) -> Result<T, NoAnswer> {
    let rows = client.query_typed(sql, params).await.map_err(NoAnswer::Postgres)?;
    let text = rows.first().and_then(|row| row.try_get::<_, &str>(0).ok());
    text.and_then(|text| serde_json::from_str(text).ok())
        .ok_or(NoAnswer::Shape)
}

/// One round trip and nothing else.
pub(super) async fn trivial(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.query_typed(TRIVIAL, &[]).await.map(drop)
}

/// Product and version, from what `version()` says: `PostgreSQL 15.8 on x86_64 …`, `CockroachDB CCL v24.1.0 (…)`.
pub(super) fn product(version: &str) -> (String, String) {
    let mut words = version.split_whitespace();
    let product = words.next().unwrap_or("unknown").to_owned();
    let number = words.find_map(|word| {
        let bare = word.strip_prefix('v').unwrap_or(word);
        bare.starts_with(|c: char| c.is_ascii_digit())
            .then(|| bare.trim_end_matches(','))
    });
    (product, number.unwrap_or("unknown").to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn product_and_version_are_read_from_the_servers_sentence() {
        for (said, product, version) in [
            (
                "PostgreSQL 15.8 (Debian 15.8-0+deb12u1) on x86_64-pc-linux-gnu",
                "PostgreSQL",
                "15.8",
            ),
            ("PostgreSQL 17beta1 on aarch64", "PostgreSQL", "17beta1"),
            (
                "CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024)",
                "CockroachDB",
                "24.1.0",
            ),
            ("", "unknown", "unknown"),
        ] {
            assert_eq!(super::product(said), (product.to_owned(), version.to_owned()), "{said}");
        }
    }
}
