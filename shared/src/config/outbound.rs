//! Which hosts named by users may be dialled although they are not on the public internet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Names;
use super::env::{Env, invalid};
use crate::error::Result;

/// The operator's leave (`PLINTH_OUTBOUND_ALLOW`: a comma list of addresses, CIDRs and host names). Without it no
/// connection that a user asks for reaches a loopback, private or otherwise special address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    networks: Vec<Network>,
    hosts: BTreeSet<String>,
    /// Whether nothing else is dialled, be it public or not.
    only: bool,
    /// `login@host`, the host in lower case.
    iam_logins: BTreeSet<String>,
    names: Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    bits: u8,
}

impl Outbound {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let list = env.get("PLINTH_OUTBOUND_ALLOW").unwrap_or_default();
        let allowed = Self::parse(list).map_err(|why| invalid("PLINTH_OUTBOUND_ALLOW", why))?;
        let logins = env.get("PLINTH_IAM_LOGINS").unwrap_or_default();
        let allowed = match env.parse("PLINTH_OUTBOUND_ONLY", false)? {
            true => allowed.closed(),
            false => allowed,
        };
        allowed
            .with_iam_logins(logins)
            .map_err(|why| invalid("PLINTH_IAM_LOGINS", why))
    }

    /// Beside it, the logins that every user may have us sign in as with the functions' own AWS role
    /// (`PLINTH_IAM_LOGINS`: a comma list of `login@host`). Without it there is none: that role signs in to our own
    /// databases as well.
    ///
    /// # Errors
    /// A sentence that names the first entry of another form.
    pub fn with_iam_logins(mut self, list: &str) -> Result<Self, String> {
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let host = entry.rsplit_once('@').filter(|(login, _)| !login.is_empty());
            let host = host.map(|(_, host)| host);
            if !host.is_some_and(|host| is_host_name(host) || host.parse::<IpAddr>().is_ok()) {
                return Err(format!("\"{entry}\" is not login@host"));
            }
            self.iam_logins.insert(iam_login(entry));
        }
        Ok(self)
    }

    /// Whether the functions' own AWS role may sign in as that login for a user.
    pub fn allows_iam_login(&self, login: &str, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.iam_logins.contains(&iam_login(&format!("{login}@{host}")))
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

    /// The same leave, with names resolved by somebody else than the system.
    #[must_use]
    pub fn resolved_by(self, names: Names) -> Self {
        Self { names, ..self }
    }

    /// What names are resolved by.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The same leave, and nothing beside it.
    #[must_use]
    pub fn closed(self) -> Self {
        Self { only: true, ..self }
    }

    /// Whether only what is on the list may be dialled (`PLINTH_OUTBOUND_ONLY`): no other name is even resolved.
    pub fn is_closed(&self) -> bool {
        self.only
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

/// `login@host` with the host in lower case.
fn iam_login(text: &str) -> String {
    let (login, host) = text.rsplit_once('@').unwrap_or((text, ""));
    format!("{login}@{}", host.to_ascii_lowercase())
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
    fn a_login_is_allowed_at_its_host_only() {
        let list = "app@db.One.rds.amazonaws.com, other@127.0.0.1";
        let allowed = Outbound::default().with_iam_logins(list).unwrap();
        for (login, host, expected) in [
            ("app", "DB.one.rds.amazonaws.com.", true),
            ("App", "db.one.rds.amazonaws.com", false),
            ("app", "db.two.rds.amazonaws.com", false),
            ("other", "127.0.0.1", true),
            ("other", "db.one.rds.amazonaws.com", false),
        ] {
            assert_eq!(allowed.allows_iam_login(login, host), expected, "{login}@{host}");
        }
        for list in ["app", "@host", "app@", "app@a b"] {
            assert!(Outbound::default().with_iam_logins(list).unwrap_err().contains(list));
        }
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
