//! What a table's checks say of what an erasure leaves in its columns. A check that is not understood may refuse it: better
//! told when a map is confirmed than by a database in the middle of an erasure.

use super::super::Table;
use crate::schema::catalog::Column;

/// What stands in a column afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    Null,
    /// A text of so many letters and digits, none of them known before.
    Letters(usize),
    Zero,
    /// Something of its type.
    Other,
}

/// Whether a check of the table, or the column's domain, may refuse that in the column.
pub(super) fn may_refuse(table: &Table, column: &Column, filled: Filled) -> bool {
    if column.base_type.is_some() && filled != Filled::Null {
        return true;
    }
    let name = column.name.as_str();
    table.checks.iter().any(|check| {
        let tokens = tokens(check);
        let about = tokens.iter().any(|token| token.is(name));
        about
            && match filled {
                Filled::Null => !lets_null(&tokens, name),
                filled => !holds(&tokens, name, filled),
            }
    })
}

/// A part of an expression as engines print it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name, a keyword or a number; whether it stood in quotes.
    Word(String, bool),
    Text(String),
    Sign(String),
}

impl Token {
    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Word(word, true) if word == name)
            || matches!(self, Self::Word(word, false) if word.eq_ignore_ascii_case(name))
    }

    fn word(&self) -> Option<String> {
        match self {
            Self::Word(word, false) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(own) if own == sign)
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            _ if sign.is_whitespace() => {}
            '\'' | '"' | '`' => {
                let mut inner = String::new();
                while let Some(next) = signs.next() {
                    if next == sign && signs.next_if_eq(&sign).is_none() {
                        break;
                    }
                    inner.push(next);
                }
                tokens.push(match sign {
                    '\'' => Token::Text(inner),
                    _ => Token::Word(inner, true),
                });
            }
            _ if is_of_word(sign) => {
                let mut word = String::from(sign);
                while let Some(next) = signs.next_if(|next| is_of_word(*next) || *next == '.') {
                    word.push(next);
                }
                tokens.push(Token::Word(word, false));
            }
            '<' | '>' | '=' | '!' | ':' => {
                let mut run = String::from(sign);
                while let Some(next) = signs.next_if(|next| matches!(next, '<' | '>' | '=' | '!' | ':')) {
                    run.push(next);
                }
                tokens.push(Token::Sign(run));
            }
            _ => tokens.push(Token::Sign(sign.to_string())),
        }
    }
    tokens
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '$')
}

/// Whether the check holds, or is null, which is as good, when the column is null: it does unless something in it asks for
/// nulls.
fn lets_null(tokens: &[Token], name: &str) -> bool {
    const ASKING: &str = "coalesce ifnull isnull nvl if case num_nulls num_nonnulls concat concat_ws row distinct true \
        unknown exists jsonb_build_object";
    let words: Vec<String> = tokens.iter().filter_map(Token::word).collect();
    let asks = |word: &String| ASKING.split_whitespace().any(|asking| asking == word);
    if words.iter().any(asks) || tokens.iter().any(|token| token.is_sign("<=>")) {
        return false;
    }
    let says = |word: &str| words.iter().any(|own| own == word);
    let compares = says("not")
        || tokens
            .iter()
            .any(|token| matches!(token, Token::Sign(sign) if sign.contains('=') || sign == "<>"));
    for (at, token) in tokens.iter().enumerate() {
        if token.word().as_deref() != Some("is") {
            continue;
        }
        let of = tokens[..at].iter().rev().find(|token| !token.is_sign(")"));
        if !of.is_some_and(|of| of.is(name)) {
            continue;
        }
        let is_not = tokens.get(at + 1).and_then(Token::word).as_deref() == Some("not");
        // `a is null or …` holds; `(a is null) = (b is null)` may not.
        if is_not || compares && !says("or") {
            return false;
        }
    }
    true
}

/// Whether the check is understood, and holds of what the column is filled with.
fn holds(tokens: &[Token], name: &str, filled: Filled) -> bool {
    let plain = plain(tokens);
    let mut parts = plain.split(|token| token.word().as_deref() == Some("and"));
    parts.all(|part| part_holds(part, name, filled).unwrap_or(false))
}

