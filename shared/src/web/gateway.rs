//! The gateway's events, made fit for the runtime before it builds requests of them.
//!
//! The gateway passes on whatever bytes a client put into its request line. The runtime's crate takes them to form a
//! valid URI and panics when they do not, which would let anybody end a process with one request.

use lambda_http::request::LambdaRequest;
use lambda_runtime::LambdaEvent;

/// What a path may hold as it is (RFC 3986, `pchar` and `/`), beside letters and digits.
const PATH: &[u8] = b"-._~!$&'()*+,;=:@/";
/// What a query may hold as it is, beside what a path may.
const QUERY: &[u8] = b"-._~!$&'()*+,;=:@/?";

/// Percent-encodes what may not stand in a URI; what is valid stays byte by byte.
pub(super) fn tidy(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        request.raw_path = request.raw_path.take().map(|path| encode(path, PATH));
        request.raw_query_string = request.raw_query_string.take().map(|query| encode(query, QUERY));
    }
    event
}

fn encode(text: String, plain: &[u8]) -> String {
    let bytes = text.as_bytes();
    let stays = |at: usize| match bytes[at] {
        b'%' => bytes.len() > at + 2 && bytes[at + 1..at + 3].iter().all(u8::is_ascii_hexdigit),
        byte => byte.is_ascii_alphanumeric() || plain.contains(&byte),
    };
    if (0..bytes.len()).all(stays) {
        return text;
    }
    (0..bytes.len())
        .map(|at| {
            if stays(at) {
                char::from(bytes[at]).to_string()
            } else {
                format!("%{:02X}", bytes[at])
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_text_stays_and_the_rest_is_encoded() {
        for (given, plain, encoded) in [
            ("/p/abc/rest/v1/%ff%FE", PATH, "/p/abc/rest/v1/%ff%FE"),
            ("/a b/ü?x#y", PATH, "/a%20b/%C3%BC%3Fx%23y"),
            ("/100%/%zz/%", PATH, "/100%25/%25zz/%25"),
            (
                "select=*&a=in.(1,2)&b=eq.a+b%2C",
                QUERY,
                "select=*&a=in.(1,2)&b=eq.a+b%2C",
            ),
            ("a=<b>\"{}|\\^`#", QUERY, "a=%3Cb%3E%22%7B%7D%7C%5C%5E%60%23"),
        ] {
            assert_eq!(encode(given.to_owned(), plain), encoded);
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_forms_a_uri(path in "(?s).*", query in "(?s).*") {
            let uri = format!("/{}?{}", encode(path, PATH), encode(query, QUERY));
            prop_assert!(uri.parse::<http::Uri>().is_ok(), "{uri}");
        }
    }
}
