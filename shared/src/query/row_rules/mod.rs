//! Row rules: policies of tables whose engine has no row-level security, as the planner's statements need them. They are
//! parsed once for each state of policies and catalog; what of them concerns the caller is written into each statement.
//!
//! They mean what the same policies mean to Postgres: policies of a command are alternatives; without one for the caller
//! the table is not granted; `using` decides about the rows that are there, `check` (else `using`) about new ones.

mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use read::{read, table};

use super::openapi::Rights;
use super::plan::denied;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::Catalog;
use crate::schema::details;
use crate::schema::expr::{Allow, Expr, Scope};
use crate::schema::policy::{self, Command, Grantee, PolicySpec};

/// Policies by the name of their table.
pub type Policies = BTreeMap<String, Vec<PolicySpec>>;

/// The rules of a backend's tables, parsed against its catalog.
#[derive(Debug, Default)]
pub struct RuleBook {
    schema: Option<Ident>,
    tables: BTreeMap<String, TableRules>,
}

#[derive(Debug)]
pub(super) struct TableRules {
    name: Ident,
    /// The columns' types, as the catalog prints them.
    columns: BTreeMap<String, String>,
    rules: Vec<Rule>,
    /// Why the rules cannot be read any more, if so.
    broken: Option<String>,
}

/// One policy for one table.
#[derive(Debug)]
struct Rule {
    command: Command,
    to: Vec<Grantee>,
    using: Option<Expr>,
    check: Option<Expr>,
}

/// What a rule is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// Which rows may be seen.
    Select,
    /// Which rows may be added.
    Insert,
    /// Which rows may be changed.
    Update,
    /// What they may become.
    Updated,
    /// Which rows may be removed.
    Delete,
}

/// Whom a rule is asked for.
#[derive(Debug, Clone)]
pub struct RowCaller {
    /// As whom.
    pub grantee: Grantee,
    /// What `auth.jwt()` is.
    pub claims: Map<String, Value>,
}

/// The rules as one caller meets them.
#[derive(Debug, Clone)]
pub struct RowRules {
    book: Arc<RuleBook>,
    caller: RowCaller,
    /// Whether a rule is only tried: other tables may get theirs later.
    trial: bool,
}

impl RuleBook {
    /// Parses policies that were checked when they were written; what has become unreadable since closes its table.
    pub fn new(policies: &Policies, catalog: &Catalog) -> Self {
        let known = read::known(policies, catalog);
        let tables = catalog.relations.iter().filter_map(|(name, relation)| {
            let spec = known.table(name)?;
            let parse = |text: &Option<String>| {
                let text = text.as_deref();
                let scope = Scope::new(spec, &known, Allow::POLICY);
                text.map(|text| scope.parse(text)).transpose()
            };
            let rule = |rule: policy::Rule| {
                Ok::<_, crate::schema::fault::Faults>(Rule {
                    using: parse(&rule.using)?,
                    check: parse(&rule.check)?,
                    command: rule.command,
                    to: rule.to,
                })
            };
            let parsed = policy::rules(spec).into_iter().map(rule).collect::<Result<Vec<_>, _>>();
            let (rules, broken) = match parsed {
                Ok(rules) => (rules, None),
                Err(faults) => (Vec::new(), Some(faults.to_string())),
            };
            let columns = relation.columns.iter();
            let table = TableRules {
                name: relation.name.clone(),
                columns: columns
                    .map(|column| (column.name.to_string(), column.value_type().to_owned()))
                    .collect(),
                rules,
                broken,
            };
            Some((name.clone(), table))
        });
        Self {
            schema: catalog.schema.clone(),
            tables: tables.collect(),
        }
    }
}

/// The rules of each table that has any, as whoever describes a backend tells them: `true` stands for everything.
pub fn told(policies: &Policies, catalog: &Catalog) -> BTreeMap<String, Vec<details::Policy>> {
    let known = read::known(policies, catalog);
    let of = |rule: policy::Rule| details::Policy {
        anyone: rule.to.contains(&Grantee::Anon),
        signed_in: rule.to.contains(&Grantee::Authenticated),
        command: rule.command,
        restrictive: false,
        secret: false,
        using: rule.using,
        check: rule.check,
        name: rule.name,
    };
    let rules = |name: &String| {
        let spec = known.table(name)?;
        Some((name.clone(), policy::rules(spec).into_iter().map(of).collect()))
    };
    policies.keys().filter_map(rules).collect()
}

