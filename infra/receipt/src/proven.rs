//! What a genuine receipt proves, in words.

use std::fmt;

use serde_json::Value;

/// A receipt whose signature holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    kid: String,
    claims: Value,
    id: String,
    completed_at: String,
}

impl Proven {
    /// Reads what was signed, if it names what every receipt has.
    pub(crate) fn read(kid: String, claims: Value) -> Option<Self> {
        let text = |name: &str| Some(claims.get(name)?.as_str()?.to_owned());
        Some(Self {
            kid,
            id: text("jti")?,
            completed_at: text("completedAt")?,
            claims,
        })
    }

    /// What was signed.
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    fn text(&self, name: &str) -> String {
        shown(self.claims.get(name))
    }

    fn list(&self, name: &str) -> &[Value] {
        self.claims
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => escaped(text),
        // A text within has its backslashes doubled already.
        Some(other) => escaped_where(&other.to_string(), is_unseen),
    }
}

/// Texts are their writers': none may begin a line that looks like the verifier's, or turn around what a terminal shows.
fn escaped(text: &str) -> String {
    escaped_where(text, |letter| letter == '\\' || is_unseen(letter))
}

fn escaped_where(text: &str, escape: fn(char) -> bool) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        if escape(letter) {
            clean.extend(letter.escape_default());
        } else {
            clean.push(letter);
        }
    }
    clean
}

/// What a terminal acts on and does not show: control characters, line ends, and marks that change a text's direction.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "GENUINE: signed with the key {}", escaped(&self.kid))?;
        writeln!(f, "receipt      {}", escaped(&self.id))?;
        writeln!(f, "issued by    {}", self.text("iss"))?;
        writeln!(
            f,
            "about        {} of project {}",
            self.text("scope"),
            self.text("projectId")
        )?;
        writeln!(f, "subject map  version {}", shown(self.claims.get("mapVersion")))?;
        writeln!(f, "asked for    {}", self.text("requestedAt"))?;
        writeln!(f, "completed    {}", escaped(&self.completed_at))?;
        for table in self.list("tables") {
            let reason = table.get("reason").map(|reason| format!(" ({})", shown(Some(reason))));
            writeln!(
                f,
                "table        {}: {} {}{}",
                shown(table.get("table")),
                shown(table.get("rows")),
                shown(table.get("rule")),
                reason.unwrap_or_default()
            )?;
        }
        for name in ["account", "documents", "exports", "requests", "audit"] {
            if let Some(value) = self.claims.get(name) {
                writeln!(f, "{name:<12} {}", shown(Some(value)))?;
            }
        }
        for kept in self.list("kept") {
            writeln!(
                f,
                "kept         {}: {}",
                shown(kept.get("what")),
                shown(kept.get("reason"))
            )?;
        }
        let chain = self.claims.get("auditChain");
        let part = |name: &str| shown(chain.and_then(|chain| chain.get(name)));
        write!(f, "audit chain  entry {}, hash {}", part("sequence"), part("hash"))
    }
}
