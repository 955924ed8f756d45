//! A platform user's own database: the one project that was made to hold it.

use jiff::Timestamp;

use super::data::DataAccess;
use super::{Caller, Tenancy};
use crate::control::{self, uuid};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, Ref, UserId};

/// The project that holds a user's own database.
#[derive(Debug, Clone)]
pub struct Personal {
    /// Its id.
    pub project: ProjectId,
    /// Its ref.
    pub reference: Ref,
    /// The database, while there is one.
    pub connected: Option<Connected>,
    version: i64,
}

/// A database that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// `postgresql`, `mysql`, …
    pub provider: String,
    /// When the connection was last changed: what was learned before may not hold.
    pub since: Timestamp,
}

impl Tenancy {
    /// The caller's personal project, if they have one.
    ///
    /// # Errors
    /// When the control database fails.
    pub async fn personal(&self, user: UserId) -> Result<Option<Personal>> {
        let client = self.control.get().await?;
        let sql = "select id, ref, version, provider, connected_at from plinth.personal($1)";
        let rows = client
            .query_typed(sql, &[uuid(&user.0)])
            .await
            .map_err(control::failure)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (provider, since): (Option<String>, Option<Timestamp>) = (row.get(3), row.get(4));
        Ok(Some(Personal {
            project: ProjectId(row.get(0)),
            reference: row.get::<_, &str>(1).parse()?,
            version: row.get(2),
            connected: provider
                .zip(since)
                .map(|(provider, since)| Connected { provider, since }),
        }))
    }

    /// The caller at work in their own database, as its login. Whose rows they are, the login does not tell: who takes
    /// this adds it to every request.
    ///
    /// # Errors
    /// 404 `connections/not-configured` while there is none.
    pub async fn own_database(&self, caller: &Caller) -> Result<DataAccess> {
        let found = self.personal(caller.user.id).await?;
        let found = found.filter(|personal| personal.connected.is_some());
        let personal = found.ok_or_else(not_configured)?;
        let mut project = self.project(&personal.reference).await?;
        if project.version != personal.version {
            // The connection may be another one by now.
            project = self.refresh(&personal.reference).await?;
        }
        let external = self.external(&project).await?.ok_or_else(not_configured)?;
        let role = external.settings.rest.service_role.clone();
        Ok(DataAccess {
            user: Some(caller.user.id),
            ..DataAccess::as_login(project, role, None)
        })
    }
}

/// There is no database where one is needed.
pub fn not_configured() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "connections/not-configured",
        "Database not configured",
    )
    .with_hint("Connect one: POST /api/user/database-connection {\"connectionString\": \"postgresql://…\"}")
}
