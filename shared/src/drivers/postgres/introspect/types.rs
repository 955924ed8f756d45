//! Types by number.

use std::collections::HashMap;

use super::facts::{Facts, Oid, TypeFact};
use crate::ident::Ident;
use crate::schema::catalog::{NamedType, Qualified};

/// The modifier of a type that has none.
pub(super) const PLAIN: i32 = -1;
/// Domains over domains at most; Postgres refuses circles.
const DEEPEST: usize = 64;

/// Every type that the catalog names.
pub(super) struct Types(HashMap<(Oid, i32), TypeFact>);

impl Types {
    pub(super) fn new(facts: Vec<TypeFact>) -> Self {
        Self(
            facts
                .into_iter()
                .map(|fact| ((fact.oid, fact.modifier), fact))
                .collect(),
        )
    }

    pub(super) fn get(&self, oid: Oid, modifier: i32) -> Option<&TypeFact> {
        self.0.get(&(oid, modifier))
    }

    /// As the catalog prints it. A type that was dropped while the statement ran is as good as unknown.
    pub(super) fn text(&self, oid: Oid, modifier: i32) -> String {
        self.get(oid, modifier)
            .map_or_else(|| "unknown".to_owned(), |fact| fact.text.clone())
    }

    /// What a domain is one of in the end; of any other type itself.
    pub(super) fn base(&self, oid: Oid, modifier: i32) -> Option<&TypeFact> {
        let mut fact = self.get(oid, modifier)?;
        for _ in 0..DEEPEST {
            if fact.kind != 'd' {
                break;
            }
            fact = self.get(fact.base, fact.base_modifier)?;
        }
        Some(fact)
    }

    /// Domains and composite types of the exposed schema.
    pub(super) fn named(&self, facts: &Facts) -> impl Iterator<Item = (String, NamedType)> {
        let mut fields: HashMap<Oid, Vec<(Ident, String)>> = HashMap::new();
        for (of, name, oid, modifier) in &facts.fields {
            let field = (name.clone(), self.text(*oid, *modifier));
            fields.entry(*of).or_default().push(field);
        }
        let own = self.0.values().filter(|fact| fact.own && fact.modifier == PLAIN);
        own.filter_map(move |fact| {
            let named = match fact.kind {
                'd' => NamedType::Domain(self.text(fact.base, fact.base_modifier)),
                'c' => NamedType::Composite(fields.remove(&fact.oid).unwrap_or_default()),
                _ => return None,
            };
            Some((fact.name.to_string(), named))
        })
    }
}

impl TypeFact {
    /// Its name with its schema.
    pub(super) fn qualified(&self) -> Qualified {
        Qualified {
            schema: self.schema.clone(),
            name: self.name.clone(),
        }
    }

    /// Whether it is the built-in type of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.schema.as_str() == "pg_catalog" && self.name.as_str() == name
    }
}
