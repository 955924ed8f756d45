//! Columns that hold ids of people: by what they are called, in several languages, and by their values.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::{Facts, Root, Samples, Table};
use super::names::{has, is_of_people, singular};
use super::types::{Holds, holds};
use crate::schema::catalog::Column;

/// What a name says of the ids in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::subject) enum Said {
    /// That they are somebody's: `author_id`, `created_by`.
    Id,
    /// Who it is, if it is no text: `owner`, `assignee`.
    Person,
    /// Who they are, or how many: `participants`.
    People,
}

/// What a column's name says of ids in it; `root` is the last word of what the table of people is called.
pub(in crate::subject) fn said(name: &[String], root: &str) -> Option<Said> {
    let (last, before) = name.split_last()?;
    let is_person = |word: &String| is_called(word, root);
    if has("by von por par door przez durch", last) {
        let of_order = before.last().is_none_or(|word| {
            has(
                "sort sorted order ordered group grouped filter divided multiplied stand powered",
                word,
            )
        });
        return (!of_order).then_some(Said::Id);
    }
    if has("id ids uuid uuids uid uids guid guids", last) {
        return match before.last() {
            Some(_) => said(before, root).map(|_| Said::Id),
            None => (last == "uid").then_some(Said::Id),
        };
    }
    if has("key ref no nr number", last) {
        let meant = before.last().is_some_and(|word| word == root || word == "user");
        return meant.then_some(Said::Id);
    }
    if has("to an a", last)
        && before
            .last()
            .is_some_and(|word| has("assigned sent addressed shared zugewiesen", word))
    {
        return Some(Said::Person);
    }
    if let [only] = name
        && let Some(person) = only.strip_suffix("ids").or_else(|| only.strip_suffix("id"))
        && !person.is_empty()
        && is_called(person, root)
    {
        return Some(Said::Id);
    }
    is_person(last).then(|| match singular(last) == last {
        true => Said::Person,
        false => Said::People,
    })
}

/// Whether somebody is called so. Not what is as often something else: a tenant is mostly a firm, a parent a row.
fn is_called(word: &str, root: &str) -> bool {
    const ELSE: &str = "tenant lead signup registration contact kontakt kontakte contacto parent kid children";
    const ACTING: &str = "author creator owner assignee assigner reporter reviewer approver editor manager sender receiver \
        recipient follower followee friend actor invitee inviter requester requestor uploader publisher moderator \
        admin agent operator beneficiary poster commenter voter winner supervisor mentor mentee coach instructor \
        organizer organiser spouse borrower lender renter courier rider human identity autor autora besitzer \
        ersteller bearbeiter empfaenger empfanger absender verfasser eigentuemer eigentumer inhaber propietario creador \
        remitente destinatario auteur proprietaire createur expediteur destinataire proprietario autore mittente \
        eigenaar afzender ontvanger wlasciciel";
    let one = singular(word);
    if has(ELSE, word) || has(ELSE, one) {
        return word == root || one == root;
    }
    word == root || one == root || is_of_people(word) || has(ACTING, word) || has(ACTING, one)
}

/// Ids of a column that are looked up at most.
const MOST: usize = 50;

/// What may be ids of people, by table and column.
#[derive(Debug, Default)]
pub struct Suspects(BTreeMap<String, BTreeMap<String, Suspect>>);

#[derive(Debug)]
struct Suspect {
    ids: BTreeSet<String>,
    /// Whether all of them have to be known: short ones are soon the same as somebody's by chance.
    all: bool,
}

impl Suspects {
    /// Of sampled values, those of a shape that ids of that table's people have. Columns that lead to a table by a key hold
    /// what that says.
    pub fn of(facts: &Facts, samples: &Samples, root: &Root) -> Self {
        let mut suspects = Self::default();
        let (Some(people), [key]) = (&root.table, root.key.as_slice()) else {
            return suspects;
        };
        let Some(key) = facts.tables.get(people).and_then(|table| table.column(key)) else {
            return suspects;
        };
        for (label, values) in samples.iter().filter(|(label, _)| *label != people) {
            let Some(table) = facts.tables.get(label) else { continue };
            for column in table.columns.iter().filter(|column| !leads(table, column)) {
                let values = values.get(column.name.as_str()).map_or(&[][..], Vec::as_slice);
                if let Some(suspect) = suspect(key, column, values) {
                    let of = suspects.0.entry(label.clone()).or_default();
                    of.insert(column.name.to_string(), suspect);
                }
            }
        }
        suspects
    }

    /// All ids, each once.
    pub fn ids(&self) -> BTreeSet<&str> {
        let columns = self.0.values().flat_map(BTreeMap::values);
        columns.flat_map(|it| it.ids.iter().map(String::as_str)).collect()
    }

    /// The columns that hold ids of people, when those ids are known to be some.
    pub fn holding(&self, known: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        let holds = |suspect: &Suspect| {
            let found = suspect.ids.iter().filter(|id| known.contains(*id)).count();
            found > 0 && (!suspect.all || found == suspect.ids.len())
        };
        let tables = self.0.iter().map(|(label, columns)| {
            let columns = columns.iter().filter(|(_, suspect)| holds(suspect));
            (label.clone(), columns.map(|(name, _)| name.clone()).collect())
        });
        tables.collect()
    }
}

fn leads(table: &Table, column: &Column) -> bool {
    table.links.iter().any(|link| link.columns.contains(&column.name))
}

