//! Requests about deleted rows: to list them, and to restore them.

use super::super::request::{CompareOp, Method, Request};
use super::columns::Scope;
use super::{Action, Class, DeletedRows, From, Place, Plan, Predicate, RowAccess, Rules};
use super::{embed, honoured, negotiate};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::catalog::{Catalog, Column, Relation};
use crate::schema::hidden;

/// Plans a request about the rows that were deleted at `since` or later. When they were is a column of theirs here, which
/// can be shown, filtered and ordered by. Nothing is embedded in them.
///
/// # Errors
/// 409 `records/not-soft-delete` for a table whose deleted rows are gone; as [`super::plan`].
pub(super) fn plan(
    request: Request,
    since: &str,
    plain: &Relation,
    (catalog, rules): (&Catalog, &Rules),
) -> Result<Plan> {
    if !plain.hidden.rows {
        return Err(not_kept(plain));
    }
    let mut relation = plain.clone();
    relation.columns.push(deleted_at());
    let scope = Scope {
        relation: &relation,
        catalog,
        rules,
    };
    let since = Predicate::Compare(place(), CompareOp::Gte, None, since.to_owned());
    let reads = request.method.is_read();
    let (shown, action) = if reads {
        let from = From::Relation {
            schema: catalog.schema.clone(),
            name: relation.name.clone(),
        };
        let mut shown = embed::tree(&scope, from, &request)?;
        let asked = std::mem::replace(&mut shown.filter, Predicate::everything());
        shown.filter = also(since, asked);
        (shown, Action::Read)
    } else {
        // Restored rows are shown as everybody sees them.
        let back = Scope {
            relation: plain,
            ..scope
        };
        let filter = also(since, scope.predicate(&request.filters)?);
        let restored = Action::Mark { filter, deleted: false };
        (embed::tree(&back, From::Written, &request)?, restored)
    };
    Ok(Plan {
        method: if reads { request.method } else { Method::Patch },
        schema: catalog.schema.clone(),
        table: relation.name.clone(),
        primary_key: relation.primary_key.clone(),
        prefer: honoured(&request, plain, rules),
        max_rows: rules.max_rows,
        action,
        shown,
        accept: negotiate(&request.accept, rules, None)?,
        max_reply: rules.max_reply,
        rows: RowAccess::All,
        deleted: DeletedRows::Meant,
    })
}

fn also(since: Predicate, asked: Predicate) -> Predicate {
    match asked {
        Predicate::All(mut parts) => {
            parts.insert(0, since);
            Predicate::All(parts)
        }
        other => Predicate::All(vec![since, other]),
    }
}

fn deleted_at() -> Column {
    Column {
        name: hidden::deleted_at(),
        data_type: "timestamp with time zone".to_owned(),
        base_type: None,
        nullable: false,
        default: None,
        generated: true,
        comment: None,
    }
}

fn place() -> Place {
    Place {
        column: hidden::deleted_at(),
        computed: None,
        path: Vec::new(),
        class: Class::Timestamp,
    }
}

fn not_kept(relation: &Relation) -> Error {
    let message = format!("Deleted rows of table {} are gone", relation.name);
    Error::new(ErrorKind::Conflict, "records/not-soft-delete", message)
        .with_hint(r#"A table keeps them for 30 days once its design says "softDelete": true"#)
}
