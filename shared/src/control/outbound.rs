//! The guard before every connection to a host that a user named: it is resolved once, its addresses are checked, and
//! what was checked is what is dialled. A name that changes its mind afterwards changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::config::Outbound;
use crate::error::{Error, ErrorKind};

/// Longest time a name may take to resolve.
const DEADLINE: Duration = Duration::from_secs(3);
/// Addresses of one name that are tried.
const MOST: usize = 4;

/// Why a host is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The name has no address, or none in time.
    Unknown,
    /// None of its addresses may be dialled.
    Forbidden,
    /// The URL is of a kind that is not fetched.
    Url,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the host name has no address",
            Self::Forbidden => "the host's address may not be dialled",
            Self::Url => "the URL may not be fetched",
        })
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let error = match refused {
            Refused::Unknown => Self::new(
                ErrorKind::Unprocessable,
                "outbound/unknown-host",
                "The host name has no address",
            )
            .with_hint("Check its spelling, and that it can be resolved from the internet"),
            Refused::Forbidden => Self::new(
                ErrorKind::Forbidden,
                "outbound/forbidden",
                "The host has a loopback, private or otherwise special address",
            )
            .with_hint("Use a public address, or ask the operator to add the host to PLINTH_OUTBOUND_ALLOW"),
            Refused::Url => Self::new(
                ErrorKind::Unprocessable,
                "outbound/url",
                "The URL must be an https:// URL without a user name",
            )
            .with_hint("Plain http is for hosts that the operator allows only"),
        };
        error.with_source(refused)
    }
}

/// The addresses of `host` that may be dialled, in the resolver's order, four at most.
///
/// # Errors
/// [`Refused::Unknown`] and [`Refused::Forbidden`].
pub async fn resolve(allowed: &Outbound, host: &str, port: u16) -> Result<Vec<IpAddr>, Refused> {
    if allowed.is_closed() && !is_allowed(allowed, host) {
        return Err(Refused::Forbidden);
    }
    let found = tokio::time::timeout(DEADLINE, allowed.names().lookup(host, port)).await;
    let Ok(Ok(found)) = found else {
        return Err(Refused::Unknown);
    };
    if found.is_empty() {
        return Err(Refused::Unknown);
    }
    let mut permitted = Vec::new();
    for address in found {
        if permits(allowed, host, address) && !permitted.contains(&address) && permitted.len() < MOST {
            permitted.push(address);
        }
    }
    if permitted.is_empty() {
        return Err(Refused::Forbidden);
    }
    Ok(permitted)
}

/// Whether `address`, which `host` resolved to, may be dialled.
pub fn permits(allowed: &Outbound, host: &str, address: IpAddr) -> bool {
    let listed = allowed.allows_host(host) || allowed.allows_address(address);
    listed || (!allowed.is_closed() && is_public(address))
}

/// Whether the operator allows the host by name or, if it is written as an address, by that.
pub fn is_allowed(allowed: &Outbound, host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    allowed.allows_host(host) || address.is_ok_and(|address| allowed.allows_address(address))
}

/// Whether a URL may be fetched as far as its text tells: `https`, or `http` at a host of the operator's choice; an
/// address in a name's place is checked here, because no resolver sees it.
///
/// # Errors
/// [`Refused::Url`] and [`Refused::Forbidden`].
pub fn check_url(allowed: &Outbound, url: &str) -> Result<(), Refused> {
    let url = reqwest::Url::parse(url).map_err(|_| Refused::Url)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Refused::Url)?;
    let scheme_fits = match url.scheme() {
        "https" => true,
        "http" => is_allowed(allowed, host),
        _ => false,
    };
    if !scheme_fits || !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Url);
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) if !permits(allowed, host, address) => Err(Refused::Forbidden),
        _ => Ok(()),
    }
}

/// Whether an address is one of the public internet's: not loopback, private, link-local (where clouds answer with
/// credentials), shared, documentation, multicast, reserved, nor IPv4 in an IPv6 coat.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The special-purpose registry of IANA, as far as it is not globally reachable (RFC 6890 and later).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

/// Global unicast is `2000::/3`; of that, neither protocol assignments, documentation nor 6to4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = (0x2000..0x4000).contains(&a);
    let special = match a {
        0x2001 => b < 0x0200 || b == 0x0db8,
        0x2002 => true,
        0x3fff => b < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_platform_dials_what_is_listed_and_resolves_nothing_else() {
        let closed = Outbound::parse("127.0.0.1").unwrap().closed();
        let public = "8.8.8.8".parse().unwrap();
        assert!(permits(&closed, "127.0.0.1", "127.0.0.1".parse().unwrap()));
        assert!(!permits(&closed, "8.8.8.8", public));
        assert!(permits(&Outbound::default(), "8.8.8.8", public));
        // A name is refused as such: nobody is asked what it stands for.
        for host in ["localhost", "8.8.8.8", "db.example.com"] {
            assert_eq!(resolve(&closed, host, 5432).await, Err(Refused::Forbidden), "{host}");
        }
        assert!(resolve(&closed, "127.0.0.1", 5432).await.is_ok());
    }

    #[test]
    fn only_the_public_internet_is_public() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("223.255.255.255", true),
            ("2606:4700::1111", true),
            ("2a00:1450::1", true),
            ("2001:4860::8888", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("::ffff:127.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff:1::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn a_url_is_https_and_goes_where_it_may() {
        let allowed = Outbound::parse("127.0.0.1,keys.internal").unwrap();
        for (url, expected) in [
            ("https://keys.example.com/jwks", Ok(())),
            ("http://127.0.0.1:8080/jwks", Ok(())),
            ("http://keys.internal/jwks", Ok(())),
            ("http://keys.example.com/jwks", Err(Refused::Url)),
            ("file:///etc/passwd", Err(Refused::Url)),
            ("https://user:pw@keys.example.com/", Err(Refused::Url)),
            ("no url", Err(Refused::Url)),
            ("https://169.254.169.254/latest", Err(Refused::Forbidden)),
            ("https://[::1]/", Err(Refused::Forbidden)),
            ("https://2130706434/", Err(Refused::Forbidden)),
            ("https://0x7f.1.1/", Err(Refused::Forbidden)),
        ] {
            assert_eq!(check_url(&allowed, url), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn a_host_is_resolved_and_its_addresses_are_checked() {
        let nothing = Outbound::default();
        let some = Outbound::parse("127.0.0.0/8,::1,localhost").unwrap();
        for host in ["127.0.0.1", "localhost", "127.1", "::ffff:127.0.0.1"] {
            assert_eq!(resolve(&nothing, host, 5432).await, Err(Refused::Forbidden), "{host}");
            assert!(resolve(&some, host, 5432).await.is_ok(), "{host}");
        }
        assert_eq!(resolve(&some, "/tmp", 5432).await, Err(Refused::Unknown));
    }
}
