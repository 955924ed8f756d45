//! Users and their identities.

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Store, failed};
use crate::accounts::refusal::unprocessable;
use crate::control::{json, text, time, uuid, violates};
use crate::error::{Error, Result};

pub(super) const USER: &str = "id, email, phone, encrypted_password, email_confirmed_at, phone_confirmed_at, invited_at, \
    last_sign_in_at, raw_app_meta_data, raw_user_meta_data, is_anonymous, banned_until, created_at, updated_at";

/// A row of `users` that is not deleted.
#[derive(Clone)]
pub(in crate::accounts) struct User {
    pub id: Uuid,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub encrypted_password: Option<String>,
    pub email_confirmed_at: Option<Timestamp>,
    pub phone_confirmed_at: Option<Timestamp>,
    pub invited_at: Option<Timestamp>,
    pub last_sign_in_at: Option<Timestamp>,
    pub app_metadata: Map<String, Value>,
    pub user_metadata: Map<String, Value>,
    pub is_anonymous: bool,
    pub banned_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl User {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let map = |column: usize| match row.get::<_, Value>(column) {
            Value::Object(map) => Ok(map),
            _ => Err(Error::internal("a user's metadata is not an object")),
        };
        Ok(Self {
            id: row.get(0),
            email: row.get(1),
            phone: row.get(2),
            encrypted_password: row.get(3),
            email_confirmed_at: row.get(4),
            phone_confirmed_at: row.get(5),
            invited_at: row.get(6),
            last_sign_in_at: row.get(7),
            app_metadata: map(8)?,
            user_metadata: map(9)?,
            is_anonymous: row.get(10),
            banned_until: row.get(11),
            created_at: row.get(12),
            updated_at: row.get(13),
        })
    }

    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }
}

/// A row of `identities`.
pub(in crate::accounts) struct Identity {
    pub id: Uuid,
    pub user_id: Uuid,
    pub provider: String,
    pub provider_id: String,
    pub identity_data: Value,
    pub email: Option<String>,
    pub last_sign_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Somebody new who signs in by mail address and password.
pub(in crate::accounts) struct NewUser<'a> {
    pub id: Uuid,
    pub identity: Uuid,
    pub email: &'a str,
    pub hash: &'a str,
    pub app_metadata: Value,
    pub user_metadata: Value,
    pub now: Timestamp,
}

/// What GoTrue keeps of an address as an identity.
pub(in crate::accounts) fn email_identity(user: Uuid, email: &str) -> Value {
    serde_json::json!({ "sub": user, "email": email, "email_verified": true, "phone_verified": false })
}

