//! Row-level security: who may do what to which rows, from templates or a rule of one's own.
//!
//! Policies and grants go to a project's own roles. A role gets the privilege of a command only if a policy of that
//! command names it; the service role always gets all four, with a policy that lets every row through.

mod marks;
mod verify;

use serde::{Deserialize, Serialize};

use super::data_type::{DataType, Scalar};
use super::ddl::{Context, Roles};
use super::expr::{Allow, Scope};
use super::fault::{Fault, Faults};
use super::spec::TableSpec;
use crate::ident::Ident;

pub(crate) use verify::verify;

/// Columns taken for the owner's when a template names none.
pub const OWNER_COLUMNS: [&str; 2] = ["user_id", "owner_id"];

/// A policy as a designer writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PolicySpec {
    /// A ready-made one.
    Template {
        /// Which.
        template: Template,
        /// The column that holds the owner's id, for the templates that ask.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<Ident>,
    },
    /// A rule of one's own.
    Custom {
        /// Its name.
        name: Ident,
        /// What it is about.
        command: Command,
        /// For whom it is.
        to: Vec<Grantee>,
        /// Which rows are seen, in canonical text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        using: Option<String>,
        /// Which rows may be written, in canonical text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<String>,
    },
}

/// A ready-made policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// A signed-in user reads and writes the rows that bear their id.
    Owner,
    /// Everybody reads; a signed-in user writes their own rows if the table has an owner column.
    PublicRead,
    /// Every signed-in user reads and writes every row.
    Authenticated,
    /// Nobody but the service role.
    Private,
}

impl Template {
    /// The template of that name; an underscore is forgiven.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "owner" => Self::Owner,
            "public-read" | "public_read" => Self::PublicRead,
            "authenticated" => Self::Authenticated,
            "private" => Self::Private,
            _ => return None,
        })
    }
}

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Reading.
    Select,
    /// Adding rows.
    Insert,
    /// Changing rows.
    Update,
    /// Removing rows.
    Delete,
    /// All four.
    All,
}

impl Command {
    /// The command of that name, in any case.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "select" => Self::Select,
            "insert" => Self::Insert,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "all" => Self::All,
            _ => return None,
        })
    }

    /// The command as SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::All => "all",
        }
    }

    fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::Select => &["select"],
            Self::Insert => &["insert"],
            Self::Update => &["update"],
            Self::Delete => &["delete"],
            Self::All => &PRIVILEGES,
        }
    }

    fn reads(self) -> bool {
        self != Self::Insert
    }

    fn writes(self) -> bool {
        !matches!(self, Self::Select | Self::Delete)
    }
}

impl Rule {
    /// Whether it lets that grantee do that.
    fn lets(&self, grantee: Grantee, command: Command) -> bool {
        self.to.contains(&grantee) && (self.command == command || self.command == Command::All)
    }
}

const PRIVILEGES: [&str; 4] = ["select", "insert", "update", "delete"];

/// For whom a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grantee {
    /// A publishable key without a user.
    Anon,
    /// A signed-in end user.
    Authenticated,
}

impl Grantee {
    /// The grantee of that name.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "anon" => Some(Self::Anon),
            "authenticated" => Some(Self::Authenticated),
            _ => None,
        }
    }

    fn role(self, roles: &Roles) -> &Ident {
        match self {
            Self::Anon => &roles.anon,
            Self::Authenticated => &roles.authenticated,
        }
    }
}

/// One policy of the database, its expressions in canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) command: Command,
    pub(crate) to: Vec<Grantee>,
    pub(crate) using: Option<String>,
    pub(crate) check: Option<String>,
}

/// The rules of a design.
pub(crate) fn rules(spec: &TableSpec) -> Vec<Rule> {
    spec.policies.iter().flat_map(|policy| rules_of(policy, spec)).collect()
}

fn rules_of(policy: &PolicySpec, spec: &TableSpec) -> Vec<Rule> {
    let all = |name: &str, condition: String| Rule {
        name: name.to_owned(),
        command: Command::All,
        to: vec![Grantee::Authenticated],
        using: Some(condition.clone()),
        check: Some(condition),
    };
    let own = |name: &str, column: &Option<Ident>| {
        let column = owner_column(spec, column.as_ref());
        column.map(|column| all(name, format!("{} = auth.uid()", column.quoted())))
    };
    match policy {
        PolicySpec::Template {
            template: Template::Owner,
            column,
        } => own("owner", column).into_iter().collect(),
        PolicySpec::Template {
            template: Template::PublicRead,
            column,
        } => {
            let read = Rule {
                name: "public_read".to_owned(),
                command: Command::Select,
                to: vec![Grantee::Anon, Grantee::Authenticated],
                using: Some("true".to_owned()),
                check: None,
            };
            std::iter::once(read).chain(own("public_read_owner", column)).collect()
        }
        PolicySpec::Template {
            template: Template::Authenticated,
            ..
        } => vec![all("authenticated", "true".to_owned())],
        PolicySpec::Template {
            template: Template::Private,
            ..
        } => vec![],
        PolicySpec::Custom {
            name,
            command,
            to,
            using,
            check,
        } => vec![Rule {
            name: name.to_string(),
            command: *command,
            to: to.clone(),
            using: using.clone(),
            check: check.clone(),
        }],
    }
}

