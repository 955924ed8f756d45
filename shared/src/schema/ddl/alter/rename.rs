//! New names: of a column or of the table. Keys, indexes, expressions and other tables' designs follow.

use serde_json::{Map, Value};

use super::super::between;
use super::super::uses::{map_expressions, map_removed, rename_references};
use super::{Run, aside};
use crate::ident::Ident;
use crate::schema::expr::Expr;
use crate::schema::fault::{Fault, Faults};
use crate::schema::known::Known;
use crate::schema::policy::PolicySpec;
use crate::schema::spec::{self, Reading, TableSpec};

impl Run<'_> {
    pub(super) fn rename_column(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let from = self.column_name(map, "from", &mut reading);
        let to = spec::name(map, "", "to", &mut reading);
        let (Some(from), Some(to)) = (from, to) else {
            return Err(reading.faults);
        };
        let table = self.spec.name.clone();
        let mut new = self.spec.clone();
        let mut follow = |expr: &mut Expr| expr.rename_column(table.as_str(), from.as_str(), &to);
        map_expressions(&mut new, &self.known, &mut follow);
        map_removed(&mut new, &self.known, Some(&from), &mut follow);
        aside::rename_in_indexes(&mut new, &from, &to);
        for column in new.columns.iter_mut().filter(|column| column.name == from) {
            column.name = to.clone();
        }
        rename_references(&mut new, &table, Some((&from, &to)), &table);
        for name in new
            .indexes
            .iter_mut()
            .flat_map(|index| &mut index.columns)
            .filter(|name| **name == from)
        {
            *name = to.clone();
        }
        for policy in &mut new.policies {
            if let PolicySpec::Template {
                column: Some(column), ..
            } = policy
                && *column == from
            {
                *column = to.clone();
            }
        }
        let old = self.spec.clone();
        self.verified(&mut new, reading, None)?;
        let up = between::rename_column(&self.within(), (&old, &from), (&new, &to))?;
        let down = between::rename_column(&self.within(), (&new, &to), (&old, &from))?;
        self.follow(&table, |other, known| {
            let mut follow = |expr: &mut Expr| expr.rename_column(table.as_str(), from.as_str(), &to);
            map_expressions(other, known, &mut follow);
            map_removed(other, known, None, &mut follow);
            rename_references(other, &table, Some((&from, &to)), &table);
        });
        self.accept(new, up, down);
        Ok(())
    }

    pub(super) fn rename_table(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let Some(to) = spec::name(map, "", "to", &mut reading) else {
            return Err(reading.faults);
        };
        let (old, from) = (self.spec.clone(), self.spec.name.clone());
        if self.known.table(to.as_str()).is_some() {
            reading.faults.push(Fault::new(
                "to",
                "schema/name-taken",
                format!("There is already a table {to}"),
            ));
            return Err(reading.faults);
        }
        let mut new = old.clone();
        let mut follow = |expr: &mut Expr| expr.rename_table(from.as_str(), &to, true);
        map_expressions(&mut new, &self.known, &mut follow);
        map_removed(&mut new, &self.known, None, &mut follow);
        rename_references(&mut new, &from, None, &to);
        new.name = to.clone();
        self.verified(&mut new, reading, None)?;
        let up = between::rename_table(&self.within(), &old, &new)?;
        let down = between::rename_table(&self.within(), &new, &old)?;
        self.follow(&from, |other, known| {
            let mut follow = |expr: &mut Expr| expr.rename_table(from.as_str(), &to, false);
            map_expressions(other, known, &mut follow);
            map_removed(other, known, None, &mut follow);
            rename_references(other, &from, None, &to);
        });
        self.known.remove(from.as_str());
        self.accept(new, up, down);
        Ok(())
    }

    /// Changes the designs of other tables that mention a name.
    fn follow(&mut self, table: &Ident, change: impl Fn(&mut TableSpec, &Known)) {
        let others: Vec<TableSpec> = self.known.others(table.as_str()).cloned().collect();
        let before = self.known.clone();
        for other in others {
            let mut changed = other.clone();
            change(&mut changed, &before);
            if changed != other {
                let name = changed.name.to_string();
                if !self.also.contains(&name) {
                    self.also.push(name);
                }
                self.known.insert(changed);
            }
        }
    }
}