/// Without parentheses and casts, which change nothing about a comparison of one column.
fn plain(tokens: &[Token]) -> Vec<Token> {
    let mut plain = Vec::new();
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            Token::Sign(sign) if sign == "::" => {
                rest.next();
                let second = |word: &str| matches!(word, "varying" | "precision");
                let _ = rest.next_if(|token| token.word().is_some_and(|word| second(&word)));
                if rest.next_if(|token| token.is_sign("(")).is_some() {
                    let _ = rest.by_ref().find(|token| token.is_sign(")"));
                }
            }
            Token::Sign(sign) if sign == "(" || sign == ")" => {}
            _ => plain.push(token.clone()),
        }
    }
    plain
}

/// One comparison: `length(name) > 0`, `name <> ''`, `amount >= 0`.
fn part_holds(part: &[Token], name: &str, filled: Filled) -> Option<bool> {
    let [called @ .., column, Token::Sign(sign), value] = part else {
        return None;
    };
    if !column.is(name) {
        return None;
    }
    let called: Vec<String> = called.iter().map(Token::word).collect::<Option<_>>()?;
    let is_length = |word: &String| {
        matches!(
            word.as_str(),
            "length" | "char_length" | "character_length" | "octet_length"
        )
    };
    let is_trimming = |word: &String| matches!(word.as_str(), "btrim" | "trim" | "both" | "from" | "lower" | "upper");
    if !called.iter().all(|word| is_length(word) || is_trimming(word)) {
        return None;
    }
    let measured = called.iter().any(is_length);
    let ours = match filled {
        Filled::Letters(length) if measured => length,
        Filled::Letters(_) => {
            let is_empty = matches!(value, Token::Text(text) if text.is_empty());
            return (is_empty && matches!(sign.as_str(), "<>" | "!=")).then_some(true);
        }
        Filled::Zero if called.is_empty() => 0,
        _ => return None,
    };
    let ours = u32::try_from(ours).ok().map(f64::from)?;
    let theirs: f64 = match value {
        Token::Word(number, false) | Token::Text(number) => number.parse().ok()?,
        _ => return None,
    };
    Some(match sign.as_str() {
        ">" => ours > theirs,
        ">=" => ours >= theirs,
        "<" => ours < theirs,
        "<=" => ours <= theirs,
        "<>" | "!=" => (ours - theirs).abs() > f64::EPSILON,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::sql::tests::table;
    use super::*;

    #[test]
    fn a_check_that_may_refuse_what_an_erasure_leaves_is_found() {
        use Filled::{Letters, Null, Other, Zero};
        for (check, filled, refuses) in [
            ("((mail)::text ~~ '%@%'::text)", Null, false),
            ("((mail)::text ~~ '%@%'::text)", Letters(39), true),
            ("(mail IS NOT NULL)", Null, true),
            ("((mail IS NOT NULL) OR (phone IS NOT NULL))", Null, true),
            ("((mail IS NULL) OR (phone IS NOT NULL))", Null, false),
            ("((mail IS NULL) = (phone IS NULL))", Null, true),
            ("(mail IS NULL)", Null, false),
            ("(COALESCE(mail, ''::text) <> ''::text)", Null, true),
            ("(num_nonnulls(mail, phone) = 1)", Null, true),
            ("(phone IS NOT NULL)", Null, false),
            ("(phone ~ 'mail'::text)", Letters(39), false),
            (
                "((length((mail)::text) > 0) AND (length((mail)::text) <= 200))",
                Letters(39),
                false,
            ),
            ("(char_length(mail) <= 20)", Letters(39), true),
            ("(length(TRIM(BOTH FROM mail)) > 0)", Letters(39), false),
            ("((mail)::character varying(20) <> ''::text)", Letters(20), false),
            ("char_length(`mail`) > 3", Letters(39), false),
            ("(mail > 0)", Zero, true),
            ("(mail >= 0)", Zero, false),
            ("((mail >= (0)::numeric) AND (mail <= (100)::numeric))", Zero, false),
            ("((mail >= 0) OR phone)", Zero, true),
            ("(mail = ANY (ARRAY['a'::text, 'b'::text]))", Letters(39), true),
            ("(mail > '2000-01-01'::date)", Other, true),
            ("((\"Mail\")::text ~~ '%@%'::text)", Letters(39), false),
        ] {
            let mut table = table("people", &["id integer!", "mail text"]);
            table.checks = vec![check.to_owned()];
            let column = &table.columns[1];
            assert_eq!(may_refuse(&table, column, filled), refuses, "{check} {filled:?}");
        }
    }
}
