//! Reads what `show grants` answers. Its lines hold more than rights, a password's digest for one: nothing of them is
//! passed on but names of rights, tables and roles.

/// What an account may do, line by line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    pub(super) grants: Vec<Grant>,
    /// Roles that it has.
    pub(super) roles: Vec<String>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// A line that takes away what a wider one gives.
    pub(super) revoked: bool,
    pub(super) rights: Vec<Right>,
    pub(super) on: On,
    /// Whether they may be passed on.
    pub(super) option: bool,
}

/// A right, on whole tables or on some columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// In upper case.
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// Where rights hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum On {
    /// `*.*`
    Everything,
    /// One database, or several: as a pattern of `like`.
    Database(String),
    /// One table.
    Table(String, String),
    /// A routine, or another account.
    Other,
}

impl Grants {
    pub(super) fn read<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut all = Self::default();
        for line in lines {
            // A line of another shape gives nothing that is needed here.
            let _known = all.line(line);
        }
        all
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let tokens = tokens(line);
        let mut rest = tokens.as_slice();
        let revoked = match next(&mut rest)? {
            Token::Word(word) if word == "GRANT" => false,
            Token::Word(word) if word == "REVOKE" => true,
            _ => return None,
        };
        let place = |word: &str| {
            tokens
                .iter()
                .position(|token| matches!(token, Token::Word(own) if own == word))
        };
        let to = place(if revoked { "FROM" } else { "TO" })?;
        let Some(on) = place("ON").filter(|on| *on < to) else {
            for (at, token) in tokens.iter().enumerate().take(to).skip(1) {
                let Token::Quoted(name) = token else { continue };
                // Of `role`@`host` the first.
                if tokens.get(at - 1) != Some(&Token::Sign('@')) {
                    self.roles.push(name.clone());
                }
            }
            return Some(());
        };
        let with = tokens.windows(3).any(|three| {
            three
                == [
                    Token::Word("WITH".into()),
                    Token::Word("GRANT".into()),
                    Token::Word("OPTION".into()),
                ]
        });
        self.grants.push(Grant {
            revoked,
            rights: rights(tokens.get(1..on)?),
            on: target(tokens.get(on + 1..to)?),
            option: with,
        });
        Some(())
    }
}

impl On {
    /// Whether rights there hold in that database.
    pub(super) fn covers(&self, database: &str, ignore_case: bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Database(pattern) if ignore_case => like(&pattern.to_lowercase(), &database.to_lowercase()),
            Self::Database(pattern) => like(pattern, database),
            Self::Table(..) | Self::Other => false,
        }
    }
}

