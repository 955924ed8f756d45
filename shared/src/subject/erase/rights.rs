//! What the login that erases is not granted.

use super::super::{Denied, Facts, Rule, SubjectMap};

/// What the map's rules need and the login may not do: `delete on orders`. Of columns it is enough to be granted one.
pub fn denied(facts: &Facts, map: &SubjectMap) -> Vec<String> {
    let lacks = |(label, entry): (&String, &crate::subject::TableEntry)| {
        let denied = facts.denied.get(label).copied().unwrap_or_default();
        match (&entry.rule, denied) {
            (Rule::Delete, Denied { delete: true, .. }) => Some(format!("delete on {label}")),
            (Rule::Anonymise { .. }, Denied { update: true, .. }) => Some(format!("update on {label}")),
            _ => None,
        }
    };
    map.tables.iter().filter_map(lacks).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::sketch::{facts, found_map};
    use super::*;

    #[test]
    fn only_what_the_rules_need_is_lacking() {
        let mut facts = facts(
            "users: id integer pk, email text
             orders: id integer pk, user_id integer -> users.id
             notes: id integer pk, user_id integer -> users.id, body text
             kept: id integer pk, user_id integer -> users.id
             things: id integer pk",
        );
        let mut map = found_map(&facts);
        let mut rule = |label: &str, rule| map.tables.get_mut(label).unwrap().rule = rule;
        let columns = vec!["user_id".to_owned()];
        rule("notes", Rule::Anonymise { columns });
        let reason = "the law".to_owned();
        rule("kept", Rule::Keep { reason });
        assert_eq!(denied(&facts, &map), [""; 0]);
        let (delete, update) = (true, true);
        for label in ["orders", "kept", "things"] {
            facts.denied.insert(label.to_owned(), Denied { delete, update });
        }
        let update_alone = Denied { delete: false, update };
        facts.denied.insert("users".to_owned(), update_alone);
        facts.denied.insert("notes".to_owned(), update_alone);
        assert_eq!(denied(&facts, &map), ["update on notes", "delete on orders"]);
    }
}
