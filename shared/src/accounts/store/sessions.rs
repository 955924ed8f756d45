//! Sessions and their refresh tokens.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Store, failed};
use crate::accounts::Amr;
use crate::control::{bytes, json, text, time, uuid};
use crate::error::{Error, Result};

/// A row of `sessions`.
#[derive(Debug, Clone)]
pub(in crate::accounts) struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    pub aal: String,
    pub amr: Vec<Amr>,
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub not_after: Option<Timestamp>,
}

/// A row of `refresh_tokens`.
#[derive(Debug, Clone)]
pub(in crate::accounts) struct Token {
    pub hash: Vec<u8>,
    pub parent: Option<Vec<u8>>,
    pub used_at: Option<Timestamp>,
}

const SESSION: &str = "id, user_id, aal, amr, user_agent, ip, not_after";

impl Store<'_> {
    pub async fn add_session(&self, session: &Session, now: Timestamp) -> Result<()> {
        let sql = format!(
            "insert into {}.sessions ({SESSION}, created_at, refreshed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            self.schema
        );
        let amr = serde_json::to_value(&session.amr).map_err(Error::internal)?;
        let params = [
            uuid(&session.id),
            uuid(&session.user_id),
            text(&session.aal),
            json(&amr),
            text(&session.user_agent),
            text(&session.address),
            time(&session.not_after),
            time(&now),
        ];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }

    pub async fn has_session(&self, user: Uuid, session: Uuid) -> Result<bool> {
        // Held, so that a session that is being ended does nothing after its end.
        let sql = format!(
            "select 1 from {}.sessions where id = $2 and user_id = $1 for key share",
            self.schema
        );
        let params = [uuid(&user), uuid(&session)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(!rows.is_empty())
    }

    /// When the session was opened.
    pub async fn session_since(&self, session: Uuid) -> Result<Option<Timestamp>> {
        let sql = format!("select created_at from {}.sessions where id = $1", self.schema);
        let rows = self.tx.query_typed(&sql, &[uuid(&session)]).await.map_err(failed)?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// The session that a refresh token belongs to, locked: its refreshes take turns.
    pub async fn lock_session_of(&self, token: &[u8]) -> Result<Option<Session>> {
        let sql = format!(
            "select {SESSION} from {0}.sessions
             where id = (select session_id from {0}.refresh_tokens where token_hash = $1) for update",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[bytes(&token)]).await.map_err(failed)?;
        rows.first().map(read).transpose()
    }

    /// The token as it is now: to be asked after the session was locked, in a statement of its own.
    pub async fn token(&self, hash: &[u8]) -> Result<Option<Token>> {
        let sql = format!(
            "select token_hash, parent_hash, used_at from {}.refresh_tokens where token_hash = $1",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[bytes(&hash)]).await.map_err(failed)?;
        Ok(rows.first().map(|row| Token {
            hash: row.get(0),
            parent: row.get(1),
            used_at: row.get(2),
        }))
    }

    /// Whether the session's unused tokens descend directly from this one or a sibling of it.
    pub async fn is_last_used(&self, session: Uuid, token: &Token) -> Result<bool> {
        let sql = format!(
            "select 1 from {0}.refresh_tokens child
             join {0}.refresh_tokens parent on parent.token_hash = child.parent_hash
             where child.session_id = $1 and child.used_at is null
               and (parent.token_hash = $2 or parent.parent_hash = $3) limit 1",
            self.schema
        );
        let params = [uuid(&session), bytes(&token.hash), bytes(&token.parent)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(!rows.is_empty())
    }

    /// Marks every unused token of the session as used: the one presented and its siblings.
    pub async fn use_tokens(&self, session: Uuid, now: Timestamp) -> Result<()> {
        let sql = format!(
            "with used as (update {0}.refresh_tokens set used_at = $2 where session_id = $1 and used_at is null)
             update {0}.sessions set refreshed_at = $2 where id = $1",
            self.schema
        );
        let params = [uuid(&session), time(&now)];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }

    pub async fn add_token(&self, session: Uuid, hash: &[u8], parent: Option<&[u8]>, now: Timestamp) -> Result<()> {
        let sql = format!(
            "insert into {}.refresh_tokens (token_hash, session_id, parent_hash, created_at) values ($1, $2, $3, $4)",
            self.schema
        );
        let params = [bytes(&hash), uuid(&session), bytes(&parent), time(&now)];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }

    /// Ends one session, and with it its refresh tokens.
    pub async fn end_session(&self, session: Uuid) -> Result<()> {
        let sql = format!("delete from {}.sessions where id = $1", self.schema);
        self.tx.query_typed(&sql, &[uuid(&session)]).await.map_err(failed)?;
        Ok(())
    }

    /// Ends a user's sessions, all or all but one.
    pub async fn end_sessions(&self, user: Uuid, but: Option<Uuid>) -> Result<()> {
        let sql = format!(
            "delete from {}.sessions where user_id = $1 and id is distinct from $2",
            self.schema
        );
        let params = [uuid(&user), uuid(&but)];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.get(0),
        user_id: row.get(1),
        aal: row.get(2),
        amr: serde_json::from_value(row.get::<_, Value>(3)).map_err(Error::internal)?,
        user_agent: row.get(4),
        address: row.get(5),
        not_after: row.get(6),
    })
}
