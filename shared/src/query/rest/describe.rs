//! Resources derived from an OpenAPI document (2.0 or 3.x): a path that answers a list of objects, and the path below it
//! that takes a key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::api::{Member, Pagination, Resource, Resources, Total, UpdateMethod};
use super::input::{MOST_RESOURCES, path_fault};
use crate::ident::Ident;

/// References that are followed one after the other.
const DEEPEST: usize = 16;
/// Members of a row at most.
const MOST_MEMBERS: usize = 500;
/// Rows of a page, where the document names no maximum.
const USUAL_ROWS: u64 = 100;
const LARGEST_PAGE: u64 = 1_000;
/// What parameters are called.
const PAGES: [&str; 3] = ["page", "page_number", "pageNumber"];
const OFFSETS: [&str; 3] = ["offset", "skip", "start"];
const SIZES: [&str; 8] = [
    "limit",
    "per_page",
    "perPage",
    "page_size",
    "pageSize",
    "size",
    "take",
    "count",
];
const CURSORS: [&str; 4] = ["cursor", "after", "page_token", "pageToken"];
const NEXT: [&str; 4] = ["next_cursor", "nextCursor", "next_page_token", "nextPageToken"];
const TOTALS: [&str; 4] = ["total", "total_count", "totalCount", "count"];

/// The resources of a document, by the last word of their list's path.
///
/// # Errors
/// A sentence that says why there are none.
pub fn describe(document: &Value) -> Result<Resources, String> {
    let document = Document(document);
    let known = document.0.get("openapi").or_else(|| document.0.get("swagger"));
    if known.and_then(Value::as_str).is_none() {
        return Err("it is no OpenAPI document: openapi or swagger is missing".to_owned());
    }
    let paths = document.0.get("paths").and_then(Value::as_object);
    let paths = paths.ok_or("its paths are missing")?;
    let mut found = Resources::new();
    for (path, operations) in paths {
        let fits = !path.contains('{') && path_fault(path, false).is_none();
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if !fits || Ident::new(name).is_err() || found.len() == MOST_RESOURCES {
            continue;
        }
        if let Some(mut resource) = document.list(path, operations) {
            if let Some((keyed, operations)) = below(paths, path) {
                document.one(&mut resource, keyed, operations);
            }
            found.entry(name.to_owned()).or_insert(resource);
        }
    }
    if found.is_empty() {
        return Err("no path of it answers a list of objects".to_owned());
    }
    Ok(found)
}

/// The path with one parameter behind that of a list.
fn below<'v>(paths: &'v Map<String, Value>, list: &str) -> Option<(&'v str, &'v Value)> {
    let list = list.trim_end_matches('/');
    paths.iter().find_map(|(path, operations)| {
        let key = path.strip_prefix(list)?.strip_prefix('/')?.trim_end_matches('/');
        let one = key.starts_with('{') && key.ends_with('}') && key.matches('{').count() == 1;
        one.then_some((path.as_str(), operations))
    })
}

struct Document<'v>(&'v Value);

impl<'v> Document<'v> {
    fn list(&self, path: &str, operations: &'v Value) -> Option<Resource> {
        let read = operations.get("get")?;
        let reply = self.reply(read)?;
        let (items, row) = self.items(self.schema(reply)?)?;
        let columns = self.members(row);
        let envelope = match items.is_empty() {
            true => Vec::new(),
            false => self.members(self.schema(reply)?),
        };
        let params = self.parameters(operations, read);
        let declared = |name: &str| envelope.iter().any(|member| member.name == name);
        let scalar = |name: &&String| {
            let column = columns.iter().find(|column| column.name == **name);
            column.is_some_and(|column| column.data_type != "jsonb")
        };
        Some(Resource {
            list: Some(path.to_owned()),
            create: operations.get("post").map(|_| path.to_owned()),
            items,
            pagination: pagination(&params, declared),
            total: self.total(reply, declared),
            filters: params
                .keys()
                .filter(scalar)
                .map(|name| (name.clone(), name.clone()))
                .collect(),
            id: "id".to_owned(),
            columns,
            ..Resource::default()
        })
    }

