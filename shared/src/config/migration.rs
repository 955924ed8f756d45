//! What the function that prepares databases is given beside the rest. No other function has these.

use super::database::{Address, Login};
use super::env::{Env, invalid};
use crate::error::Result;
use crate::sensitive::Sensitive;

/// The owner of the databases and the passwords it gives to the functions' logins.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The control database with the login that owns it and has CREATEROLE and CREATEDB (`PLINTH_MASTER_URL`;
    /// `PLINTH_MASTER_PASSWORD` may hold the password apart).
    pub master: Address,
    /// A Secrets Manager secret with that login and its password, as RDS keeps it: `{"username", "password"}`
    /// (`PLINTH_MASTER_SECRET_ARN`).
    pub master_secret: Option<String>,
    /// Password for `plinth_control` (`PLINTH_LOGIN_CONTROL_PASSWORD`); unset, the login uses IAM tokens. So with the
    /// others.
    pub control: Option<Sensitive>,
    /// Password for `plinth_records` (`PLINTH_LOGIN_RECORDS_PASSWORD`).
    pub records: Option<Sensitive>,
    /// Password for `plinth_auth` (`PLINTH_LOGIN_AUTH_PASSWORD`).
    pub auth: Option<Sensitive>,
    /// Password for `plinth_privacy` (`PLINTH_LOGIN_PRIVACY_PASSWORD`).
    pub privacy: Option<Sensitive>,
    /// Password for `plinth_provision` (`PLINTH_LOGIN_PROVISION_PASSWORD`).
    pub provision: Option<Sensitive>,
    /// Password for `plinth_api` (`PLINTH_LOGIN_API_PASSWORD`).
    pub api: Option<Sensitive>,
    /// Password for `plinth_sql` (`PLINTH_LOGIN_SQL_PASSWORD`).
    pub sql: Option<Sensitive>,
    /// Password for `plinth_connect` (`PLINTH_LOGIN_CONNECT_PASSWORD`).
    pub connect: Option<Sensitive>,
    /// Backends that the first cell, on the same server, takes (`PLINTH_CELL_CAPACITY`).
    pub capacity: i32,
}

impl Migration {
    /// Reads it from `env`.
    ///
    /// # Errors
    /// `config/invalid`, naming the variable.
    pub fn from_env(env: &Env) -> Result<Self> {
        let url = env
            .get("PLINTH_MASTER_URL")
            .ok_or_else(|| invalid("PLINTH_MASTER_URL", "is not set"))?;
        let mut master = Address::from_url(url).map_err(|why| invalid("PLINTH_MASTER_URL", why))?;
        if let Some(password) = env.secret("PLINTH_MASTER_PASSWORD") {
            master.auth = Login::Password(password);
        }
        let capacity = env.parse("PLINTH_CELL_CAPACITY", 1_000)?;
        if capacity < 0 {
            return Err(invalid("PLINTH_CELL_CAPACITY", "must not be negative"));
        }
        Ok(Self {
            master,
            master_secret: env.get("PLINTH_MASTER_SECRET_ARN").map(str::to_owned),
            control: env.secret("PLINTH_LOGIN_CONTROL_PASSWORD"),
            records: env.secret("PLINTH_LOGIN_RECORDS_PASSWORD"),
            auth: env.secret("PLINTH_LOGIN_AUTH_PASSWORD"),
            privacy: env.secret("PLINTH_LOGIN_PRIVACY_PASSWORD"),
            provision: env.secret("PLINTH_LOGIN_PROVISION_PASSWORD"),
            api: env.secret("PLINTH_LOGIN_API_PASSWORD"),
            sql: env.secret("PLINTH_LOGIN_SQL_PASSWORD"),
            connect: env.secret("PLINTH_LOGIN_CONNECT_PASSWORD"),
            capacity,
        })
    }
}
