//! How large a reply may become. Asserted inside the statement, so that nothing is sent that could not be handed on, and a
//! write that could not be answered is undone.

use super::super::plan::Plan;
use super::assertion::SIZE;
use super::sql::Sql;
use crate::error::{Error, ErrorKind};

/// Adds `body`, an expression of type text, and fails the statement if it is too large for the reply.
///
/// What counts is the length inside the JSON envelope that the gateway takes replies in: a quote takes two bytes there. It
/// is measured only where it may matter; the expression's aggregates are computed once however often it stands here.
pub(super) fn bounded(sql: &mut Sql, plan: &Plan, marker: &str, body: &str) {
    let Some(most) = plan.max_reply else {
        return sql.push(body);
    };
    let length = format!("pg_catalog.octet_length(pg_catalog.to_json({body})::text)");
    sql.push(&format!(
        "case when pg_catalog.octet_length({body}) > {} and {length} > {most} then (",
        most / 2
    ));
    sql.bind_as(format!("{marker}:{SIZE}:"), "text");
    sql.push(&format!(" || {length})::bigint::text else {body} end"));
}

/// The error for a reply of `length` bytes.
pub(in crate::query) fn too_large(length: u64) -> Error {
    Error::new(ErrorKind::TooLarge, "records/reply-too-large", "The reply is too large to be sent")
        .with_details(format!("It would take {length} bytes; nothing was written"))
        .with_hint("Ask for fewer rows at a time (limit and offset, or a Range header) or for fewer columns (select); let a write answer less (Prefer: return=minimal)")
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::planned;
    use super::super::super::request::Method;
    use super::super::{failed_assertion, render};
    use super::*;

    #[test]
    fn body_is_measured_as_it_will_be_escaped() {
        let mut plan = planned(Method::Get, "tags", "select=c", &[], "").unwrap();
        plan.max_reply = Some(1_000);
        let rendered = render(&plan, "MARK");
        let body = "coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text";
        let length = format!("pg_catalog.octet_length(pg_catalog.to_json({body})::text)");
        let expected = format!(
            "select case when pg_catalog.octet_length({body}) > 500 and {length} > 1000 \
             then ($1::text || {length})::bigint::text else {body} end as body, "
        );
        assert_eq!(&rendered.sql[..expected.len()], expected);
        assert_eq!(rendered.params[0].as_deref(), Some("MARK:size:"));
    }

    #[test]
    fn failure_is_told_from_any_other() {
        let message = "invalid input syntax for type bigint: \"MARK:size:7000000\"";
        let error = failed_assertion("MARK", message).unwrap();
        assert_eq!(
            (error.code(), error.kind()),
            ("records/reply-too-large", ErrorKind::TooLarge)
        );
        assert!(failed_assertion("OTHER", message).is_none());
    }
}
