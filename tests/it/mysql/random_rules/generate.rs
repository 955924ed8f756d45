//! What is drawn: policies that both sides can say, and rows that make a difference to them.

use serde_json::{Value, json};

use crate::conformance::site::subject;

/// Numbers from a seed (splitmix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    pub fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const WORDS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "a ",
    " a",
    "b",
    "B",
    "ab",
    "aB",
    "á",
    "Á",
    "a\u{301}",
    "é",
    "ß",
    "ss",
    "ı",
    "%",
    "_",
    "a_b",
    "a%b",
    "\\",
    "a\\",
    "|",
    "'",
    "''",
    "💥",
    "1",
    "-1",
    "boss",
    "x",
    "y",
    "alice@example.com",
    "authenticated",
    "\t",
    "a\n",
];
const DAYS: &[&str] = &["2023-12-31", "2024-01-01", "2024-02-29", "1999-01-01"];

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A row with that key.
pub fn row(chance: &mut Chance, id: i64) -> Value {
    let or_null = |value: Value, chance: &mut Chance| if chance.one_in(5) { Value::Null } else { value };
    let n = json!(chance.of(&[-3, -2, -1, 0, 1, 2, 3, 7, 1000]));
    let m = json!(chance.of(&[-5_i64, -1, 0, 1, 2, 4, 1_000_000, 9_007_199_254_740_993]));
    let d = chance.of(&["0", "0.5", "-1.25", "1.5", "2", "2.00", "10.10", "-3"]);
    let (t, e) = (json!(chance.of(WORDS)), json!(chance.of(WORDS)));
    let (f, day) = (json!(chance.one_in(2)), json!(chance.of(DAYS)));
    let user = json!(subject(chance.of(&["alice", "bob"])));
    json!({
        "id": id,
        "n": or_null(n, chance), "m": or_null(m, chance), "d": or_null(serde_json::from_str(d).unwrap(), chance),
        "t": or_null(t, chance), "e": or_null(e, chance), "f": or_null(f, chance), "day": or_null(day, chance),
        "user_id": or_null(user, chance),
    })
}

pub fn rows(chance: &mut Chance, count: i64) -> Vec<Value> {
    (0..count).map(|id| row(chance, id)).collect()
}

/// The policies of a table, some commands left out.
pub fn policies(chance: &mut Chance, table: &str) -> Value {
    let mut all = Vec::new();
    let to = |chance: &mut Chance| match chance.below(4) {
        0 => json!(["anon"]),
        1 => json!(["anon", "authenticated"]),
        _ => json!(["authenticated"]),
    };
    for (at, command) in ["select", "select", "insert", "update", "delete", "all"]
        .iter()
        .enumerate()
    {
        if chance.one_in(if *command == "all" { 2 } else { 5 }) {
            continue;
        }
        let mut policy = json!({ "name": format!("p{at}"), "command": command, "to": to(chance) });
        let expression = |chance: &mut Chance| {
            Value::from(
                Draw {
                    chance,
                    table,
                    alias: "",
                }
                .truth(3),
            )
        };
        if *command != "insert" {
            policy["using"] = expression(chance);
        }
        if *command == "insert" || (matches!(*command, "update" | "all") && chance.one_in(2)) {
            policy["check"] = expression(chance);
        }
        all.push(policy);
    }
    if chance.one_in(4) {
        all.push(json!({ "template": "owner" }));
    }
    Value::Array(all)
}

/// Draws expressions over a table's columns, which stand behind `alias`.
struct Draw<'a> {
    chance: &'a mut Chance,
    table: &'a str,
    alias: &'a str,
}

