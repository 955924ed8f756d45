//! From facts to sections.

use std::collections::BTreeMap;

use super::document::{Document, Section, SectionId};
use super::escape;
use super::facts::{Facts, ForeignKeyFacts, TableFacts};
use super::prose::Prose;
use super::sections::body;
use super::{Audience, Options};

/// What every section is written from.
pub(super) struct Context<'a> {
    pub(super) facts: &'a Facts,
    pub(super) audience: Audience,
    pub(super) prose: &'a Prose,
    /// The version before.
    pub(super) previous: Option<&'a Document>,
    /// By table: which keys point at it, and from where.
    referring: BTreeMap<&'a str, Vec<(&'a TableFacts, &'a ForeignKeyFacts)>>,
}

impl<'a> Context<'a> {
    fn new(facts: &'a Facts, audience: Audience, previous: Option<&'a Document>, prose: &'a Prose) -> Self {
        let mut referring: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for table in &facts.tables {
            for key in &table.foreign_keys {
                referring.entry(&key.table).or_default().push((table, key));
            }
        }
        Self {
            facts,
            audience,
            prose,
            previous,
            referring,
        }
    }

    /// The same, for the other readers.
    pub(super) fn for_others(&self) -> Self {
        let audience = match self.audience {
            Audience::Newcomer => Audience::Developer,
            Audience::Developer => Audience::Newcomer,
        };
        Self::new(self.facts, audience, self.previous, self.prose)
    }

    pub(super) fn newcomer(&self) -> bool {
        self.audience == Audience::Newcomer
    }

    /// The keys that point at a table.
    pub(super) fn references(&self, table: &str) -> Option<&[(&'a TableFacts, &'a ForeignKeyFacts)]> {
        self.referring.get(table).map(Vec::as_slice)
    }

    /// How many keys lead from and to a table.
    pub(super) fn connections(&self, table: &str) -> usize {
        let from = self.facts.table(table).map_or(0, |table| table.foreign_keys.len());
        from + self.references(table).map_or(0, <[_]>::len)
    }
}

/// Writes the documentation. Sections that `options` leave out are those of `previous`; what somebody has added there
/// by hand, under headings of their own, is kept at the end.
pub fn render(facts: &Facts, options: &Options, previous: Option<&Document>, prose: &Prose) -> Document {
    let context = Context::new(facts, options.audience, previous, prose);
    let wanted = |id: &SectionId| options.sections.is_empty() || options.sections.contains(id);
    let mut sections = Vec::new();
    for id in SectionId::ALL {
        if wanted(&id) {
            sections.push(Section {
                id: id.name().to_owned(),
                title: id.title().to_owned(),
                body: body(id, &context),
            });
        } else {
            sections.extend(previous.and_then(|previous| previous.section(id.name())).cloned());
        }
    }
    let by_hand = previous.map(|previous| &previous.sections).into_iter().flatten();
    sections.extend(
        by_hand
            .filter(|section| SectionId::from_name(&section.id).is_none())
            .cloned(),
    );
    Document {
        title: escape::text(&facts.project.name).trim().to_owned(),
        preamble: prose.note.as_deref().map(escape::prose).unwrap_or_default(),
        sections,
    }
}
