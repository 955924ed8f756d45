//! Calls of functions: which overload is meant, what goes in, and what its result looks like.

mod choose;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use super::super::request::{
    Accept, Arguments, Format, Handling, MediaType, Method, Prefer, QueryArgument, Request, Return, Scoped, SelectItem,
};
use super::columns::Scope;
use super::{Action, ColumnType, From, Plan, Rules, embed, negotiate, types};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, Ref};
use crate::schema::catalog::{
    Argument, Catalog, Column, Function, NamedType, Relation, RelationKind, Settings, Shape, Volatility, Writable,
};
pub(super) use choose::unknown;
use choose::{Given, choose};

/// The column that one value, or a set of values, stands in; the name is upstream's.
pub const SCALAR: &str = "pgrst_scalar";

/// A function and what it is called with.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The physical schema.
    pub schema: Option<Ident>,
    /// The function.
    pub function: Ident,
    /// What goes in.
    pub arguments: Inputs,
    /// What comes out.
    pub outcome: Outcome,
    /// Whether it may write.
    pub writes: bool,
    /// Whether it returns bytes.
    pub bytes: bool,
    /// The transaction's settings for its sake.
    pub settings: Settings,
}

/// What goes into a function.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Nothing.
    None,
    /// Members of a JSON object, or of the first object of an array.
    Members {
        /// The JSON.
        json: Arc<str>,
        /// Whether it is an array.
        is_array: bool,
        /// The members.
        arguments: Vec<Input>,
    },
    /// One value each.
    Values(Vec<(Input, Value)>),
    /// One unnamed argument.
    Whole(ColumnType, Arc<str>),
}

/// An argument by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub data_type: ColumnType,
    /// Whether it is an array of all that is left.
    pub variadic: bool,
}

/// What an argument is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A value as Postgres reads it.
    One(String),
    /// The elements of a variadic argument.
    Many(Vec<String>),
}

/// What a call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// One value, shown bare.
    Value,
    /// Any number of values: an array of them.
    Values,
    /// One row: an object.
    Object,
    /// Any number of rows.
    Rows,
}

impl Outcome {
    /// Whether there may be any number of what it answers.
    pub fn is_set(self) -> bool {
        matches!(self, Self::Values | Self::Rows)
    }

    fn of(function: &Function) -> Self {
        match (&function.returns.shape, function.returns.set) {
            (Shape::Void, _) => Self::Nothing,
            (Shape::Scalar(_) | Shape::Record, false) => Self::Value,
            (Shape::Scalar(_) | Shape::Record, true) => Self::Values,
            (Shape::Row(_) | Shape::Columns(_), false) => Self::Object,
            (Shape::Row(_) | Shape::Columns(_), true) => Self::Rows,
        }
    }
}

/// Plans a call.
///
/// # Errors
/// As [`super::plan`], and as [`resolve`]; 400 `PGRST128` (`max-affected` for a function that returns no set).
pub(super) fn plan(mut request: Request, arguments: Arguments, catalog: &Catalog, rules: &Rules) -> Result<Plan> {
    let nothing;
    let callable = if rules.functions {
        catalog
    } else {
        nothing = Catalog {
            schema: catalog.schema.clone(),
            ..Catalog::default()
        };
        &nothing
    };
    let (call, function) = resolve(&mut request, arguments, callable)?;
    let prefer = honoured(&request, &call, rules)?;
    let known = result(function, catalog);
    let relation = known.clone().unwrap_or_else(|| Cow::Owned(relation(function, &[])));
    let scope = Scope {
        relation: &relation,
        catalog,
        rules,
    };
    let only_all = request.select.iter().all(|item| *item == SelectItem::All);
    let mut shown = embed::tree(&scope, From::Called, &request)?;
    shown.everything = known.is_none() && only_all;
    Ok(Plan {
        deleted: super::DeletedRows::Gone,
        method: request.method,
        schema: catalog.schema.clone(),
        table: call.function.clone(),
        primary_key: Vec::new(),
        max_rows: rules.max_rows,
        accept: accepted(&request.accept, function, rules)?,
        action: Action::Call(call),
        shown,
        prefer,
        max_reply: rules.max_reply,
        rows: super::RowAccess::All,
    })
}

