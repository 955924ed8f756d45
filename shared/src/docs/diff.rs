//! What is different between two versions: as one unified diff, and section by section.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::sections::{Section, sections};

/// A comparison that takes longer goes on less exactly: what it says is still true, only longer than need be.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines that came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// What happened to a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its text is another.
    Changed,
    /// Its text is the same, its place another.
    Moved,
}

/// A section that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SectionChange {
    /// What happened to it.
    pub change: ChangeKind,
    /// The titles of the headings it stands below, then its own; empty for what stands before the first heading.
    pub section: Vec<String>,
    /// The same in the earlier version, for one that moved.
    pub moved_from: Option<Vec<String>>,
    /// The table it is about, where that can be told.
    pub table: Option<String>,
    /// Its lines.
    pub lines: Lines,
    /// Its own unified diff; empty for one that moved.
    pub diff: String,
}

fn compared<'a>(old: &'a str, new: &'a str) -> TextDiff<'a, 'a, 'a, str> {
    TextDiff::configure().timeout(PATIENCE).diff_lines(old, new)
}

/// The unified diff, with three lines around each change; empty for equal texts.
pub(super) fn unified(old: &str, new: &str, names: (&str, &str)) -> String {
    let diff = compared(old, new);
    diff.unified_diff()
        .context_radius(3)
        .header(names.0, names.1)
        .to_string()
}

/// How many lines came and went.
pub(super) fn lines(old: &str, new: &str) -> Lines {
    count(&compared(old, new))
}

fn count<'a>(diff: &TextDiff<'a, 'a, 'a, str>) -> Lines {
    let mut lines = Lines::default();
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Insert => lines.added += 1,
            ChangeTag::Delete => lines.removed += 1,
            ChangeTag::Equal => {}
        }
    }
    lines
}

/// What became of each section that is different, in the order of the later version; those that are gone come last.
pub(super) fn by_section(old: &str, new: &str) -> Vec<SectionChange> {
    let (old, new) = (sections(old), sections(new));
    let place: HashMap<_, _> = old
        .iter()
        .enumerate()
        .map(|(at, section)| (section.key(), at))
        .collect();
    let known: HashSet<_> = new.iter().map(Section::key).collect();
    let mut gone = Gone::new(old.iter().filter(|section| !known.contains(&section.key())));
    let shared: Vec<usize> = new
        .iter()
        .filter_map(|section| place.get(&section.key()).copied())
        .collect();
    let steady = longest_rise(&shared);

    let mut changes = Vec::new();
    for section in &new {
        let change = match place.get(&section.key()) {
            Some(at) if old[*at].text.trim_end() != section.text.trim_end() => Some(changed(&old[*at], section)),
            Some(at) if !steady.contains(at) => Some(moved(&old[*at], section)),
            Some(_) => None,
            None => Some(match gone.take_same(section) {
                Some(from) => moved(from, section),
                None => one_sided(ChangeKind::Added, section),
            }),
        };
        changes.extend(change);
    }
    changes.extend(gone.rest().map(|section| one_sided(ChangeKind::Removed, section)));
    changes
}

/// The earlier sections that the later version has not under the same path.
struct Gone<'b, 'a> {
    sections: Vec<&'b Section<'a>>,
    taken: HashSet<usize>,
    by_body: HashMap<&'a str, VecDeque<usize>>,
}

impl<'b, 'a> Gone<'b, 'a> {
    fn new(sections: impl Iterator<Item = &'b Section<'a>>) -> Self {
        let sections: Vec<_> = sections.collect();
        let mut by_body: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (at, section) in sections.iter().enumerate() {
            by_body.entry(section.body.trim()).or_default().push_back(at);
        }
        let taken = HashSet::new();
        Self {
            sections,
            taken,
            by_body,
        }
    }

    /// One with the same body: the new one is that one, elsewhere or with another title.
    fn take_same(&mut self, section: &Section<'_>) -> Option<&'b Section<'a>> {
        let body = section.body.trim();
        if body.is_empty() {
            return None;
        }
        let at = self.by_body.get_mut(body)?.pop_front()?;
        self.taken.insert(at);
        Some(self.sections[at])
    }

    fn rest(self) -> impl Iterator<Item = &'b Section<'a>> {
        let taken = self.taken;
        let left = self
            .sections
            .into_iter()
            .enumerate()
            .filter(move |(at, _)| !taken.contains(at));
        left.map(|(_, section)| section)
    }
}

fn changed(old: &Section<'_>, new: &Section<'_>) -> SectionChange {
    let diff = compared(old.text, new.text);
    SectionChange {
        change: ChangeKind::Changed,
        section: new.path.clone(),
        moved_from: None,
        table: new.table().map(str::to_owned),
        lines: count(&diff),
        diff: diff.unified_diff().context_radius(3).to_string(),
    }
}

