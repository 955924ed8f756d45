//! What of a person can be recognised in a text: their e-mail addresses, numbers and full names.
//!
//! An address is looked for wherever it stands alone, a number of seven digits or more likewise. A name is looked for when it
//! has two words or more and eight letters: one word, or a short name, is in too many texts that mean somebody else.
//!
//! What people write of themselves they choose freely: another's address, a word of the documentation, a date. It counts only
//! where somebody else has seen in a plan how many texts it would change ([`Known`]).

use std::fmt::Write as _;

use crate::subject::Kind;

/// Digits that a number has at least.
const LEAST_DIGITS: usize = 7;
/// And at most: 15 by ITU-T E.164, and an extension.
const MOST_DIGITS: usize = 20;
/// And at least where they may stand apart in another way than the one known.
const SPACED_DIGITS: usize = 9;
/// Characters that a name has at least.
const LEAST_NAME: usize = 8;
/// Characters of a value at most: what is longer is no address and no name.
const LONGEST: usize = 320;

/// Whose word counts for what somebody can be recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// They asked themselves: only the address and the number that are confirmed.
    Confirmed,
    /// Somebody who answers for it has seen the plan: also what they wrote of themselves.
    Said,
}

/// What is looked for. Shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    emails: Vec<String>,
    phones: Vec<String>,
    names: Vec<String>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Values")
    }
}

impl Values {
    /// Adds a value of a column of that kind, if it can be recognised.
    pub fn add(&mut self, kind: Kind, value: &str) {
        let value = value.trim();
        let length = value.chars().count();
        if length > LONGEST || value.contains('\0') {
            return;
        }
        let list = match kind {
            Kind::Email if is_address(value) => &mut self.emails,
            Kind::Phone if is_number(value) => &mut self.phones,
            Kind::Name if length >= LEAST_NAME && value.split_whitespace().count() > 1 => &mut self.names,
            _ => return,
        };
        if !list.iter().any(|known| known == value) {
            list.push(value.to_owned());
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<String> {
        [&self.emails, &self.phones, &self.names]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// A regular expression of Postgres for any of them, to be matched in any letter case; none when there are none.
    /// Punctuation may have a backslash before it, as documents are Markdown, an address may be written as in a link
    /// (`ann%40example.com`), a number with other blanks and dashes; a name's words may stand on two lines.
    pub fn pattern(&self) -> Option<String> {
        let around = |before: &str, (values, written): (&[String], fn(&str) -> String), after: &str| {
            let mut values: Vec<_> = values.iter().map(|value| written(value)).collect();
            // The longest first: one value may begin like another.
            values.sort_by_key(|value| std::cmp::Reverse(value.len()));
            (!values.is_empty()).then(|| format!("{before}(?:{}){after}", values.join("|")))
        };
        let parts = [
            around(
                r"(?<![a-z0-9._%+-])",
                (&self.emails, address),
                r"(?![a-z0-9_-])(?!\.[a-z0-9])",
            ),
            around(r"(?<![\w+])\+?", (&self.phones, number), r"(?!\w)"),
            around(r"(?<!\w)", (&self.names, literal), r"(?!\w)"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("|"))
    }
}

fn is_address(value: &str) -> bool {
    let Some((name, domain)) = value.split_once('@') else {
        return false;
    };
    !name.is_empty() && domain.len() > 2 && !value.contains(char::is_whitespace)
}

/// A date is none, and an id is none, though both have digits enough.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let allowed = |sign: char| sign.is_ascii_digit() || " +-()./".contains(sign);
    let parts: Vec<usize> = value.split(['-', '.', '/']).map(str::len).collect();
    let is_date = matches!(parts.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4]);
    (LEAST_DIGITS..=MOST_DIGITS).contains(&digits) && value.chars().all(allowed) && !is_date
}

/// An address, as it is or as it stands in a URL ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
fn address(value: &str) -> String {
    let mut text = String::new();
    for letter in value.chars() {
        let plain = literal(letter.encode_utf8(&mut [0; 4]));
        if letter.is_ascii_punctuation() {
            // Writing to a string cannot fail.
            let _ = write!(text, "(?:{plain}|%{:02x})", u32::from(letter));
        } else {
            text += &plain;
        }
    }
    text
}

/// The digits of a number, with some of what people put between them. Few digits are a date as well, or an amount.
fn number(value: &str) -> String {
    let digits: Vec<_> = value.chars().filter(char::is_ascii_digit).map(String::from).collect();
    match digits.len() {
        ..SPACED_DIGITS => literal(value),
        _ => digits.join(r"[-\s()./\\]{0,3}"),
    }
}

fn literal(value: &str) -> String {
    let mut text = String::new();
    let mut in_space = false;
    for letter in value.chars() {
        if letter.is_whitespace() {
            if !in_space {
                text += r"\s+";
            }
            in_space = true;
            continue;
        }
        in_space = false;
        if letter.is_alphanumeric() {
            text.push(letter);
        } else if letter.is_ascii() {
            text += r"\\?\";
            text.push(letter);
        } else {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nobody_is_not_looked_for() {
        for (kind, value, taken) in [
            (Kind::Email, "ann@example.com", true),
            (Kind::Email, " ann@example.com ", true),
            (Kind::Email, "ann", false),
            (Kind::Email, "@example.com", false),
            (Kind::Email, "a@b", false),
            (Kind::Phone, "+49 170 1234567", true),
            (Kind::Phone, "112", false),
            (Kind::Phone, "0170/1234567", true),
            (Kind::Phone, "491701234567", true),
            (Kind::Phone, "2026-11-22", false),
            (Kind::Phone, "22.11.2026", false),
            (Kind::Phone, "2026-11-22T05", false),
            (Kind::Phone, "9f8e7d6c-1234-4321-8765-0123456789ab", false),
            (Kind::Phone, "123456789012345678901", false),
            (Kind::Name, "Ann Example", true),
            (Kind::Name, "Ann", false),
            (Kind::Name, "Jo Li", false),
            (Kind::Name, "Maximilian", false),
            (Kind::FreeText, "Ann Example", false),
        ] {
            let mut values = Values::default();
            values.add(kind, value);
            assert_eq!(!values.all().is_empty(), taken, "{value}");
        }
    }

    #[test]
    fn the_pattern_quotes_what_it_looks_for() {
        let mut values = Values::default();
        assert_eq!(values.pattern(), None);
        values.add(Kind::Email, "a.b+c@example.com");
        values.add(Kind::Name, "Ann  de Example");
        insta::assert_snapshot!(values.pattern().unwrap(), @r"(?<![a-z0-9._%+-])(?:a(?:\\?\.|%2e)b(?:\\?\+|%2b)c(?:\\?\@|%40)example(?:\\?\.|%2e)com)(?![a-z0-9_-])(?!\.[a-z0-9])|(?<!\w)(?:Ann\s+de\s+Example)(?!\w)");
    }

    #[test]
    fn a_number_is_found_with_and_without_its_plus() {
        let mut values = Values::default();
        values.add(Kind::Phone, "491701234");
        values.add(Kind::Phone, "0170/1234");
        insta::assert_snapshot!(values.pattern().unwrap(), @r"(?<![\w+])\+?(?:4[-\s()./\\]{0,3}9[-\s()./\\]{0,3}1[-\s()./\\]{0,3}7[-\s()./\\]{0,3}0[-\s()./\\]{0,3}1[-\s()./\\]{0,3}2[-\s()./\\]{0,3}3[-\s()./\\]{0,3}4|0170\\?\/1234)(?!\w)");
    }
}
