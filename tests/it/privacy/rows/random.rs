//! Random tables, links and rows: what is read, counted and erased is what an evaluation in memory says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mysql_async::prelude::Queryable as _;
use plinth::subject::{Dialect, Rule, Subject, SubjectMap, TableEntry};

use super::ground::{Ground, anonymise, entry, facts, map, member, of_mariadb, of_postgres};
use crate::handmade::superuser;
use crate::mysql::server as mariadb;
use crate::world::run;

/// Chance that is the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // See <https://en.wikipedia.org/wiki/Xorshift>.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// A column that leads to the id of a table.
#[derive(Clone, Debug)]
struct Key {
    to: usize,
    nullable: bool,
    /// What the database does when the target goes; nothing enforces it where there is none.
    on_delete: Option<&'static str>,
}

/// Tables `t0` (people), `t1`, …, each with an `id`, a text and keys `k0`, `k1`, ….
#[derive(Debug)]
struct Case {
    keys: Vec<Vec<Key>>,
    /// By table, the rows: whose they are meant to be, and what each key holds. Ids count from one.
    rows: Vec<Vec<(usize, Vec<Option<usize>>)>>,
    /// By table, paths of keys, and the rule.
    entries: Vec<Option<(Vec<Vec<usize>>, Ruled)>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ruled {
    Delete,
    Anonymise,
    Keep,
}

const PEOPLE: usize = 3;

impl Case {
    fn draw(dice: &mut Dice) -> Self {
        let tables = 3 + dice.below(4);
        let keys = (0..tables).map(|own| Self::draw_keys(dice, own, tables)).collect();
        let mut case = Self {
            keys,
            rows: Vec::new(),
            entries: Vec::new(),
        };
        for table in 0..tables {
            let count = if table == 0 { PEOPLE } else { 2 + dice.below(7) };
            let rows = (0..count).map(|at| {
                let person = if table == 0 { at } else { dice.below(PEOPLE) };
                (person, Vec::new())
            });
            case.rows.push(rows.collect());
        }
        for table in 0..tables {
            for row in 0..case.rows[table].len() {
                let values = (0..case.keys[table].len()).map(|key| case.draw_value(dice, table, row, key));
                let values = values.collect();
                case.rows[table][row].1 = values;
            }
        }
        case.entries = (0..tables).map(|table| case.draw_entry(dice, table)).collect();
        case
    }

    fn draw_keys(dice: &mut Dice, own: usize, tables: usize) -> Vec<Key> {
        let count = if own == 0 { dice.below(2) } else { 1 + dice.below(3) };
        let keys = (0..count).map(|_| {
            let to = dice.below(tables);
            // Rows are written table by table; what leads to a later one is put in behind.
            let nullable = to >= own || dice.percent(60);
            let actions: &[&str] = match nullable {
                true => &["no action", "restrict", "cascade", "set null"],
                false => &["no action", "restrict", "cascade"],
            };
            let on_delete = dice.percent(85).then(|| actions[dice.below(actions.len())]);
            Key {
                to,
                nullable,
                on_delete,
            }
        });
        keys.collect()
    }

    /// Mostly a row of the same person's.
    fn draw_value(&self, dice: &mut Dice, table: usize, row: usize, key: usize) -> Option<usize> {
        let Key { to, nullable, .. } = self.keys[table][key];
        let person = self.rows[table][row].0;
        let all = &self.rows[to];
        let same: Vec<usize> = (0..all.len()).filter(|&at| all[at].0 == person).collect();
        match same.is_empty() || dice.percent(3) {
            true if nullable && dice.percent(80) => None,
            true => Some(dice.below(all.len())),
            false if nullable && dice.percent(15) => None,
            false => Some(same[dice.below(same.len())]),
        }
    }

    fn draw_entry(&self, dice: &mut Dice, table: usize) -> Option<(Vec<Vec<usize>>, Ruled)> {
        if table == 0 {
            return Some((vec![Vec::new()], Ruled::Delete));
        }
        let mut paths = BTreeSet::new();
        for _ in 0..6 {
            let (mut at, mut path) = (table, Vec::new());
            while path.len() < 4 && (at != 0 || path.is_empty()) && !self.keys[at].is_empty() {
                let key = dice.below(self.keys[at].len());
                path.push(key);
                at = self.keys[at][key].to;
            }
            if at == 0 && paths.len() < 3 {
                paths.insert(path);
            }
        }
        let rule = match dice.below(10) {
            0 => Ruled::Keep,
            1 | 2 => Ruled::Anonymise,
            _ => Ruled::Delete,
        };
        (!paths.is_empty()).then(|| (paths.into_iter().collect(), rule))
    }

