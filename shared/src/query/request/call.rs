//! What a function is called with, before anybody knows which function is meant.

use std::sync::Arc;

use super::Logic;

/// The arguments of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    /// Parameters of the query string.
    Query(Vec<QueryArgument>),
    /// Fields of a form: names and values, in the order given.
    Form(Vec<(String, String)>),
    /// A JSON body.
    Json(JsonArguments),
    /// A body that is one value.
    Raw(RawArgument),
}

/// A parameter of a read's query string that names no embed. Whether it is an argument, or a filter of the result, its
/// value tells; what reads as a filter may still be an argument (the text `is.null`), if only so a function is found.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryArgument {
    /// Its name.
    pub name: String,
    /// Its value as an argument.
    pub value: String,
    /// What it says as a filter, if it reads as one.
    pub filter: Option<Logic>,
}

/// A JSON body of a call, kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonArguments {
    /// The JSON; `{}` for no body.
    pub json: Arc<str>,
    /// Whether it is an array: then its first element holds the arguments.
    pub is_array: bool,
    /// The names of the arguments: the `columns` parameter, or the object's keys. `None` for an array whose elements are
    /// no objects, or differ in their keys; only a function that takes the whole body takes that.
    pub names: Option<Vec<String>>,
}

/// A body that is one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawArgument {
    /// What type an argument that takes it has.
    pub kind: RawKind,
    /// The value as Postgres reads it.
    pub text: String,
}

/// What a raw body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawKind {
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Bytes,
}

impl RawKind {
    /// The Postgres type.
    pub fn data_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Xml => "xml",
            Self::Bytes => "bytea",
        }
    }
}
