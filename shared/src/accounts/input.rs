//! What callers send, parsed. Bodies are read field by field: the stock messages of a JSON library quote the value at
//! fault, and here that may be a password.

use serde_json::{Map, Value};

use super::refusal::{bad_json, forbidden, invalid, phone_disabled, unprocessable, weak_password};
use crate::error::Result;
use crate::sensitive::Sensitive;

/// A larger `user_metadata` is refused: it travels in every access token, and gateways end headers at 10 kB.
const LARGEST_METADATA: usize = 4096;
/// GoTrue's limits. bcrypt, which imported hashes are made with, reads no byte behind the 72nd.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 6..=72;

/// An address of the form HTML's `input type=email` takes, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// # Errors
    /// 400 `validation_failed`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > 255 {
            return Err(invalid("An email address is too long"));
        }
        let well_formed = text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && local.len() <= 64 && local.bytes().all(is_local) && domain.split('.').all(is_label)
        });
        if !well_formed {
            return Err(invalid("Unable to validate email address: invalid format"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A password that may be set.
#[derive(Debug, Clone)]
pub struct Password(pub(super) Sensitive);

impl Password {
    fn parse(text: &str) -> Result<Self> {
        if text.contains('\0') {
            return Err(invalid("A password must not contain NUL bytes"));
        }
        if text.len() < *PASSWORD_BYTES.start() {
            return Err(weak_password("Password should be at least 6 characters.", "length"));
        }
        if text.len() > *PASSWORD_BYTES.end() {
            return Err(weak_password("Password cannot be longer than 72 bytes.", "length"));
        }
        Ok(Self(Sensitive::new(text)))
    }
}

/// `user_metadata` as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(pub(super) Map<String, Value>);

impl Metadata {
    fn parse(map: Map<String, Value>) -> Result<Self> {
        if has_nul(&map) {
            return Err(invalid("data must not contain NUL characters"));
        }
        let metadata = Self(map);
        metadata.check_size()?;
        Ok(metadata)
    }

    /// What is there with these changes: keys are replaced, a null takes its key away.
    pub(super) fn over(self, present: Map<String, Value>) -> Result<Map<String, Value>> {
        let mut merged = present;
        for (key, value) in self.0 {
            if value.is_null() {
                merged.remove(&key);
            } else {
                merged.insert(key, value);
            }
        }
        let merged = Self(merged);
        merged.check_size()?;
        Ok(merged.0)
    }

    fn check_size(&self) -> Result<()> {
        if Value::Object(self.0.clone()).to_string().len() > LARGEST_METADATA {
            return Err(invalid(
                "user_metadata is larger than 4 kB; it travels in every access token",
            ));
        }
        Ok(())
    }
}

fn has_nul(map: &Map<String, Value>) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(within),
            Value::Object(map) => has_nul(map),
            _ => false,
        }
    }
    map.iter().any(|(key, value)| key.contains('\0') || within(value))
}

/// The fields of a body.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn of(body: &'a Value) -> Result<Self> {
        body.as_object()
            .map(Self)
            .ok_or_else(|| bad_json("The body must be a JSON object"))
    }

    /// A text; absent, null and empty are one.
    fn text(&self, name: &'static str) -> Result<Option<&'a str>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(bad_json(format!("{name} must be a string"))),
        }
    }

    fn object(&self, name: &'static str) -> Result<Option<&'a Map<String, Value>>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(bad_json(format!("{name} must be an object"))),
        }
    }

    fn metadata(&self) -> Result<Metadata> {
        Metadata::parse(self.object("data")?.cloned().unwrap_or_default())
    }
}

/// Somebody who wants an account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Their address.
    pub email: Email,
    /// Their password.
    pub password: Password,
    /// Their `user_metadata`.
    pub metadata: Metadata,
}

impl NewAccount {
    /// Reads `{email, password, data}`.
    ///
    /// # Errors
    /// 400 `bad_json`, `validation_failed`; 422 `weak_password`, `phone_provider_disabled`,
    /// `anonymous_provider_disabled`.
    pub fn parse(body: &Value) -> Result<Self> {
        let fields = Fields::of(body)?;
        let email = match (fields.text("email")?, fields.text("phone")?) {
            (Some(email), None) => Email::parse(email)?,
            (None, Some(_)) => return Err(phone_disabled()),
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "Only an email address or phone number should be provided on signup.",
                ));
            }
            (None, None) => {
                return Err(unprocessable(
                    "anonymous_provider_disabled",
                    "Anonymous sign-ins are disabled",
                ));
            }
        };
        let password = fields.text("password")?;
        let password = password.ok_or_else(|| invalid("Signup requires a valid password"))?;
        Ok(Self {
            email,
            password: Password::parse(password)?,
            metadata: fields.metadata()?,
        })
    }
}

/// An address and a password somebody claims to be theirs. Nothing is said about why they cannot be right.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The address, if it can be one.
    pub(super) email: Option<Email>,
    /// The password.
    pub(super) password: Sensitive,
}

impl Credentials {
    /// Reads `{email, password}`.
    ///
    /// # Errors
    /// 400 `bad_json`, `validation_failed`; 422 `phone_provider_disabled`.
    pub fn parse(body: &Value) -> Result<Self> {
        let fields = Fields::of(body)?;
        let email = fields.text("email")?;
        if email.is_none() && fields.text("phone")?.is_some() {
            return Err(phone_disabled());
        }
        let email = email.ok_or_else(|| invalid("missing email or phone"))?;
        let password = fields.text("password")?.ok_or_else(|| invalid("missing password"))?;
        // A longer one cannot have been set; hashing megabytes would be a way to keep us busy.
        let possible = password.len() <= *PASSWORD_BYTES.end();
        Ok(Self {
            email: Email::parse(email).ok().filter(|_| possible),
            password: Sensitive::new(if possible { password } else { "" }),
        })
    }
}

