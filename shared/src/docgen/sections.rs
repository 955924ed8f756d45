//! One file for each section.

mod authentication;
mod changes;
mod data_model;
mod endpoints;
mod functions;
mod limits;
mod overview;
mod quick_start;
mod tables;

use super::document::SectionId;
use super::render::Context;

/// The body of a section.
pub(super) fn body(id: SectionId, context: &Context<'_>) -> String {
    let text = match id {
        SectionId::Overview => overview::body(context),
        SectionId::QuickStart => quick_start::body(context),
        SectionId::DataModel => data_model::body(context),
        SectionId::Tables => tables::body(context),
        SectionId::Functions => functions::body(context),
        SectionId::Endpoints => endpoints::body(context),
        SectionId::Authentication => authentication::body(context),
        SectionId::Limits => limits::limits(context),
        SectionId::Errors => limits::errors(context),
        SectionId::Changes => changes::body(context),
    };
    text.trim().to_owned()
}

/// "3 tables", "one view".
fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("one {one}"),
        _ => format!("{number} {many}"),
    }
}
