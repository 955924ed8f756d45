//! A person's rows, whether they are deleted or not. The login at work here reads and removes; it locks nothing.

use serde_json::Value;
use uuid::Uuid;

use super::{Store, failed};
use crate::accounts::person::Person;
use crate::control::{text, uuid};
use crate::error::Result;

impl Store<'_> {
    pub async fn person(&self, id: Uuid) -> Result<Option<Person>> {
        let sql = format!(
            "select u.id, u.email, u.phone, u.raw_user_meta_data, u.deleted_at, u.email_confirmed_at, u.phone_confirmed_at,
               (select count(*) from {schema}.sessions s where s.user_id = u.id),
               (select count(*) from {schema}.identities i where i.user_id = u.id)
             from {schema}.users u where u.id = $1",
            schema = self.schema
        );
        let rows = self.tx.query_typed(&sql, &[uuid(&id)]).await.map_err(failed)?;
        Ok(rows.first().map(|row| Person {
            id: row.get(0),
            email: row.get(1),
            phone: row.get(2),
            metadata: match row.get::<_, Value>(3) {
                Value::Object(map) => map,
                _ => serde_json::Map::new(),
            },
            deleted_at: row.get(4),
            email_confirmed_at: row.get(5),
            phone_confirmed_at: row.get(6),
            sessions: row.get(7),
            identities: row.get(8),
        }))
    }

    /// What is kept of a user, but for what is secret or derived from it.
    pub async fn copy_of_person(&self, id: Uuid) -> Result<Option<Value>> {
        let sql = format!(
            "select jsonb_build_object(
               'account', to_jsonb(u) - 'encrypted_password' || jsonb_build_object(
                 'has_password', u.encrypted_password is not null),
               'identities', coalesce((select jsonb_agg(to_jsonb(i) - 'user_id' order by i.created_at, i.id)
                 from {schema}.identities i where i.user_id = u.id), '[]'),
               'sessions', coalesce((select jsonb_agg(to_jsonb(s) - 'user_id' order by s.created_at, s.id)
                 from {schema}.sessions s where s.user_id = u.id), '[]'))
             from {schema}.users u where u.id = $1",
            schema = self.schema
        );
        let rows = self.tx.query_typed(&sql, &[uuid(&id)]).await.map_err(failed)?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Whose address that is: the one who has it now, or else the last one who was deleted with it.
    pub async fn id_of_address(&self, address: &str) -> Result<Option<Uuid>> {
        let sql = format!(
            "select id from {}.users where lower(email) = lower($1) order by deleted_at desc nulls first, id limit 1",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[text(&address)]).await.map_err(failed)?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Removes a user's sessions with their refresh tokens; how many of each.
    pub async fn remove_sessions(&self, user: Uuid) -> Result<(u64, u64)> {
        let tokens = format!(
            "delete from {schema}.refresh_tokens t using {schema}.sessions s
             where s.id = t.session_id and s.user_id = $1 returning 1",
            schema = self.schema
        );
        let tokens = self.removed(&tokens, user).await?;
        let sessions = format!("delete from {}.sessions where user_id = $1 returning 1", self.schema);
        Ok((self.removed(&sessions, user).await?, tokens))
    }

    /// Removes a user with their identities; how many of each.
    pub async fn remove_account(&self, user: Uuid) -> Result<(u64, u64)> {
        let identities = format!("delete from {}.identities where user_id = $1 returning 1", self.schema);
        let identities = self.removed(&identities, user).await?;
        let users = format!("delete from {}.users where id = $1 returning 1", self.schema);
        Ok((identities, self.removed(&users, user).await?))
    }

    async fn removed(&self, sql: &str, user: Uuid) -> Result<u64> {
        let rows = self.tx.query_typed(sql, &[uuid(&user)]).await.map_err(failed)?;
        Ok(rows.len() as u64)
    }
}
