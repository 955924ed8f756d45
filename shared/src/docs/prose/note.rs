//! What a document says of how its prose came about.

use super::Report;

/// Names that the note lists.
const NAMED: usize = 5;

/// Plain text; what stands in backticks is shown as code.
pub(super) fn of(report: &Report) -> String {
    let mut said = Vec::new();
    let model = &report.model;
    if report.texts > 0 {
        said.push(format!(
            "The texts that are marked so were written by an AI (`{model}`) from the schema. Check them before you rely on them."
        ));
    } else {
        let why = report
            .failure
            .as_ref()
            .map_or("nothing that it wrote could be kept", |failure| &failure.message);
        said.push(format!(
            "An AI (`{model}`) was asked for texts and wrote none: {why}. What follows is generated from the facts alone."
        ));
    }
    if report.removed > 0 {
        let mut removed = match report.removed {
            1 => "One sentence was left out".to_owned(),
            several => format!("{several} sentences were left out"),
        };
        if !report.unknown_names.is_empty() {
            let shown: Vec<_> = report
                .unknown_names
                .iter()
                .take(NAMED)
                .map(|name| format!("`{name}`"))
                .collect();
            let more = if report.unknown_names.len() > NAMED {
                " and others"
            } else {
                ""
            };
            removed.push_str(&format!(", with names that do not exist: {}{more}", shown.join(", ")));
        }
        said.push(format!("{removed}."));
    }
    if report.texts > 0
        && let Some(failure) = &report.failure
    {
        said.push(format!("The others could not be written: {}.", failure.message));
    }
    if report.left_out > 0 {
        said.push(format!(
            "{} tables and functions are more than it was asked about.",
            report.left_out
        ));
    }
    said.join(" ")
}
