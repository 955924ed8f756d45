//! A script of SQL statements, cut at its semicolons as Postgres's own scanner would cut it.
//!
//! The cut is for running statements one by one and for naming the one that failed. It is no protection: whoever runs
//! the pieces lets Postgres confirm that each is one statement.

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its text, from its first word on, without the semicolon.
    pub text: &'a str,
    /// Where the text begins in the script, in bytes.
    pub start: usize,
    /// Its first words, lower-case (at most two).
    words: Vec<String>,
}

/// First words of statements. Anything else is not repeated anywhere: it may be a value that lost its quotes.
#[rustfmt::skip]
const COMMANDS: &[&str] = &[
    "abort", "alter", "analyze", "begin", "call", "checkpoint", "close", "cluster", "comment", "commit", "copy", "create",
    "deallocate", "declare", "delete", "discard", "do", "drop", "end", "execute", "explain", "fetch", "grant", "import",
    "insert", "listen", "load", "lock", "merge", "move", "notify", "prepare", "reassign", "refresh", "reindex", "release",
    "reset", "revoke", "rollback", "savepoint", "security", "select", "set", "show", "start", "table", "truncate",
    "unlisten", "update", "vacuum", "values", "with",
];

impl Statement<'_> {
    /// What it does, as far as its first word tells: `select`, `create`; `other` for what is no command.
    pub fn command(&self) -> &'static str {
        let first = self.words.first().map_or("", String::as_str);
        COMMANDS
            .iter()
            .find(|command| **command == first)
            .copied()
            .unwrap_or("other")
    }

    /// Whether it begins, ends or divides a transaction.
    pub fn controls_transaction(&self) -> bool {
        match self.command() {
            "begin" | "start" | "commit" | "end" | "abort" | "rollback" | "savepoint" | "release" => true,
            "prepare" => self.words.get(1).is_some_and(|word| word == "transaction"),
            _ => false,
        }
    }
}

/// The statements of a script, without empty ones.
pub fn split(script: &str) -> Vec<Statement<'_>> {
    let mut scanner = Scanner { text: script, at: 0 };
    let mut statements = Vec::new();
    while let Some(statement) = scanner.statement() {
        statements.push(statement);
    }
    statements
}

/// The line (from 1) and the character in it (from 1) of a place in a text.
pub fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let before = String::from_utf8_lossy(before);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// How deep a statement is in what may hold semicolons.
#[derive(Default)]
struct Depth {
    parentheses: usize,
    /// `begin atomic … end` of a function's body, and `case … end` in there.
    blocks: usize,
    words: Vec<String>,
}

impl Depth {
    fn word(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        if self.parentheses == 0 && self.makes_routine() {
            match word.as_str() {
                "begin" => self.blocks += 1,
                "case" if self.blocks > 0 => self.blocks += 1,
                "end" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            }
        }
        if self.words.len() < 4 {
            self.words.push(word);
        }
    }

    /// `create [or replace] function|procedure`.
    fn makes_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words.as_slice(),
            ["create", "function" | "procedure", ..] | ["create", "or", "replace", "function" | "procedure"]
        )
    }
}