    fn one(&self, resource: &mut Resource, path: &str, operations: &'v Value) {
        let Some((before, key)) = path.split_once('{') else {
            return;
        };
        let (key, after) = key.split_once('}').unwrap_or((key, ""));
        let keyed = format!("{before}{{id}}{after}");
        if path_fault(&keyed, true).is_some() {
            return;
        }
        if resource.columns.iter().any(|column| column.name == key) {
            key.clone_into(&mut resource.id);
        }
        let has = |verb: &str| operations.get(verb).map(|_| keyed.clone());
        resource.get = has("get");
        resource.delete = has("delete");
        // A PUT takes whole rows, unless it says otherwise in words that nobody reads.
        resource.update = has("patch");
        resource.update_method = UpdateMethod::Patch;
        let shown = operations.get("get").and_then(|read| self.reply(read));
        if let Some(schema) = shown.and_then(|reply| self.schema(reply)) {
            resource.item = self.wrapped(schema, &resource.id);
        }
    }

    /// Where the row is in a reply that has its key one level down.
    fn wrapped(&self, schema: &'v Value, id: &str) -> Vec<String> {
        let members = self.properties(schema);
        if members.iter().any(|(name, _)| *name == id) {
            return Vec::new();
        }
        let inner = members
            .iter()
            .find(|(_, inner)| self.properties(inner).iter().any(|(name, _)| *name == id));
        inner.map(|(name, _)| vec![(*name).to_owned()]).unwrap_or_default()
    }

    /// What an operation answers when all is well.
    fn reply(&self, operation: &'v Value) -> Option<&'v Value> {
        let replies = operation.get("responses")?.as_object()?;
        let good = replies
            .iter()
            .find(|(status, _)| matches!(status.as_str(), "200" | "201" | "2XX" | "default"));
        Some(self.followed(good?.1))
    }

    fn schema(&self, reply: &'v Value) -> Option<&'v Value> {
        let of_version_2 = reply.get("schema");
        let schema = of_version_2.or_else(|| {
            let content = reply.get("content")?.as_object()?;
            let json = content.iter().find(|(media, _)| media.contains("json"));
            json?.1.get("schema")
        });
        Some(self.followed(schema?))
    }

    /// Where in a reply the rows are, and what one of them is.
    fn items(&self, schema: &'v Value) -> Option<(Vec<String>, &'v Value)> {
        let row = |schema: &'v Value| {
            let row = self.followed(schema.get("items")?);
            (!self.properties(row).is_empty()).then_some(row)
        };
        if let Some(row) = row(schema) {
            return Some((Vec::new(), row));
        }
        let mut lists = self.properties(schema).into_iter();
        lists.find_map(|(name, inner)| Some((vec![name.to_owned()], row(inner)?)))
    }

    fn properties(&self, schema: &'v Value) -> Vec<(&'v str, &'v Value)> {
        let mut found = Vec::new();
        self.gather(self.followed(schema), &mut found, 0);
        found
    }

    fn gather(&self, schema: &'v Value, found: &mut Vec<(&'v str, &'v Value)>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.gather(self.followed(part), found, depth + 1);
        }
        for (name, inner) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if found.len() < MOST_MEMBERS && !found.iter().any(|(known, _)| known == name) {
                found.push((name, self.followed(inner)));
            }
        }
    }

    fn members(&self, schema: &'v Value) -> Vec<Member> {
        let required = schema.get("required").and_then(Value::as_array);
        let needed = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        let properties = self.properties(schema).into_iter();
        let named = properties.filter(|(name, _)| Ident::new(*name).is_ok());
        named
            .map(|(name, inner)| {
                let (data_type, nullable) = type_of(inner);
                Member {
                    name: name.to_owned(),
                    data_type: data_type.to_owned(),
                    nullable: nullable || !needed(name),
                }
            })
            .collect()
    }

    /// The parameters of a query, with their schemas.
    fn parameters(&self, operations: &'v Value, read: &'v Value) -> BTreeMap<String, &'v Value> {
        let lists = [operations.get("parameters"), read.get("parameters")];
        let all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        all.map(|param| self.followed(param))
            .filter(|param| param.get("in").is_some_and(|place| place == "query"))
            .filter_map(|param| {
                let name = param.get("name")?.as_str()?.to_owned();
                Some((name, self.followed(param.get("schema").unwrap_or(param))))
            })
            .collect()
    }

    fn total(&self, reply: &'v Value, declared: impl Fn(&str) -> bool) -> Option<Total> {
        let headers = reply.get("headers").and_then(Value::as_object);
        let named = headers.into_iter().flat_map(Map::keys);
        let mut counts = named.filter(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("total") && name.contains("count")
        });
        if let Some(header) = counts.next() {
            return Some(Total::Header(header.clone()));
        }
        let path = TOTALS.into_iter().find(|name| declared(name))?;
        Some(Total::Path(vec![path.to_owned()]))
    }

    /// What a reference within the document points to.
    fn followed(&self, value: &'v Value) -> &'v Value {
        let mut at = value;
        for _ in 0..DEEPEST {
            let Some(reference) = at.get("$ref").and_then(Value::as_str) else {
                return at;
            };
            let target = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
            let Some(target) = target else { return &Value::Null };
            at = target;
        }
        &Value::Null
    }
}

