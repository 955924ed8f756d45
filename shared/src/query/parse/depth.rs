//! How deep a body is nested.

/// Levels of objects and arrays that a body may have: more than any document has, fewer than would hurt a parser.
const MOST: usize = 128;

/// Whether JSON is nested too deeply. What skips values does not count their levels, and Postgres spends its stack on them.
pub(super) fn too_deep(json: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_brackets_outside_of_strings_count() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!too_deep(&nested(MOST)));
        assert!(too_deep(&nested(MOST + 1)));
        assert!(too_deep(&"{\"a\":".repeat(1_000_000)));
        assert!(!too_deep(&format!("[{}]", "[],".repeat(1_000))));
        assert!(!too_deep(&format!(r#"["{}\"{}"]"#, "[".repeat(500), "{".repeat(500))));
    }
}