fn moved(old: &Section<'_>, new: &Section<'_>) -> SectionChange {
    SectionChange {
        change: ChangeKind::Moved,
        section: new.path.clone(),
        moved_from: Some(old.path.clone()),
        table: new.table().map(str::to_owned),
        lines: Lines::default(),
        diff: String::new(),
    }
}

fn one_sided(change: ChangeKind, section: &Section<'_>) -> SectionChange {
    let (old, new) = match change {
        ChangeKind::Removed => (section.text, ""),
        _ => ("", section.text),
    };
    let diff = compared(old, new);
    SectionChange {
        change,
        section: section.path.clone(),
        moved_from: None,
        table: section.table().map(str::to_owned),
        lines: count(&diff),
        diff: diff.unified_diff().to_string(),
    }
}

/// The values of the longest rising subsequence: what kept its order while the rest moved around it.
fn longest_rise(values: &[usize]) -> HashSet<usize> {
    // tails[n] ends the rise of n + 1 values that ends lowest; before[i] is the value that comes before values[i].
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let length = tails.partition_point(|tail| values[*tail] < *value);
        before.push(length.checked_sub(1).map(|shorter| tails[shorter]));
        if length == tails.len() {
            tails.push(at);
        } else {
            tails[length] = at;
        }
    }
    let mut rise = HashSet::new();
    let mut next = tails.last().copied();
    while let Some(at) = next {
        rise.insert(values[at]);
        next = before[at];
    }
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let show = |change: &SectionChange| {
            let from = change
                .moved_from
                .as_ref()
                .map(|from| format!(" from {}", from.join(" / ")));
            let Lines { added, removed } = change.lines;
            format!(
                "{:?} {}{} +{added} -{removed}",
                change.change,
                change.section.join(" / "),
                from.unwrap_or_default()
            )
        };
        by_section(old, new).iter().map(show).collect::<Vec<_>>().join("\n")
    }

    const OLD: &str = "# Shop\nHello.\n## A\none\n## B\ntwo\n## C\nthree\n";

    #[test]
    fn sections_are_added_removed_changed_and_moved() {
        let new = "# Shop\nHello.\n## C\nthree\n## A\none!\nand more\n## D\nfour\n";
        insta::assert_snapshot!(shown(OLD, new), @r"
        Moved Shop / C from Shop / C +0 -0
        Changed Shop / A +2 -1
        Added Shop / D +2 -0
        Removed Shop / B +0 -2
        ");
        let swapped = "# Shop\nHello.\n## B\ntwo\n## C\nthree\n## A\none\n";
        insta::assert_snapshot!(shown(OLD, swapped), @"Moved Shop / A from Shop / A +0 -0");
        let renamed = "# Shop\nHello.\n## A\none\n## Bee\ntwo\n## C\nthree\n";
        insta::assert_snapshot!(shown(OLD, renamed), @"Moved Shop / Bee from Shop / B +0 -0");
        assert_eq!(shown(OLD, OLD), "");
        assert_eq!(shown("", ""), "");
    }

    #[test]
    fn space_at_a_sections_end_is_no_change_of_it() {
        assert_eq!(shown("# A\nx\n# B\ny", "# A\nx\n\n\n# B\ny\n"), "");
    }

    #[test]
    fn the_unified_diff_names_both_sides() {
        insta::assert_snapshot!(unified(OLD, &OLD.replace("two", "2"), ("version 1", "version 2")), @r"
        --- version 1
        +++ version 2
        @@ -3,6 +3,6 @@
         ## A
         one
         ## B
        -two
        +2
         ## C
         three
        ");
        assert_eq!(unified(OLD, OLD, ("a", "b")), "");
    }

    #[test]
    fn the_longest_rise_is_what_kept_its_order() {
        for (values, rise) in [
            (&[][..], &[][..]),
            (&[0, 1, 2], &[0, 1, 2]),
            (&[2, 0, 1], &[0, 1]),
            (&[3, 1, 2, 0, 4], &[1, 2, 4]),
        ] {
            assert_eq!(longest_rise(values), rise.iter().copied().collect(), "{values:?}");
        }
    }

    #[test]
    fn whole_documents_with_nothing_in_common_are_compared_within_bounds() {
        let side = |letter: char| (0..20_000).fold(String::new(), |text, n| text + &format!("{letter}{n}\n"));
        let found = lines(&side('a'), &side('b'));
        assert_eq!((found.added, found.removed), (20_000, 20_000));
    }
}
