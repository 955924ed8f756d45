//! Secrets: where credentials are kept, and master keys that change.

mod aws;
mod credentials;
mod rotation;
