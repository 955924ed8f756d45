//! Re-encrypts what old master keys sealed, so that they can be taken away.
//!
//! Each envelope is replaced by itself, and only as long as it is the one that was read: whoever changes a secret
//! meanwhile wins. So a run may be cut off anywhere and be repeated, and several may run at once.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Envelope, Keyring, Vault, associated};
use crate::clock::SharedRandom;
use crate::control::{failure, int8, json, text};
use crate::error::{Error, Result};
use crate::ident::ProjectId;

/// Envelopes read at a time.
const BATCH: i64 = 100;
/// How often the tables are gone through, while others keep changing them.
const ROUNDS: usize = 10;
/// Every table that has envelopes, with its key. What is elsewhere (a reference) has no key id, and is left alone.
const TABLES: [(&str, &str); 2] = [("plinth.secrets", "id"), ("plinth.signing_keys", "kid")];

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resealed {
    /// Envelopes that are now sealed with the current key.
    pub resealed: u64,
    /// Envelopes that still need another key: those that cannot be opened (the log names their keys), and those that were
    /// sealed with an old one just now. With none, no old key is needed.
    pub left: u64,
}

/// Seals every envelope of the control database with the vault's current key. `client` has the login that owns the tables:
/// no function's reads all of them.
///
/// # Errors
/// When the keys or the database cannot be reached; what was done stays done, and a repeat goes on from there. An envelope
/// that cannot be opened is logged and counted.
pub async fn reseal(vault: &Vault, random: &SharedRandom, client: &Client) -> Result<Resealed> {
    // Not what is remembered: the keys may have been changed a moment ago.
    let keyring = vault.keyring(Some(Duration::ZERO)).await?;
    let mut report = Resealed::default();
    for _ in 0..ROUNDS {
        let mut missed = 0;
        for table in TABLES {
            missed += one_table(&keyring, random, client, table, &mut report).await?;
        }
        if missed == 0 {
            break;
        }
    }
    for (table, _) in TABLES {
        let sql = format!("select count(*) from {table} where envelope ->> 'key' <> $1");
        let rows = client
            .query_typed(&sql, &[text(&keyring.current())])
            .await
            .map_err(failure)?;
        let left: i64 = rows.first().map(|row| row.get(0)).unwrap_or_default();
        report.left += left.unsigned_abs();
    }
    Ok(report)
}

/// Goes through a table once; returns how many envelopes somebody else has changed meanwhile.
async fn one_table(
    keyring: &Keyring,
    random: &SharedRandom,
    client: &Client,
    (table, key): (&str, &str),
    report: &mut Resealed,
) -> Result<u64> {
    let read = format!(
        "select {key}::text, project_id, envelope from {table}
         where envelope ->> 'key' <> $1 and {key}::text > $2 order by {key}::text limit $3"
    );
    let replace = format!("update {table} set envelope = $3 where {key}::text = $1 and envelope = $2");
    let (mut after, mut missed) = (String::new(), 0);
    loop {
        let current = keyring.current();
        let params = [text(&current), text(&after), int8(&BATCH)];
        let rows = client.query_typed(&read, &params).await.map_err(failure)?;
        let Some(last) = rows.last() else {
            return Ok(missed);
        };
        after = last.get(0);
        for row in &rows {
            let (id, project, old): (&str, Option<Uuid>, Value) = (row.get(0), row.get(1), row.get(2));
            let new = match anew(keyring, random, project.map(ProjectId), &old) {
                Ok(new) => new,
                Err(error) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(table, id, %error, source, "an envelope cannot be opened");
                    continue;
                }
            };
            let params = [text(&id), json(&old), json(&new)];
            match client.execute_typed(&replace, &params).await.map_err(failure)? {
                0 => missed += 1,
                replaced => report.resealed += replaced,
            }
        }
    }
}

/// The same secret under the current key.
fn anew(keyring: &Keyring, random: &SharedRandom, project: Option<ProjectId>, old: &Value) -> Result<Value> {
    let old: Envelope = serde_json::from_value(old.clone()).map_err(Error::internal)?;
    let associated = associated(project);
    let secret = keyring.open(&associated, &old)?;
    serde_json::to_value(keyring.seal(random, &associated, &secret)?).map_err(Error::internal)
}