/// Clears the preferences that calls have no use for.
fn honoured(request: &Request, call: &Call, rules: &Rules) -> Result<Prefer> {
    let mut prefer = request.prefer.clone();
    prefer.resolution = None;
    prefer.missing = None;
    let minimal = request.method == Method::Post && prefer.representation == Some(Return::Minimal);
    prefer.representation = minimal.then_some(Return::Minimal);
    if prefer.handling != Some(Handling::Strict) {
        prefer.max_affected = None;
    }
    if !rules.allow_tx_override {
        prefer.tx = None;
    }
    if prefer.max_affected.is_some() && !call.outcome.is_set() {
        return Err(Error::invalid(
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        ));
    }
    Ok(prefer)
}

/// The reply's shape. One value may be had as it is; a domain named like a media type says which it is.
fn accepted(wanted: &[MediaType], function: &Function, rules: &Rules) -> Result<Accept> {
    let data_type = match &function.returns.shape {
        Shape::Scalar(data_type) if !function.returns.set => data_type.as_str(),
        _ => return negotiate(wanted, rules, None),
    };
    let bare = data_type.trim_matches('"');
    if bare.contains('/') {
        return negotiate(wanted, rules, Some(bare));
    }
    let raw = |media_type: &MediaType| match media_type {
        MediaType::Other(name) if is_raw(name, data_type) => Some(Accept {
            format: Format::Raw(name.clone()),
            ..Accept::default()
        }),
        other => negotiate(std::slice::from_ref(other), rules, None).ok(),
    };
    match wanted.iter().find_map(raw) {
        Some(accept) => Ok(accept),
        None => negotiate(wanted, rules, None),
    }
}

/// Whether a value of the type is one of the media type as it stands.
fn is_raw(media_type: &str, data_type: &str) -> bool {
    match data_type {
        "text" | "character varying" => matches!(media_type, "text/plain" | "application/octet-stream"),
        "xml" => media_type == "text/xml",
        "bytea" => media_type == "application/octet-stream",
        _ => false,
    }
}

/// Finds the function that is meant. Parameters that turn out to be filters are moved to the request's.
///
/// # Errors
/// 404 `PGRST202`, 300 `PGRST203`, 400 `PGRST102` (objects whose keys differ).
fn resolve<'a>(request: &mut Request, arguments: Arguments, catalog: &'a Catalog) -> Result<(Call, &'a Function)> {
    let (function, whole, arguments) = find(&request.table, arguments, catalog)?;
    let inputs = match arguments {
        Arguments::Query(all) => {
            let mut fields = Vec::new();
            for argument in all {
                match argument.filter {
                    Some(filter) => request.filters.push(Scoped::root(filter)),
                    None => fields.push((argument.name, argument.value)),
                }
            }
            values(function, fields, catalog)
        }
        Arguments::Form(fields) => values(function, fields, catalog),
        Arguments::Raw(raw) => whole_body(function, raw.text.into(), catalog),
        Arguments::Json(json) if whole => whole_body(function, json.json, catalog),
        Arguments::Json(json) => {
            let names = json.names.unwrap_or_default();
            let named = |argument: &&Argument| names.contains(&argument.name);
            let arguments: Vec<Input> = function
                .arguments
                .iter()
                .filter(named)
                .filter_map(|argument| input(argument, catalog))
                .collect();
            if arguments.is_empty() {
                Inputs::None
            } else {
                Inputs::Members {
                    json: json.json,
                    is_array: json.is_array,
                    arguments,
                }
            }
        }
    };
    let call = Call {
        schema: catalog.schema.clone(),
        function: function.name.clone(),
        arguments: inputs,
        outcome: Outcome::of(function),
        writes: function.volatility == Volatility::Volatile,
        settings: function.settings.clone(),
        bytes: matches!(&function.returns.shape, Shape::Scalar(data_type) if data_type == "bytea"),
    };
    Ok((call, function))
}

