//! A database with people's rows, reached by the driver alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plinth::backend::dial::Trust;
use plinth::backend::{
    Address, Bound, BulkScope, BulkTransaction, Engine, Fut, Login, Place, Records, Roles, Sink, Target, TextRow, Tls,
};
use plinth::clock::{SharedRandom, SystemRandom};
use plinth::drivers::{mysql, postgres};
use plinth::error::Result;
use plinth::ident::Ident;
use plinth::schema::catalog::{Catalog, Declared, RelationKind};
use plinth::schema::details::Details;
use plinth::subject::erase::{self, Told};
use plinth::subject::{
    Dialect, Facts, Hop, Link, LinkOrigin, Path, Root, Rule, Subject, SubjectMap, Table, TableEntry, sql,
};
use serde_json::Value;

use crate::mysql::server::{self as mariadb, ADMIN};

/// Far longer than anything takes.
const LONG: Duration = Duration::from_secs(300);

/// Tables, and the way to their rows.
pub struct Ground {
    pub dialect: Dialect,
    pub records: Arc<dyn Records>,
    pub role: Option<Ident>,
    pub facts: Facts,
}

/// The superuser's way to a database of the tests' Postgres.
pub async fn of_postgres(database: &str) -> Arc<dyn Records> {
    speaking_postgres(Engine::Postgres, database).await
}

/// The same, taken for a CockroachDB.
pub async fn of_cockroach(database: &str) -> Arc<dyn Records> {
    speaking_postgres(Engine::Cockroach, database).await
}

async fn speaking_postgres(engine: Engine, database: &str) -> Arc<dyn Records> {
    let url = plinth_local::testing::server().await.unwrap().url(database);
    let config: tokio_postgres::Config = url.expose().parse().unwrap();
    let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: config.get_ports()[0],
        database: database.to_owned(),
        login: config.get_user().unwrap().to_owned(),
        auth: Login::Password(password.into()),
        tls: Tls::Disable,
        guard: None,
    };
    let driver = match engine {
        Engine::Cockroach => postgres::cockroach(),
        _ => postgres::driver(),
    };
    driver.open(&target(engine, address)).unwrap()
}

/// The admin's way to a database of the tests' MariaDB.
pub async fn of_mariadb(database: &str) -> Arc<dyn Records> {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: mariadb::server().await.port,
        database: database.to_owned(),
        login: ADMIN.to_owned(),
        auth: Login::Password(mariadb::PASSWORD.to_owned().into()),
        tls: Tls::Disable,
        guard: None,
    };
    mysql::driver().open(&target(Engine::MySql, address)).unwrap()
}

fn target(engine: Engine, address: Address) -> Target {
    Target {
        engine,
        address,
        trust: Trust::new(None).unwrap(),
        connections: 2,
        queue: 10,
        wait: LONG,
        pooler: false,
        owner: None,
        api: None,
    }
}

/// The tables of a schema as the driver tells them, with their enforced links.
pub async fn facts(records: &dyn Records, schema: &str, dialect: Dialect) -> Facts {
    let random: SharedRandom = Arc::new(SystemRandom);
    let place = Place {
        reference: random.project_ref(),
        schema: Ident::new(schema).unwrap(),
        extra_search_path: Vec::new(),
        reader: None,
        versioned: false,
        generation: 0,
        declared: Declared::default(),
    };
    let catalog = records.catalog(&place, LONG).await.unwrap().catalog;
    let details = records.details(&place, &Roles::default(), LONG).await.unwrap();
    let mut facts = Facts::default();
    for relation in catalog.relations.values() {
        match relation.kind {
            RelationKind::Table => {
                let table = table(&catalog, &details, relation.name.as_str(), dialect);
                facts.tables.insert(relation.name.to_string(), table);
            }
            RelationKind::MaterializedView => facts.copies.push((place.schema.clone(), relation.name.clone())),
            _ => {}
        }
    }
    facts
}

fn table(catalog: &Catalog, details: &Details, name: &str, dialect: Dialect) -> Table {
    let relation = catalog.relation(name).unwrap();
    let on_delete = |key: &Ident| details.tables.get(name)?.on_delete.get(key.as_str()).cloned();
    let links = relation.foreign_keys.iter().map(|key| Link {
        columns: key.columns.clone(),
        to: Some(key.table.to_string()),
        references: key.references.clone(),
        origin: LinkOrigin::ForeignKey {
            name: key.name.clone(),
            on_delete: on_delete(&key.name).expect("what a key does"),
        },
    });
    Table {
        schema: catalog.schema.clone().filter(|_| dialect != Dialect::MySql),
        name: relation.name.clone(),
        columns: relation.columns.clone(),
        primary_key: relation.primary_key.clone(),
        unique_keys: relation.unique_keys.clone(),
        links: links.collect(),
        checks: Vec::new(),
        whole: Vec::new(),
        collations: BTreeMap::new(),
        trashed: false,
    }
}

