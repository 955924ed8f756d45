//! Conditions of checks and policies, as far as they can be told in words. What cannot stays SQL.

mod read;
mod words;

pub(super) use read::read;

/// A condition about a row and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always.
    True,
    /// Never.
    False,
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
    /// The column holds the user's own id.
    Own(String),
    /// Somebody is signed in.
    SignedIn,
    /// A claim of the user's token, or what is known of them: its name and the value it must have.
    Claim(String, String),
    /// The column is empty, or is not.
    Empty(String, bool),
    /// The column is true, or false.
    Truth(String, bool),
    /// A comparison with a value.
    Compare(Subject, Comparison, String),
    /// One of these values, or none of them.
    OneOf(String, Vec<String>, bool),
    /// A comparison of two columns.
    Columns(String, Comparison, String),
    /// There is a row in that table, for which that holds.
    Exists(String, Box<Condition>),
    /// What this cannot be told in words of.
    Sql(String),
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A column's value.
    Column(String),
    /// The number of characters in it.
    Length(String),
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    /// The same with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

impl Condition {
    /// Whether it is understood to the last part.
    pub(super) fn is_clear(&self) -> bool {
        match self {
            Self::Sql(_) => false,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_clear),
            Self::Not(part) | Self::Exists(_, part) => part.is_clear(),
            _ => true,
        }
    }

    /// Calls what an alias stands for by its own name, in comparisons of columns.
    fn rename(&mut self, alias: &str, name: &str) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.rename(alias, name)),
            Self::Not(part) => part.rename(alias, name),
            Self::Columns(left, _, right) => {
                for side in [left, right] {
                    if let Some(column) = side.strip_prefix(alias) {
                        *side = format!("{name}{column}");
                    }
                }
            }
            _ => {}
        }
    }

    /// What must hold at once.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::parts).collect(),
            other => vec![other],
        }
    }

    /// Columns that must hold the user's own id.
    pub(super) fn own_columns(&self) -> Vec<&str> {
        let own = |part: &&Self| matches!(part, Self::Own(_));
        let parts = self.parts().into_iter().filter(own);
        parts
            .filter_map(|part| match part {
                Self::Own(column) => Some(column.as_str()),
                _ => None,
            })
            .collect()
    }
}
