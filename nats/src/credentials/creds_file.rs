//! The file in which a user's JWT and key travel together, as every NATS client reads it.

use nkeys::KeyPair;

const JWT: &str = "NATS USER JWT";
const SEED: &str = "USER NKEY SEED";

/// A user's JWT and the seed of its key.
pub struct CredsFile {
    pub jwt: String,
    pub key: KeyPair,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no `-----BEGIN {0}-----` block in it")]
    Missing(&'static str),
    #[error("its seed is not an nkey")]
    Seed(#[source] nkeys::error::Error),
}

impl CredsFile {
    /// Reads the text of a `.creds` file.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let jwt = block(text, JWT)?.to_owned();
        let key = KeyPair::from_seed(block(text, SEED)?).map_err(Error::Seed)?;
        Ok(Self { jwt, key })
    }

    /// The text of the file.
    pub fn render(&self) -> Result<String, Error> {
        render(&self.jwt, &self.key)
    }
}

/// The text of the file for a JWT and a key.
pub fn render(jwt: &str, key: &KeyPair) -> Result<String, Error> {
    let seed = key.seed().map_err(Error::Seed)?;
    Ok(format!(
        "-----BEGIN {JWT}-----\n{jwt}\n------END {JWT}------\n\n\
         Keep this file to yourself: whoever has it can use it.\n\n\
         -----BEGIN {SEED}-----\n{seed}\n------END {SEED}------\n",
    ))
}

/// The line after `-----BEGIN label-----`.
fn block<'a>(text: &'a str, label: &'static str) -> Result<&'a str, Error> {
    text.lines()
        .skip_while(|line| !line.contains(&format!("-BEGIN {label}-")))
        .nth(1)
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .ok_or(Error::Missing(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creds_file_reads_back() {
        let key = KeyPair::new_user();
        let public_key = key.public_key();
        let text = CredsFile {
            jwt: "a.b.c".to_owned(),
            key,
        }
        .render()
        .unwrap();
        let read = CredsFile::parse(&text).unwrap();
        assert_eq!(read.jwt, "a.b.c");
        assert_eq!(read.key.public_key(), public_key);
    }

    #[test]
    fn a_file_without_a_seed_says_so() {
        let text = "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n";
        let Err(error) = CredsFile::parse(text) else {
            panic!("a file without a seed was read")
        };
        assert!(error.to_string().contains("USER NKEY SEED"), "{error}");
    }
}
