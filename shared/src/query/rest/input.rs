//! Reads the map of resources, with a fault for every path that is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::shown;
use super::api::{Member, Order, Pagination, Resource, Resources, Total, UpdateMethod};
use crate::ident::Ident;

/// Resources that a map has at most.
pub const MOST_RESOURCES: usize = 200;
/// Rows that a page has at most, and unless something is said.
const MOST_ROWS: u64 = 1_000;
const USUAL_ROWS: u64 = 100;
/// Types that a column may have.
pub(super) const TYPES: [&str; 9] = [
    "text",
    "bigint",
    "numeric",
    "double precision",
    "boolean",
    "uuid",
    "date",
    "timestamp with time zone",
    "jsonb",
];

/// What is wrong: where, below the map, and why.
pub type Wrong = (String, String);

/// Reads a map of resources.
///
/// # Errors
/// Everything that is wrong with it. No value is quoted.
pub fn resources(given: &Value) -> Result<Resources, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let Some(members) = given.as_object() else {
        return Err(vec![(
            String::new(),
            "an object is expected: a resource by its name".to_owned(),
        )]);
    };
    if members.is_empty() || members.len() > MOST_RESOURCES {
        wrong.push((String::new(), format!("1 to {MOST_RESOURCES} resources are expected")));
    }
    let mut resources = Resources::new();
    for (name, given) in members {
        let at = format!(".{}", shown(name));
        if Ident::new(name.as_str()).is_err() {
            wrong.push((at.clone(), "a name of 1 to 63 bytes is expected".to_owned()));
        }
        let mut reader = Reader::new(at, given, RESOURCE, &mut wrong);
        resources.insert(name.clone(), resource(&mut reader));
    }
    if wrong.is_empty() { Ok(resources) } else { Err(wrong) }
}

const RESOURCE: &[&str] = &[
    "list",
    "get",
    "create",
    "update",
    "updateMethod",
    "delete",
    "id",
    "items",
    "item",
    "pagination",
    "total",
    "filters",
    "order",
    "columns",
];

fn resource(reader: &mut Reader<'_, '_>) -> Resource {
    let resource = Resource {
        list: reader.path("list", false),
        create: reader.path("create", false),
        get: reader.path("get", true),
        update: reader.path("update", true),
        delete: reader.path("delete", true),
        update_method: match reader.text("updateMethod").as_deref() {
            None | Some("PATCH") => UpdateMethod::Patch,
            Some("PUT") => UpdateMethod::Put,
            Some("POST") => UpdateMethod::Post,
            Some(_) => {
                reader.wrong("updateMethod", "PATCH, PUT or POST is expected");
                UpdateMethod::Patch
            }
        },
        id: reader.name("id").unwrap_or_else(|| "id".to_owned()),
        items: reader.place("items"),
        item: reader.place("item"),
        pagination: pagination(reader),
        total: total(reader),
        filters: filters(reader),
        order: order(reader),
        columns: columns(reader),
    };
    if resource.list.is_none() && resource.get.is_none() {
        reader.wrong("list", "a resource needs list or get");
    }
    resource
}

fn pagination(reader: &mut Reader<'_, '_>) -> Pagination {
    let known = [
        "style",
        "pageParam",
        "offsetParam",
        "cursorParam",
        "sizeParam",
        "next",
        "firstPage",
        "maxSize",
    ];
    let mut found = Pagination::None;
    reader.within("pagination", &known, |reader| {
        let most = reader.number("maxSize", 1, MOST_ROWS).unwrap_or(USUAL_ROWS);
        let size = reader.name("sizeParam");
        let style = reader.text("style");
        found = match style.as_deref() {
            Some("none") => Pagination::None,
            Some("page") => Pagination::Page {
                page: reader.name("pageParam").unwrap_or_else(|| "page".to_owned()),
                size,
                first: reader.number("firstPage", 0, 1).unwrap_or(1),
                most,
            },
            Some("offset") => Pagination::Offset {
                offset: reader.name("offsetParam").unwrap_or_else(|| "offset".to_owned()),
                limit: size.unwrap_or_else(|| "limit".to_owned()),
                most,
            },
            Some("cursor") => {
                let next = reader.place("next");
                if next.is_empty() {
                    reader.wrong("next", "where a reply has the next cursor is missing");
                }
                Pagination::Cursor {
                    cursor: reader.name("cursorParam").unwrap_or_else(|| "cursor".to_owned()),
                    limit: size,
                    next,
                    most,
                }
            }
            Some("link") => Pagination::Link { limit: size, most },
            _ => {
                reader.wrong("style", "none, page, offset, cursor or link is expected");
                Pagination::None
            }
        };
    });
    found
}

fn total(reader: &mut Reader<'_, '_>) -> Option<Total> {
    let mut found = None;
    reader.within("total", &["header", "path"], |reader| {
        let (header, path) = (reader.name("header"), reader.place("path"));
        found = match (header, path.is_empty()) {
            (Some(header), true) if http::HeaderName::try_from(header.as_str()).is_ok() => Some(Total::Header(header)),
            (None, false) => Some(Total::Path(path)),
            _ => {
                reader.wrong("header", "the name of a header or a path is expected, one of them");
                None
            }
        };
    });
    found
}

