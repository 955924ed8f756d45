//! Which of the media types that a caller would take the reply will be.

use super::super::request::{Accept, Format, MediaType};
use super::super::shown;
use super::Rules;
use crate::error::{Error, ErrorKind, Result};

/// The first of `wanted` that can be had. `own` is the media type that what is asked for has by itself, as the result of
/// a function may; then that is the usual one.
///
/// # Errors
/// 406 `PGRST107` if there is none.
pub(in crate::query) fn negotiate(wanted: &[MediaType], rules: &Rules, own: Option<&str>) -> Result<Accept> {
    if wanted.is_empty() {
        return Ok(Accept {
            format: own.map_or(Format::Json, |own| Format::Raw(own.to_owned())),
            ..Accept::default()
        });
    }
    wanted
        .iter()
        .find_map(|media_type| shape(media_type, rules, own))
        .ok_or_else(|| {
            let names: Vec<String> = wanted.iter().map(|name| shown(&name.to_string())).collect();
            let message = format!("None of these media types are available: {}", names.join(", "));
            Error::new(ErrorKind::NotAcceptable, "PGRST107", message)
        })
}

fn shape(wanted: &MediaType, rules: &Rules, own: Option<&str>) -> Option<Accept> {
    let json = Accept::default();
    let raw = |own: &str| Accept {
        format: Format::Raw(own.to_owned()),
        ..Accept::default()
    };
    match wanted {
        MediaType::Any => Some(own.map_or(json, raw)),
        MediaType::Json => Some(json),
        MediaType::Object { strip_nulls } => Some(Accept {
            singular: true,
            strip_nulls: *strip_nulls,
            ..json
        }),
        MediaType::StrippedArray => Some(Accept {
            strip_nulls: true,
            ..json
        }),
        MediaType::Csv => Some(Accept {
            format: Format::Csv,
            ..json
        }),
        MediaType::Plan(explain, of) => Some(Accept {
            explain: Some(*explain).filter(|_| rules.plan)?.into(),
            ..shape(of, rules, own)?
        }),
        MediaType::Other(name) => own.filter(|own| own == name).map(raw),
    }
}