fn suspect(key: &Column, column: &Column, values: &[String]) -> Option<Suspect> {
    let uuids: BTreeSet<String> = values
        .iter()
        .flat_map(|text| text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == '-')))
        .filter(|text| text.len() == 36)
        .filter_map(|text| Uuid::parse_str(text).ok())
        .map(|id| id.to_string())
        .collect();
    let is_uuid = key.value_type() == "uuid";
    if is_uuid || !uuids.is_empty() {
        let ids: BTreeSet<String> = uuids.into_iter().take(MOST).collect();
        // No two of them are the same by chance.
        return (!ids.is_empty()).then_some(Suspect { ids, all: false });
    }
    let is_list = column.value_type().ends_with("[]");
    let apart = |sign: char| is_list && matches!(sign, '{' | '}' | ',' | '"');
    let ids: BTreeSet<String> = values
        .iter()
        .flat_map(|text| text.split(apart))
        .filter(|text| !text.is_empty() && *text != "NULL")
        .map(str::to_owned)
        .collect();
    let ids: BTreeSet<String> = ids.into_iter().take(MOST).collect();
    let fits = match (holds(key), holds(column)) {
        (Holds::Number, Holds::Number) => is_list,
        (Holds::Text, Holds::Text) => ids.iter().all(|id| id.len() > 2),
        _ => false,
    };
    (fits && ids.len() > 1).then_some(Suspect { ids, all: true })
}

#[cfg(test)]
mod tests {
    use super::super::names::words;
    use super::*;
    use crate::subject::sketch::facts;

    #[test]
    fn names_say_whose_ids_a_column_holds() {
        use Said::{Id, People, Person};
        for (name, expected) in [
            ("author_id", Some(Id)),
            ("ownerId", Some(Id)),
            ("created_by", Some(Id)),
            ("created_by_id", Some(Id)),
            ("erstellt_von", Some(Id)),
            ("customer_id", Some(Id)),
            ("profile_id", Some(Id)),
            ("member_ids", Some(Id)),
            ("kunde_id", Some(Id)),
            ("usuario_id", Some(Id)),
            ("autor_uuid", Some(Id)),
            ("userid", Some(Id)),
            ("uid", Some(Id)),
            ("pilot_id", Some(Id)),
            ("pilot_no", Some(Id)),
            ("assignee", Some(Person)),
            ("assigned_to", Some(Person)),
            ("participants", Some(People)),
            ("id", None),
            ("order_id", None),
            ("parent_id", None),
            ("tenant_id", None),
            ("contact_id", None),
            ("sort_by", None),
            ("by", None),
            ("paid", None),
            ("valid", None),
            ("driver_number", None),
        ] {
            assert_eq!(said(&words(name), "pilot"), expected, "{name}");
        }
    }

    #[test]
    fn values_that_are_ids_of_people_tell_their_column() {
        const ANN: &str = "3d2c9c5e-0b5a-4a3e-9a44-0000000000a1";
        const FIRM: &str = "3d2c9c5e-0b5a-4a3e-9a44-0000000000f1";
        let facts = facts(
            "users: id uuid pk, email text
             orders: id uuid pk, user_id uuid -> users.id
             chats: id uuid pk, folks uuid[], settings jsonb, topic text, thing uuid",
        );
        let root = Root {
            table: Some("users".to_owned()),
            key: vec!["id".to_owned()],
            email: None,
        };
        let column = |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(ToString::to_string).collect());
        let samples = Samples::from([
            ("users".to_owned(), BTreeMap::from([column("id", &[ANN])])),
            ("orders".to_owned(), BTreeMap::from([column("user_id", &[ANN])])),
            (
                "chats".to_owned(),
                BTreeMap::from([
                    column("folks", &["{}", &format!("{{{FIRM},{}}}", ANN.to_uppercase())]),
                    column("settings", &[&format!(r#"{{"x":["{ANN}"]}}"#)]),
                    column("topic", &["no id", ANN]),
                    column("thing", &[FIRM]),
                ]),
            ),
        ]);
        let suspects = Suspects::of(&facts, &samples, &root);
        assert_eq!(suspects.ids(), BTreeSet::from([ANN, FIRM]));
        let held = suspects.holding(&BTreeSet::from([ANN.to_owned()]));
        let columns: Vec<(&str, Vec<&str>)> = held
            .iter()
            .map(|(label, columns)| (label.as_str(), columns.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(columns, [("chats", vec!["folks", "settings", "topic"])]);
    }

    #[test]
    fn short_ids_are_people_only_where_all_of_many_are() {
        let facts = facts(
            "users: id integer pk
             chats: id integer pk, folks integer[], scores integer[], number integer",
        );
        let root = Root {
            table: Some("users".to_owned()),
            key: vec!["id".to_owned()],
            email: None,
        };
        let column = |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(ToString::to_string).collect());
        let chats = BTreeMap::from([
            column("folks", &["{1,2}", "{NULL,2}"]),
            column("scores", &["{1,99}"]),
            column("number", &["1", "2"]),
        ]);
        let suspects = Suspects::of(&facts, &Samples::from([("chats".to_owned(), chats)]), &root);
        let held = suspects.holding(&["1", "2"].map(str::to_owned).into());
        assert_eq!(held["chats"], BTreeSet::from(["folks".to_owned()]));
    }
}
