//! The project-management template: its tables, as SQL to be copied, as a design to verify a database against, and as what
//! may be written into them.

mod verify;

pub use verify::{Missing, MissingKind, verify};

use crate::tenancy::Family;

/// The template's SQL for a kind of database.
pub fn sql(family: Family) -> &'static str {
    match family {
        Family::MySql => include_str!("mysql.sql"),
        _ => include_str!("postgres.sql"),
    }
}

/// A table of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Columns that an index must begin with.
    pub indexes: &'static [&'static str],
}

/// A column of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who writes it.
    pub written: Written,
}

/// What a column holds; several types of each engine do for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A UUID, or its text.
    Id,
    /// A short text on one line: at most so many characters.
    Line(usize),
    /// A text of any shape.
    Text,
    /// A number with two decimals, not negative.
    Money,
    /// A whole number from 0 to 1000.
    Whole,
    /// A day.
    Day,
    /// A moment.
    Moment,
}

/// Who writes a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The platform, or the database's default.
    Never,
    /// Whoever makes a row, if they like.
    Optional,
    /// Whoever makes a row.
    Required,
}

const fn column(name: &'static str, kind: Kind, written: Written) -> Column {
    Column { name, kind, written }
}

const fn never(name: &'static str, kind: Kind) -> Column {
    column(name, kind, Written::Never)
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    column(name, kind, Written::Optional)
}

const fn required(name: &'static str, kind: Kind) -> Column {
    column(name, kind, Written::Required)
}

/// Of the people themselves. Nothing is served from it.
pub const PROFILES: Table = Table {
    name: "profiles",
    columns: &[
        never("id", Kind::Id),
        never("email", Kind::Line(320)),
        never("full_name", Kind::Line(200)),
        never("avatar_url", Kind::Text),
        never("created_at", Kind::Moment),
        never("updated_at", Kind::Moment),
    ],
    indexes: &[],
};

/// `/api/projects?scope=database`.
pub const PROJECTS: Table = Table {
    name: "projects",
    columns: &[
        never("id", Kind::Id),
        never("user_id", Kind::Id),
        required("name", Kind::Line(200)),
        optional("description", Kind::Text),
        optional("status", Kind::Line(40)),
        optional("priority", Kind::Line(40)),
        optional("budget", Kind::Money),
        optional("spent", Kind::Money),
        optional("due_date", Kind::Day),
        never("created_at", Kind::Moment),
        never("updated_at", Kind::Moment),
    ],
    indexes: &["user_id"],
};

/// `/api/tasks`.
pub const TASKS: Table = Table {
    name: "tasks",
    columns: &[
        never("id", Kind::Id),
        never("user_id", Kind::Id),
        optional("project_id", Kind::Id),
        required("title", Kind::Line(200)),
        optional("description", Kind::Text),
        optional("status", Kind::Line(40)),
        optional("priority", Kind::Line(40)),
        optional("assignee", Kind::Line(200)),
        optional("due_date", Kind::Day),
        never("created_at", Kind::Moment),
        never("updated_at", Kind::Moment),
    ],
    indexes: &["user_id", "project_id"],
};

/// `/api/team`.
pub const TEAM_MEMBERS: Table = Table {
    name: "team_members",
    columns: &[
        never("id", Kind::Id),
        never("user_id", Kind::Id),
        required("name", Kind::Line(200)),
        required("email", Kind::Line(320)),
        optional("role", Kind::Line(200)),
        optional("workload", Kind::Whole),
        optional("status", Kind::Line(40)),
        never("created_at", Kind::Moment),
        never("updated_at", Kind::Moment),
    ],
    indexes: &["user_id"],
};

/// All of them, in the order they are made.
pub const TABLES: [Table; 4] = [PROFILES, PROJECTS, TASKS, TEAM_MEMBERS];

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
