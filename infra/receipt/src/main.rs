//! `verify-receipt <receipt.json> <keys.json>`: judges a receipt of an erasure, offline.
//!
//! The receipt is what `GET /api/gdpr/receipts/{id}` answered, the keys are what `GET /api/gdpr/keys` did. Ends with 0 when
//! the receipt is genuine and says what it proves; with 1 when it is not, and says why; with 2 when it was not asked right.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [receipt, keys] = arguments.as_slice() else {
        return say(2, "Usage: verify-receipt <receipt.json> <keys.json>");
    };
    let (receipt, keys) = match (std::fs::read(receipt), std::fs::read(keys)) {
        (Ok(receipt), Ok(keys)) => (receipt, keys),
        (Err(error), _) => return say(2, &format!("{receipt} cannot be read: {error}")),
        (_, Err(error)) => return say(2, &format!("{keys} cannot be read: {error}")),
    };
    match verify_receipt::verify(&receipt, &keys) {
        Ok(proven) => say(0, &proven.to_string()),
        Err(refusal) => say(1, &format!("REFUSED: {refusal}")),
    }
}

fn say(code: u8, text: &str) -> ExitCode {
    let said = match code {
        0 => writeln!(std::io::stdout(), "{text}"),
        _ => writeln!(std::io::stderr(), "{text}"),
    };
    // Nobody may take silence for a proof.
    match said {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(2),
    }
}
