//! Texts in HTML.

/// A text as it can stand in an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Paragraphs, with what stands between backticks as code.
pub(super) fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    paragraphs.map(|part| format!("<p>{}</p>", line(part))).collect()
}

/// One paragraph without its element.
pub(super) fn line(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its other half is one.
    let paired = parts.len() % 2 == 1;
    let last = parts.len() - 1;
    let mut html = String::new();
    for (at, part) in parts.iter().enumerate() {
        match (paired, at % 2) {
            (true, 1) => html.push_str(&format!("<code>{}</code>", escape(part))),
            (false, _) if at < last => html.push_str(&(escape(part) + "`")),
            _ => html.push_str(&escape(part)),
        }
    }
    html
}

/// Something an anchor can be called.
pub(super) fn slug(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    text.chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .collect()
}
