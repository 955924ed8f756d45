//! What the pure part of a request costs: parsing, planning and rendering.
//!
//! `cargo bench -p plinth --bench render`. To hold: a simple GET below 20 µs, an embed three deep below 100 µs.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a bench that panics has failed"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use http::HeaderMap;
use plinth::query::postgres::render;
use plinth::query::{Method, RowAccess, Rules, parse_request, plan};
use plinth::schema::catalog::Catalog;
use serde_json::{Value, json};

/// Tables in the catalog beside those that are asked.
const OTHERS: usize = 200;

fn relation(name: &str, columns: &[&str]) -> Value {
    let column = |name: &&str| {
        let kind = if name.ends_with("id") { "integer" } else { "text" };
        json!({ "name": name, "data_type": kind, "nullable": false })
    };
    json!({
        "name": name,
        "kind": "table",
        "columns": columns.iter().map(column).collect::<Vec<_>>(),
        "primary_key": ["id"],
    })
}

fn many(target: &str, constraint: &str, there: &str) -> Value {
    json!({ "target": target, "link": { "one-to-many": { "constraint": constraint, "columns": [["id", there]] } } })
}

fn catalog() -> Catalog {
    let mut relations = serde_json::Map::new();
    for number in 0..OTHERS {
        let name = format!("other_{number}");
        relations.insert(name.clone(), relation(&name, &["id", "name", "note"]));
    }
    for (name, columns) in [
        ("authors", &["id", "name", "born"][..]),
        ("books", &["id", "author_id", "title", "year", "lent"]),
        ("chapters", &["id", "book_id", "title"]),
        ("notes", &["id", "chapter_id", "text"]),
    ] {
        relations.insert(name.into(), relation(name, columns));
    }
    let catalog = json!({
        "schema": "app",
        "relations": relations,
        "enums": {},
        "relationships": {
            "authors": [many("books", "books_author_id_fkey", "author_id")],
            "books": [many("chapters", "chapters_book_id_fkey", "book_id")],
            "chapters": [many("notes", "notes_chapter_id_fkey", "chapter_id")],
        },
    });
    serde_json::from_value(catalog).unwrap()
}

fn requests(bench: &mut Criterion) {
    let (catalog, rules, headers) = (catalog(), Rules::managed(), HeaderMap::new());
    for (name, table, query) in [
        ("get by key", "books", "id=eq.17"),
        (
            "filtered list",
            "books",
            "select=id,title,year&year=gte.1950&or=(lent.is.true,title.ilike.*a*)&order=year.desc,id&limit=100",
        ),
        (
            "embed three deep",
            "authors",
            "select=id,name,books(id,title,chapters(id,title,notes(id,text)))&id=in.(1,2,3)&books.order=year&books.limit=5",
        ),
    ] {
        let whole = || -> plinth::error::Result<_> {
            let request = parse_request(Method::Get, table, query, &headers, b"")?;
            Ok(render(&plan(request, &catalog, &rules, RowAccess::All)?, "marker"))
        };
        match whole() {
            Ok(_) => drop(bench.bench_function(name, |run| run.iter(|| black_box(whole().unwrap())))),
            Err(refused) => eprintln!("{name}: {refused}"),
        }
    }
}

criterion_group!(benches, requests);
criterion_main!(benches);