    fn map(&self) -> SubjectMap {
        let label = |table: usize| format!("t{table}");
        let tables: Vec<(String, TableEntry)> = (0..self.keys.len())
            .filter_map(|table| {
                let (paths, rule) = self.entries[table].as_ref()?;
                let paths: Vec<String> = paths.iter().map(|path| self.written(table, path)).collect();
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                let rule = match rule {
                    Ruled::Delete => Rule::Delete,
                    Ruled::Keep => Rule::Keep {
                        reason: "so".to_owned(),
                    },
                    Ruled::Anonymise => {
                        let emptied: Vec<String> = self.emptied(table).iter().map(|key| format!("k{key}")).collect();
                        let columns: Vec<&str> = emptied.iter().map(String::as_str).chain(["word"]).collect();
                        anonymise(&columns)
                    }
                };
                Some((label(table), entry(&paths, rule)))
            })
            .collect();
        map(
            ("t0", "id"),
            tables
                .iter()
                .map(|(label, entry)| (label.as_str(), entry.clone()))
                .collect(),
        )
    }

    fn written(&self, table: usize, path: &[usize]) -> String {
        let mut at = table;
        let hops = path.iter().map(|&key| {
            let to = self.keys[at][key].to;
            at = to;
            format!("k{key}>t{to}.id")
        });
        hops.collect::<Vec<_>>().join(" ")
    }

    /// The keys that anonymising empties.
    fn emptied(&self, table: usize) -> Vec<usize> {
        let keys = self.keys[table].iter().enumerate();
        keys.filter(|(_, key)| key.nullable).map(|(at, _)| at).collect()
    }

    fn belongs(&self, table: usize, row: usize, person: usize) -> bool {
        let leads = |path: &Vec<usize>| {
            let (mut table, mut row) = (table, row);
            for &key in path {
                let Some(next) = self.rows[table][row].1[key] else {
                    return false;
                };
                (table, row) = (self.keys[table][key].to, next);
            }
            row == person
        };
        self.entries[table]
            .as_ref()
            .is_some_and(|(paths, _)| paths.iter().any(leads))
    }

    fn rule(&self, table: usize) -> Option<Ruled> {
        self.entries[table].as_ref().map(|(_, rule)| *rule)
    }

    fn goes(&self, table: usize, row: usize, person: usize) -> bool {
        self.rule(table) == Some(Ruled::Delete) && self.belongs(table, row, person)
    }

    /// What hangs on what goes, and stays.
    fn others(&self, person: usize) -> BTreeMap<(String, String, String), u64> {
        let mut found = BTreeMap::new();
        for (table, keys) in self.keys.iter().enumerate() {
            for (at, key) in keys.iter().enumerate() {
                if key.on_delete.is_none_or(|action| action == "set null") {
                    continue;
                }
                let lets_go = |row: usize| {
                    self.belongs(table, row, person)
                        && match self.rule(table) {
                            Some(Ruled::Delete) => true,
                            Some(Ruled::Anonymise) => key.nullable,
                            _ => false,
                        }
                };
                let rows = 0..self.rows[table].len();
                let hangs = rows.filter(|&row| {
                    let target = self.rows[table][row].1[at];
                    target.is_some_and(|target| self.goes(key.to, target, person)) && !lets_go(row)
                });
                let count = hangs.count() as u64;
                if count > 0 {
                    found.insert(
                        (format!("t{table}"), format!("t{table}_k{at}"), format!("t{}", key.to)),
                        count,
                    );
                }
            }
        }
        found
    }

    /// What is left of each table: ids, keys, and whether the word is still there.
    fn left(&self, person: usize) -> Vec<(String, String)> {
        let mut left = Vec::new();
        for (table, rows) in self.rows.iter().enumerate() {
            for row in (0..rows.len()).filter(|&row| !self.goes(table, row, person)) {
                let anonymised = self.rule(table) == Some(Ruled::Anonymise) && self.belongs(table, row, person);
                let emptied = self.emptied(table);
                let mut text = format!("{} {}", row + 1, if anonymised { "gone" } else { "there" });
                for (at, key) in self.keys[table].iter().enumerate() {
                    let value = rows[row].1[at].filter(|&target| {
                        let freed = key.on_delete == Some("set null") && self.goes(key.to, target, person);
                        !(freed || anonymised && emptied.contains(&at))
                    });
                    let _ = write!(text, " {value:?}");
                }
                left.push((format!("t{table}"), text));
            }
        }
        left.sort();
        left
    }

