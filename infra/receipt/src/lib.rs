//! Judges receipts of erasures: without a network, with nothing but the receipt and the platform's published keys.
//!
//! A receipt is `{"receipt": {…}, "jws": "…", "kid": "…"}`. What counts is the signed half (RFC 7515, compact, EdDSA over
//! Ed25519); the readable half must say the very same, so that nobody is shown one thing and given proof of another.

mod proven;
mod strict;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde_json::Value;

pub use proven::Proven;
use strict::Strict;

/// What a receipt says it is.
const TYPE: &str = "plinth-erasure-receipt/1";

/// A receipt as it is handed out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    receipt: Strict,
    jws: String,
    kid: String,
}

/// The signed half's first part.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
}

/// A set of keys (RFC 7517).
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Strict>,
}

/// What is needed of a key (RFC 8037).
#[derive(Deserialize)]
struct Key {
    kid: String,
    kty: String,
    crv: String,
    #[serde(default)]
    alg: Option<String>,
    x: String,
}

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "their texts say it")]
pub enum Refusal {
    NoReceipt,
    NoKeys,
    Malformed,
    Algorithm,
    OtherKey,
    UnknownKey,
    BadKey,
    Signature,
    Differs,
    NotAReceipt,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoReceipt => "the first file is no receipt: {\"receipt\", \"jws\", \"kid\"} was expected",
            Self::NoKeys => "the second file is no set of keys: {\"keys\": […]} was expected",
            Self::Malformed => "the signed half is malformed",
            Self::Algorithm => "it is not signed with EdDSA",
            Self::OtherKey => "the key it names and the key it is signed with are not the same",
            Self::UnknownKey => "the key it is signed with is not among the platform's",
            Self::BadKey => "the platform's key of that name is not one for Ed25519",
            Self::Signature => "the signature does not hold: it was changed, or somebody else has signed it",
            Self::Differs => "what is shown is not what was signed",
            Self::NotAReceipt => "what was signed is not a receipt of an erasure",
        })
    }
}

impl std::error::Error for Refusal {}

/// Judges a receipt by the platform's keys, both as the files that the platform answered with.
///
/// # Errors
/// Why it proves nothing.
pub fn verify(receipt: &[u8], keys: &[u8]) -> Result<Proven, Refusal> {
    let document: Document = serde_json::from_slice(receipt).map_err(|_| Refusal::NoReceipt)?;
    let keys: Keys = serde_json::from_slice(keys).map_err(|_| Refusal::NoKeys)?;
    let claims = signed(&document, &keys)?;
    if claims != document.receipt.0 {
        return Err(Refusal::Differs);
    }
    if claims.get("type").and_then(Value::as_str) != Some(TYPE) {
        return Err(Refusal::NotAReceipt);
    }
    Proven::read(document.kid, claims).ok_or(Refusal::NotAReceipt)
}

/// What was signed, if the signature holds.
fn signed(document: &Document, keys: &Keys) -> Result<Value, Refusal> {
    let (message, signature) = document.jws.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Refusal::Malformed)?;
    if header.alg != "EdDSA" || header.typ.as_deref().is_some_and(|typ| typ != "JWT") {
        return Err(Refusal::Algorithm);
    }
    if header.kid != document.kid {
        return Err(Refusal::OtherKey);
    }
    let key = key(keys, &header.kid)?;
    let signature = Signature::from_slice(&decoded(signature)?).map_err(|_| Refusal::Malformed)?;
    // Strict: of a message and a key there is one signature, and no key that lets any message pass.
    key.verify_strict(message.as_bytes(), &signature)
        .map_err(|_| Refusal::Signature)?;
    let claims: Strict = serde_json::from_slice(&decoded(payload)?).map_err(|_| Refusal::Malformed)?;
    Ok(claims.0)
}

fn key(keys: &Keys, kid: &str) -> Result<VerifyingKey, Refusal> {
    // Keys of other kinds may be in the set; they are not ours to understand.
    let named = |key: &&Value| key.get("kid").and_then(Value::as_str) == Some(kid);
    let mut found = keys.keys.iter().map(|Strict(key)| key).filter(named);
    let (Some(key), None) = (found.next(), found.next()) else {
        return Err(Refusal::UnknownKey);
    };
    let key = Key::deserialize(key).map_err(|_| Refusal::BadKey)?;
    let fits = key.kid == kid
        && key.kty == "OKP"
        && key.crv == "Ed25519"
        && key.alg.as_deref().is_none_or(|alg| alg == "EdDSA");
    let point = decoded(&key.x).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    match point {
        Some(point) if fits => VerifyingKey::from_bytes(&point).map_err(|_| Refusal::BadKey),
        _ => Err(Refusal::BadKey),
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)
}
