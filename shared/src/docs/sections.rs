//! A document as its sections: a heading and what stands below it, up to the next one.

use std::collections::HashMap;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// What the documents are written in: Markdown with tables, struck-out text and task lists.
pub(super) fn dialect() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// A section. Two of a document never have the same path and turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section<'a> {
    /// The titles of the headings it stands below, then its own. Empty for what stands before the first heading.
    pub path: Vec<String>,
    /// Which one of those with this path it is, from 0.
    pub turn: usize,
    /// The heading and all below it.
    pub text: &'a str,
    /// What stands below the heading.
    pub body: &'a str,
}

impl Section<'_> {
    /// What it is recognised by in another version.
    pub(super) fn key(&self) -> (&[String], usize) {
        (&self.path, self.turn)
    }

    /// The table that it, or the section it stands in, is about: its title is a name in backticks, which may follow a
    /// word such as `Table`.
    pub(super) fn table(&self) -> Option<&str> {
        self.path.iter().rev().find_map(|title| table_named(title))
    }
}

/// What generated documents call the things they have a section each for.
const KINDS: [&str; 5] = ["Table ", "View ", "Materialized view ", "Foreign table ", "Resource "];

/// The table that a title names.
pub(super) fn table_named(title: &str) -> Option<&str> {
    let said = KINDS.iter().find_map(|kind| title.strip_prefix(kind));
    let name = said.unwrap_or(title).strip_prefix('`')?.strip_suffix('`')?;
    // Where no kind is said, other things may stand in backticks: endpoints, calls.
    let plain = said.is_some() || !name.contains([' ', '/', '(']);
    (plain && !name.is_empty() && !name.contains('`')).then_some(name)
}

/// The sections of a document, in their order.
pub(super) fn sections(document: &str) -> Vec<Section<'_>> {
    let headings = headings(document);
    let first = headings.first().map_or(document.len(), |heading| heading.at.start);
    let mut found = Vec::with_capacity(headings.len() + 1);
    if !document[..first].trim().is_empty() {
        found.push(Section {
            path: Vec::new(),
            turn: 0,
            text: &document[..first],
            body: &document[..first],
        });
    }
    let mut above: Vec<(HeadingLevel, String)> = Vec::new();
    let mut turns: HashMap<Vec<String>, usize> = HashMap::new();
    for (index, heading) in headings.iter().enumerate() {
        let end = headings.get(index + 1).map_or(document.len(), |next| next.at.start);
        above.retain(|(level, _)| *level < heading.level);
        above.push((heading.level, heading.title.clone()));
        let path: Vec<String> = above.iter().map(|(_, title)| title.clone()).collect();
        let turn = turns.entry(path.clone()).or_default();
        found.push(Section {
            path,
            turn: *turn,
            text: &document[heading.at.start..end],
            body: &document[heading.at.end..end],
        });
        *turn += 1;
    }
    found
}

struct Heading {
    level: HeadingLevel,
    title: String,
    at: Range<usize>,
}

/// The headings that stand by themselves, not in quotes or lists.
fn headings(document: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut depth = 0usize;
    let mut inside = false;
    for (event, at) in Parser::new_ext(document, dialect()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                inside = true;
                depth += 1;
                let title = String::new();
                found.push(Heading { level, title, at });
            }
            Event::End(TagEnd::Heading(_)) if depth == 1 => {
                inside = false;
                depth -= 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(text) if inside => append(&mut found, &text),
            Event::Code(code) if inside => append(&mut found, &format!("`{code}`")),
            Event::SoftBreak | Event::HardBreak if inside => append(&mut found, " "),
            _ => {}
        }
    }
    found
}

fn append(found: &mut [Heading], text: &str) {
    if let Some(heading) = found.last_mut() {
        heading.title.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(document: &str) -> Vec<String> {
        let all = sections(document);
        let show = |section: &Section<'_>| {
            let place = section.path.join(" / ");
            format!("{place}#{}: {}", section.turn, section.body.trim().replace('\n', "\\n"))
        };
        all.iter().map(show).collect()
    }

    #[test]
    fn a_document_falls_into_its_headings_sections() {
        let document = "Before.\n\n# Shop\nHello.\n## Tables\n### `orders`\nOne.\n### `items`\nTwo.\n## Limits\nFew.\n";
        insta::assert_snapshot!(shown(document).join("\n"), @r"
        #0: Before.
        Shop#0: Hello.
        Shop / Tables#0: 
        Shop / Tables / `orders`#0: One.
        Shop / Tables / `items`#0: Two.
        Shop / Limits#0: Few.
        ");
    }

    #[test]
    fn what_only_looks_like_a_heading_is_none() {
        let document = "# A\n```sh\n# comment\n```\n> # quoted\n\n- # listed\n\n    # code\n\nSet\n===\nx\n";
        let titles: Vec<_> = sections(document).iter().map(|s| s.path.join(" / ")).collect();
        assert_eq!(titles, ["A", "Set"]);
    }

    #[test]
    fn sections_of_one_path_are_told_apart_by_their_turn() {
        assert_eq!(shown("# A\n1\n# A\n2\n"), ["A#0: 1", "A#1: 2"]);
        assert_eq!(shown(""), Vec::<String>::new());
        assert_eq!(shown("\n\n"), Vec::<String>::new());
    }

    #[test]
    fn every_byte_is_in_one_section() {
        for document in [
            "x\n# A\n\n\n## B\ny",
            "# é\r\n\u{feff}# ü\r\n",
            "#\n#\n#",
            "a\n-\n# \u{0}",
        ] {
            let texts: String = sections(document).iter().map(|section| section.text).collect();
            assert_eq!(texts, document);
        }
    }

    #[test]
    fn tables_are_recognised_by_their_names_in_backticks() {
        for (document, table) in [
            ("# `orders`", Some("orders")),
            ("# Table `orders`", Some("orders")),
            ("# View `late orders`", Some("late orders")),
            ("# `late orders`", None),
            ("# Function `total`", None),
            ("# `orders`\n## Columns", Some("orders")),
            ("# `GET /orders`", None),
            ("# `a` and `b`", None),
            ("# Orders", None),
            ("# ``", None),
        ] {
            assert_eq!(sections(document).last().unwrap().table(), table, "{document}");
        }
    }
}
