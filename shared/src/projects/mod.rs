//! Projects with their members and keys, and how a change of them reaches the backends.
//!
//! Every change is one transaction: lock the project's row, change, move the version where data requests must notice,
//! append to the audit log. The order is always this one, so that two changes wait for each other instead of
//! deadlocking. After the commit [`versions::push`] tells the backend.

pub mod keys;
pub mod versions;

/// What people may call things: 1-100 characters, some of them visible, none a control character.
fn is_label(text: &str) -> bool {
    let length = text.chars().count();
    (1..=100).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}
