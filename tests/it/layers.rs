//! Imports point down only. This file holds the table of layers; an edge outside it fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const GROUND: &[&str] = &["ident", "clock", "error", "sensitive"];
const PURE: &[&str] = &["schema", "query", "docgen", "subject"];
/// Each may import those before it; `vault` and `token` stand side by side.
const PLATFORM: &[&[&str]] = &[
    &["config"],
    &["control"],
    &["vault", "token"],
    &["tenancy"],
    &["backend"],
    &["app"],
];
const SERVICES: &[&str] = &[
    "projects",
    "provisioning",
    "connections",
    "designer",
    "records",
    "sql",
    "personal",
    "accounts",
    "docs",
    "jobs",
    "privacy",
    "audit",
    "usage",
    "purge",
    "trash",
];
const EDGE: &[&str] = &["web", "testing"];

/// Edges the table does not allow and that are there all the same. Each has its reason, and none may be added lightly.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];
/// Files longer than 500 lines, each with the reason why it is still one idea.
const LONG_FILES: &[(&str, &str)] = &[];
const LONGEST: usize = 500;
/// Names that say nothing about what is inside. (`types` may be said below a module whose subject is SQL's types.)
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// What a module of the common crate may import, or nothing for a module the table does not know.
fn allowed(module: &str) -> Option<BTreeSet<&'static str>> {
    let platform = || PLATFORM.iter().copied().flatten();
    let below: Vec<&[&str]> = if GROUND.contains(&module) {
        vec![GROUND]
    } else if PURE.contains(&module) {
        // To the left: a plan is made over the catalog, which `schema` describes, and a description of what may be asked.
        let rank = PURE.iter().position(|pure| *pure == module).unwrap_or_default();
        vec![GROUND, &PURE[..rank]]
    } else if let Some(rank) = PLATFORM.iter().position(|rank| rank.contains(&module)) {
        [&[GROUND, PURE], &PLATFORM[..rank]].concat()
    } else if module == "drivers" {
        vec![GROUND, &["schema", "query", "backend"]]
    } else if SERVICES.contains(&module) {
        return Some(
            [GROUND, PURE, SERVICES]
                .concat()
                .into_iter()
                .chain(platform().copied())
                .collect(),
        );
    } else if EDGE.contains(&module) {
        return Some([GROUND, PURE].concat().into_iter().chain(platform().copied()).collect());
    } else {
        return None;
    };
    Some(below.concat().into_iter().collect())
}