/// Reads the `password` of a body that may have one. A longer one than can have been set is one that is wrong.
pub(super) fn password_of(body: &Value) -> Result<Option<Sensitive>> {
    let password = Fields::of(body)?.text("password")?;
    let possible = |password: &&str| password.len() <= *PASSWORD_BYTES.end();
    Ok(password.map(|password| Sensitive::new(Some(password).filter(possible).unwrap_or_default())))
}

/// Reads the `refresh_token` of a body.
pub(super) fn refresh_token(body: &Value) -> Result<Sensitive> {
    let token = Fields::of(body)?.text("refresh_token")?;
    token
        .map(Sensitive::new)
        .ok_or_else(|| invalid("refresh_token is required"))
}

/// What somebody wants changed about themselves.
#[derive(Debug, Clone)]
pub struct Changes {
    pub(super) email: Option<Email>,
    pub(super) password: Option<Password>,
    pub(super) current_password: Option<Sensitive>,
    pub(super) metadata: Metadata,
}

impl Changes {
    /// Reads `{email, password, current_password, data}`.
    ///
    /// # Errors
    /// 400 `bad_json`, `validation_failed`; 403 `not_admin` for `app_metadata`; 422 `weak_password`,
    /// `phone_provider_disabled`.
    pub fn parse(body: &Value) -> Result<Self> {
        let fields = Fields::of(body)?;
        if fields.0.get("app_metadata").is_some_and(|value| !value.is_null()) {
            return Err(forbidden(
                "not_admin",
                "Updating app_metadata requires admin privileges",
            ));
        }
        if fields.text("phone")?.is_some() {
            return Err(phone_disabled());
        }
        Ok(Self {
            email: fields.text("email")?.map(Email::parse).transpose()?,
            password: fields.text("password")?.map(Password::parse).transpose()?,
            current_password: fields.text("current_password")?.map(Sensitive::new),
            metadata: fields.metadata()?,
        })
    }
}

/// Which sessions a sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of the user's.
    #[default]
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

impl Scope {
    /// Reads the `scope` of a query.
    ///
    /// # Errors
    /// 400 `validation_failed`.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("" | "global") => Ok(Self::Global),
            Some("local") => Ok(Self::Local),
            Some("others") => Ok(Self::Others),
            Some(_) => Err(invalid("scope is global, local or others")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_lower_cased_and_checked() {
        assert_eq!(Email::parse("Ann+x@Example.COM").unwrap().as_str(), "ann+x@example.com");
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "", "a", "@b", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a\0@b.c", "ä@b.c", "a@b@c.d", &long,
        ] {
            assert_eq!(Email::parse(bad).unwrap_err().code(), "validation_failed", "{bad:?}");
        }
    }

    #[test]
    fn a_bad_sign_up_body_names_its_fault() {
        for (body, code) in [
            (json!([]), "bad_json"),
            (json!({"email": 5, "password": "secret1"}), "bad_json"),
            (json!({"email": "a@b.c", "password": 123456}), "bad_json"),
            (json!({"email": "a@b.c", "password": "secret1", "data": []}), "bad_json"),
            (json!({}), "anonymous_provider_disabled"),
            (
                json!({"phone": "+49", "password": "secret1"}),
                "phone_provider_disabled",
            ),
            (
                json!({"email": "a@b.c", "phone": "+49", "password": "secret1"}),
                "validation_failed",
            ),
            (json!({"email": "a@b.c"}), "validation_failed"),
            (json!({"email": "a@b.c", "password": "short"}), "weak_password"),
            (json!({"email": "a@b.c", "password": "x".repeat(73)}), "weak_password"),
            (json!({"email": "a@b.c", "password": "with\0nul"}), "validation_failed"),
            (
                json!({"email": "a@b.c", "password": "secret1", "data": {"a": ["\0"]}}),
                "validation_failed",
            ),
            (
                json!({"email": "a@b.c", "password": "secret1", "data": {"a": "x".repeat(5000)}}),
                "validation_failed",
            ),
        ] {
            assert_eq!(NewAccount::parse(&body).unwrap_err().code(), code, "{body}");
        }
    }

    #[test]
    fn no_refusal_repeats_what_was_sent() {
        let error = NewAccount::parse(&json!({"email": "a@b.c", "password": 987_654_321})).unwrap_err();
        assert!(!format!("{error:?}").contains("987654321"));
    }

    #[test]
    fn metadata_is_merged_by_key_and_null_removes() {
        let present = json!({"a": 1, "b": {"c": 2}}).as_object().unwrap().clone();
        let changes = Metadata(json!({"a": null, "b": {"d": 3}, "e": 4}).as_object().unwrap().clone());
        assert_eq!(
            Value::from(changes.over(present).unwrap()),
            json!({"b": {"d": 3}, "e": 4})
        );
    }

    #[test]
    fn app_metadata_is_refused() {
        let error = Changes::parse(&json!({"app_metadata": {"role": "Admin"}})).unwrap_err();
        assert_eq!(error.code(), "not_admin");
    }
}