impl<'a> Scanner<'a> {
    fn statement(&mut self) -> Option<Statement<'a>> {
        loop {
            self.blank();
            if !self.eat(';') {
                break;
            }
        }
        let start = self.at;
        self.peek()?;
        let mut depth = Depth::default();
        let mut end = start;
        while let Some(next) = self.peek() {
            match next {
                ';' if depth.parentheses == 0 && depth.blocks == 0 => break,
                '\'' => self.quoted(false),
                '"' => self.identifier(),
                '$' => self.dollar(),
                '(' => {
                    depth.parentheses += 1;
                    self.bump();
                }
                ')' => {
                    depth.parentheses = depth.parentheses.saturating_sub(1);
                    self.bump();
                }
                next if begins_word(next) => self.word(&mut depth),
                _ => self.bump(),
            }
            end = self.at;
            self.blank();
        }
        let mut words = depth.words;
        words.truncate(2);
        Some(Statement {
            text: &self.text[start..end],
            start,
            words,
        })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    /// White space and comments; whether there was a line's end among them.
    fn blank(&mut self) -> bool {
        let from = self.at;
        loop {
            let rest = self.rest();
            if rest.starts_with("--") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.comment();
            } else if rest.starts_with([' ', '\t', '\n', '\r', '\x0b', '\x0c']) {
                self.bump();
            } else {
                return self.text[from..self.at].contains(['\n', '\r']);
            }
        }
    }

    /// `/* … */`, which nests.
    fn comment(&mut self) {
        let mut depth = 0_usize;
        while !self.rest().is_empty() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.bump();
            }
        }
    }

    /// `'…'`, with backslashes as in `E'…'` if `escapes`. An `E'…'` goes on behind a line's end in the same way.
    fn quoted(&mut self, escapes: bool) {
        self.bump();
        while let Some(next) = self.peek() {
            self.bump();
            match next {
                '\\' if escapes => self.bump(),
                '\'' if self.eat('\'') => {}
                '\'' => {
                    let end = self.at;
                    let continued = escapes && self.blank() && self.eat('\'');
                    if !continued {
                        self.at = end;
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    fn identifier(&mut self) {
        self.bump();
        while let Some(next) = self.peek() {
            self.bump();
            if next == '"' && !self.eat('"') {
                return;
            }
        }
    }

    /// `$1`, or `$tag$ … $tag$`.
    fn dollar(&mut self) {
        let rest = self.rest();
        let tag = &rest[1..];
        let length = tag.find(|c: char| !is_tag(c)).unwrap_or(tag.len());
        let is_tag = tag[length..].starts_with('$') && !tag.starts_with(|c: char| c.is_ascii_digit());
        if !is_tag {
            self.bump();
            return;
        }
        let delimiter = &rest[..length + 2];
        let body = &rest[delimiter.len()..];
        let end = body.find(delimiter).map_or(body.len(), |at| at + delimiter.len());
        self.at += delimiter.len() + end;
    }

    fn word(&mut self, depth: &mut Depth) {
        let rest = self.rest();
        let length = rest.find(|c: char| !(is_tag(c) || c == '$')).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        if word.eq_ignore_ascii_case("e") && self.peek() == Some('\'') {
            self.quoted(true);
        } else {
            depth.word(word);
        }
    }
}

fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_tag(c: char) -> bool {
    begins_word(c) || c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_cut_where_postgres_cuts_them() {
        for (script, expected) in [
            ("select 1", &["select 1"][..]),
            ("select 1;", &["select 1"]),
            (" ; ;select 1 ;; select 2 ", &["select 1", "select 2"]),
            ("select ';'; select '''; '", &["select ';'", "select '''; '"]),
            (
                r"select E'\'; '; select 'a\'; select 2",
                &[r"select E'\'; '", r"select 'a\'", "select 2"],
            ),
            ("select e'a'\n'\\';'; select 2", &["select e'a'\n'\\';'", "select 2"]),
            (
                r#"select ";"";" from a; select 2"#,
                &[r#"select ";"";" from a"#, "select 2"],
            ),
            (
                "select $$;$$; select $a$;$$;$a$; select $1;",
                &["select $$;$$", "select $a$;$$;$a$", "select $1"],
            ),
            ("select a$b$;select b$b$", &["select a$b$", "select b$b$"]),
            (
                "-- a;\nselect 1 -- b;\n; /* ; /* ; */ ; */ select 2",
                &["select 1", "select 2"],
            ),
            (
                "create rule r as on insert to t do (select 1; select 2); select 3",
                &["create rule r as on insert to t do (select 1; select 2)", "select 3"],
            ),
            (
                "create function f() begin atomic select case when true then 1 end; select 2; end; select 3",
                &[
                    "create function f() begin atomic select case when true then 1 end; select 2; end",
                    "select 3",
                ],
            ),
            (
                "create or replace function f() language sql as 'begin;'; select 3",
                &["create or replace function f() language sql as 'begin;'", "select 3"],
            ),
            ("select é; select '–'", &["select é", "select '–'"]),
            ("-- nothing", &[]),
            ("select 'open; select 2", &["select 'open; select 2"]),
            ("select /* open; select 2", &["select"]),
            ("select $a$ open; select 2", &["select $a$ open; select 2"]),
            ("$", &["$"]),
        ] {
            let cut = split(script);
            assert_eq!(cut.iter().map(|s| s.text).collect::<Vec<_>>(), expected, "{script}");
            assert!(cut.iter().all(|s| script[s.start..].starts_with(s.text)));
        }
    }

    #[test]
    fn transaction_control_is_recognised_behind_comments_and_in_any_case() {
        for script in [
            "COMMIT",
            "/* x */ begin",
            "--\n end work",
            "Abort",
            "rollback to a",
            "start transaction",
            "savepoint a",
            "prepare transaction 'x'",
            "commit/**/prepared 'x'",
            "release a",
        ] {
            assert!(split(script)[0].controls_transaction(), "{script}");
        }
        for script in [
            "prepare a as select 1",
            "select 'commit'",
            "set transaction read only",
            "\"commit\"",
            "do 'begin end'",
        ] {
            assert!(!split(script)[0].controls_transaction(), "{script}");
        }
    }

    #[test]
    fn what_is_no_command_is_not_repeated() {
        assert_eq!(split("(select 1)")[0].command(), "select");
        assert_eq!(split("hunter2 is my password")[0].command(), "other");
    }

    #[test]
    fn places_are_told_as_line_and_character() {
        assert_eq!(line_and_column("é\nab", 4), (2, 2));
        assert_eq!(line_and_column("", 0), (1, 1));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_without_a_panic(script in ".{0,200}") {
            for statement in split(&script) {
                proptest::prop_assert!(script[statement.start..].starts_with(statement.text));
            }
        }
    }
}
