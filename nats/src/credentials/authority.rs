//! The keys of one fleet on disk, and the credentials made from them.
//!
//! Everything is made once and found again. A credential is made anew, with the key it had, only when this build
//! would permit something else than the one on disk: an upgrade needs no hand.

use std::io;
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use serde_json::Value;

use super::permissions::{self, Permissions};
use super::{CredsFile, claims, creds_file, jwt, private_file};
use crate::ids::HostName;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not make the folder `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    #[error("could not read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("`{path}` does not hold the key it should")]
    Key {
        path: PathBuf,
        source: nkeys::error::Error,
    },
    #[error("`{path}` is not a credentials file")]
    Creds {
        path: PathBuf,
        source: creds_file::Error,
    },
    #[error("no host may be called `{0}`: sessions of other fleets stand under this name")]
    NoHost(HostName),
    #[error("`{path}` should hold the token of the fleet's account")]
    NoAccount { path: PathBuf },
    #[error("could not make the token of `{name}`")]
    Sign { name: String, source: jwt::Error },
}

pub(super) const FLEET: &str = "FLEET";
pub(super) const FLEET_TOKEN: &str = "fleet.jwt";
pub(super) const ACCOUNTS_KEY: &str = "accounts.nk";
pub(super) const HOSTS_KEY: &str = "hosts.nk";
pub(super) const ACCOUNTS_USER: &str = "accounts";

/// The operator, the accounts and the users of one fleet, kept in one folder.
pub struct Credentials {
    folder: PathBuf,
    system: KeyPair,
    fleet: KeyPair,
    hosts: KeyPair,
    trust: Trust,
}

/// What a nats-server must know to tell this fleet's users from others.
#[derive(Debug, Clone)]
pub struct Trust {
    pub operator_jwt: String,
    /// The public key of the system account.
    pub system_account: String,
    /// Public key and JWT of every account.
    pub accounts: Vec<(String, String)>,
}

impl Credentials {
    /// Opens the credentials in a folder, making what is not there yet.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        private_file::folder(folder).map_err(|source| Error::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let operator = key(&folder.join("operator.nk"), KeyPairType::Operator)?;
        let system = key(&folder.join("system.nk"), KeyPairType::Account)?;
        let fleet = key(&folder.join("fleet.nk"), KeyPairType::Account)?;
        // What coordinators are given: they need neither the operator's own key nor the account's.
        let accounts = key(&folder.join(ACCOUNTS_KEY), KeyPairType::Operator)?;
        let hosts = key(&folder.join(HOSTS_KEY), KeyPairType::Account)?;

        let token = |name: &str, file: &str, subject: &KeyPair, nats: &Value| {
            let path = folder.join(file);
            match read(&path)? {
                Some(kept) if says(&kept, nats) => Ok(kept.trim().to_owned()),
                _ => {
                    let made = sign(name, subject, &operator, nats)?;
                    write(&path, &made)?;
                    Ok(made)
                }
            }
        };
        let trust = Trust {
            operator_jwt: token(
                "flotilla",
                "operator.jwt",
                &operator,
                &claims::operator(&system.public_key(), &accounts.public_key()),
            )?,
            system_account: system.public_key(),
            accounts: vec![
                (
                    system.public_key(),
                    token("SYSTEM", "system.jwt", &system, &claims::account(false))?,
                ),
                (
                    fleet.public_key(),
                    token(
                        FLEET,
                        FLEET_TOKEN,
                        &fleet,
                        &claims::fleet(&hosts.public_key()),
                    )?,
                ),
            ],
        };
        Ok(Self {
            folder: folder.to_owned(),
            system,
            fleet,
            hosts,
            trust,
        })
    }

    /// What a nats-server needs of these credentials.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The credentials file of coordinators.
    pub fn coordinator(&self) -> Result<PathBuf, Error> {
        self.user(&self.fleet, "coordinator", &permissions::coordinator())
    }

    /// The credentials file of one host's runner that is given by hand. It does not end by itself.
    pub fn runner(&self, host: &HostName) -> Result<PathBuf, Error> {
        if host.is_reserved() {
            return Err(Error::NoHost(host.clone()));
        }
        let user = User {
            file: format!("runner-{host}"),
            name: host.as_str(),
            issuer: &self.hosts,
            nats: claims::host(&self.fleet.public_key()),
        };
        self.keep(user)
    }

    /// The credentials file of people who watch.
    pub fn observer(&self) -> Result<PathBuf, Error> {
        self.user(&self.fleet, "observer", &permissions::observer())
    }

    /// The credentials file with which a coordinator tells the servers whom the fleet has revoked.
    pub fn accounts(&self) -> Result<PathBuf, Error> {
        let permissions = permissions::accounts(&self.fleet.public_key());
        self.user(&self.system, ACCOUNTS_USER, &permissions)
    }

    fn user(
        &self,
        account: &KeyPair,
        name: &str,
        permissions: &Permissions,
    ) -> Result<PathBuf, Error> {
        self.keep(User {
            file: name.to_owned(),
            name,
            issuer: account,
            nats: claims::user(permissions),
        })
    }

    fn keep(&self, user: User<'_>) -> Result<PathBuf, Error> {
        let path = self.folder.join(format!("{}.creds", user.file));
        let creds_error = |source| Error::Creds {
            path: path.clone(),
            source,
        };
        let kept = read(&path)?
            .map(|text| CredsFile::parse(&text))
            .transpose()
            .map_err(creds_error)?;
        let key = match kept {
            Some(kept) if says(&kept.jwt, &user.nats) => return Ok(path),
            Some(outdated) => outdated.key,
            None => KeyPair::new_user(),
        };
        let jwt = sign(user.name, &key, user.issuer, &user.nats)?;
        let text = CredsFile { jwt, key }.render().map_err(creds_error)?;
        write(&path, &text)?;
        Ok(path)
    }
}

/// Somebody with a file of their own.
struct User<'a> {
    file: String,
    name: &'a str,
    issuer: &'a KeyPair,
    nats: Value,
}

/// Whether a token on disk permits exactly what it should.
fn says(kept: &str, nats: &Value) -> bool {
    jwt::claims(kept).is_ok_and(|claims| claims["nats"] == *nats)
}

fn sign(name: &str, subject: &KeyPair, issuer: &KeyPair, nats: &Value) -> Result<String, Error> {
    signed(
        name,
        &claims::issue(name, &subject.public_key(), issuer, nats),
        issuer,
    )
}

pub(super) fn signed(name: &str, claims: &Value, issuer: &KeyPair) -> Result<String, Error> {
    jwt::sign(claims, issuer).map_err(|source| Error::Sign {
        name: name.to_owned(),
        source,
    })
}

/// The key in a file, made if there is none.
pub(crate) fn key(path: &Path, kind: KeyPairType) -> Result<KeyPair, Error> {
    let key_error = |source| Error::Key {
        path: path.to_owned(),
        source,
    };
    if let Some(seed) = read(path)? {
        return KeyPair::from_seed(seed.trim()).map_err(key_error);
    }
    let made = KeyPair::new(kind);
    write(path, &made.seed().map_err(key_error)?)?;
    Ok(made)
}

pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    private_file::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    private_file::write(path, content).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn contents(folder: &Path) -> BTreeMap<PathBuf, String> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
            .collect()
    }

    fn make_all(folder: &Path) -> BTreeMap<PathBuf, String> {
        let credentials = Credentials::create(folder).unwrap();
        credentials.coordinator().unwrap();
        credentials.observer().unwrap();
        credentials.accounts().unwrap();
        credentials.runner(&"vps-1".parse().unwrap()).unwrap();
        contents(folder)
    }

    #[test]
    fn what_was_made_once_is_found_again_unchanged() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("keys of mine");
        let first = make_all(&folder);
        assert_eq!(first.len(), 12);
        assert_eq!(make_all(&folder), first);
    }

    #[test]
    fn a_credential_of_an_older_build_is_made_anew_with_its_own_key() {
        let place = tempfile::tempdir().unwrap();
        let credentials = Credentials::create(place.path()).unwrap();
        let path = credentials
            .user(&credentials.fleet, "observer", &permissions::coordinator())
            .unwrap();
        let older = CredsFile::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();

        credentials.observer().unwrap();
        let newer = CredsFile::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_ne!(newer.jwt, older.jwt);
        assert_eq!(newer.key.public_key(), older.key.public_key());
    }

    #[test]
    fn a_broken_key_is_an_error_and_not_a_new_fleet() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("operator.nk"), "not a seed").unwrap();
        assert!(matches!(
            Credentials::create(place.path()),
            Err(Error::Key { .. })
        ));
    }
}