/// Paths written as `post_id>posts.id author_id>users.id`; columns with an id as `owner>`.
pub fn entry(paths: &[&str], rule: Rule) -> TableEntry {
    let names = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let hop = |text: &str| {
        let (columns, to) = text.split_once('>').unwrap();
        let to = to.rsplit_once('.');
        Hop {
            columns: names(columns),
            references: to.map(|(table, _)| table.to_owned()),
            referenced_columns: to.map(|(_, columns)| names(columns)).unwrap_or_default(),
        }
    };
    let paths = paths
        .iter()
        .map(|path| Path(path.split_whitespace().map(hop).collect()));
    TableEntry {
        paths: paths.collect(),
        rule,
    }
}

pub fn map(root: (&str, &str), tables: Vec<(&str, TableEntry)>) -> SubjectMap {
    SubjectMap {
        root: Root {
            table: Some(root.0.to_owned()),
            key: root.1.split(',').map(str::to_owned).collect(),
            email: None,
        },
        tables: tables
            .into_iter()
            .map(|(label, entry)| (label.to_owned(), entry))
            .collect(),
        ..SubjectMap::default()
    }
}

pub fn anonymise(columns: &[&str]) -> Rule {
    Rule::Anonymise {
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    }
}

pub fn statement(text: impl Into<String>) -> Bound {
    Bound {
        sql: text.into(),
        params: Vec::new(),
    }
}

/// Keeps all rows.
#[derive(Default)]
pub struct Kept(pub Vec<TextRow>);

impl Sink for Kept {
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>> {
        self.0.extend(rows);
        Box::pin(async { Ok(()) })
    }
}

fn number(rows: &[TextRow]) -> u64 {
    rows[0][0].as_deref().unwrap().parse().unwrap()
}

impl Ground {
    pub async fn begin(&self, read_only: bool) -> Box<dyn BulkTransaction> {
        let scope = BulkScope {
            role: self.role.clone(),
            schemas: vec![Ident::new("public").unwrap()],
            read_only,
            deadline: LONG,
        };
        self.records.bulk().unwrap().begin(&scope).await.unwrap()
    }

    /// The subject's rows of a table, as JSON texts in their order. Their count is checked.
    pub async fn read(&self, map: &SubjectMap, subject: &Subject, label: &str) -> Vec<String> {
        let mut transaction = self.begin(true).await;
        let count = sql::count(self.dialect, &self.facts, map, subject, label).unwrap();
        let count = number(&transaction.rows(&count).await.unwrap());
        let read = sql::read(self.dialect, &self.facts, map, subject, label).unwrap();
        let mut kept = Kept::default();
        let told = transaction.stream(&read, &mut kept).await.unwrap();
        assert_eq!((told, kept.0.len() as u64), (count, count), "{label}: {}", read.sql);
        transaction.commit().await.unwrap();
        let mut rows: Vec<String> = kept.0.into_iter().map(|mut row| row.remove(0).unwrap()).collect();
        rows.sort();
        rows
    }

    /// Rows of others that hang on what would go, by table, key and target.
    pub async fn others(&self, map: &SubjectMap, subject: &Subject) -> BTreeMap<(String, String, String), u64> {
        let mut transaction = self.begin(false).await;
        let mut found = BTreeMap::new();
        for hanging in erase::others(self.dialect, &self.facts, map, subject).unwrap() {
            let rows = transaction.rows(&hanging.statement).await.unwrap();
            if number(&rows) > 0 {
                found.insert((hanging.table, hanging.foreign_key, hanging.on), number(&rows));
            }
        }
        found
    }

    /// Erases; the counts by table.
    pub async fn erase(&self, map: &SubjectMap, subject: &Subject) -> Result<BTreeMap<String, u64>> {
        let mut transaction = self.begin(false).await;
        let mut counts = BTreeMap::new();
        for step in erase::steps(self.dialect, &self.facts, map, subject)? {
            match &step.told {
                Told::Nothing => drop(transaction.execute(&step.statement).await?),
                Told::Changed(label) => {
                    let changed = transaction.execute(&step.statement).await?;
                    counts.insert(label.clone(), changed);
                }
                told => {
                    let rows = transaction.rows(&step.statement).await?;
                    counts.extend(told.counts(&rows[0]));
                }
            }
        }
        for (_, refresh) in erase::refresh(self.dialect, &self.facts, &[]) {
            transaction.execute(&refresh).await?;
        }
        transaction.commit().await?;
        Ok(counts)
    }

    /// All rows of all tables, with the labels of what they are in, in their order.
    pub async fn everything(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for label in self.facts.tables.keys() {
            let read = sql::read(
                self.dialect,
                &self.facts,
                &SubjectMap::default(),
                &Subject::default(),
                label,
            );
            // A table that is in no map is nobody's.
            let read = read.unwrap();
            let every = Bound {
                sql: read.sql.replace("where false", "where true"),
                params: read.params,
            };
            let mut kept = Kept::default();
            self.begin(true).await.stream(&every, &mut kept).await.unwrap();
            all.extend(
                kept.0
                    .into_iter()
                    .map(|mut row| (label.clone(), row.remove(0).unwrap())),
            );
        }
        all.sort();
        all
    }
}

/// A member of a row.
pub fn member(row: &str, name: &str) -> Value {
    let row: Value = serde_json::from_str(row).unwrap();
    row[name].clone()
}
