//! What there is, described.

use super::{Row, keys, open, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("GET", "/openapi.json", open(200)),
        row("GET", "/reference", open(200)),
        row("GET", "/p/{ref}/openapi.json", keys([200, 200, 200])),
        row("GET", "/p/{ref}/reference", keys([200, 200, 200])),
    ]
}
