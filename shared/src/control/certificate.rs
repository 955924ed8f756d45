//! When a certificate ends: the one fact of it that is read here (RFC 5280, section 4.1).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The `notAfter` of a certificate in DER, if it can be read.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = any(rest)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = any(rest)?.2;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, _, rest) = any(validity)?;
    let (tag, time, _) = any(rest)?;
    let time = std::str::from_utf8(time).ok()?;
    match tag {
        // Years from 1950 to 2049 have two digits.
        UTC_TIME => {
            let century = if time.get(..2)?.parse::<u8>().ok()? >= 50 {
                "19"
            } else {
                "20"
            };
            moment(&format!("{century}{time}"))
        }
        GENERALIZED_TIME => moment(time),
        _ => None,
    }
}

/// `YYYYMMDDhhmmssZ`.
fn moment(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The content of the element in front, which has that tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the element in front, and what follows it.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let pem = include_bytes!("../../../infra/trust/amazon-roots.pem");
        let ends: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| not_after(&certificate.unwrap()).unwrap().to_string())
            .collect();
        assert_eq!(ends[0], "2038-01-17T00:00:00Z");
        assert!(ends.iter().all(|end| end.as_str() > "2030"), "{ends:?}");
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let der = CertificateDer::pem_slice_iter(include_bytes!("../../../infra/trust/amazon-roots.pem"))
            .next()
            .unwrap()
            .unwrap();
        for length in 0..200 {
            assert_eq!(not_after(&der[..length]), None);
        }
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(
            moment("20490101000000Z").map(|time| time.to_string()),
            Some("2049-01-01T00:00:00Z".to_owned())
        );
    }
}
