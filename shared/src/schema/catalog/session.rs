//! What a database's owner has set for its sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings by name, as `alter role … set` and `alter function … set` write them.
pub type Settings = BTreeMap<String, String>;

/// The settings that PostgREST takes over from a login and the roles it takes.
/// See <https://postgrest.org/en/stable/references/transactions.html#impersonated-role-settings>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Of the login, of those that we would set otherwise.
    #[serde(default)]
    pub login: Settings,
    /// Of each role that the login may take.
    #[serde(default)]
    pub roles: BTreeMap<String, Settings>,
}

impl Session {
    /// The settings of a transaction as `role`, `None` being the login: the role's own, else the login's.
    pub fn of(&self, role: Option<&str>) -> Settings {
        let own = role.and_then(|role| self.roles.get(role));
        let mut all = self.login.clone();
        all.extend(
            own.into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_overrides_its_login() {
        let settings = |text: &str| Settings::from([("statement_timeout".to_owned(), text.to_owned())]);
        let session = Session {
            login: settings("8000"),
            roles: BTreeMap::from([("anon".to_owned(), settings("3s"))]),
        };
        for (role, timeout) in [(Some("anon"), "3s"), (Some("other"), "8000"), (None, "8000")] {
            assert_eq!(session.of(role), settings(timeout), "{role:?}");
        }
    }
}
