//! What callers get to see, in GoTrue's shapes. GoTrue leaves out what is not set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Audience;
use super::store::{Identity, User};
use crate::app::App;
use crate::config::SignUp;

/// A session: tokens and whose they are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// The access token, a JWT.
    pub access_token: String,
    /// `bearer`.
    pub token_type: &'static str,
    /// Seconds the access token is good for.
    pub expires_in: u64,
    /// When it ends, seconds since 1970.
    pub expires_at: i64,
    /// Good for the next session, once.
    pub refresh_token: String,
    /// Whose.
    pub user: UserView,
}

/// One way a session was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amr {
    /// `password`.
    pub method: String,
    /// When, seconds since 1970.
    pub timestamp: i64,
}

/// A user.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// The id; `sub` of their tokens.
    pub id: Uuid,
    /// `authenticated`.
    pub aud: &'static str,
    /// `authenticated`.
    pub role: &'static str,
    /// The address, or empty.
    pub email: String,
    /// Since when the address counts as theirs.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_confirmed_at: Option<Timestamp>,
    /// The phone number, or empty.
    pub phone: String,
    /// Since when the number counts as theirs.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_confirmed_at: Option<Timestamp>,
    /// The earlier of both.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When they were invited.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    /// When they last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// What we say about them: `provider`, `providers`, on the platform `role`.
    #[schema(value_type = Object)]
    pub app_metadata: Map<String, Value>,
    /// What they say about themselves.
    #[schema(value_type = Object)]
    pub user_metadata: Map<String, Value>,
    /// Their ways of signing in.
    pub identities: Vec<IdentityView>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Until when they are locked out.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_until: Option<Timestamp>,
    /// Whether they never said who they are.
    pub is_anonymous: bool,
}

/// A way of signing in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IdentityView {
    /// The row's id.
    pub identity_id: Uuid,
    /// The provider's own id of the person.
    pub id: String,
    /// Whose.
    pub user_id: Uuid,
    /// What the provider said.
    #[schema(value_type = Object)]
    pub identity_data: Value,
    /// `email`, or the provider's name.
    pub provider: String,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The address the provider knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl UserView {
    pub(super) fn new(user: User, identities: Vec<Identity>) -> Self {
        Self {
            id: user.id,
            aud: "authenticated",
            role: "authenticated",
            confirmed_at: [user.email_confirmed_at, user.phone_confirmed_at]
                .into_iter()
                .flatten()
                .min(),
            email: user.email.unwrap_or_default(),
            email_confirmed_at: user.email_confirmed_at,
            phone: user.phone.unwrap_or_default(),
            phone_confirmed_at: user.phone_confirmed_at,
            invited_at: user.invited_at,
            last_sign_in_at: user.last_sign_in_at,
            app_metadata: user.app_metadata,
            user_metadata: user.user_metadata,
            identities: identities.into_iter().map(IdentityView::from).collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
            banned_until: user.banned_until,
            is_anonymous: user.is_anonymous,
        }
    }
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            identity_id: identity.id,
            id: identity.provider_id,
            user_id: identity.user_id,
            identity_data: identity.identity_data,
            provider: identity.provider,
            last_sign_in_at: identity.last_sign_in_at,
            created_at: identity.created_at,
            updated_at: identity.updated_at,
            email: identity.email,
        }
    }
}

/// What an app may offer its users.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Settings {
    /// Ways of signing in, each on or off.
    #[schema(value_type = Object)]
    pub external: Value,
    /// Whether nobody may sign up.
    pub disable_signup: bool,
    /// Whether addresses count as confirmed at sign-up.
    pub mailer_autoconfirm: bool,
    /// The same for numbers.
    pub phone_autoconfirm: bool,
    /// Who sends text messages.
    pub sms_provider: &'static str,
    /// Whether SAML is offered.
    pub saml_enabled: bool,
}

impl Settings {
    /// Of one audience.
    pub fn of(app: &App, audience: &Audience) -> Self {
        let accounts = &app.config.accounts;
        Self {
            external: json!({
                "anonymous_users": false, "email": true, "phone": false,
                "apple": false, "azure": false, "bitbucket": false, "discord": false, "facebook": false, "figma": false,
                "github": false, "gitlab": false, "google": false, "kakao": false, "keycloak": false, "linkedin": false,
                "linkedin_oidc": false, "notion": false, "slack": false, "slack_oidc": false, "spotify": false,
                "twitch": false, "twitter": false, "workos": false, "zoom": false,
            }),
            disable_signup: audience.is_platform() && accounts.sign_up == SignUp::Nobody,
            mailer_autoconfirm: accounts.autoconfirm,
            phone_autoconfirm: false,
            sms_provider: "",
            saml_enabled: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_gotrues_shape() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let id = Uuid::from_u128(1);
        let user = User {
            id,
            email: Some("ann@example.com".to_owned()),
            phone: None,
            encrypted_password: Some("hash".to_owned()),
            email_confirmed_at: Some(at),
            phone_confirmed_at: None,
            invited_at: None,
            last_sign_in_at: Some(at),
            app_metadata: json!({"provider": "email", "providers": ["email"]})
                .as_object()
                .unwrap()
                .clone(),
            user_metadata: Map::new(),
            is_anonymous: false,
            banned_until: None,
            created_at: at,
            updated_at: at,
        };
        let identity = Identity {
            id: Uuid::from_u128(2),
            user_id: id,
            provider: "email".to_owned(),
            provider_id: id.to_string(),
            identity_data: json!({"sub": id, "email": "ann@example.com"}),
            email: Some("ann@example.com".to_owned()),
            last_sign_in_at: Some(at),
            created_at: at,
            updated_at: at,
        };
        let shown = serde_json::to_string_pretty(&UserView::new(user, vec![identity])).unwrap();
        insta::assert_snapshot!(shown, @r#"
        {
          "id": "00000000-0000-0000-0000-000000000001",
          "aud": "authenticated",
          "role": "authenticated",
          "email": "ann@example.com",
          "email_confirmed_at": "2027-01-15T08:00:00Z",
          "phone": "",
          "confirmed_at": "2027-01-15T08:00:00Z",
          "last_sign_in_at": "2027-01-15T08:00:00Z",
          "app_metadata": {
            "provider": "email",
            "providers": [
              "email"
            ]
          },
          "user_metadata": {},
          "identities": [
            {
              "identity_id": "00000000-0000-0000-0000-000000000002",
              "id": "00000000-0000-0000-0000-000000000001",
              "user_id": "00000000-0000-0000-0000-000000000001",
              "identity_data": {
                "email": "ann@example.com",
                "sub": "00000000-0000-0000-0000-000000000001"
              },
              "provider": "email",
              "last_sign_in_at": "2027-01-15T08:00:00Z",
              "created_at": "2027-01-15T08:00:00Z",
              "updated_at": "2027-01-15T08:00:00Z",
              "email": "ann@example.com"
            }
          ],
          "created_at": "2027-01-15T08:00:00Z",
          "updated_at": "2027-01-15T08:00:00Z",
          "is_anonymous": false
        }
"#);
    }
}
