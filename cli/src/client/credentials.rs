//! Where to, and with which token: the environment, else the file that `login` wrote.
//!
//! A token is only ever sent to the server that gave it: a URL from the environment alone does not get the
//! token of another one from the file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exit::Error;

/// A way in. Not `Debug`: it holds a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub url: String,
    pub token: String,
}

/// What the environment says.
#[derive(Default)]
pub(super) struct Environment {
    pub url: Option<String>,
    pub token: Option<String>,
    /// The file that `login` writes.
    pub file: Option<PathBuf>,
}

impl Environment {
    /// Reads it once.
    pub(super) fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = |name: &str| {
            text(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let file = folder("XDG_CONFIG_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".config")))
            .map(|configuration| configuration.join("flotilla").join("credentials.toml"));
        Self {
            url: text("FLOTILLA_URL"),
            token: text("FLOTILLA_TOKEN"),
            file,
        }
    }

    /// The way in that the verbs use.
    pub(super) fn credentials(&self) -> Result<Credentials, Error> {
        let stored = self.stored()?;
        match (&self.url, &self.token, stored) {
            (Some(url), Some(token), _) => Ok(Credentials {
                url: plain(url),
                token: token.clone(),
            }),
            (None, Some(token), Some(stored)) => Ok(Credentials {
                url: stored.url,
                token: token.clone(),
            }),
            (None, None, Some(stored)) => Ok(stored),
            (Some(url), None, Some(stored)) if stored.url == plain(url) => Ok(stored),
            (Some(url), None, _) => Err(Error::NotSignedIn {
                message: format!("not signed in to {url}"),
            }),
            (None, Some(_), None) => Err(Error::NotSignedIn {
                message: "FLOTILLA_TOKEN is set, but nothing says where to".to_owned(),
            }),
            (None, None, None) => Err(Error::NotSignedIn {
                message: "not signed in".to_owned(),
            }),
        }
    }

    fn stored(&self) -> Result<Option<Credentials>, Error> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::local(format!("could not read {}", file.display()))(
                    error,
                ));
            }
        };
        // Its text holds the token: the parser's own message would quote it.
        toml::from_str(&text).map(Some).map_err(|_| Error::Usage {
            message: format!("{} is not what `flotilla login` writes", file.display()),
            hint: Some("remove it and sign in again".to_owned()),
        })
    }

    /// Keeps a way in, readable to its owner alone, and says where.
    pub(super) fn keep(&self, credentials: &Credentials) -> Result<PathBuf, Error> {
        let Some(file) = &self.file else {
            return Err(Error::usage(
                "there is neither XDG_CONFIG_HOME nor HOME to keep the token in",
            ));
        };
        write(file, credentials)
            .map_err(Error::local(format!("could not write {}", file.display())))?;
        Ok(file.clone())
    }
}

/// An address without the slash that people put at its end.
pub(super) fn plain(url: &str) -> String {
    url.trim().trim_end_matches('/').to_owned()
}

/// Whole or not at all, and never readable by others in between.
fn write(file: &Path, credentials: &Credentials) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let draft = folder.join(format!(".credentials-{}", uuid::Uuid::now_v7().simple()));
    let text = toml::to_string(credentials).map_err(io::Error::other)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut draft| {
            draft
                .write_all(text.as_bytes())
                .and_then(|()| draft.sync_all())
        })
        .and_then(|()| fs::rename(&draft, file));
    if written.is_err() {
        // The failure that matters is the first one.
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn environment(file: &Path, url: Option<&str>, token: Option<&str>) -> Environment {
        Environment {
            url: url.map(str::to_owned),
            token: token.map(str::to_owned),
            file: Some(file.to_owned()),
        }
    }

    #[test]
    fn the_environment_wins_and_a_token_stays_with_its_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("flotilla/credentials.toml");
        let way_in = |url, token| {
            environment(&file, url, token)
                .credentials()
                .map(|it| (it.url, it.token))
        };
        assert!(matches!(way_in(None, None), Err(Error::NotSignedIn { .. })));
        assert!(matches!(
            way_in(None, Some("t")),
            Err(Error::NotSignedIn { .. })
        ));

        let stored = Credentials {
            url: "http://a".to_owned(),
            token: "stored".to_owned(),
        };
        environment(&file, None, None)
            .keep(&stored)
            .expect("written");
        let is = |url: &str, token: &str| Some((url.to_owned(), token.to_owned()));
        assert_eq!(way_in(None, None).ok(), is("http://a", "stored"));
        assert_eq!(
            way_in(Some("http://a/"), None).ok(),
            is("http://a", "stored")
        );
        assert_eq!(
            way_in(Some("http://b/"), Some("t")).ok(),
            is("http://b", "t")
        );
        assert!(
            matches!(
                way_in(Some("http://b"), None),
                Err(Error::NotSignedIn { .. })
            ),
            "never another server's token"
        );
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("flotilla/credentials.toml");
        let way_in = Credentials {
            url: "http://a".to_owned(),
            token: "secret".to_owned(),
        };
        for _ in 0..2 {
            environment(&file, None, None)
                .keep(&way_in)
                .expect("written");
        }
        let mode = fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(
            fs::read_dir(folder.path().join("flotilla"))
                .expect("there")
                .count(),
            1,
            "no draft is left"
        );
    }

    #[test]
    fn a_broken_file_is_named_and_never_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("credentials.toml");
        fs::write(&file, "token = \"secret\" oops").expect("written");
        let Err(error) = environment(&file, None, None).credentials() else {
            unreachable!("it is broken")
        };
        assert!(!error.sentence().contains("secret"), "{error}");
    }
}