fn filters(reader: &mut Reader<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(given) = reader.object("filters") else {
        return found;
    };
    for (column, param) in given {
        let name = format!("filters.{}", shown(column));
        match (
            Ident::new(column.as_str()),
            param.as_str().filter(|param| is_name(param)),
        ) {
            (Ok(_), Some(param)) => {
                found.insert(column.clone(), param.to_owned());
            }
            _ => reader.wrong(&name, "a column and the name of a query parameter are expected"),
        }
    }
    found
}

fn order(reader: &mut Reader<'_, '_>) -> Option<Order> {
    let mut found = None;
    reader.within("order", &["param", "directionParam", "columns"], |reader| {
        let param = reader.name("param");
        let direction = reader.name("directionParam");
        let columns = reader.list("columns");
        let columns: Vec<String> = columns.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        match param {
            Some(param) if !columns.is_empty() => {
                found = Some(Order {
                    param,
                    direction,
                    columns,
                });
            }
            _ => reader.wrong("param", "param and columns are expected"),
        }
    });
    found
}

fn columns(reader: &mut Reader<'_, '_>) -> Vec<Member> {
    let mut found = Vec::new();
    let Some(given) = reader.object("columns") else {
        return found;
    };
    for (name, data_type) in given {
        let at = format!("columns.{}", shown(name));
        let data_type = data_type.as_str().filter(|named| TYPES.contains(named));
        match (Ident::new(name.as_str()), data_type) {
            (Ok(_), Some(data_type)) => found.push(Member {
                name: name.clone(),
                data_type: data_type.to_owned(),
                nullable: true,
            }),
            _ => reader.wrong(&at, &format!("a type is expected: {}", TYPES.join(", "))),
        }
    }
    found
}

/// Reads an object, and notes what is wrong below its path.
struct Reader<'v, 'w> {
    at: String,
    members: Option<&'v Map<String, Value>>,
    wrong: &'w mut Vec<Wrong>,
}

impl<'v, 'w> Reader<'v, 'w> {
    fn new(at: String, given: &'v Value, known: &[&str], wrong: &'w mut Vec<Wrong>) -> Self {
        let members = given.as_object();
        if members.is_none() {
            wrong.push((at.clone(), "an object is expected".to_owned()));
        }
        for name in members.into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                let why = format!("there is no such setting; known are {}", known.join(", "));
                wrong.push((format!("{at}.{}", shown(name)), why));
            }
        }
        Self { at, members, wrong }
    }

    fn wrong(&mut self, name: &str, why: &str) {
        self.wrong.push((format!("{}.{name}", self.at), why.to_owned()));
    }

    fn value(&self, name: &str) -> Option<&'v Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn within(&mut self, name: &str, known: &[&str], read: impl FnOnce(&mut Reader<'v, '_>)) {
        if let Some(given) = self.value(name) {
            read(&mut Reader::new(
                format!("{}.{name}", self.at),
                given,
                known,
                self.wrong,
            ));
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        let text = value.as_str().filter(|text| !text.is_empty() && text.len() <= 2_048);
        if text.is_none() {
            self.wrong(name, "a text is expected");
        }
        text.map(str::to_owned)
    }

    fn name(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let fits = is_name(&text);
        if !fits {
            self.wrong(name, "a name of 1 to 63 visible letters is expected");
        }
        fits.then_some(text)
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(name)?;
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(name, &format!("a whole number from {least} to {most} is expected"));
        }
        number
    }

    /// Names with dots in between.
    fn place(&mut self, name: &str) -> Vec<String> {
        if self.value(name).is_some_and(|value| value == "") {
            return Vec::new();
        }
        let text = self.text(name);
        text.map(|text| text.split('.').map(str::to_owned).collect())
            .unwrap_or_default()
    }

    fn path(&mut self, name: &str, keyed: bool) -> Option<String> {
        let text = self.text(name)?;
        match path_fault(&text, keyed) {
            None => Some(text),
            Some(why) => {
                self.wrong(name, why);
                None
            }
        }
    }

    fn object(&mut self, name: &str) -> Option<&'v Map<String, Value>> {
        let value = self.value(name)?;
        let object = value.as_object();
        if object.is_none() {
            self.wrong(name, "an object is expected");
        }
        object
    }

    fn list(&mut self, name: &str) -> &'v [Value] {
        match self.value(name) {
            None => &[],
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => list,
            Some(_) => {
                self.wrong(name, "a list of texts is expected");
                &[]
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What is wrong with a path below the base URL. It never leaves it, and has `{id}` once where a key is meant.
pub fn path_fault(path: &str, keyed: bool) -> Option<&'static str> {
    let bare = path.replacen("{id}", "", 1);
    let folder = bare.split('?').next().unwrap_or_default();
    if !path.starts_with('/') || path.starts_with("//") || path.len() > 1_000 {
        return Some("a path that begins with one / is expected");
    }
    let climbs = |part: &str| {
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if folder.split('/').any(climbs)
        || bare.contains(['#', '\\', '{', '}'])
        || !bare.bytes().all(|b| b.is_ascii_graphic())
    {
        return Some("visible letters are expected, without . and .., # and other braces than {id}");
    }
    match (keyed, path.contains("{id}")) {
        (true, false) => Some("{id} is missing: it stands for the key"),
        (false, true) => Some("{id} has no meaning here"),
        _ => None,
    }
}