impl Rule {
    fn is_for(&self, grantee: Grantee, clause: Clause) -> bool {
        let command = match clause {
            Clause::Select => Command::Select,
            Clause::Insert => Command::Insert,
            Clause::Update | Clause::Updated => Command::Update,
            Clause::Delete => Command::Delete,
        };
        self.to.contains(&grantee) && (self.command == command || self.command == Command::All)
    }

    fn expression(&self, clause: Clause) -> Option<&Expr> {
        match clause {
            Clause::Select | Clause::Update | Clause::Delete => self.using.as_ref(),
            Clause::Insert | Clause::Updated => self.check.as_ref().or(self.using.as_ref()),
        }
    }
}

impl RowRules {
    /// The rules of a book as that caller meets them.
    pub fn new(book: Arc<RuleBook>, caller: RowCaller) -> Self {
        Self {
            book,
            caller,
            trial: false,
        }
    }

    /// To try a rule, for nobody in particular.
    fn trial(book: Arc<RuleBook>, grantee: Grantee) -> Self {
        let caller = RowCaller {
            grantee,
            claims: Map::new(),
        };
        Self {
            trial: true,
            ..Self::new(book, caller)
        }
    }

    /// Who calls.
    pub(super) fn caller(&self) -> &RowCaller {
        &self.caller
    }

    /// Whether nobody is signed in.
    pub(super) fn anonymous(&self) -> bool {
        self.caller.grantee == Grantee::Anon
    }

    /// The exposed schema.
    pub(super) fn schema(&self) -> Option<&Ident> {
        self.book.schema.as_ref()
    }

    /// What the caller may do to a table at all.
    pub fn rights(&self, table: &str) -> Rights {
        let may = |clause| {
            let found = self.book.tables.get(table);
            found.is_some_and(|found| found.rules.iter().any(|rule| rule.is_for(self.caller.grantee, clause)))
        };
        Rights {
            select: may(Clause::Select),
            insert: may(Clause::Insert),
            update: may(Clause::Update),
            delete: may(Clause::Delete),
        }
    }

    /// A table that has rules.
    ///
    /// # Errors
    /// `42501` for another one.
    pub(super) fn table(&self, table: &Ident) -> Result<&TableRules> {
        self.book
            .tables
            .get(table.as_str())
            .ok_or_else(|| denied(table, self.anonymous()))
    }

    /// The alternatives of which a row must satisfy one; [`None`] where every row will do.
    ///
    /// # Errors
    /// `42501` without any; `records/row-rules` when they do not fit the table any more.
    pub(super) fn alternatives(&self, table: &Ident, clause: Clause) -> Result<(&TableRules, Option<Vec<&Expr>>)> {
        let found = self.table(table)?;
        if let Some(why) = found.broken.as_ref().filter(|_| !self.trial) {
            return Err(outdated(table, why));
        }
        let grantee = self.caller.grantee;
        let rules: Vec<&Rule> = found.rules.iter().filter(|rule| rule.is_for(grantee, clause)).collect();
        if rules.is_empty() && self.trial {
            return Ok((found, None));
        }
        if rules.is_empty() {
            return Err(denied(table, self.anonymous()));
        }
        let all: Vec<&Expr> = rules.iter().filter_map(|rule| rule.expression(clause)).collect();
        let everything = all.iter().any(|expr| **expr == Expr::Bool(true));
        Ok((found, (!everything).then_some(all)))
    }
}

impl TableRules {
    pub(super) fn name(&self) -> &Ident {
        &self.name
    }

    /// The columns, in an order of our own.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The place of a column among them.
    pub(super) fn position(&self, column: &str) -> usize {
        self.columns().position(|name| name == column).unwrap_or_default()
    }

    /// The type of a column.
    pub(super) fn data_type(&self, column: &str) -> Option<&str> {
        self.columns.get(column).map(String::as_str)
    }
}

/// Rules that were right when they were written.
pub(super) fn outdated(table: &Ident, why: &str) -> Error {
    let message = format!("The row rules of table {table} do not fit its columns any more");
    Error::new(ErrorKind::Internal, "records/row-rules", message)
        .with_details(why.to_owned())
        .with_hint("Its owner writes them anew: PUT /api/database/{id}/tables/{table}/policies")
        .with_status(500)
}
