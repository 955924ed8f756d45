//! The parser's types that are column types.

use sqlparser::ast::{ArrayElemTypeDef, DataType as Sql, ExactNumberInfo, TimezoneInfo};

use super::fold;
use crate::ident::Ident;
use crate::schema::data_type::{DataType, Scalar};

/// The column type, or an enum's name to be looked up; `None` for every other type.
pub(super) fn read(data_type: &Sql) -> Option<DataType> {
    match data_type {
        Sql::Array(ArrayElemTypeDef::SquareBracket(element, None)) => Some(DataType {
            scalar: scalar(element)?,
            array: true,
        }),
        other => scalar(other).map(DataType::scalar),
    }
}

fn scalar(data_type: &Sql) -> Option<Scalar> {
    Some(match data_type {
        Sql::Uuid => Scalar::Uuid,
        Sql::Text => Scalar::Text,
        Sql::Integer(None) | Sql::Int(None) | Sql::Int4(None) => Scalar::Integer,
        Sql::BigInt(None) | Sql::Int8(None) => Scalar::Bigint,
        Sql::Boolean | Sql::Bool => Scalar::Boolean,
        Sql::Timestamp(None, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => Scalar::Timestamptz,
        Sql::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Scalar::Timestamp,
        Sql::Date => Scalar::Date,
        Sql::Time(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Scalar::Time,
        Sql::JSON => Scalar::Json,
        Sql::JSONB => Scalar::Jsonb,
        Sql::Numeric(info) | Sql::Decimal(info) => return decimal(*info),
        Sql::Real | Sql::Float4 => Scalar::Real,
        Sql::DoublePrecision | Sql::Double(ExactNumberInfo::None) | Sql::Float8 => Scalar::Double,
        Sql::Custom(name, modifiers) if modifiers.is_empty() => match name.0.as_slice() {
            [part] => Scalar::Enum(Ident::new(part.as_ident().map(fold)?).ok()?),
            _ => return None,
        },
        _ => return None,
    })
}

fn decimal(info: ExactNumberInfo) -> Option<Scalar> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Some(Scalar::Decimal(None)),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    Scalar::checked_decimal(u16::try_from(precision).ok()?, u16::try_from(scale).ok()?)
}
