//! Which hosts named by users may be dialled although they are not on the public internet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::env::{Env, invalid};
use crate::error::Result;

/// The operator's leave (`PLINTH_OUTBOUND_ALLOW`: a comma list of addresses, CIDRs and host names). Without it no
/// connection that a user asks for reaches a loopback, private or otherwise special address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    networks: Vec<Network>,
    hosts: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    bits: u8,
}

impl Outbound {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let list = env.get("PLINTH_OUTBOUND_ALLOW").unwrap_or_default();
        Self::parse(list).map_err(|why| invalid("PLINTH_OUTBOUND_ALLOW", why))
    }

    /// Takes the comma list.
    ///
    /// # Errors
    /// A sentence that names the first entry that is none of the three.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut allowed = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if let Some(network) = Network::parse(entry) {
                allowed.networks.push(network);
            } else if is_host_name(entry) {
                allowed.hosts.insert(entry.to_ascii_lowercase());
            } else {
                return Err(format!("\"{entry}\" is no address, CIDR or host name"));
            }
        }
        Ok(allowed)
    }

    /// Whether the operator allows this host by its name, whatever its addresses are.
    pub fn allows_host(&self, host: &str) -> bool {
        self.hosts.contains(&host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// Whether the operator allows this address. One that is mapped into IPv6 counts as what it maps.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(address) || network.contains(plain))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(widest);
        (bits <= widest).then_some(Self { base, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => same_prefix(
                u128::from(u32::from(base)) << 96,
                u128::from(u32::from(address)) << 96,
                self.bits,
            ),
            (IpAddr::V6(base), IpAddr::V6(address)) => same_prefix(base.into(), address.into(), self.bits),
            _ => false,
        }
    }
}

/// Whether the first `bits` are the same.
fn same_prefix(one: u128, other: u128, bits: u8) -> bool {
    (one ^ other).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}

fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // What looks like a number is a mistyped address.
    let named = text.bytes().any(|b| b.is_ascii_alphabetic());
    named && text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_addresses_networks_and_names() {
        let allowed = Outbound::parse("127.0.0.1, 10.1.0.0/16,fd00::/8 ,db.Internal").unwrap();
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("::ffff:10.1.2.3", true),
            ("fd12::1", true),
            ("fe80::1", false),
            ("::1", false),
        ] {
            assert_eq!(allowed.allows_address(address.parse().unwrap()), expected, "{address}");
        }
        assert!(allowed.allows_host("DB.internal."));
        assert!(!allowed.allows_host("internal"));
        assert!(
            Outbound::parse("0.0.0.0/0")
                .unwrap()
                .allows_address("8.8.8.8".parse().unwrap())
        );
    }

    #[test]
    fn what_is_neither_is_refused_by_name() {
        assert_eq!(Outbound::parse("").unwrap(), Outbound::default());
        for list in [
            "10.0.0.0/33",
            "::/129",
            "10.0.0",
            "a b",
            "http://x",
            "-1/8",
            "a..b",
            "10.0.0.0/",
        ] {
            let why = Outbound::parse(list).unwrap_err();
            assert!(why.contains(list), "{list}: {why}");
        }
    }
}
