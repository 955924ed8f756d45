//! Tokens, keys and passwords: JWTs (ES256, JWKS), project keys, argon2id.

mod jwks;
mod jwt;
mod keys;
mod opened;
mod outside;
mod password;
mod verified;

pub use jwks::{Jwk, JwkSet, RemoteKeys};
pub use jwt::{Claims, SigningKey, bearer, unverified_issuer, verify};
pub use keys::{KeyClass, ProjectKey, key_hash};
pub use opened::OpenedKeys;
pub use outside::{TokenKeys, check_times, undecodable};
pub use password::{Passwords, Verdict};
pub use verified::VerifiedTokens;
