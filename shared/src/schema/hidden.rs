//! Columns of ours in tenants' tables. Their names begin with `plinth`, which no design may use; the catalog leaves them
//! out with the policies about them, so no request of any dialect can name them.

use uuid::Uuid;

use crate::ident::Ident;

/// When a row was deleted, in tables whose rows can be restored; null in every other row. `timestamptz`.
pub const DELETED_AT: &str = "plinth_deleted_at";
/// What the name of a column that was put aside begins with.
const ASIDE: &str = "plinth_gone_";

/// [`DELETED_AT`] as a name.
pub fn deleted_at() -> Ident {
    Ident::fixed(DELETED_AT)
}

/// Where a deleted column waits, in its table: a name that no other column ever has.
pub fn aside(column: Uuid) -> Ident {
    let name = Ident::new(format!("{ASIDE}{}", column.simple()));
    name.unwrap_or_else(|_| unreachable!("a prefix and 32 digits are a name"))
}

/// Whether a column of that name is one of ours.
pub fn is_hidden(name: &str) -> bool {
    let is_id = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    name == DELETED_AT || name.strip_prefix(ASIDE).is_some_and(is_id)
}

/// Whether an enum of that name lies aside with its column.
pub fn is_hidden_type(name: &str) -> bool {
    let numbered =
        |(column, number): (&str, &str)| is_hidden(column) && number.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once('_').is_some_and(numbered)
}

/// Whether a policy of that name is one of ours: it hides marked rows, and lets a deletion mark them.
pub fn is_hidden_policy(name: &str) -> bool {
    matches!(name, "plinth_hidden" | "plinth_hidden_service" | "plinth_delete") || name.starts_with("plinth_gate_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_columns_are_hidden() {
        for (name, hidden) in [
            (DELETED_AT, true),
            (aside(Uuid::from_u128(7)).as_str(), true),
            ("plinth_gone_", false),
            ("plinth_gone_7", false),
            ("deleted_at", false),
            ("plinth_deleted_at_too", false),
        ] {
            assert_eq!(is_hidden(name), hidden, "{name}");
            assert!(!is_hidden_type(name), "{name}");
            assert_eq!(is_hidden_type(&format!("{name}_0")), hidden, "{name}");
        }
    }
}
