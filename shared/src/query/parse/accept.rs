//! The `Accept` header.

use http::HeaderMap;
use http::header::ACCEPT;

use super::super::request::{Explain, MediaType};

/// The media types asked for, best first: by `q`, then the more specific, then as given. Of `q=0` none.
pub(super) fn accept(headers: &HeaderMap) -> Vec<MediaType> {
    let mut ranked: Vec<(u16, isize, MediaType)> = Vec::new();
    for value in headers.get_all(ACCEPT) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let wanted = split(&value, ',').map(ranged).filter(|(quality, ..)| *quality > 0);
        ranked.extend(wanted);
    }
    // Stable, so that equals stay as given.
    ranked.sort_by_key(|(quality, specific, _)| std::cmp::Reverse((*quality, *specific)));
    ranked.into_iter().map(|(.., media_type)| media_type).collect()
}

/// The parts between separators that stand outside of quotes, trimmed, the empty ones left out.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// A media type with its quality in thousandths and how specific it is: every parameter counts, every star counts
/// against it.
fn ranged(text: &str) -> (u16, isize, MediaType) {
    let mut quality = 1_000;
    let mut parameters = Vec::new();
    let mut parts = split(text, ';');
    let name = parts.next().unwrap_or_default();
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
        if key == "q" {
            quality = thousandths(value);
        } else {
            parameters.push((key, value));
        }
    }
    let specific = parameters.len().cast_signed() - name.matches('*').count().cast_signed();
    (quality, specific, media_type(name, &parameters))
}

/// A quality nobody can read counts as one.
fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.parse().unwrap_or(1.0);
    // Saturates, and is 0 for NaN.
    (quality.clamp(0.0, 1.0) * 1_000.0) as u16
}

fn media_type(name: &str, parameters: &[(String, &str)]) -> MediaType {
    let parameter = |wanted: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| *value)
    };
    let strip_nulls = parameter("nulls") == Some("stripped");
    let name = name.to_ascii_lowercase();
    let explain = |json| {
        let options: Vec<&str> = parameter("options")
            .unwrap_or_default()
            .split('|')
            .map(str::trim)
            .collect();
        let on = |option| options.contains(&option);
        let explain = Explain {
            json,
            analyze: on("analyze"),
            verbose: on("verbose"),
            settings: on("settings"),
            buffers: on("buffers"),
            wal: on("wal"),
        };
        // A plan of a plan is one of JSON.
        let of = match parameter("for").map(|of| ranged(of).2) {
            None | Some(MediaType::Plan(..)) => MediaType::Json,
            Some(other) => other,
        };
        MediaType::Plan(explain, Box::new(of))
    };
    match name.as_str() {
        "*/*" | "application/*" => MediaType::Any,
        "application/json" => MediaType::Json,
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => MediaType::Object { strip_nulls },
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" if strip_nulls => MediaType::StrippedArray,
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => MediaType::Json,
        "text/csv" => MediaType::Csv,
        "application/vnd.pgrst.plan+json" => explain(true),
        "application/vnd.pgrst.plan+text" | "application/vnd.pgrst.plan" => explain(false),
        _ => MediaType::Other(name),
    }
}
