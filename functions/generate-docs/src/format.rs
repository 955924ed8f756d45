//! In which form a document is sent: JSON with all that is known of the version, bare Markdown, or a web page.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use plinth::app::App;
use plinth::docs::{self, Version};
use plinth::error::{Error, ErrorKind, Result};
use serde::Deserialize;

/// A form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Markdown,
    Html,
}

/// Each with what `?format=` calls it and its media type; where a client takes several alike, the first is sent.
const FORMATS: [(Format, &str, &str); 3] = [
    (Format::Json, "json", "application/json"),
    (Format::Markdown, "markdown", "text/markdown"),
    (Format::Html, "html", "text/html"),
];

/// `?format=`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `json`, `markdown` or `html`; without it `Accept` decides.
    format: Option<String>,
}

impl Asked {
    /// The form that the query names, or else the one that `Accept` likes best.
    ///
    /// # Errors
    /// 400 `documents/format`; 406 `documents/format` when `Accept` takes none of them.
    pub(crate) fn format(&self, headers: &HeaderMap) -> Result<Format> {
        if let Some(name) = &self.format {
            let named = FORMATS.iter().find(|(_, known, _)| known == name);
            return named
                .map(|found| found.0)
                .ok_or_else(|| Error::invalid("documents/format", "format is json, markdown or html"));
        }
        let accepted = headers.get_all(header::ACCEPT).iter();
        let accepted: Vec<_> = accepted.filter_map(|value| value.to_str().ok()).collect();
        best(&accepted.join(",")).ok_or_else(|| {
            Error::new(
                ErrorKind::NotAcceptable,
                "documents/format",
                "Documents are not sent in any form that Accept names",
            )
            .with_hint("Accept application/json, text/markdown or text/html, or send ?format=")
        })
    }
}

fn best(accept: &str) -> Option<Format> {
    if accept.trim().is_empty() {
        return Some(Format::Json);
    }
    let mut best = None;
    let mut most = 0.0;
    for (format, _, media) in FORMATS {
        let liking = liking(accept, media);
        if liking > most {
            (best, most) = (Some(format), liking);
        }
    }
    best
}

/// How much `Accept` likes a media type: the weight of the most specific range that it falls into (RFC 9110, 12.5.1).
fn liking(accept: &str, media: &str) -> f32 {
    let all_of_kind = format!("{}/*", media.split('/').next().unwrap_or_default());
    let mut found = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rank = match name.as_str() {
            name if name == media => 3,
            name if name == all_of_kind => 2,
            "*/*" => 1,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |weight| {
            weight.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0)
        });
        if rank > found.0 {
            found = (rank, weight);
        }
    }
    found.1
}

/// A version in that form.
///
/// # Errors
/// 413 `documents/reply-too-large` when the gateway would not take it.
pub(crate) async fn send(app: &App, version: Version, format: Format) -> Result<Response> {
    let number = version.view.number;
    let mut response = match format {
        Format::Json => {
            let body = serde_json::to_string(&version).map_err(Error::internal)?;
            typed(app, body, "application/json", "?format=markdown is shorter")?
        }
        Format::Markdown => typed(
            app,
            version.content,
            "text/markdown; charset=utf-8",
            "Generate fewer sections",
        )?,
        Format::Html => {
            let page = docs::page(version).await?;
            let mut response = typed(
                app,
                page.html,
                "text/html; charset=utf-8",
                "?format=markdown is shorter",
            )?;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(page.policy));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("accept"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{number}\"")) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A text as a reply, if the gateway takes it.
///
/// # Errors
/// 413 `documents/reply-too-large`.
pub(crate) fn typed(app: &App, body: String, media: &'static str, hint: &'static str) -> Result<Response> {
    if in_envelope(&body) > app.config.web.max_reply {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "documents/reply-too-large",
            "The document is larger than a reply may be in this form",
        )
        .with_hint(hint));
    }
    let media = HeaderValue::from_static(media);
    Ok(([(header::CONTENT_TYPE, media)], body).into_response())
}

/// Bytes of a text as a JSON string: the gateway takes bodies so.
fn in_envelope(text: &str) -> u64 {
    let cost = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(cost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_form_it_likes_best() {
        for (accept, expected) in [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("text/markdown", Some(Format::Markdown)),
            ("text/*", Some(Format::Markdown)),
            (
                "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
                Some(Format::Html),
            ),
            ("text/html;q=0.4, text/markdown;q=0.5", Some(Format::Markdown)),
            ("TEXT/HTML", Some(Format::Html)),
            ("*/*, application/json;q=0", Some(Format::Markdown)),
            ("text/html;q=nonsense", None),
            ("image/png", None),
            ("application/json;q=0", None),
            (",;,/;q", None),
        ] {
            assert_eq!(best(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_query_overrules_accept() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let asked = |format: Option<&str>| {
            let format = format.map(str::to_owned);
            Asked { format }.format(&headers)
        };
        assert_eq!(asked(None).unwrap(), Format::Html);
        assert_eq!(asked(Some("markdown")).unwrap(), Format::Markdown);
        assert_eq!(asked(Some("pdf")).unwrap_err().code(), "documents/format");
    }

    #[test]
    fn a_body_counts_as_the_gateway_takes_it() {
        let text = "a\"\\\n\u{1}ü";
        let written = serde_json::to_string(text).unwrap();
        assert_eq!(in_envelope(text), written.len() as u64 - 2);
    }
}
