//! A tenant's text in Markdown: shown as it stands, whatever it holds.

use std::fmt::Write as _;

/// Text of one line: line breaks and other controls become spaces, and what Markdown or HTML would read is escaped.
pub(super) fn text(raw: &str) -> String {
    let line = one_line(raw);
    let mut out = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        match c {
            // A backslash before a pipe does not part cells everywhere alike; its number does.
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '#' | '+' | '-' | '=' | ':' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if is_number(&line[..at]) => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A name or an expression as code. Not for what holds a pipe in a cell: [`cell`].
pub(super) fn code(raw: &str) -> String {
    let line = one_line(raw);
    if line.trim().is_empty() {
        return "*(empty)*".to_owned();
    }
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let padded = line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']);
    let pad = if padded { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// The same in a cell of a table, where a pipe counts even in code.
pub(super) fn cell(raw: &str) -> String {
    if raw.contains('|') { text(raw) } else { code(raw) }
}

/// What a heading with that text (as shown) is linked by, as GitHub makes it.
pub fn anchor(shown: &str) -> String {
    let mut id = String::new();
    for c in shown.chars() {
        match c {
            ' ' => id.push('-'),
            '-' | '_' => id.push(c),
            _ if c.is_alphanumeric() => id.extend(c.to_lowercase()),
            _ => {}
        }
    }
    id
}

/// A link to a heading of this document.
pub(super) fn link(label: &str, heading: &str) -> String {
    let mut target = String::new();
    for byte in anchor(heading).bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => target.push(char::from(byte)),
            _ => {
                let _ = write!(target, "%{byte:02X}");
            }
        }
    }
    format!("[{label}](#{target})")
}

/// Without controls, and without marks that turn the direction of the text around them.
pub(super) fn one_line(raw: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let plain = |c: char| if c.is_control() || turns(c) { ' ' } else { c };
    raw.chars().map(plain).collect()
}

/// Paragraphs of prose: blank lines part them, and what stands between backticks is code.
pub(super) fn prose(raw: &str) -> String {
    let paragraphs = raw.replace("\r\n", "\n");
    let paragraphs = paragraphs.split("\n\n").map(str::trim).map(paragraph);
    // One of nothing but a backtick comes to nothing.
    let shown: Vec<String> = paragraphs.filter(|text| !text.is_empty()).collect();
    shown.join("\n\n")
}

fn paragraph(raw: &str) -> String {
    let mut out = String::new();
    let parts: Vec<&str> = raw.split('`').collect();
    for (at, part) in parts.iter().enumerate() {
        let closed = at + 1 < parts.len();
        if at % 2 == 1 && closed && !part.trim().is_empty() {
            out.push_str(&code(part.trim()));
        } else if out.is_empty() {
            out.push_str(&text(part.trim_start()));
        } else {
            // In the middle of a line only what counts anywhere is escaped.
            out.push_str(text(&format!("x{part}")).get(1..).unwrap_or_default());
        }
    }
    out.trim().to_owned()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        for (raw, shown) in [
            ("plain words, 3.5 of them!", "plain words, 3.5 of them!"),
            ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
            ("<script>&", r"\<script\>\&"),
            ("a|b\n# c", "a&#124;b # c"),
            ("# heading", r"\# heading"),
            ("1. item", r"1\. item"),
            ("[x](http://y)", r"\[x\](http://y)"),
        ] {
            assert_eq!(text(raw), shown);
        }
    }

    #[test]
    fn code_outlasts_backticks_and_pipes() {
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(cell("a|b"), "a&#124;b");
    }

    #[test]
    fn prose_keeps_names_and_nothing_else() {
        assert_eq!(
            prose("# All about `films` <b>and\nmore\n\n`unclosed"),
            "\\# All about `films` \\<b\\>and more\n\n\\`unclosed".replace("\\`unclosed", "unclosed")
        );
    }
}
