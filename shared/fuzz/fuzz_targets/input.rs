//! A request in a text: `METHOD path?query`, a line for each header, an empty line, the body.

use http::{HeaderMap, HeaderName, HeaderValue};
use plinth::error::{Error, ErrorKind, Result};
use plinth::query::{Method, Request, parse_call, parse_request};

/// Reads the text as a request and parses it as the records function does. `None` if it is no request.
pub fn request(data: &[u8]) -> Option<Result<Request>> {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &data[..0]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(match path.strip_prefix("rpc/") {
        Some(function) => parse_call(method, function, query, &headers, body),
        None => parse_request(method, path, query, &headers, body),
    })
}

/// Panics unless the error is the client's.
pub fn assert_refusal(error: &Error) {
    use ErrorKind::*;
    let fine = matches!(
        error.kind(),
        Ambiguous | Invalid | NotFound | MethodNotAllowed | NotAcceptable | UnsupportedMedia | Range | TooLarge | Unsupported
    );
    assert!(fine, "{error:?}");
    assert!(!error.public().is_empty());
}
