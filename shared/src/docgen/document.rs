//! A documentation as sections, and its Markdown. The text is the one thing that is kept: it is read back into the same
//! sections by its headings, so that people may edit it.

use std::fmt::Write as _;

/// The sections that are generated, in the order of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectionId {
    /// What this is.
    Overview,
    /// Working code.
    QuickStart,
    /// How the tables hang together.
    DataModel,
    /// Every table and column.
    Tables,
    /// Every function.
    Functions,
    /// Every endpoint, with examples.
    Endpoints,
    /// Keys and users.
    Authentication,
    /// What is bounded.
    Limits,
    /// Error codes.
    Errors,
    /// What is different from the version before.
    Changes,
}

impl SectionId {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 10] = [
        Self::Overview,
        Self::QuickStart,
        Self::DataModel,
        Self::Tables,
        Self::Functions,
        Self::Endpoints,
        Self::Authentication,
        Self::Limits,
        Self::Errors,
        Self::Changes,
    ];

    /// Its name in requests, links and diffs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::QuickStart => "quick-start",
            Self::DataModel => "data-model",
            Self::Tables => "tables",
            Self::Functions => "functions",
            Self::Endpoints => "endpoints",
            Self::Authentication => "authentication",
            Self::Limits => "limits",
            Self::Errors => "errors",
            Self::Changes => "changes",
        }
    }

    /// Its heading. [`id_of`] makes the name of it again.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::QuickStart => "Quick start",
            Self::DataModel => "Data model",
            Self::Tables => "Tables",
            Self::Functions => "Functions",
            Self::Endpoints => "Endpoints",
            Self::Authentication => "Authentication",
            Self::Limits => "Limits",
            Self::Errors => "Errors",
            Self::Changes => "Changes",
        }
    }

    /// The section of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// A part of a document, from one heading of the second level to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Stable: of a generated section the name of its [`SectionId`], of any other what [`id_of`] makes of its title.
    pub id: String,
    /// The heading, in Markdown.
    pub title: String,
    /// What follows it, in Markdown, without blank lines at either end.
    pub body: String,
}

/// A documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The heading, in Markdown.
    pub title: String,
    /// What stands between the heading and the first section, in Markdown.
    pub preamble: String,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

impl Document {
    /// The section of that id.
    pub fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }

    /// As text. [`Document::parse`] reads it again.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            let _ = writeln!(text, "# {}", self.title);
        }
        if !self.preamble.is_empty() {
            let _ = writeln!(text, "\n{}", self.preamble);
        }
        for section in &self.sections {
            let _ = writeln!(text, "\n## {}", section.title);
            if !section.body.is_empty() {
                let _ = writeln!(text, "\n{}", section.body);
            }
        }
        text
    }

    /// Reads any Markdown: headings of the second level part it, but for those in fenced code.
    pub fn parse(markdown: &str) -> Self {
        let mut parsed = Self::default();
        let mut lines: Vec<&str> = Vec::new();
        let mut fence: Option<Fence> = None;
        for line in markdown.lines() {
            fence = match fence {
                Some(open) if open.closes(line) => None,
                Some(open) => Some(open),
                None => Fence::opens(line),
            };
            if fence.is_none() && parsed.is_blank(&lines) && heading(line, 1).is_some() {
                parsed.title = heading(line, 1).unwrap_or_default().to_owned();
                continue;
            }
            match heading(line, 2).filter(|_| fence.is_none()) {
                Some(title) => {
                    parsed.finish(&mut lines);
                    parsed.sections.push(Section {
                        id: parsed.free_id(title),
                        title: title.to_owned(),
                        body: String::new(),
                    });
                }
                None => lines.push(line),
            }
        }
        parsed.finish(&mut lines);
        parsed
    }

    fn is_blank(&self, lines: &[&str]) -> bool {
        self.title.is_empty() && self.sections.is_empty() && lines.iter().all(|line| line.trim().is_empty())
    }

    fn finish(&mut self, lines: &mut Vec<&str>) {
        let body = lines.join("\n").trim_matches('\n').trim_end().to_owned();
        lines.clear();
        match self.sections.last_mut() {
            Some(section) => section.body = body,
            None => self.preamble = body,
        }
    }

    /// Two sections with one title have two ids.
    fn free_id(&self, title: &str) -> String {
        let wanted = id_of(title);
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut ids = std::iter::once(wanted.clone()).chain(numbered);
        ids.find(|id| self.section(id).is_none()).unwrap_or(wanted)
    }
}

/// The text of a heading of that level.
fn heading(line: &str, level: usize) -> Option<&str> {
    let rest = line.strip_prefix(&"######"[..level])?;
    rest.strip_prefix([' ', '\t']).map(str::trim)
}

/// A fence of code that has been opened.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    fn opens(line: &str) -> Option<Self> {
        let (mark, length) = run(line)?;
        let info = line.trim_start().trim_start_matches(mark);
        (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Self { mark, length })
    }

    fn closes(self, line: &str) -> bool {
        let Some((mark, length)) = run(line) else { return false };
        let rest = line.trim_start().trim_start_matches(mark);
        mark == self.mark && length >= self.length && rest.trim().is_empty()
    }
}

/// The marks that a line begins with, after three spaces at most.
fn run(line: &str) -> Option<(char, usize)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let indented = line.len() - text.len() > 3;
    let length = text.chars().take_while(|c| *c == mark).count();
    (!indented).then_some((mark, length))
}

/// What a heading's text is linked by: its letters and digits in lower case, with a dash for what is between them.
pub fn id_of(title: &str) -> String {
    let mut id = String::new();
    for c in title.chars() {
        if c.is_alphanumeric() {
            id.extend(c.to_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() {
        "section".to_owned()
    } else {
        id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_sections_title_makes_its_name() {
        for section in SectionId::ALL {
            assert_eq!(id_of(section.title()), section.name());
            assert_eq!(SectionId::from_name(section.name()), Some(section));
        }
    }

    #[test]
    fn text_is_parted_by_headings_outside_of_code_and_reads_back() {
        let text = "# Shop\n\nIntro\n\n## Overview\n\nA\n\n```sh\n## no heading\n```\n\n## Own words\n\nB\n\n### Deeper\n\n## Own words\n";
        let parsed = Document::parse(text);
        let found: Vec<_> = parsed
            .sections
            .iter()
            .map(|section| (&*section.id, &*section.body))
            .collect();
        assert_eq!(
            found,
            [
                ("overview", "A\n\n```sh\n## no heading\n```"),
                ("own-words", "B\n\n### Deeper"),
                ("own-words-2", ""),
            ]
        );
        assert_eq!((&*parsed.title, &*parsed.preamble), ("Shop", "Intro"));
        assert_eq!(parsed.to_markdown(), text);
        assert_eq!(Document::parse(&parsed.to_markdown()), parsed);
    }

    #[test]
    fn any_text_is_read() {
        for text in [
            "",
            "\n\n",
            "no heading",
            "## ",
            "#",
            "~~~\n## a",
            "    ```\n## a",
            "# a\n# b\n## c",
        ] {
            let parsed = Document::parse(text);
            assert_eq!(Document::parse(&parsed.to_markdown()), parsed, "{text:?}");
        }
    }
}
