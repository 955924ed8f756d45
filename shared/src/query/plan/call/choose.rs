//! Which of the functions of a name is meant. Upstream's rules: the set of argument names decides, then a function that
//! takes the whole body.

use std::collections::BTreeSet;

use super::super::fuzzy;
use super::exposed_name;
use crate::error::{Error, ErrorKind, Result};
use crate::query::request::{Arguments, RawKind};
use crate::query::shown;
use crate::schema::catalog::{Catalog, Function};

/// What a call brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given<'a> {
    /// The names of its arguments; `None` if it has some that only a function of the whole body can take.
    pub(super) names: Option<BTreeSet<&'a str>>,
    /// What kind of body it has.
    pub(super) body: Body,
}

/// What a single unnamed argument may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing: arguments come by name only.
    None,
    /// JSON.
    Json,
    /// A text, XML or bytes; there are no names then.
    Raw(RawKind),
}

impl<'a> Given<'a> {
    pub(super) fn of(arguments: &'a Arguments) -> Self {
        match arguments {
            Arguments::Query(all) => {
                let plain = all.iter().filter(|argument| argument.filter.is_none());
                Self::named(plain.map(|argument| argument.name.as_str()))
            }
            Arguments::Form(fields) => Self::named(fields.iter().map(|(name, _)| name.as_str())),
            Arguments::Json(json) => Self {
                names: json
                    .names
                    .as_ref()
                    .map(|names| names.iter().map(String::as_str).collect()),
                body: Body::Json,
            },
            Arguments::Raw(raw) => Self {
                names: Some(BTreeSet::new()),
                body: Body::Raw(raw.kind),
            },
        }
    }

    pub(super) fn named(names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            names: Some(names.collect()),
            body: Body::None,
        }
    }

    /// Whether the function takes these names, as its defaults allow.
    fn suits(&self, function: &Function) -> bool {
        let Some(names) = &self.names else { return false };
        if matches!(self.body, Body::Raw(_)) {
            return false;
        }
        let mut arguments = function.arguments.iter();
        arguments.all(|argument| !argument.required || (!argument.name.is_empty() && names.contains(&*argument.name)))
            && names
                .iter()
                .all(|name| !name.is_empty() && function.arguments.iter().any(|argument| argument.name == **name))
    }

    /// Whether the function takes the body as a whole.
    fn fills(&self, function: &Function) -> bool {
        let [argument] = &function.arguments[..] else {
            return false;
        };
        let takes = match self.body {
            Body::None => false,
            Body::Json => matches!(argument.data_type.as_str(), "json" | "jsonb"),
            Body::Raw(kind) => argument.data_type == kind.data_type(),
        };
        takes && argument.name.is_empty()
    }
}

/// The function that is meant, and whether it takes the body as a whole.
///
/// # Errors
/// 404 `PGRST202` if none takes what is given; 300 `PGRST203` if several do.
pub(super) fn choose<'a>(name: &str, given: &Given<'_>, catalog: &'a Catalog) -> Result<(&'a Function, bool)> {
    let overloads = catalog.functions(name);
    let suiting: Vec<&Function> = overloads.iter().filter(|function| given.suits(function)).collect();
    if let [only] = suiting[..] {
        return Ok((only, false));
    }
    if !suiting.is_empty() {
        return Err(ambiguous(&suiting, catalog));
    }
    let filled: Vec<&Function> = overloads.iter().filter(|function| given.fills(function)).collect();
    match filled[..] {
        [only] => Ok((only, true)),
        [] => Err(missing(name, given, catalog)),
        _ => Err(ambiguous(&filled, catalog)),
    }
}

fn ambiguous(candidates: &[&Function], catalog: &Catalog) -> Error {
    let schema = exposed_name(catalog);
    let signature = |function: &&Function| {
        let arguments = function.arguments.iter();
        let arguments = arguments.map(|argument| format!("{} => {}", argument.name, argument.data_type));
        format!(
            "{schema}.{}({})",
            function.name,
            arguments.collect::<Vec<_>>().join(", ")
        )
    };
    let candidates: Vec<String> = candidates.iter().map(signature).collect();
    let message = format!(
        "Could not choose the best candidate function between: {}",
        candidates.join(", ")
    );
    Error::new(ErrorKind::Ambiguous, "PGRST203", message).with_hint(
        "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    )
}

/// There is no function of that name, whatever it is called with.
pub(in super::super) fn unknown(name: &str, catalog: &Catalog) -> Error {
    missing(name, &Given::named(std::iter::empty()), catalog)
}

fn missing(name: &str, given: &Given<'_>, catalog: &Catalog) -> Error {
    let function = format!("{}.{}", exposed_name(catalog), shown(name));
    let names: Vec<String> = given.names.iter().flatten().map(|name| shown(name)).collect();
    let named = match names.as_slice() {
        [] => " without parameters".to_owned(),
        [one] => format!(" with parameter {one}"),
        several => format!(" with parameters {}", several.join(", ")),
    };
    let searched = match given.body {
        Body::None => named,
        Body::Json => format!("{named} or with a single unnamed json/jsonb parameter"),
        Body::Raw(kind) => format!(" with a single unnamed {} parameter", kind.data_type()),
    };
    let called = match given.body {
        Body::Raw(_) => String::new(),
        _ if names.is_empty() => " without parameters".to_owned(),
        _ => format!("({})", names.join(", ")),
    };
    let error = Error::new(
        ErrorKind::NotFound,
        "PGRST202",
        format!("Could not find the function {function}{called} in the schema cache"),
    )
    .with_details(format!(
        "Searched for the function {function}{searched}, but no matches were found in the schema cache."
    ));
    match hint(name, given, catalog) {
        Some(near) => error.with_hint(format!(
            "Perhaps you meant to call the function {}.{near}",
            exposed_name(catalog)
        )),
        None => error,
    }
}

/// The function of the nearest name or, where the name is right, the overload of the nearest argument names.
fn hint(name: &str, given: &Given<'_>, catalog: &Catalog) -> Option<String> {
    if matches!(given.body, Body::Raw(_)) {
        return None;
    }
    let overloads = catalog.functions(name);
    if overloads.is_empty() {
        return fuzzy::best(name, catalog.functions.keys().map(String::as_str)).map(str::to_owned);
    }
    let listed = |names: BTreeSet<&str>| format!("({})", names.into_iter().collect::<Vec<_>>().join(", "));
    let lists: Vec<String> = overloads
        .iter()
        .map(|function| listed(function.arguments.iter().map(|argument| &*argument.name).collect()))
        .collect();
    let wanted = listed(given.names.clone().unwrap_or_default());
    let near = fuzzy::best(&wanted, lists.iter().map(String::as_str))?;
    Some(format!("{name}{near}"))
}