#[test]
fn the_common_crate_imports_downwards_only() {
    let mut faults = Vec::new();
    let mut edges = BTreeSet::new();
    for source in sources("shared/src") {
        let Some(module) = source.module.first() else { continue };
        let Some(allowed) = allowed(module) else {
            faults.push(format!("{}: {module} is in no layer", source.path));
            continue;
        };
        for import in source.imports("crate") {
            let target = import[0].as_str();
            if target == module {
                continue;
            }
            if allowed.contains(target) {
                if SERVICES.contains(&target) && import.get(1).is_some_and(|part| part == "store") {
                    faults.push(format!("{}: {} is {target}'s own", source.path, import.join("::")));
                }
                continue;
            }
            edges.insert((module.clone(), target.to_owned()));
            if !EXCEPTIONS.iter().any(|(from, to, _)| from == module && *to == target) {
                faults.push(format!(
                    "{}: {module} may not import {}",
                    source.path,
                    import.join("::")
                ));
            }
        }
    }
    for (from, to, _) in EXCEPTIONS {
        if !edges.contains(&((*from).to_owned(), (*to).to_owned())) {
            faults.push(format!("the exception {from} → {to} is not needed any more"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_a_main_file_and_the_local_stack_name_drivers() {
    let named: Vec<_> = folders("functions")
        .iter()
        .flat_map(|function| sources(&format!("functions/{function}/src")))
        .filter(|source| !source.path.ends_with("/main.rs"))
        .flat_map(|source| {
            source
                .imports("plinth")
                .into_iter()
                .map(move |import| (source.path.clone(), import))
        })
        .filter(|(_, import)| import[0] == "drivers")
        .map(|(path, import)| format!("{path}: {}", import.join("::")))
        .collect();
    assert!(named.is_empty(), "\n{}", named.join("\n"));
}

#[test]
fn functions_never_import_each_other() {
    let functions = folders("functions");
    for function in &functions {
        let manifest = fs::read_to_string(root().join(format!("functions/{function}/Cargo.toml"))).unwrap();
        for other in functions.iter().filter(|other| *other != function) {
            let depends = manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ")));
            assert!(!depends, "{function} depends on {other}");
        }
    }
}

#[test]
fn modules_have_honest_names_and_files_one_idea() {
    let mut faults = Vec::new();
    let mut long = BTreeMap::new();
    for folder in ["shared/src", "functions", "infra/local", "tests"] {
        for source in sources(folder) {
            let empty = |(depth, name): &(usize, &String)| {
                EMPTY_NAMES.contains(&name.as_str()) || (*depth < 2 && name.as_str() == "types")
            };
            if let Some((_, name)) = source.module.iter().enumerate().find(empty) {
                faults.push(format!("{}: what is a {name}?", source.path));
            }
            let lines = source.text.lines().count();
            if lines > LONGEST {
                long.insert(source.path, lines);
            }
        }
    }
    for (path, lines) in &long {
        if !LONG_FILES.iter().any(|(known, _)| known == path) {
            faults.push(format!("{path}: {lines} lines are usually two ideas"));
        }
    }
    for (path, _) in LONG_FILES {
        if !long.contains_key(*path) {
            faults.push(format!("{path} is not long any more: take it off the list"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn imports_are_found_however_they_are_written() {
    let source = Source {
        path: "shared/src/records/read.rs".into(),
        module: vec!["records".into(), "read".into()],
        text: "//! See crate::web.\nuse crate::{clock::Clock, query::{self, Plan}};\nuse super::super::drivers::x;\n\
               use super::store; let a = crate::designer::store::list(); // crate::jobs\n\
               #[cfg(test)]\nmod tests { use crate::testing; }\n"
            .into(),
    };
    let found: Vec<_> = source.imports("crate").iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "clock::Clock",
            "query::self",
            "query::Plan",
            "designer::store::list",
            "drivers::x",
            "records::store"
        ]
    );
}

/// A Rust file and the path of its module below the crate's root.
struct Source {
    path: String,
    module: Vec<String>,
    text: String,
}

impl Source {
    /// Every path that starts with `krate::` (or, for `crate`, climbs by `super::`), without the crate's name. What stands
    /// in comments or after the start of a file's unit tests does not count.
    fn imports(&self, krate: &str) -> Vec<Vec<String>> {
        if self.module.last().is_some_and(|name| name == "tests") {
            return Vec::new();
        }
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code: String = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .fold(String::new(), |text, line| text + line + "\n");
        let mut found = Vec::new();
        for start in starts(&code, &format!("{krate}::")) {
            expand(&code[start..], Vec::new(), &mut found);
        }
        if krate == "crate" {
            self.climbs(&code, &mut found);
        }
        found.retain(|path| {
            path.first()
                .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        });
        found
    }

    fn climbs(&self, code: &str, found: &mut Vec<Vec<String>>) {
        for start in starts(code, "super::") {
            if code[..start - "super::".len()].ends_with("super::") {
                continue;
            }
            let mut rest = &code[start..];
            let mut depth = self.module.len().saturating_sub(1);
            while let Some(further) = rest.strip_prefix("super::") {
                rest = further;
                depth = depth.saturating_sub(1);
            }
            expand(rest, self.module[..depth].to_vec(), found);
        }
    }
}

/// Where `prefix` ends, each time it stands at the start of a word.
fn starts(code: &str, prefix: &str) -> Vec<usize> {
    let starts_word = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    code.match_indices(prefix)
        .filter(|(at, _)| starts_word(*at))
        .map(|(at, found)| at + found.len())
        .collect()
}

/// Reads `a::b::{c, d::e}` and adds each path it means; returns how far it read.
fn expand(text: &str, prefix: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix;
    let mut at = 0;
    loop {
        let name: String = text[at..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if name.is_empty() {
            break;
        }
        at += name.len();
        path.push(name);
        if !text[at..].starts_with("::") {
            break;
        }
        at += 2;
    }
    if !text[at..].starts_with('{') {
        found.push(path);
        return at;
    }
    at += 1;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
        match text[at..].chars().next() {
            Some(c) if c.is_alphanumeric() || c == '_' => at += expand(&text[at..], path.clone(), found),
            Some('}') | None => return at + 1,
            Some(c) => at += c.len_utf8(),
        }
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of the folders in a folder of the repository.
pub fn folders(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut files = Vec::new();
    walk(&base, &mut files);
    assert!(!files.is_empty(), "{folder} holds no source");
    files
        .into_iter()
        .map(|path| {
            let below = path.strip_prefix(&base).unwrap().with_extension("");
            let mut module: Vec<_> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module
                .last()
                .is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str()))
            {
                module.pop();
            }
            Source {
                path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
                module,
                text: fs::read_to_string(&path).unwrap(),
            }
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "node_modules" && name != "target" {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