/// The pattern that only that database's name is like.
pub(super) fn exactly(database: &str) -> String {
    let mut pattern = String::new();
    for character in database.chars() {
        if matches!(character, '_' | '%' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// As MySQL's `like`, where a backslash takes the next character's meaning.
fn like(pattern: &str, text: &str) -> bool {
    #[derive(Clone, Copy)]
    enum Part {
        Literal(char),
        One,
        Any,
    }
    let mut parts = Vec::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        parts.push(match character {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Literal(rest.next().unwrap_or('\\')),
            literal => Part::Literal(literal),
        });
    }
    // Which heads of the pattern are like the text so far.
    let mut heads = vec![false; parts.len() + 1];
    let open = |heads: &mut Vec<bool>| {
        for (at, part) in parts.iter().enumerate() {
            heads[at + 1] |= heads[at] && matches!(part, Part::Any);
        }
    };
    heads[0] = true;
    open(&mut heads);
    for character in text.chars() {
        let mut after = vec![false; heads.len()];
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| heads[*at]) {
            match part {
                Part::Any => after[at] = true,
                Part::One => after[at + 1] = true,
                Part::Literal(literal) => after[at + 1] |= *literal == character,
            }
        }
        open(&mut after);
        heads = after;
    }
    heads[parts.len()]
}

fn rights(tokens: &[Token]) -> Vec<Right> {
    let mut rights = Vec::new();
    let (mut words, mut columns, mut within) = (Vec::new(), Vec::new(), false);
    for token in tokens.iter().chain([&Token::Sign(',')]) {
        match token {
            Token::Sign('(') => within = true,
            Token::Sign(')') => within = false,
            Token::Sign(',') if !within => {
                let (name, columns) = (std::mem::take(&mut words).join(" "), std::mem::take(&mut columns));
                rights.push(Right { name, columns });
            }
            Token::Word(word) if within => columns.push(word.clone()),
            Token::Quoted(name) if within => columns.push(name.clone()),
            Token::Word(word) => words.push(word.clone()),
            _ => {}
        }
    }
    rights
}

fn target(tokens: &[Token]) -> On {
    use Token::{Quoted, Sign, Word};
    match tokens {
        [Sign('*'), Sign('.'), Sign('*')] => On::Everything,
        [Quoted(database) | Word(database), Sign('.'), Sign('*')] => On::Database(database.clone()),
        [
            Quoted(database) | Word(database),
            Sign('.'),
            Quoted(table) | Word(table),
        ] => On::Table(database.clone(), table.clone()),
        _ => On::Other,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// In upper case.
    Word(String),
    /// In quotes of any kind.
    Quoted(String),
    Sign(char),
}

fn next<'t>(tokens: &mut &'t [Token]) -> Option<&'t Token> {
    let (first, rest) = tokens.split_first()?;
    *tokens = rest;
    Some(first)
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '`' | '\'' | '"' => {
                let mut text = String::new();
                while let Some(inner) = rest.next() {
                    match inner {
                        // Twice is once.
                        _ if inner == character && rest.peek() == Some(&character) => text.extend(rest.next()),
                        _ if inner == character => break,
                        '\\' if character == '\'' => text.extend(rest.next()),
                        _ => text.push(inner),
                    }
                }
                tokens.push(Token::Quoted(text));
            }
            _ if character.is_alphanumeric() || character == '_' => {
                let mut word = String::from(character);
                while let Some(more) = rest.next_if(|more| more.is_alphanumeric() || *more == '_') {
                    word.push(more);
                }
                tokens.push(Token::Word(word.to_uppercase()));
            }
            _ if character.is_whitespace() => {}
            _ => tokens.push(Token::Sign(character)),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let Grants { grants, roles } = Grants::read([line]);
        let Some(grant) = grants.first() else {
            return format!("roles {roles:?}");
        };
        let rights: Vec<_> = grant
            .rights
            .iter()
            .map(|right| format!("{}{}", right.name, right.columns.join("+")))
            .collect();
        let (sign, option) = (
            if grant.revoked { "-" } else { "" },
            if grant.option { " option" } else { "" },
        );
        format!("{sign}{} {:?}{option}", rights.join(","), grant.on)
    }

    #[test]
    fn every_kind_of_line_is_read() {
        for (line, expected) in [
            (
                "GRANT USAGE ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'",
                "USAGE Everything",
            ),
            (
                "GRANT USAGE ON *.* TO `u`@`h` REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 10",
                "USAGE Everything",
            ),
            (
                "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION",
                "ALL PRIVILEGES Everything option",
            ),
            (
                "GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON `my\\_db`.* TO 'u'@'h'",
                r#"SELECT,INSERT,CREATE TEMPORARY TABLES Database("my\\_db")"#,
            ),
            (
                "GRANT SELECT, INSERT (`a`, `to`) ON `d`.`t` TO `u`@`h`",
                r#"SELECT,INSERTa+to Table("d", "t")"#,
            ),
            ("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`h`", "EXECUTE Other"),
            (
                "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
                "PROXY Other option",
            ),
            (
                "GRANT BACKUP_ADMIN,CONNECTION_ADMIN ON *.* TO `u`@`h`",
                "BACKUP_ADMIN,CONNECTION_ADMIN Everything",
            ),
            ("GRANT `r`@`%`,`ON`@`%` TO `u`@`h`", r#"roles ["r", "ON"]"#),
            ("GRANT `readers` TO `u`@`h`", r#"roles ["readers"]"#),
            ("SET DEFAULT ROLE `readers` FOR `u`@`h`", "roles []"),
            (
                "REVOKE SELECT ON `mysql`.* FROM `u`@`h`",
                r#"-SELECT Database("mysql")"#,
            ),
            (
                "GRANT SELECT ON \"we\"\"ird\".* TO \"u\"@\"h\"",
                r#"SELECT Database("we\"ird")"#,
            ),
            ("GRANT SELECT ON `a``b`.* TO `TO`@`ON`", r#"SELECT Database("a`b")"#),
            ("GRANT", "roles []"),
            ("", "roles []"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn a_pattern_covers_the_databases_that_are_like_it() {
        for (pattern, database, covers) in [
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("shop%", "shops", true),
            ("%", "", true),
            ("sh_p", "shöp", true),
            ("sh\\_p", "shop", false),
            ("sh\\_p", "sh_p", true),
            ("Shop", "shop", false),
        ] {
            let on = On::Database(pattern.to_owned());
            assert_eq!(on.covers(database, false), covers, "{pattern} {database}");
            let exact = On::Database(exactly(database));
            assert!(exact.covers(database, false), "{database}");
        }
        assert!(On::Database("Shop".into()).covers("shop", true));
        assert_eq!(exactly(r"a_b%c\d"), r"a\_b\%c\\d");
    }
}
