//! Mints what a signed-in user carries: an access token (a JWT) and a refresh token (opaque).

use serde_json::{Value, json};

use super::signing;
use super::store::{Identity, Session, Store, User};
use super::{Audience, SessionView, UserView};
use crate::app::App;
use crate::control;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;
use crate::token::{Claims, SigningKey, key_hash};

/// Letters and digits of a refresh token: 256 bits.
const REFRESH_LENGTH: usize = 43;

/// A fresh refresh token, and what is stored of it.
pub(super) struct Refresh {
    text: Sensitive,
    hash: Vec<u8>,
}

impl Refresh {
    pub fn draw(app: &App) -> Self {
        let text = app.random.token(REFRESH_LENGTH);
        Self {
            hash: key_hash(&text),
            text: Sensitive::new(text),
        }
    }

    /// What is stored of it.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }
}

/// Opens a session for somebody who has just proved who they are with a password.
pub(super) async fn open_session(
    app: &App,
    store: &Store<'_>,
    user: &User,
    origin: &super::Origin,
) -> Result<(Session, Refresh)> {
    let now = app.clock.now();
    let session = Session {
        id: app.random.uuid(),
        user_id: user.id,
        aal: "aal1".to_owned(),
        amr: vec![super::Amr {
            method: "password".to_owned(),
            timestamp: now.as_second(),
        }],
        user_agent: origin.user_agent.clone(),
        address: origin.request.address.clone(),
        not_after: None,
    };
    let refresh = Refresh::draw(app);
    store.add_session(&session, now).await?;
    store.add_token(session.id, refresh.hash(), None, now).await?;
    Ok((session, refresh))
}

/// The session as its owner gets it. The key is fetched before the transaction, see [`signing::current`].
pub(super) fn grant(
    app: &App,
    audience: &Audience,
    key: &SigningKey,
    user: User,
    identities: Vec<Identity>,
    (session, refresh): (&Session, &Refresh),
) -> Result<SessionView> {
    let lifetime = app.config.accounts.access_token.as_secs();
    let now = app.clock.now().as_second();
    let expires_at = now.saturating_add_unsigned(lifetime);
    let claims = claims(&audience.issuer(app), &user, session, now, expires_at);
    Ok(SessionView {
        access_token: key.sign(&claims)?,
        token_type: "bearer",
        expires_in: lifetime,
        expires_at,
        // The one time it is shown.
        refresh_token: refresh.text.expose().to_owned(),
        user: UserView::new(user, identities),
    })
}

fn claims(issuer: &str, user: &User, session: &Session, now: i64, expires_at: i64) -> Claims {
    Claims::from_iter([
        ("iss".to_owned(), json!(issuer)),
        ("sub".to_owned(), json!(user.id)),
        ("aud".to_owned(), json!("authenticated")),
        ("exp".to_owned(), json!(expires_at)),
        ("iat".to_owned(), json!(now)),
        ("role".to_owned(), json!("authenticated")),
        ("email".to_owned(), json!(user.email.as_deref().unwrap_or_default())),
        ("phone".to_owned(), json!(user.phone.as_deref().unwrap_or_default())),
        ("app_metadata".to_owned(), json!(user.app_metadata)),
        ("user_metadata".to_owned(), json!(user.user_metadata)),
        ("aal".to_owned(), json!(session.aal)),
        ("amr".to_owned(), json!(session.amr)),
        ("session_id".to_owned(), json!(session.id)),
        ("is_anonymous".to_owned(), json!(user.is_anonymous)),
    ])
}

/// The public keys of the platform or of a project, for anybody (RFC 7517).
///
/// # Errors
/// 404 when there is no such project.
pub async fn public_keys(app: &App, project: Option<&crate::ident::Ref>) -> Result<Value> {
    if let Some(reference) = project {
        let project = app.tenancy.refresh(reference).await?;
        return serde_json::to_value(&project.jwks).map_err(Error::internal);
    }
    let client = app.control.get().await?;
    let rows = client.query_typed("select plinth.platform_keys()", &[]).await;
    let rows = rows.map_err(control::failure)?;
    let row = rows
        .first()
        .ok_or_else(|| Error::internal("platform_keys() is silent"))?;
    Ok(row.get(0))
}

/// The key to sign with, for what follows in this module.
pub(super) async fn key(app: &App, audience: &Audience) -> Result<std::sync::Arc<SigningKey>> {
    signing::current(app, audience.project_id()).await
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Map;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn claims_are_what_policies_read() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let user = User {
            id: Uuid::from_u128(1),
            email: Some("ann@example.com".to_owned()),
            phone: None,
            encrypted_password: Some("hash".to_owned()),
            email_confirmed_at: Some(at),
            phone_confirmed_at: None,
            invited_at: None,
            last_sign_in_at: None,
            app_metadata: json!({"provider": "email", "role": "User"})
                .as_object()
                .unwrap()
                .clone(),
            user_metadata: Map::new(),
            is_anonymous: false,
            banned_until: None,
            created_at: at,
            updated_at: at,
        };
        let session = Session {
            id: Uuid::from_u128(2),
            user_id: user.id,
            aal: "aal1".to_owned(),
            amr: vec![super::super::Amr {
                method: "password".to_owned(),
                timestamp: 1_800_000_000,
            }],
            user_agent: None,
            address: None,
            not_after: None,
        };
        let claims = claims(
            "http://127.0.0.1/auth/v1",
            &user,
            &session,
            1_800_000_000,
            1_800_003_600,
        );
        insta::assert_snapshot!(Value::from(claims), @r#"{"aal":"aal1","amr":[{"method":"password","timestamp":1800000000}],"app_metadata":{"provider":"email","role":"User"},"aud":"authenticated","email":"ann@example.com","exp":1800003600,"iat":1800000000,"is_anonymous":false,"iss":"http://127.0.0.1/auth/v1","phone":"","role":"authenticated","session_id":"00000000-0000-0000-0000-000000000002","sub":"00000000-0000-0000-0000-000000000001","user_metadata":{}}"#);
    }
}