    fn seen(&self, everything: Vec<(String, String)>) -> Vec<(String, String)> {
        let told = everything.into_iter().map(|(label, row)| {
            let table: usize = label[1..].parse().unwrap();
            let there = member(&row, "word") == format!("planted {label} {}", member(&row, "id"));
            let mut text = format!("{} {}", member(&row, "id"), if there { "there" } else { "gone" });
            for at in 0..self.keys[table].len() {
                let value = member(&row, &format!("k{at}")).as_u64().map(|id| id - 1);
                let _ = write!(text, " {value:?}");
            }
            (label, text)
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        told
    }

    /// The tables and their rows; the names of schemas are in front of those of tables.
    fn script(&self, prefix: &str) -> String {
        let mut script = String::new();
        for (table, keys) in self.keys.iter().enumerate() {
            let _ = write!(
                script,
                "create table {prefix}t{table} (id int primary key, word varchar(60) not null"
            );
            for (at, key) in keys.iter().enumerate() {
                let null = if key.nullable { "" } else { " not null" };
                let _ = write!(script, ", k{at} int{null}");
            }
            script.push_str(");");
        }
        for (table, rows) in self.rows.iter().enumerate() {
            for (row, (_, values)) in rows.iter().enumerate() {
                let _ = write!(
                    script,
                    "insert into {prefix}t{table} values ({0}, 'planted t{table} {0}'",
                    row + 1
                );
                for value in values {
                    let _ = match value {
                        Some(at) => write!(script, ", {}", at + 1),
                        None => write!(script, ", null"),
                    };
                }
                script.push_str(");");
            }
        }
        for (table, keys) in self.keys.iter().enumerate() {
            for (at, Key { to, on_delete, .. }) in keys.iter().enumerate() {
                if let Some(action) = on_delete {
                    let _ = write!(
                        script,
                        "alter table {prefix}t{table} add constraint t{table}_k{at} foreign key (k{at})
                           references {prefix}t{to} (id) on delete {action};"
                    );
                }
            }
        }
        script
    }

    async fn holds(&self, ground: &Ground, seed: u64) -> Outcome {
        let map = self.map();
        let told = format!("case {seed}: {self:#?}\n{map:#?}");
        for person in 0..PEOPLE {
            let subject = Subject::of_id((person + 1).to_string());
            for table in (0..self.keys.len()).filter(|&table| self.entries[table].is_some()) {
                let own = (0..self.rows[table].len()).filter(|&row| self.belongs(table, row, person));
                let expected: BTreeSet<u64> = own.map(|row| row as u64 + 1).collect();
                let read = ground.read(&map, &subject, &format!("t{table}")).await;
                let read: BTreeSet<u64> = read.iter().map(|row| member(row, "id").as_u64().unwrap()).collect();
                assert_eq!(read, expected, "rows of t{table} of {person} in {told}");
            }
            let crossing = plinth::subject::erase::steps(ground.dialect, &ground.facts, &map, &subject);
            if crossing.is_err_and(|error| error.code() == "privacy/paths-cross") {
                return Outcome::Crossing;
            }
            let expected = self.others(person);
            assert_eq!(
                ground.others(&map, &subject).await,
                expected,
                "others of {person} in {told}"
            );
            if !expected.is_empty() {
                continue;
            }
            let counts = match ground.erase(&map, &subject).await {
                Ok(counts) => counts,
                Err(error) => panic!("{error:?} at {person} in {told}"),
            };
            for (label, count) in counts {
                let table: usize = label[1..].parse().unwrap();
                let own = (0..self.rows[table].len()).filter(|&row| self.belongs(table, row, person));
                assert_eq!(count, own.count() as u64, "{label} of {person} in {told}");
            }
            assert_eq!(
                self.seen(ground.everything().await),
                self.left(person),
                "{person} in {told}"
            );
            return Outcome::Erased;
        }
        Outcome::Hanging
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Erased,
    Hanging,
    Crossing,
}

fn cases(count: u64) -> impl Iterator<Item = (u64, Case)> {
    (1..=count).map(|seed| {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (seed, Case::draw(&mut dice))
    })
}

#[test]
fn random_rows_on_postgres_are_read_and_erased_as_in_memory() {
    run(async {
        let database = plinth_local::testing::empty_database().await.unwrap();
        let name = database.name().as_str();
        let client = superuser(name).await;
        let records = of_postgres(name).await;
        let mut outcomes = BTreeMap::new();
        for (seed, case) in cases(40) {
            let schema = format!("c{seed}");
            let script = case.script(&format!("{schema}."));
            let script = format!("begin; create schema {schema}; {script} commit");
            client.batch_execute(&script).await.unwrap();
            let ground = Ground {
                dialect: Dialect::Postgres,
                facts: facts(&*records, &schema, Dialect::Postgres).await,
                records: records.clone(),
                role: None,
            };
            *outcomes.entry(case.holds(&ground, seed).await).or_insert(0) += 1;
            client
                .batch_execute(&format!(
                    "set client_min_messages = error; drop schema {schema} cascade"
                ))
                .await
                .unwrap();
        }
        assert!(outcomes[&Outcome::Erased] > 12, "{outcomes:?}");
        assert!(!outcomes.contains_key(&Outcome::Crossing), "{outcomes:?}");
    });
}

#[test]
fn random_rows_on_mariadb_are_read_and_erased_as_in_memory() {
    run(async {
        let server = mariadb::server().await;
        let mut outcomes = BTreeMap::new();
        for (seed, case) in cases(30) {
            let name = server.empty_database().await;
            let mut own = server.admin(Some(&name)).await.unwrap();
            own.query_drop(case.script("")).await.unwrap();
            let records = of_mariadb(&name).await;
            let ground = Ground {
                dialect: Dialect::MySql,
                facts: facts(&*records, &name, Dialect::MySql).await,
                records,
                role: None,
            };
            *outcomes.entry(case.holds(&ground, seed).await).or_insert(0) += 1;
            own.query_drop(format!("drop database {name}")).await.unwrap();
        }
        assert!(outcomes[&Outcome::Erased] > 8, "{outcomes:?}");
    });
}
