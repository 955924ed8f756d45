//! Columns that hold a user's id, by what their defaults and the table's policies say: `user_id = auth.uid()`.

use std::collections::BTreeSet;

use crate::ident::Ident;
use crate::schema::catalog::Column;
use crate::schema::details::Policy;

/// The columns of a table that its defaults or policies hold against the caller's id, in their order.
pub(super) fn owner_columns(columns: &[Column], policies: &[Policy]) -> Vec<Ident> {
    let texts = policies.iter().filter(|policy| !policy.restrictive);
    let texts = texts.flat_map(|policy| [&policy.using, &policy.check]).flatten();
    let held: BTreeSet<String> = texts.flat_map(|text| compared(text)).collect();
    let filled = |column: &Column| column.default.as_deref().is_some_and(is_caller);
    let owned = |column: &&Column| filled(column) || held.contains(column.name.as_str());
    columns.iter().filter(owned).map(|column| column.name.clone()).collect()
}

/// Whether a default is the caller's id.
fn is_caller(default: &str) -> bool {
    plain(default) == [Word::Caller]
}

/// Columns that an expression compares with the caller's id. Where it looks into other tables it says nothing of this one.
fn compared(expression: &str) -> Vec<String> {
    let words = plain(expression);
    if words
        .iter()
        .any(|word| matches!(word, Word::Name(name) if name == "exists" || name == "from"))
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, three) in words.windows(3).enumerate() {
        let behind_dot = |at: usize| at > 0 && words[at - 1] == Word::Sign('.');
        let before_dot = |at: usize| words.get(at + 1) == Some(&Word::Sign('.'));
        match three {
            [Word::Name(name) | Word::Quoted(name), Word::Sign('='), Word::Caller] if !behind_dot(at) => {
                found.push(name.clone());
            }
            [Word::Caller, Word::Sign('='), Word::Name(name) | Word::Quoted(name)] if !before_dot(at + 2) => {
                found.push(name.clone());
            }
            _ => {}
        }
    }
    found
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Name(String),
    Quoted(String),
    Sign(char),
    /// A call of `auth.uid()` or `plinth.uid()`.
    Caller,
}

/// An expression without what does not matter: parentheses, casts, `(select … as uid)` around a call.
fn plain(expression: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for word in words_of(expression) {
        match word {
            Word::Sign('(' | ')') => {}
            Word::Name(name) if name == "select" => {}
            word => words.push(word),
        }
        let is = |word: &Word, name: &str| matches!(word, Word::Name(it) if it == name);
        if let [.., schema, Word::Sign('.'), function] = words.as_slice()
            && is(function, "uid")
            && (is(schema, "auth") || is(schema, "plinth"))
        {
            words.truncate(words.len() - 3);
            words.push(Word::Caller);
        }
        if let [.., Word::Caller, alias, name] = words.as_slice()
            && is(alias, "as")
            && is(name, "uid")
        {
            words.truncate(words.len() - 2);
        }
        if let [.., Word::Sign(':'), Word::Sign(':'), Word::Name(_) | Word::Quoted(_)] = words.as_slice() {
            words.truncate(words.len() - 3);
        }
    }
    words
}

fn words_of(expression: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = expression.char_indices().peekable();
    while let Some((_, sign)) = rest.next() {
        if sign.is_whitespace() {
            continue;
        }
        if sign == '"' || sign == '`' || sign == '\'' {
            let mut name = String::new();
            while let Some((_, next)) = rest.next() {
                if next != sign {
                    name.push(next);
                } else if rest.next_if(|(_, doubled)| *doubled == sign).is_some() {
                    name.push(sign);
                } else {
                    break;
                }
            }
            words.push(if sign == '\'' {
                Word::Sign('\'')
            } else {
                Word::Quoted(name)
            });
        } else if sign.is_alphanumeric() || sign == '_' {
            let mut name = String::from(sign);
            while let Some((_, next)) = rest.next_if(|(_, next)| next.is_alphanumeric() || matches!(next, '_' | '$')) {
                name.push(next);
            }
            words.push(Word::Name(name.to_lowercase()));
        } else {
            words.push(Word::Sign(sign));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_columns_it_holds_against_the_caller() {
        for (expression, columns) in [
            ("user_id = auth.uid()", &["user_id"] as &[&str]),
            ("(user_id = plinth.uid())", &["user_id"]),
            ("(( SELECT plinth.uid() AS uid) = user_id)", &["user_id"]),
            ("((user_id)::text = (( SELECT auth.uid() AS uid))::text)", &["user_id"]),
            ("(\"Owner\" = auth.uid()) OR is_public", &["Owner"]),
            ("(from_id = auth.uid()) OR (to_id = auth.uid())", &["from_id", "to_id"]),
            ("(`author` = auth.uid())", &["author"]),
            ("user_id <> auth.uid()", &[]),
            ("user_id >= auth.uid()", &[]),
            ("note = 'x = auth.uid()'", &[]),
            ("EXISTS ( SELECT 1 FROM members m WHERE m.user_id = auth.uid())", &[]),
            ("t.user_id = auth.uid()", &[]),
            ("user_id = other.uid()", &[]),
            ("true", &[]),
            ("", &[]),
        ] {
            assert_eq!(compared(expression), columns, "{expression}");
        }
    }

    #[test]
    fn a_default_is_the_callers_id_or_is_not() {
        for (default, is) in [
            ("auth.uid()", true),
            ("plinth.uid()", true),
            ("( SELECT auth.uid() AS uid)", true),
            ("gen_random_uuid()", false),
            ("concat(auth.uid(), 'x')", false),
        ] {
            assert_eq!(is_caller(default), is, "{default}");
        }
    }
}
