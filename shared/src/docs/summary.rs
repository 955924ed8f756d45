//! What is different from the version before, in a sentence or two. It is computed, never asked for.

use std::collections::{BTreeSet, HashMap};

use super::diff::{ChangeKind, SectionChange, by_section, lines};
use super::sections::{sections, table_named};

const KINDS: [ChangeKind; 4] = [
    ChangeKind::Added,
    ChangeKind::Removed,
    ChangeKind::Changed,
    ChangeKind::Moved,
];

/// Names that one kind of change lists; the rest are counted.
const NAMED: usize = 5;
/// Characters of a name that are shown.
const NAME: usize = 60;

/// What `new` changes about `old`, the latest version before it.
pub(super) fn summary(old: Option<&str>, new: &str) -> String {
    let Some(old) = old else { return first(new) };
    if old == new {
        return "No changes.".to_owned();
    }
    let changes = by_section(old, new);
    let mut said = Vec::new();
    let tables = tables(&changes);
    for kind in KINDS {
        let of_kind: Vec<_> = tables
            .iter()
            .filter(|table| table.1 == kind)
            .map(|table| table.0)
            .collect();
        said.extend(named("Tables", kind, &of_kind));
    }
    for kind in KINDS {
        said.extend(named("Sections", kind, &titles(&changes, kind)));
    }
    let lines = lines(old, new);
    said.push(format!("+{} −{} lines.", lines.added, lines.removed));
    said.join(" ")
}

fn first(new: &str) -> String {
    let found = sections(new);
    let tables: BTreeSet<_> = found.iter().filter_map(|section| section.table()).collect();
    let mut counts = vec![counted(found.len(), "section")];
    if !tables.is_empty() {
        counts.push(counted(tables.len(), "table"));
    }
    counts.push(counted(new.lines().count(), "line"));
    format!("First version: {}.", counts.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What became of each table, in the order of the changes. One that has come, gone or moved as a whole is not changed
/// beside that; one of which a part has is changed.
fn tables(changes: &[SectionChange]) -> Vec<(&str, ChangeKind)> {
    let mut fates: HashMap<&str, ChangeKind> = HashMap::new();
    let mut order = Vec::new();
    for change in changes {
        let Some(table) = change.table.as_deref() else { continue };
        let whole = change.section.last().is_some_and(|title| table_named(title).is_some());
        if !fates.contains_key(table) {
            order.push(table);
        }
        let fate = fates.entry(table).or_insert(ChangeKind::Changed);
        if whole {
            *fate = change.change;
        }
    }
    order.into_iter().map(|table| (table, fates[table])).collect()
}

/// The titles of the sections of that kind of change that are about no table. Those below one that has come or gone as
/// well are not listed beside it.
fn titles(changes: &[SectionChange], kind: ChangeKind) -> Vec<&str> {
    let of_kind: Vec<_> = changes
        .iter()
        .filter(|change| change.change == kind && change.table.is_none())
        .collect();
    let whole = matches!(kind, ChangeKind::Added | ChangeKind::Removed);
    let paths: BTreeSet<_> = of_kind.iter().map(|change| &change.section).collect();
    let is_part = |change: &SectionChange| {
        let above = |length: usize| paths.contains(&change.section[..length].to_vec());
        whole && (1..change.section.len()).any(above)
    };
    let shown = of_kind.iter().filter(|change| !is_part(change));
    shown
        .map(|change| change.section.last().map_or("(beginning)", String::as_str))
        .collect()
}

fn named(what: &str, kind: ChangeKind, names: &[&str]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let verb = match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
        ChangeKind::Moved => "moved",
    };
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| shortened(name)).collect();
    let rest = names.len() - shown.len();
    let more = if rest == 0 {
        String::new()
    } else {
        format!(" and {rest} more")
    };
    Some(format!("{what} {verb}: {}{more}.", shown.join(", ")))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# Shop\nHello.\n## Tables\n### `orders`\n#### Columns\nid\n### `items`\nx\n## Limits\nfew\n";

    #[test]
    fn the_first_version_is_counted() {
        assert_eq!(summary(None, OLD), "First version: 6 sections, 2 tables, 10 lines.");
        assert_eq!(summary(None, "x"), "First version: 1 section, 1 line.");
        assert_eq!(summary(None, ""), "First version: 0 sections, 0 lines.");
    }

    #[test]
    fn tables_and_sections_are_named_by_what_became_of_them() {
        for (new, expected) in [
            (OLD.to_owned(), "No changes."),
            (
                OLD.replace("id\n", "id, total\n"),
                "Tables changed: orders. +1 −1 lines.",
            ),
            (OLD.replace("few", "many"), "Sections changed: Limits. +1 −1 lines."),
            (
                OLD.replace("### `items`\nx\n", "### `parts`\ny\n#### Columns\nn\n"),
                "Tables added: parts. Tables removed: items. +4 −2 lines.",
            ),
            (
                OLD.replace("## Limits\nfew\n", "## Auth\nby key\n### Keys\ntwo\n"),
                "Sections added: Auth. Sections removed: Limits. +4 −2 lines.",
            ),
            (format!("Note.\n\n{OLD}"), "Sections added: (beginning). +2 −0 lines."),
            (
                "# Shop\nHello.\n## Limits\nfew\n## Tables\n### `orders`\n#### Columns\nid\n### `items`\nx\n"
                    .to_owned(),
                "Sections moved: Limits. +2 −2 lines.",
            ),
        ] {
            assert_eq!(summary(Some(OLD), &new), expected);
        }
    }

    #[test]
    fn a_summary_stays_short() {
        let many: String = (0..10_000)
            .map(|n| format!("# `t{n}`\nx{n}\n# {}{n}\ny{n}\n", "long ".repeat(50)))
            .collect();
        let said = summary(Some(OLD), &many);
        assert!(
            said.contains("`") || said.starts_with("Tables added: t0, t1, t2, t3, t4 and 9995 more."),
            "{said}"
        );
        assert!(said.len() < 2_000, "{}", said.len());
    }
}