fn find<'a>(name: &str, arguments: Arguments, catalog: &'a Catalog) -> Result<(&'a Function, bool, Arguments)> {
    let given = Given::of(&arguments);
    let refused = match choose(name, &given, catalog) {
        Ok((function, whole)) => return Ok((function, whole, arguments)),
        Err(refused) => refused,
    };
    if given.names.is_none() && refused.kind() == ErrorKind::NotFound {
        return Err(Error::invalid("PGRST102", "All object keys must match"));
    }
    match arguments {
        Arguments::Query(all) if refused.kind() == ErrorKind::NotFound => {
            // What reads as a filter may be an argument: a text like `is.null`.
            let overloads = catalog.functions(name);
            let is_argument = |name: &str| {
                let mut known = overloads.iter().flat_map(|function| &function.arguments);
                known.any(|argument| argument.name == name)
            };
            let taken = |argument: &&QueryArgument| argument.filter.is_none() || is_argument(&argument.name);
            let given = Given::named(all.iter().filter(taken).map(|argument| argument.name.as_str()));
            let Ok((function, whole)) = choose(name, &given, catalog) else {
                return Err(refused);
            };
            let mut all = all;
            for argument in &mut all {
                if function.arguments.iter().any(|other| other.name == argument.name) {
                    argument.filter = None;
                }
            }
            Ok((function, whole, Arguments::Query(all)))
        }
        _ => Err(refused),
    }
}

fn input(argument: &Argument, catalog: &Catalog) -> Option<Input> {
    Some(Input {
        name: Ident::new(argument.name.as_str()).ok()?,
        data_type: types::column(&argument.data_type, catalog),
        variadic: argument.variadic,
    })
}

/// Of several values of one name the last counts, of a variadic one all.
fn values(function: &Function, fields: Vec<(String, String)>, catalog: &Catalog) -> Inputs {
    let mut inputs = Vec::new();
    for argument in &function.arguments {
        let mut given = fields
            .iter()
            .filter(|(name, _)| *name == argument.name)
            .map(|(_, value)| value);
        let value = if argument.variadic {
            let all: Vec<String> = given.cloned().collect();
            (!all.is_empty()).then_some(Value::Many(all))
        } else {
            given.next_back().cloned().map(Value::One)
        };
        inputs.extend(input(argument, catalog).zip(value));
    }
    if inputs.is_empty() {
        Inputs::None
    } else {
        Inputs::Values(inputs)
    }
}

fn whole_body(function: &Function, text: Arc<str>, catalog: &Catalog) -> Inputs {
    match function.arguments.first() {
        Some(argument) => Inputs::Whole(types::column(&argument.data_type, catalog), text),
        None => Inputs::None,
    }
}

/// The relation whose rows a function returns, or one made of its result's columns. `None` if only the database knows
/// them.
fn result<'a>(function: &Function, catalog: &'a Catalog) -> Option<Cow<'a, Relation>> {
    match &function.returns.shape {
        Shape::Void | Shape::Scalar(_) | Shape::Record => {
            let data_type = match &function.returns.shape {
                Shape::Scalar(data_type) => data_type.clone(),
                _ => "record".to_owned(),
            };
            Some(Cow::Owned(relation(function, &[(Ident::fixed(SCALAR), data_type)])))
        }
        Shape::Columns(columns) => Some(Cow::Owned(relation(function, columns))),
        Shape::Row(row) if Some(&row.schema) != catalog.schema.as_ref() => None,
        Shape::Row(row) => match (
            catalog.relation(row.name.as_str()),
            catalog.types.get(row.name.as_str()),
        ) {
            (Some(relation), _) => Some(Cow::Borrowed(relation)),
            (None, Some(NamedType::Composite(fields))) => Some(Cow::Owned(relation(function, fields))),
            (None, _) => None,
        },
    }
}

fn relation(function: &Function, columns: &[(Ident, String)]) -> Relation {
    let column = |(name, data_type): &(Ident, String)| Column {
        name: name.clone(),
        data_type: data_type.clone(),
        base_type: None,
        nullable: true,
        default: None,
        generated: false,
        comment: None,
    };
    Relation {
        hidden: crate::schema::catalog::Hidden::default(),
        name: function.name.clone(),
        kind: RelationKind::View,
        columns: columns.iter().map(column).collect(),
        primary_key: Vec::new(),
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        computed: Vec::new(),
        writable: Writable::default(),
        comment: None,
    }
}

/// What clients call the exposed schema: `public` where it is a project's own in a shared database.
pub(super) fn exposed_name(catalog: &Catalog) -> &str {
    let schema = catalog.schema.as_ref().map_or("public", Ident::as_str);
    match schema.strip_prefix("project_") {
        Some(reference) if reference.parse::<Ref>().is_ok() => "public",
        _ => schema,
    }
}