impl Draw<'_> {
    fn column(&self, name: &str) -> String {
        match self.alias {
            "" => name.to_owned(),
            alias => format!("{alias}.{name}"),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.test(0);
        }
        match self.chance.below(10) {
            0..=1 => format!("({} and {})", self.truth(depth - 1), self.truth(depth - 1)),
            2..=4 => format!("({} or {})", self.truth(depth - 1), self.truth(depth - 1)),
            5 => format!("(not {})", self.truth(depth - 1)),
            6 => {
                let test = self
                    .chance
                    .of(&["true", "not true", "false", "not false", "unknown", "not unknown"]);
                format!("({} is {test})", self.truth(depth - 1))
            }
            7 => {
                let (when, then, otherwise) = (self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1));
                format!("(case when {when} then {then} else {otherwise} end)")
            }
            8 if self.alias.is_empty() => {
                let by = self.chance.of(&["n", "t", "user_id", "f"]);
                let same = format!("x.{by} = {}.{by}", self.table);
                let table = self.table;
                let more = Draw {
                    chance: self.chance,
                    table,
                    alias: "x",
                }
                .truth(1);
                format!("(exists (select 1 from teams x where {same} and {more}))")
            }
            _ => self.test(depth),
        }
    }

    fn test(&mut self, depth: usize) -> String {
        let order = self.chance.of(&[
            "=",
            "<>",
            "<",
            "<=",
            ">",
            ">=",
            "is distinct from",
            "is not distinct from",
        ]);
        match self.chance.below(14) {
            0..=1 => format!("({} {order} {})", self.number(depth), self.number(depth)),
            2..=3 => format!("({} {order} {})", self.text(depth), self.text(depth)),
            4 => {
                let pattern = self.pattern();
                let word = self.chance.of(&["like", "not like"]);
                format!("({} {word} {})", self.text(depth), literal(&pattern))
            }
            5 => self.column("f"),
            6 => {
                let name = self.chance.of(&["n", "m", "d", "t", "e", "f", "day", "user_id"]);
                let word = self.chance.of(&["is null", "is not null"]);
                format!("({} {word})", self.column(name))
            }
            7 => {
                let word = self.chance.of(&["in", "not in"]);
                format!("({} {word} ({}, {}))", self.text(0), self.text(0), self.text(0))
            }
            8 => {
                let word = self.chance.of(&["between", "not between"]);
                format!("({} {word} {} and {})", self.number(0), self.number(0), self.number(0))
            }
            9 => {
                let day = literal(self.chance.of(DAYS));
                format!("({} {order} {day})", self.column("day"))
            }
            10 => {
                let same = self.chance.of(&["=", "<>", "is distinct from"]);
                format!("({} {same} auth.uid())", self.column("user_id"))
            }
            11 => {
                let truth = self.chance.of(&["true", "false", "null"]);
                let same = self.chance.of(&["=", "<>"]);
                format!("({} {same} {truth})", self.column("f"))
            }
            12 => format!(
                "({} = any (array[{}, {}]))",
                self.number(0),
                self.number(0),
                self.number(0)
            ),
            _ => self
                .chance
                .of(&[
                    "(auth.jwt() -> 'app_metadata' ->> 'role' = 'boss')",
                    "(auth.role() = 'authenticated')",
                    "(auth.jwt() ? 'org')",
                    "(auth.uid() is null)",
                    "((auth.jwt() ->> 'level')::int > 1)",
                    "(auth.jwt() -> 'app_metadata' -> 'teams' ? 'x')",
                    "(auth.email() like 'a%')",
                    "(auth.jwt() #>> '{app_metadata,teams,1}' = 'y')",
                    "true",
                    "false",
                ])
                .to_owned(),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        let literal = |chance: &mut Chance| chance.of(&["0", "1", "2", "3", "-1", "1.5", "0.50", "-2"]).to_owned();
        if depth == 0 || self.chance.one_in(2) {
            return match self.chance.below(6) {
                0..=1 => self.column("n"),
                2 => self.column("m"),
                3 => self.column("d"),
                _ => literal(self.chance),
            };
        }
        match self.chance.below(8) {
            0 => format!("({} + {})", self.number(depth - 1), self.number(depth - 1)),
            1 => format!("({} - {})", self.number(depth - 1), self.number(depth - 1)),
            2 => {
                let by = self.chance.of(&["2", "3", "1.5"]);
                format!("({} * {by})", self.column("n"))
            }
            3 => {
                let (name, by) = (self.chance.of(&["n", "m"]), self.chance.of(&["2", "3", "-2", "7"]));
                let by = if by.starts_with('-') {
                    format!("({by})")
                } else {
                    by.to_owned()
                };
                let word = self.chance.of(&["/", "%"]);
                format!("({} {word} {by})", self.column(name))
            }
            4 => format!("coalesce({}, {})", self.number(depth - 1), self.number(0)),
            5 => format!("length({})", self.text(0)),
            6 => format!("abs({})", self.column("n")),
            _ => {
                let (when, then, otherwise) = (self.test(0), self.number(0), self.number(0));
                format!("(case when {when} then {then} else {otherwise} end)")
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance.one_in(2) {
            return match self.chance.below(7) {
                0..=1 => self.column("t"),
                2 => self.column("e"),
                3 => self
                    .chance
                    .of(&[
                        "auth.email()",
                        "(auth.jwt() ->> 'org')",
                        "auth.uid()::text",
                        "auth.role()",
                    ])
                    .to_owned(),
                4 => format!("{}::text", self.column("user_id")),
                _ => format!("{}::text", literal(self.chance.of(WORDS))),
            };
        }
        match self.chance.below(4) {
            0 => format!("({} || {})", self.text(depth - 1), self.text(0)),
            1 => format!("({} || {})", self.text(0), self.column("n")),
            2 => format!("coalesce({}, {})", self.text(depth - 1), self.text(0)),
            _ => format!("nullif({}, {})", self.text(0), self.text(0)),
        }
    }

    fn pattern(&mut self) -> String {
        const PIECES: &[&str] = &[
            "a", "A", "b", "%", "%", "_", "\\%", "\\_", "\\\\", "\\a", "|", "é", "á", " ", "💥",
        ];
        (0..self.chance.below(4)).map(|_| self.chance.of(PIECES)).collect()
    }
}