/// The owner's column: the given one, or the first of [`OWNER_COLUMNS`] of type uuid.
fn owner_column<'a>(spec: &'a TableSpec, given: Option<&'a Ident>) -> Option<&'a Ident> {
    let is_uuid = |name: &&str| {
        spec.column(name)
            .is_some_and(|column| column.data_type == DataType::scalar(Scalar::Uuid))
    };
    match given {
        Some(column) => Some(column),
        None => OWNER_COLUMNS
            .iter()
            .find(|name| is_uuid(name))
            .and_then(|name| spec.column(name))
            .map(|column| &column.name),
    }
}

/// Statements that enable row-level security (which stays on for good).
pub(crate) fn enable(context: &Context<'_>, spec: &TableSpec) -> String {
    format!("alter table {} enable row level security", context.table(&spec.name))
}

/// Grants and policies of a design, from nothing granted.
pub(crate) fn create(context: &Context<'_>, spec: &TableSpec) -> Result<Vec<String>, Faults> {
    let mut statements = vec![revoke(context, spec)];
    statements.extend(grants(context, spec));
    let (table, service) = (context.table(&spec.name), context.roles.service.quoted());
    statements.push(format!(
        "create policy \"service\" on {table} for all to {service} using (true) with check (true)"
    ));
    for rule in &rules(spec) {
        statements.push(statement(context, spec, rule)?);
    }
    if spec.soft_delete {
        statements.extend(marks::create(context, spec)?);
    }
    Ok(statements)
}

/// The privileges the policies of a design ask for.
pub(crate) fn grants(context: &Context<'_>, spec: &TableSpec) -> Vec<String> {
    let (table, rules) = (context.table(&spec.name), rules(spec));
    let mut statements = Vec::new();
    for grantee in [Grantee::Authenticated, Grantee::Anon] {
        let mine = || rules.iter().filter(|rule| rule.to.contains(&grantee));
        let granted = |privilege: &&&str| mine().any(|rule| rule.command.privileges().contains(privilege));
        let privileges: Vec<&str> = PRIVILEGES.iter().filter(granted).copied().collect();
        if !privileges.is_empty() {
            let role = grantee.role(context.roles);
            statements.push(format!(
                "grant {} on table {table} to {}",
                privileges.join(", "),
                role.quoted()
            ));
        }
    }
    let service = context.roles.service.quoted();
    statements.push(format!(
        "grant select, insert, update, delete on table {table} to {service}"
    ));
    if spec.soft_delete {
        statements.extend(marks::grants(context, spec));
    }
    statements
}

/// Takes every privilege away.
pub(crate) fn revoke(context: &Context<'_>, spec: &TableSpec) -> String {
    let Roles {
        authenticated,
        anon,
        service,
        ..
    } = context.roles;
    let (table, roles) = (
        context.table(&spec.name),
        [anon, authenticated, service].map(|role| role.quoted().to_string()),
    );
    format!("revoke all on table {table} from public, {}", roles.join(", "))
}

/// Takes every policy away.
pub(crate) fn drop(context: &Context<'_>, spec: &TableSpec) -> Vec<String> {
    let names = std::iter::once("service".to_owned()).chain(rules(spec).into_iter().map(|rule| rule.name));
    let marks = marks::names(spec).into_iter().map(str::to_owned);
    names
        .chain(marks)
        .filter_map(|name| Ident::new(name).ok())
        .map(|name| format!("drop policy {} on {}", name.quoted(), context.table(&spec.name)))
        .collect()
}

fn statement(context: &Context<'_>, spec: &TableSpec, rule: &Rule) -> Result<String, Faults> {
    let scope = Scope::new(spec, context.known, Allow::POLICY);
    let sql = |text: &str| Ok::<_, Faults>(scope.parse(text)?.sql(context.schema, context.helpers, Allow::POLICY));
    let name =
        Ident::new(rule.name.clone()).map_err(|_| Fault::new("policies", "schema/name", "Invalid policy name"))?;
    let roles: Vec<String> = rule
        .to
        .iter()
        .map(|grantee| grantee.role(context.roles).quoted().to_string())
        .collect();
    let (name, table, command) = (name.quoted(), context.table(&spec.name), rule.command.sql());
    let mut text = format!("create policy {name} on {table} for {command} to {}", roles.join(", "));
    if let Some(using) = &rule.using {
        text.push_str(&format!(" using ({})", sql(using)?));
    }
    if let Some(check) = &rule.check {
        text.push_str(&format!(" with check ({})", sql(check)?));
    }
    Ok(text)
}
