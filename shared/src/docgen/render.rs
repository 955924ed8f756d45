//! From facts to sections.

use super::document::{Document, Section, SectionId};
use super::facts::Facts;
use super::prose::Prose;
use super::{Audience, Options};

/// What every section is written from.
pub(super) struct Context<'a> {
    pub(super) facts: &'a Facts,
    pub(super) audience: Audience,
    pub(super) prose: &'a Prose,
    /// The version before.
    pub(super) previous: Option<&'a Document>,
}

/// Writes the documentation. Sections that `options` leave out are those of `previous`; what somebody has added there
/// by hand, under headings of their own, is kept at the end.
pub fn render(facts: &Facts, options: &Options, previous: Option<&Document>, prose: &Prose) -> Document {
    let context = Context {
        facts,
        audience: options.audience,
        prose,
        previous,
    };
    let wanted = |id: &SectionId| options.sections.is_empty() || options.sections.contains(id);
    let mut sections = Vec::new();
    for id in SectionId::ALL {
        if wanted(&id) {
            sections.extend(section(id, &context));
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
        title: facts.project.name.clone(),
        preamble: prose.note.clone().unwrap_or_default(),
        sections,
    }
}

fn section(id: SectionId, context: &Context<'_>) -> Option<Section> {
    let _ = (context.facts, context.audience, context.prose, context.previous);
    Some(Section {
        id: id.name().to_owned(),
        title: id.title().to_owned(),
        body: String::new(),
    })
}
