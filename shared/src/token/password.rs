//! Passwords: argon2id for new ones (OWASP's parameters), bcrypt verified for imported ones and hashed anew.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::clock::SharedRandom;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// What checking a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is right, but stored in an older form: hash it anew.
    RightButOld,
    /// It is wrong.
    Wrong,
}

/// Hashes and checks passwords off the async threads, a few at a time: each takes 19 MB and tens of milliseconds.
#[derive(Debug)]
pub struct Passwords {
    at_once: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            at_once: Semaphore::new(2),
        }
    }
}

/// A well-formed hash of a password nobody has: unknown users cost as much time as known ones.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGxpbnRocGxpbnRocGxpbnQ$Ch3h1zJvgdCLl1rwSdUQdSXGQVoZKxFnYj0VDoWUOzM";

impl Passwords {
    /// Hashes a password.
    ///
    /// # Errors
    /// Only if the library fails.
    pub async fn hash(&self, random: &SharedRandom, password: &Sensitive) -> Result<String> {
        let salt: [u8; 16] = random.bytes();
        let password = password.clone();
        self.blocking(move || {
            let hash = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|error| Error::internal(error.to_string()))
        })
        .await?
    }

    /// Checks a password against what is stored; with nothing stored it takes as long and is wrong.
    ///
    /// # Errors
    /// Only if the worker thread dies.
    pub async fn verify(&self, password: &Sensitive, stored: Option<&str>) -> Result<Verdict> {
        let password = password.clone();
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODYS).to_owned();
        let verdict = self.blocking(move || check(password.expose(), &stored)).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _permit = self.at_once.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn check(password: &str, stored: &str) -> Verdict {
    if stored.starts_with("$2") {
        let right = bcrypt::verify(password, stored).unwrap_or(false);
        return if right { Verdict::RightButOld } else { Verdict::Wrong };
    }
    let Ok(hash) = PasswordHash::new(stored) else {
        return Verdict::Wrong;
    };
    match Argon2::default().verify_password(password.as_bytes(), &hash) {
        Ok(()) => Verdict::Right,
        Err(_) => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemRandom;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let passwords = Passwords::default();
        let random: SharedRandom = Arc::new(SystemRandom);
        let stored = passwords.hash(&random, &Sensitive::new("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let check = async |text: &str| passwords.verify(&Sensitive::new(text), Some(&stored)).await.unwrap();
        assert_eq!(check("correct horse").await, Verdict::Right);
        assert_eq!(check("wrong horse").await, Verdict::Wrong);
        assert_eq!(
            passwords.verify(&Sensitive::new("x"), None).await.unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn an_imported_bcrypt_hash_is_right_but_old() {
        let stored = bcrypt::hash("hunter2", 4).unwrap();
        let verdict = Passwords::default()
            .verify(&Sensitive::new("hunter2"), Some(&stored))
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::RightButOld);
    }

    #[test]
    fn the_hash_of_nobodys_password_is_well_formed() {
        assert!(PasswordHash::new(NOBODYS).is_ok());
    }
}
