//! Summaries, descriptions and tags.

use serde_json::{Value, json};

/// Longest summary.
const LONGEST: usize = 110;

/// Tags of paths whose declarations name none.
const PLACES: &[(&str, &str)] = &[
    ("/p/{ref}/storage/", "later"),
    ("/p/{ref}/realtime/", "later"),
    ("/p/{ref}/functions/", "later"),
    ("/p/{ref}/rest/", "records"),
    ("/api/database/{id}/records", "records"),
    ("/api/v1/", "records"),
    ("/health", "health"),
];

/// The comment of a handler is its first line and the rest; a summary is its first sentence.
pub(super) fn tell(method: &str, path: &str, operation: &mut Value) {
    let part = |name: &str| operation[name].as_str().unwrap_or_default().trim().to_owned();
    let (first, rest) = (part("summary"), part("description"));
    let whole = if rest.is_empty() {
        first
    } else {
        format!("{first}\n{rest}")
    };
    let whole = plain(&whole);
    let summary = summary(&whole);
    let summary = if summary.is_empty() {
        format!("{} {path}", method.to_uppercase())
    } else {
        summary
    };
    if whole.trim_end_matches('.') == summary {
        if let Some(operation) = operation.as_object_mut() {
            operation.remove("description");
        }
    } else {
        operation["description"] = whole.into();
    }
    operation["summary"] = summary.into();
    if operation["tags"][0].as_str().is_none() {
        let known = PLACES
            .iter()
            .find(|(place, _)| format!("{path}/").starts_with(place) || path == *place);
        operation["tags"] = json!([known.map_or("other", |(_, tag)| *tag)]);
    }
}

/// Lines joined to paragraphs, links of comments as what they show.
fn plain(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let text = paragraphs
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n");
    text.replace("[`", "`").replace("`]", "`")
}

fn summary(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let end = [". ", "; ", ": "]
        .iter()
        .filter_map(|end| paragraph.find(end))
        .min()
        .unwrap_or(paragraph.len());
    let sentence = paragraph[..end].trim_end_matches('.');
    match sentence.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &sentence[..at]),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence_and_what_says_more_is_kept() {
        for (first, rest, summary, description) in [
            ("Makes a key.", "", "Makes a key", Value::Null),
            (
                "Makes a project, with the caller as its owner; with `x` a",
                "row.",
                "Makes a project, with the caller as its owner",
                json!("Makes a project, with the caller as its owner; with `x` a row."),
            ),
            (
                "As [`root`]: many clients",
                "write it.",
                "As `root`",
                json!("As `root`: many clients write it."),
            ),
        ] {
            let mut operation = json!({ "summary": first, "description": rest });
            tell("get", "/api/v1/x", &mut operation);
            assert_eq!(operation["summary"], summary);
            assert_eq!(operation["description"], description);
            assert_eq!(operation["tags"], json!(["records"]));
        }
    }
}
