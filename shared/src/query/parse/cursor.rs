//! A position in a text, and the small steps every grammar is made of.

use super::super::request::{Field, JsonKey, JsonStep};
use super::super::shown;
use crate::error::{Error, Result};

/// How deep parentheses may nest.
pub(super) const MAX_DEPTH: usize = 32;

/// A reading position in one parameter's text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// At the beginning of `text`; `what` names the parameter in errors.
    pub(super) fn new(text: &'a str, what: &'static str) -> Self {
        Self { text, at: 0, what }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether everything is read.
    pub(super) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// The position, for [`Cursor::back_to`].
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a mark.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    /// Reads `token` if it stands here.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Reads `token` or fails.
    pub(super) fn expect(&mut self, token: &'static str) -> Result<()> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("\"{token}\"")))
        }
    }

    /// Fails unless everything is read.
    pub(super) fn expect_end(&self) -> Result<()> {
        if self.at_end() {
            Ok(())
        } else {
            Err(self.unexpected("end of input"))
        }
    }

    /// Fails unless everything is read; `other` is what might have followed too.
    pub(super) fn expect_end_or(&self, other: &str) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(found) => Err(self.error(format!(
                "unexpected '{}' expecting {other} or end of input",
                shown(&found.to_string())
            ))),
        }
    }

    /// Reads on while `wanted` holds.
    pub(super) fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Reads everything that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// Skips blanks.
    pub(super) fn skip_spaces(&mut self) {
        self.take_while(|c| c == ' ');
    }

    /// The error for what stands here.
    pub(super) fn unexpected(&self, expecting: &str) -> Error {
        let found = match self.peek() {
            Some(c) => format!("\"{}\"", shown(&c.to_string())),
            None => "end of input".to_owned(),
        };
        self.error(format!("unexpected {found} expecting {expecting}"))
    }

    /// An error at this position.
    pub(super) fn error(&self, details: String) -> Error {
        let column = self.text[..self.at].chars().count() + 1;
        let message = format!(
            "\"failed to parse {} ({})\" (line 1, column {column})",
            self.what,
            shown(self.text)
        );
        Error::invalid("PGRST100", message).with_details(details)
    }

    /// Refuses what is nested too deeply.
    pub(super) fn check_depth(&self, depth: usize) -> Result<()> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.error(format!("parentheses are nested deeper than {MAX_DEPTH} levels")))
    }

    /// Reads `"…"`, where a backslash takes the next character as it is.
    pub(super) fn quoted(&mut self) -> Result<String> {
        self.expect("\"")?;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, escaped)) => out.push(escaped),
                    None => break,
                },
                other => out.push(other),
            }
        }
        self.at = self.text.len();
        Err(self.unexpected("closing quote"))
    }

    /// Reads a name: quoted, or letters, digits, `_`, `$`, inner blanks and dashes.
    pub(super) fn name(&mut self, expecting: &str) -> Result<String> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let start = self.at;
        while let Some(c) = self.peek() {
            let dash = c == '-' && !self.rest().starts_with("->") && self.at > start;
            if !(c.is_alphanumeric() || matches!(c, '_' | '$' | ' ') || dash) {
                break;
            }
            self.at += c.len_utf8();
        }
        let name = self.text[start..self.at].trim_matches(' ');
        if name.is_empty() {
            self.at = start;
            return Err(self.unexpected(expecting));
        }
        Ok(name.to_owned())
    }

    /// Reads a column with its JSON path.
    pub(super) fn field(&mut self) -> Result<Field> {
        Ok(Field {
            name: self.name("field name (* or [a..z0..9_$])")?,
            path: self.json_path()?,
        })
    }

    /// Reads `->a->>b`, or nothing.
    pub(super) fn json_path(&mut self) -> Result<Vec<JsonStep>> {
        let mut path = Vec::new();
        loop {
            let as_text = if self.eat("->>") {
                true
            } else if self.eat("->") {
                false
            } else {
                return Ok(path);
            };
            path.push(JsonStep {
                as_text,
                key: self.json_key()?,
            });
            self.check_depth(path.len())?;
        }
    }

    fn json_key(&mut self) -> Result<JsonKey> {
        if self.peek() == Some('"') {
            return Ok(JsonKey::Name(self.quoted()?));
        }
        let word = self.json_word();
        if word.is_empty() {
            return Err(self.unexpected("JSON key or array index"));
        }
        let digits = word.strip_prefix('-').unwrap_or(word);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return word
                .parse()
                .map(JsonKey::Index)
                .map_err(|_| self.error("array index out of range".to_owned()));
        }
        Ok(JsonKey::Name(word.to_owned()))
    }

    fn json_word(&mut self) -> &'a str {
        let start = self.at;
        self.eat("-");
        while let Some(c) = self.peek() {
            if matches!(c, '(' | ')' | ':' | '.' | ',' | '>' | '!') || self.rest().starts_with("->") {
                break;
            }
            self.at += c.len_utf8();
        }
        &self.text[start..self.at]
    }
}
