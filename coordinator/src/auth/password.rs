//! Passwords: argon2id, off the async threads, one or two at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use super::Error;

/// Each takes 19 MB and a core for a moment: more at once would let a stranger's logins starve the rest.
const AT_ONCE: usize = 2;

#[derive(Clone)]
pub(super) struct Passwords {
    permits: Arc<Semaphore>,
    /// What is verified when there is no such person, so that the time it takes does not tell.
    nobody: Arc<str>,
}

impl Passwords {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            nobody: hash("nobody has this password")?.into(),
        })
    }

    /// A new hash in PHC form.
    pub(super) async fn hash(&self, password: String) -> Result<String, Error> {
        self.with_permit(move || hash(&password)).await?
    }

    /// Whether the password is the one of `hash`; without a hash, no, after the same time.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let right = self.with_permit(move || verify(&password, &hash)).await?;
        Ok(right && known)
    }

    async fn with_permit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(_permit) = self.permits.acquire().await else {
            unreachable!("the semaphore is never closed")
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::Thread)
    }
}

fn hash(password: &str) -> Result<String, Error> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Hash(error.to_string()))
}

fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::error!("a stored password hash cannot be read");
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_and_only_it_fits() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let fits = async |password: &str, hash: Option<String>| {
            passwords.verify(password.to_owned(), hash).await.unwrap()
        };
        assert!(fits("correct horse", Some(hash.clone())).await);
        assert!(!fits("correct horsf", Some(hash)).await);
        assert!(!fits("nobody has this password", None).await);
    }
}
