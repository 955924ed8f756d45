//! Typed parameters for `query_typed`, which needs one round trip and no prepared statement, so that it works through a
//! transaction pooler: `client.query_typed(sql, &[uuid(&id), text(&name)])`.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

/// A value with its type.
pub type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// `uuid`, or null.
pub fn uuid<'a>(value: &'a (impl ToSql + Sync + UuidLike)) -> Param<'a> {
    (value, Type::UUID)
}

/// `text`, or null.
pub fn text<'a>(value: &'a (impl ToSql + Sync + TextLike)) -> Param<'a> {
    (value, Type::TEXT)
}

/// `text[]`.
pub fn texts<'a>(value: &'a Vec<String>) -> Param<'a> {
    (value, Type::TEXT_ARRAY)
}

/// `jsonb`, or null.
pub fn json<'a>(value: &'a (impl ToSql + Sync + JsonLike)) -> Param<'a> {
    (value, Type::JSONB)
}

/// `timestamptz`, or null.
pub fn time<'a>(value: &'a (impl ToSql + Sync + TimeLike)) -> Param<'a> {
    (value, Type::TIMESTAMPTZ)
}

/// `bytea`, or null.
pub fn bytes<'a>(value: &'a (impl ToSql + Sync + BytesLike)) -> Param<'a> {
    (value, Type::BYTEA)
}

/// `int8`, or null.
pub fn int8<'a>(value: &'a (impl ToSql + Sync + Int8Like)) -> Param<'a> {
    (value, Type::INT8)
}

/// `int4`.
pub fn int4(value: &i32) -> Param<'_> {
    (value, Type::INT4)
}

/// Marks what may stand where a parameter of one type is asked for, so that a mix-up does not compile.
macro_rules! like {
    ($name:ident: $($kind:ty),+) => {
        #[doc = concat!("What binds as this type: `", stringify!($($kind),+), "`.")]
        pub trait $name {}
        $(impl $name for $kind {})+
    };
}
like!(UuidLike: Uuid, Option<Uuid>);
like!(TextLike: String, Option<String>, &str, Option<&str>);
like!(JsonLike: Value, Option<Value>);
like!(TimeLike: Timestamp, Option<Timestamp>);
like!(BytesLike: Vec<u8>, Option<Vec<u8>>, &[u8], Option<&[u8]>);
like!(Int8Like: i64, Option<i64>);
