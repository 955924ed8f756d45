//! Filters resolved to predicates.

use super::super::request::{Condition, IsValue, Logic, Scoped, Test};
use super::super::shown;
use super::columns::Scope;
use super::{Embed, Predicate};
use crate::error::{Error, Result};

impl Scope<'_> {
    /// All the filters of the relation itself, of a request that embeds nothing.
    pub(super) fn predicate(&self, filters: &[Scoped<Logic>]) -> Result<Predicate> {
        let own = filters.iter().filter(|filter| filter.path.is_empty());
        let parts = own.map(|filter| self.logic(&filter.value, &[]));
        Ok(Predicate::All(parts.collect::<Result<_>>()?))
    }

    /// A filter; the name of an embed in it stands for having rows there.
    pub(super) fn logic(&self, logic: &Logic, embeds: &[Embed]) -> Result<Predicate> {
        let (negated, predicate) = match logic {
            Logic::Condition(condition) => {
                let has = self.existence(condition, embeds)?;
                match has {
                    Some(has) => (condition.negated, has),
                    None => (condition.negated, self.condition(condition)?),
                }
            }
            Logic::Group { negated, any, parts } => {
                let parts = parts.iter().map(|part| self.logic(part, embeds));
                let parts = parts.collect::<Result<_>>()?;
                let group = if *any {
                    Predicate::Any(parts)
                } else {
                    Predicate::All(parts)
                };
                (*negated, group)
            }
        };
        Ok(match (negated, predicate) {
            (true, Predicate::Not(inner)) => *inner,
            (true, other) => Predicate::Not(Box::new(other)),
            (false, other) => other,
        })
    }

    /// `embed=is.null`: having no row there.
    fn existence(&self, condition: &Condition, embeds: &[Embed]) -> Result<Option<Predicate>> {
        if !condition.field.path.is_empty() {
            return Ok(None);
        }
        let named = embeds
            .iter()
            .position(|embed| embed.name.as_str() == condition.field.name);
        let Some(at) = named else { return Ok(None) };
        match condition.test {
            Test::Is(IsValue::Null) => Ok(Some(Predicate::Not(Box::new(Predicate::Has(at))))),
            Test::Is(IsValue::NotNull) => Ok(Some(Predicate::Has(at))),
            _ => {
                let name = shown(&condition.field.name);
                Err(
                    Error::invalid("PGRST120", format!("Bad operator on the '{name}' embedded resource"))
                        .with_details("Only is null or not is null filters are allowed on embedded resources"),
                )
            }
        }
    }
    fn condition(&self, condition: &Condition) -> Result<Predicate> {
        let place = self.place(&condition.field)?;
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
