//! How a password is proven: MySQL's methods, and MariaDB's own.

use mysql_common::scramble::{create_response_for_ed25519, scramble_native, scramble_sha256};

use super::Failure;

/// MySQL's first, and MariaDB's until today.
pub(super) const NATIVE: &str = "mysql_native_password";
/// MySQL's since version 8.
pub(super) const SHA2: &str = "caching_sha2_password";
/// RDS's for IAM tokens: the token as it is.
pub(super) const CLEAR: &str = "mysql_clear_password";
/// MariaDB's own.
const ED25519: &str = "client_ed25519";

/// What proves the password, for that nonce.
///
/// # Errors
/// [`Failure::Method`] for a method that is not spoken.
pub(super) fn of(method: &str, password: &str, nonce: &[u8]) -> Result<Vec<u8>, Failure> {
    let password = password.as_bytes();
    Ok(match method {
        NATIVE => scramble_native(nonce, password).map(Vec::from).unwrap_or_default(),
        SHA2 => scramble_sha256(nonce, password).map(Vec::from).unwrap_or_default(),
        ED25519 => create_response_for_ed25519(password, nonce).into(),
        other => return Err(Failure::Method(other.to_owned())),
    })
}

/// The password, sealed with the server's key: for a connection that is not encrypted.
///
/// # Errors
/// When the key is none.
pub(super) fn sealed(password: &str, nonce: &[u8], key: &[u8]) -> Result<Vec<u8>, Failure> {
    if nonce.is_empty() || !key.starts_with(b"-----BEGIN PUBLIC KEY-----") {
        return Err(Failure::NeedsTls);
    }
    let mut words = [password.as_bytes(), &[0]].concat();
    for (byte, mask) in words.iter_mut().zip(nonce.iter().cycle()) {
        *byte ^= mask;
    }
    // It panics at a key that is none, and has no other way to say so.
    std::panic::catch_unwind(|| mysql_common::crypto::encrypt(&words, key)).map_err(|_| Failure::NeedsTls)
}