impl Store<'_> {
    /// Adds a user with a confirmed address, and that address as an identity.
    ///
    /// # Errors
    /// 422 `user_already_exists`.
    pub async fn add_user(&self, new: &NewUser<'_>) -> Result<User> {
        let sql = format!(
            "insert into {}.users (id, email, encrypted_password, email_confirmed_at, last_sign_in_at,
               raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
             values ($1, $2, $3, $6, $6, $4, $5, $6, $6) returning {USER}",
            self.schema
        );
        let params = [
            uuid(&new.id),
            text(&new.email),
            text(&new.hash),
            json(&new.app_metadata),
            json(&new.user_metadata),
            time(&new.now),
        ];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(|error| {
            if violates(&error, "users_email_key") {
                unprocessable("user_already_exists", "User already registered")
            } else {
                failed(error)
            }
        })?;
        self.add_email_identity(new).await?;
        one(&rows)?.ok_or_else(|| Error::internal("an insert returned nothing"))
    }

    async fn add_email_identity(&self, new: &NewUser<'_>) -> Result<()> {
        let sql = format!(
            "insert into {}.identities (id, user_id, provider, provider_id, identity_data, email, last_sign_in_at,
               created_at, updated_at)
             values ($1, $2, 'email', $3, $4, $5, $6, $6, $6)",
            self.schema
        );
        let (own, data) = (new.id.to_string(), email_identity(new.id, new.email));
        let params = [
            uuid(&new.identity),
            uuid(&new.id),
            text(&own),
            json(&data),
            text(&new.email),
            time(&new.now),
        ];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }

    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let sql = format!(
            "select {USER} from {}.users where lower(email) = lower($1) and deleted_at is null",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[text(&email)]).await.map_err(failed)?;
        one(&rows)
    }

    pub async fn user(&self, id: Uuid) -> Result<Option<User>> {
        let sql = format!(
            "select {USER} from {}.users where id = $1 and deleted_at is null",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[uuid(&id)]).await.map_err(failed)?;
        one(&rows)
    }

    /// The user, held against changes until the transaction ends.
    pub async fn lock_user(&self, id: Uuid) -> Result<Option<User>> {
        let sql = format!(
            "select {USER} from {}.users where id = $1 and deleted_at is null for no key update",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[uuid(&id)]).await.map_err(failed)?;
        one(&rows)
    }

    pub async fn identities(&self, user: Uuid) -> Result<Vec<Identity>> {
        let sql = format!(
            "select id, user_id, provider, provider_id, identity_data, email, last_sign_in_at, created_at, updated_at
             from {}.identities where user_id = $1 order by created_at, id",
            self.schema
        );
        let rows = self.tx.query_typed(&sql, &[uuid(&user)]).await.map_err(failed)?;
        Ok(rows
            .iter()
            .map(|row| Identity {
                id: row.get(0),
                user_id: row.get(1),
                provider: row.get(2),
                provider_id: row.get(3),
                identity_data: row.get(4),
                email: row.get(5),
                last_sign_in_at: row.get(6),
                created_at: row.get(7),
                updated_at: row.get(8),
            })
            .collect())
    }

    /// Notes a sign-in, and a newer hash of the same password. Nothing comes back when the stored hash is not (any
    /// more) the one that was checked.
    pub async fn note_sign_in(&self, user: &User, rehashed: Option<String>, now: Timestamp) -> Result<Option<User>> {
        let sql = format!(
            "update {}.users set last_sign_in_at = $4, encrypted_password = coalesce($3, encrypted_password)
             where id = $1 and encrypted_password = $2 and deleted_at is null returning {USER}",
            self.schema
        );
        let params = [
            uuid(&user.id),
            text(&user.encrypted_password),
            text(&rehashed),
            time(&now),
        ];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        let identities = format!(
            "update {}.identities set last_sign_in_at = $2, updated_at = $2 where user_id = $1 and provider = 'email'",
            self.schema
        );
        let params = [uuid(&user.id), time(&now)];
        self.tx.query_typed(&identities, &params).await.map_err(failed)?;
        one(&rows)
    }

    /// Writes what a user may change of themselves.
    ///
    /// # Errors
    /// 422 `email_exists`.
    pub async fn change_user(&self, user: &User, now: Timestamp) -> Result<User> {
        let sql = format!(
            "update {}.users set email = $2, encrypted_password = $3, email_confirmed_at = $4,
               raw_user_meta_data = $5, updated_at = $6
             where id = $1 returning {USER}",
            self.schema
        );
        let metadata = Value::from(user.user_metadata.clone());
        let params = [
            uuid(&user.id),
            text(&user.email),
            text(&user.encrypted_password),
            time(&user.email_confirmed_at),
            json(&metadata),
            time(&now),
        ];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(|error| {
            if violates(&error, "users_email_key") {
                unprocessable(
                    "email_exists",
                    "A user with this email address has already been registered",
                )
            } else {
                failed(error)
            }
        })?;
        one(&rows)?.ok_or_else(|| Error::internal("a locked user is gone"))
    }

    /// The address as an identity follows the user's.
    pub async fn change_email_identity(&self, user: Uuid, email: &str, now: Timestamp) -> Result<()> {
        let sql = format!(
            "update {}.identities set email = $2, identity_data = identity_data || $3, updated_at = $4
             where user_id = $1 and provider = 'email'",
            self.schema
        );
        let data = email_identity(user, email);
        let params = [uuid(&user), text(&email), json(&data), time(&now)];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }
}

fn one(rows: &[Row]) -> Result<Option<User>> {
    rows.first().map(User::read).transpose()
}
