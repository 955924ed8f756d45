//! A REST API as its owner describes it: where it is, how requests prove who sends them, and what can be done with each
//! of its resources. Only ever stored sealed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The one schema that an API has for us.
pub const SCHEMA: &str = "api";

/// An API.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// What every path is appended to; without a slash at its end.
    pub base_url: String,
    /// How requests prove who sends them.
    pub auth: Auth,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A path that answers 2xx when all is well.
    #[serde(default)]
    pub health_path: Option<String>,
    /// What is there.
    pub source: Source,
}

/// How requests prove who sends them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Auth {
    None,
    Bearer { token: String },
    Basic { username: String, password: String },
    Header { name: String, value: String },
    Query { name: String, value: String },
    OAuth2(ClientCredentials),
}

/// The client credentials grant (RFC 6749, section 4.4).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientCredentials {
    /// Where tokens are had.
    pub token_url: String,
    /// The client.
    pub client_id: String,
    /// Its secret; sent by HTTP basic authentication, as section 2.3.1 prefers.
    pub client_secret: String,
    /// What the token is for.
    #[serde(default)]
    pub scope: Option<String>,
}

/// Where the resources are described.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Here.
    Resources(Resources),
    /// In the OpenAPI document that this path of the API answers.
    Document(String),
}

/// Resources by name; each is a table for those who ask.
pub type Resources = BTreeMap<String, Resource>;

/// What can be done with a resource. A path that is missing cannot be done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// Answers many rows.
    pub list: Option<String>,
    /// Answers one row; `{id}` stands for its key, as in those below.
    pub get: Option<String>,
    /// Takes a new row (POST).
    pub create: Option<String>,
    /// Takes the changed members of a row.
    pub update: Option<String>,
    /// How.
    pub update_method: UpdateMethod,
    /// Removes a row (DELETE).
    pub delete: Option<String>,
    /// The member that is the key.
    pub id: String,
    /// Where in a list's reply the rows are; empty: it is the list itself.
    pub items: Vec<String>,
    /// Where in the reply of one row it is; empty: it is the row itself.
    pub item: Vec<String>,
    /// How a list is read in parts.
    pub pagination: Pagination,
    /// Where a list's reply says how many rows match.
    pub total: Option<Total>,
    /// By member: the query parameter that a list is filtered by, for equality.
    pub filters: BTreeMap<String, String>,
    /// How a list is sorted.
    pub order: Option<Order>,
    /// What a row has; empty: nobody knows before one is seen.
    pub columns: Vec<Member>,
}

/// The verb of an update. Whichever it is: members that are not sent stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum UpdateMethod {
    #[default]
    Patch,
    Put,
    Post,
}

/// How a list is read in parts. `most` is how many rows the API answers at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pagination {
    /// A list is always whole.
    #[default]
    None,
    /// By the number of a page.
    Page {
        /// The parameter with the number.
        page: String,
        /// The parameter with the rows of a page; without one they are `most`.
        size: Option<String>,
        /// The number of the first page.
        first: u64,
        #[allow(missing_docs, reason = "see above")]
        most: u64,
    },
    /// By the number of rows left out.
    Offset {
        /// The parameter with that number.
        offset: String,
        /// The parameter with the rows wanted.
        limit: String,
        #[allow(missing_docs, reason = "see above")]
        most: u64,
    },
    /// By a mark that each reply has for the next one.
    Cursor {
        /// The parameter that takes it.
        cursor: String,
        /// The parameter with the rows wanted.
        limit: Option<String>,
        /// Where in a reply it is.
        next: Vec<String>,
        #[allow(missing_docs, reason = "see above")]
        most: u64,
    },
    /// By the URL of the next part in the `Link` header (RFC 8288).
    Link {
        /// The parameter with the rows wanted.
        limit: Option<String>,
        #[allow(missing_docs, reason = "see above")]
        most: u64,
    },
}

/// Where a list's reply says how many rows match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Total {
    /// In this header: a number, or a `Content-Range` with one behind its slash.
    Header(String),
    /// In this place of the body.
    Path(Vec<String>),
}

/// How a list is sorted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The parameter that names the member. Without `direction` it takes several, with a comma in between and `-` before
    /// those that descend.
    pub param: String,
    /// The parameter that takes `asc` or `desc`; only one member can be named then.
    pub direction: Option<String>,
    /// The members that may be named.
    pub columns: Vec<String>,
}

/// A member of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its type, by Postgres's name.
    pub data_type: String,
    /// Whether it may be null or missing.
    pub nullable: bool,
}

impl Pagination {
    /// Rows that the API answers at once, if there is a limit.
    pub fn most(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Page { most, .. }
            | Self::Offset { most, .. }
            | Self::Cursor { most, .. }
            | Self::Link { most, .. } => Some(*most),
        }
    }
}

impl Auth {
    /// What it is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer { .. } => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::Query { .. } => "query",
            Self::OAuth2(_) => "oauth2",
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
