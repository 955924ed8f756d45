//! Whether a chain is what was once written.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Chain, store};
use crate::app::App;
use crate::control::page::{decode_cursor, encode_cursor};
use crate::error::{Error, Result};

/// Entries judged in one statement.
const BATCH: i64 = 5_000;
/// After this long the reply says how far it is; the gateway waits 30 s.
const LONGEST: Duration = Duration::from_secs(15);

/// The first thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The entry where it shows.
    pub sequence: i64,
    /// `gap`: entries before it are missing. `link`: it does not follow the one before. `content`: it is not what was
    /// written. `actor`, `address`: who or from where is not what was written. `anchor`: it is not the entry that was
    /// noted.
    pub reason: String,
}

/// How a chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Whether nothing wrong was found, in what was judged.
    pub valid: bool,
    /// Whether the whole chain was judged, together with the replies before if a cursor was sent.
    pub complete: bool,
    /// Sent as `cursor`, goes on where this reply ends.
    pub next_cursor: Option<String>,
    /// Entries that were judged now.
    pub entries: i64,
    /// Of these, whose person was erased.
    pub erased: i64,
    /// Of these, whose address is forgotten.
    pub addresses_forgotten: i64,
    /// Where the chain ends, or where this reply does. Noted somewhere else, it shows later (`sequence`, `hash`) that
    /// nothing was cut off.
    pub head: Option<Anchor>,
    /// The first fault.
    pub fault: Option<Fault>,
}

/// An entry that somebody noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Anchor {
    /// Its place.
    pub sequence: i64,
    /// Its hash, hex.
    pub hash: String,
}

/// What the next reply goes on from.
#[derive(Serialize, Deserialize)]
struct Behind(i64, String);

/// Judges a chain from its start, or behind a cursor: places, links, hashes, and who and from where as far as they are
/// not forgotten. With an anchor also whether that entry is still there as it was: what cuts the end off a chain leaves
/// the rest of it whole.
///
/// # Errors
/// `http/cursor`, `audit/anchor` for a hash that is none.
pub async fn verify(app: &App, chain: Chain, anchor: Option<Anchor>, cursor: Option<&str>) -> Result<Verified> {
    let begun = Instant::now();
    let (mut place, mut hash) = match cursor.map(decode_cursor::<Behind>).transpose()? {
        Some(Behind(place, hash)) => (place, bytes(&hash)?),
        None => (0, Vec::new()),
    };
    let mut told = Verified {
        valid: true,
        complete: false,
        next_cursor: None,
        entries: 0,
        erased: 0,
        addresses_forgotten: 0,
        head: None,
        fault: noted(app, chain, anchor).await?,
    };
    while told.fault.is_none() && !told.complete && begun.elapsed() < LONGEST {
        let judged = store::judge(app, chain, place, &hash, BATCH).await?;
        told.entries += judged.entries;
        told.erased += judged.erased;
        told.addresses_forgotten += judged.forgotten;
        told.complete = judged.entries < BATCH;
        told.fault = judged.fault;
        if let Some((last, its_hash)) = judged.last {
            (place, hash) = (last, its_hash);
        }
    }
    told.valid = told.fault.is_none();
    told.head = (place > 0).then(|| Anchor {
        sequence: place,
        hash: hex(&hash),
    });
    told.next_cursor = (told.valid && !told.complete).then(|| encode_cursor(&Behind(place, hex(&hash))));
    Ok(told)
}

async fn noted(app: &App, chain: Chain, anchor: Option<Anchor>) -> Result<Option<Fault>> {
    let Some(anchor) = anchor else { return Ok(None) };
    let found = store::hash_of(app, chain, anchor.sequence).await?;
    let expected = bytes(&anchor.hash)?;
    Ok((found != Some(expected)).then(|| Fault {
        sequence: anchor.sequence,
        reason: "anchor".to_owned(),
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let wrong = || {
        Error::invalid("audit/anchor", "A hash is 64 hexadecimal digits")
            .with_hint("Send the sequence and the hash of an entry, or of an earlier reply's head, unchanged")
    };
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(wrong());
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| wrong()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_they_are_written() {
        let hash: Vec<u8> = (0..32).map(|n| n * 8).collect();
        assert_eq!(bytes(&hex(&hash)).unwrap(), hash);
        for wrong in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            assert_eq!(bytes(wrong).unwrap_err().code(), "audit/anchor", "{wrong}");
        }
    }
}
