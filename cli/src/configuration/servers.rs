//! Where the servers of NATS are: one address, or the members of a cluster, any of which will do; and how many copies
//! they keep.

use std::fmt;

use serde::{Deserialize, Serialize};

/// At least one address. Written as one text, with commas between several, or as an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Servers(Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "should be an address such as \"nats://127.0.0.1:4222\", or a list of such"
)]
enum Written {
    One(String),
    Several(Vec<String>),
}

/// How many servers keep each message: 1, 3 or 5, so that a majority survives the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub struct Replicas(usize);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} copies are not possible: 1, 3 or 5")]
    Copies(usize),
    #[error("names no server")]
    Empty,
    #[error("`{0}` is not the address of a server, such as nats://127.0.0.1:4222")]
    NotAnAddress(String),
}

impl Servers {
    /// The one server at this address.
    pub fn one(address: String) -> Self {
        Self(vec![address])
    }

    /// All of these.
    pub fn several(addresses: &[String]) -> Result<Self, Error> {
        Written::Several(addresses.to_vec()).try_into()
    }

    /// Each of them.
    pub fn addresses(&self) -> Vec<String> {
        self.0.clone()
    }
}

impl TryFrom<Written> for Servers {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let written = match written {
            Written::One(text) => vec![text],
            Written::Several(texts) => texts,
        };
        let addresses: Vec<String> = written
            .iter()
            .flat_map(|text| text.split(','))
            .map(|address| address.trim().to_owned())
            .filter(|address| !address.is_empty())
            .collect();
        if addresses.is_empty() {
            return Err(Error::Empty);
        }
        for address in &addresses {
            nats::client::is_address(address)
                .then_some(())
                .ok_or_else(|| Error::NotAnAddress(address.clone()))?;
        }
        Ok(Self(addresses))
    }
}

impl From<Servers> for Written {
    fn from(Servers(mut addresses): Servers) -> Self {
        if addresses.len() == 1 {
            Self::One(addresses.remove(0))
        } else {
            Self::Several(addresses)
        }
    }
}

impl TryFrom<usize> for Replicas {
    type Error = Error;

    fn try_from(copies: usize) -> Result<Self, Error> {
        match copies {
            1 | 3 | 5 => Ok(Self(copies)),
            _ => Err(Error::Copies(copies)),
        }
    }
}

impl From<Replicas> for usize {
    fn from(Replicas(copies): Replicas) -> Self {
        copies
    }
}

impl Default for Replicas {
    fn default() -> Self {
        Self(1)
    }
}

/// As the NATS client takes them.
impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        url: Servers,
    }

    fn read(text: &str) -> Result<String, String> {
        toml::from_str::<File>(text)
            .map(|file| file.url.to_string())
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_list_and_a_text_with_commas_say_the_same() {
        let both = [
            r#"url = ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222"]"#,
            r#"url = "nats://10.0.0.1:4222, nats://10.0.0.2:4222,""#,
        ];
        for text in both {
            assert_eq!(
                read(text).unwrap(),
                "nats://10.0.0.1:4222,nats://10.0.0.2:4222"
            );
        }
    }

    #[test]
    fn what_is_not_the_address_of_a_server_is_told() {
        for (text, expected) in [
            (r#"url = """#, "names no server"),
            ("url = []", "names no server"),
            ("url = 4222", "should be an address"),
            (r#"url = "http://10.0.0.1""#, "`http://10.0.0.1` is not"),
            (
                r#"url = ["nats://10.0.0.1", "nats://"]"#,
                "`nats://` is not",
            ),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(expected), "{text}: {said}");
        }
    }
}