/// How a list is read in parts, by what its parameters are called.
fn pagination(params: &BTreeMap<String, &Value>, declared: impl Fn(&str) -> bool) -> Pagination {
    let named = |names: &[&str]| {
        names
            .iter()
            .find(|name| params.contains_key(**name))
            .map(|name| (*name).to_owned())
    };
    let size = named(&SIZES);
    let maximum = size
        .as_ref()
        .and_then(|size| params.get(size)?.get("maximum")?.as_u64());
    let most = maximum.unwrap_or(USUAL_ROWS).clamp(1, LARGEST_PAGE);
    if let (Some(offset), Some(limit)) = (named(&OFFSETS), size.clone()) {
        return Pagination::Offset { offset, limit, most };
    }
    let next = NEXT.into_iter().find(|name| declared(name));
    if let (Some(cursor), Some(next)) = (named(&CURSORS), next) {
        return Pagination::Cursor {
            cursor,
            limit: size,
            next: vec![next.to_owned()],
            most,
        };
    }
    match (named(&PAGES), size) {
        // Of pages of unknown size only whole ones could be asked for.
        (Some(page), Some(size)) => Pagination::Page {
            page,
            size: Some(size),
            first: 1,
            most,
        },
        (_, limit @ Some(_)) => Pagination::Link { limit, most },
        _ => Pagination::None,
    }
}

/// A type by Postgres's name, and whether it may be null.
fn type_of(schema: &Value) -> (&'static str, bool) {
    let mut nullable = schema.get("nullable").is_some_and(|flag| flag == true);
    let named: Vec<&str> = match schema.get("type") {
        Some(Value::String(named)) => vec![named],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    nullable |= named.contains(&"null");
    let mut real = named.into_iter().filter(|named| *named != "null");
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let data_type = match (real.next(), real.next()) {
        (Some("integer"), None) => "bigint",
        (Some("number"), None) => "numeric",
        (Some("boolean"), None) => "boolean",
        (Some("string"), None) => match format {
            "date-time" => "timestamp with time zone",
            "date" => "date",
            "uuid" => "uuid",
            _ => "text",
        },
        _ if schema.get("enum").is_some() => "text",
        _ => "jsonb",
    };
    (data_type, nullable)
}
