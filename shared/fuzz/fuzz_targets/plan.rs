//! Whatever is parsed is planned and rendered, or refused.

#![no_main]

mod input;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plinth::query::{Rules, plan, postgres};
use plinth::schema::catalog::Catalog;

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| serde_json::from_str(include_str!("../catalog.json")).expect("the catalog is one"));

fuzz_target!(|data: &[u8]| {
    let Some(Ok(request)) = input::request(data) else { return };
    for rules in [Rules::managed(), Rules::external()] {
        match plan(request.clone(), &CATALOG, &rules) {
            Ok(plan) => {
                let rendered = postgres::render(&plan, "marker");
                assert!(!rendered.sql.contains('\0'));
            }
            Err(error) => input::assert_refusal(&error),
        }
    }
});
