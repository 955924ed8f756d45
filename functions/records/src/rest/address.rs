//! The address that a reply names as its own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The read's canonical address: its parameters sorted by name, encoded in one way.
pub(super) fn canonical(parts: &[&str], query: &str) -> String {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut location = String::new();
    for part in parts {
        location.push('/');
        location.extend(utf8_percent_encode(part, KEPT));
    }
    for (at, (name, value)) in pairs.iter().enumerate() {
        location.push(if at == 0 { '?' } else { '&' });
        location.extend(percent_encode(name, KEPT));
        location.push('=');
        location.extend(percent_encode(value, KEPT));
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_address_is_sorted_and_encoded_in_one_way() {
        for (query, location) in [
            ("", "/my%20t"),
            (
                "select=id,name&b=eq.x+y&a=gt.%31",
                "/my%20t?a=gt.1&b=eq.x%20y&select=id%2Cname",
            ),
            ("a=2&a=1&&b", "/my%20t?a=2&a=1&b="),
            ("a=%ff%0d", "/my%20t?a=%FF%0D"),
        ] {
            assert_eq!(canonical(&["my t"], query), location);
        }
    }
}
