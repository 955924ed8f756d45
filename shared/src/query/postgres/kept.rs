//! What a refusal means where deleted rows are kept.

use super::super::plan::{Action, DeletedRows, Plan};
use crate::error::Error;

/// An error of the statement of `plan`, with a hint where a deleted row may be what is in the way: it holds its unique
/// values until it is purged, so that it can come back, and cannot be written over.
pub fn hinted(plan: &Plan, error: Error) -> Error {
    if plan.deleted != DeletedRows::Hidden {
        return error;
    }
    match error.code() {
        "23505" => error.with_hint(
            "A deleted row may hold the value: rows of this table are kept for 30 days. Restore it, or choose another value",
        ),
        "42501" if is_upsert(plan) && error.public().contains("(USING expression)") => error.with_hint(
            "The row that is there may not be changed by this caller, or it is deleted: rows of this table are kept for 30 \
             days, and can be restored",
        ),
        _ => error,
    }
}

fn is_upsert(plan: &Plan) -> bool {
    matches!(&plan.action, Action::Insert { conflict: Some(_), .. })
}
