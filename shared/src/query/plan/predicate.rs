//! Filters resolved to predicates.

use super::super::request::{Condition, Logic, Scoped, Test};
use super::super::shown;
use super::columns::Scope;
use super::{Place, Predicate};
use crate::error::{Error, Result};

impl Scope<'_> {
    /// All the filters of the relation itself.
    pub(super) fn predicate(&self, filters: &[Scoped<Logic>]) -> Result<Predicate> {
        let own = filters.iter().filter(|filter| filter.path.is_empty());
        Ok(Predicate::All(
            own.map(|filter| self.logic(&filter.value)).collect::<Result<_>>()?,
        ))
    }

    fn logic(&self, logic: &Logic) -> Result<Predicate> {
        let (negated, predicate) = match logic {
            Logic::Condition(condition) => (condition.negated, self.condition(condition)?),
            Logic::Group { negated, any, parts } => {
                let parts = parts.iter().map(|part| self.logic(part)).collect::<Result<_>>()?;
                (
                    *negated,
                    if *any {
                        Predicate::Any(parts)
                    } else {
                        Predicate::All(parts)
                    },
                )
            }
        };
        Ok(if negated {
            Predicate::Not(Box::new(predicate))
        } else {
            predicate
        })
    }

    fn condition(&self, condition: &Condition) -> Result<Predicate> {
        let place: Place = self.place(&condition.field)?;
        refuse_nul(&condition.test)?;
        Ok(match &condition.test {
            Test::Compare(op, quantifier, value) => Predicate::Compare(place, *op, *quantifier, value.clone()),
            Test::Relate(op, value) => Predicate::Relate(place, *op, value.clone()),
            Test::In(values) => Predicate::In(place, values.clone()),
            Test::Is(value) => Predicate::Is(place, *value),
            Test::IsDistinct(value) => Predicate::IsDistinct(place, value.clone()),
            Test::Search { kind, config, query } => {
                self.check_search_config(config.as_deref())?;
                Predicate::Search(place, *kind, config.clone(), query.clone())
            }
        })
    }

    fn check_search_config(&self, config: Option<&str>) -> Result<()> {
        match config {
            Some(config) if !self.rules.search_configs.allows(config) => Err(Error::invalid(
                "records/search-config-not-allowed",
                format!("The text search configuration {} is not allowed", shown(config)),
            )
            .with_hint("Use one that comes with Postgres: simple, english, french, german, spanish, …")),
            _ => Ok(()),
        }
    }
}

/// Postgres holds no NUL in a text; the URL's parser refuses it already, a JSON façade's value comes unchecked.
fn refuse_nul(test: &Test) -> Result<()> {
    let found = match test {
        Test::Compare(_, _, value) | Test::Relate(_, value) | Test::IsDistinct(value) => value.contains('\0'),
        Test::Search { query, .. } => query.contains('\0'),
        Test::In(values) => values.iter().any(|value| value.contains('\0')),
        Test::Is(_) => false,
    };
    if found {
        Err(Error::invalid("PGRST100", "A value holds a NUL character"))
    } else {
        Ok(())
    }
}
