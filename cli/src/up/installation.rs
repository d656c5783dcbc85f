//! What is chosen once for a data folder and kept: the name of this host and the ports.
//!
//! A name that followed the machine's would leave the sessions of the old name behind; ports that changed would leave
//! bookmarks and scripts behind.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use nats::credentials::private_file;
use nats::ids::HostName;
use serde::{Deserialize, Serialize};

use crate::configuration::name_of_this_machine;
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};

/// What this installation is called and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub host: HostName,
    pub nats_port: u16,
    pub listen: SocketAddr,
}

/// As the file in the data folder holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    host: Option<HostName>,
    nats_port: Option<u16>,
    /// Only when the person left the choice to us.
    listen_port: Option<u16>,
}

impl Installation {
    /// Finds what was chosen, and chooses what was not. Port 0 in `listen` stands for "any, but the same next time".
    pub fn open(
        data: &DataFolder,
        host: Option<HostName>,
        listen: SocketAddr,
    ) -> Result<Self, Failure> {
        let before = read(data)?;
        let mut kept = before.clone();

        let host = host.or(kept.host).unwrap_or_else(name_of_this_machine);
        kept.host = Some(host.clone());

        let nats = SocketAddr::from((Ipv4Addr::LOCALHOST, kept.nats_port.unwrap_or(0)));
        let nats = take(nats, "for NATS").map_err(|failure| {
            failure.hint(format!(
                "it was chosen earlier: end what listens there, or take `nats_port` out of `{}` to have another chosen",
                data.installation().display()
            ))
        })?;
        kept.nats_port = Some(nats.port);

        let mut wanted = listen;
        if listen.port() == 0 {
            wanted.set_port(kept.listen_port.unwrap_or(0));
        }
        let browsers = take(wanted, "for browsers").map_err(|failure| {
            failure.hint(
                "end what listens there, or choose another with --listen ADDRESS:PORT (port 0 takes any)",
            )
        })?;
        wanted.set_port(browsers.port);
        if listen.port() == 0 {
            kept.listen_port = Some(browsers.port);
        }

        if kept != before {
            write(data, &kept)?;
        }
        Ok(Self {
            host,
            nats_port: nats.port,
            listen: wanted,
        })
    }

    /// What a browser on this machine opens.
    pub fn url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    pub fn nats_url(&self) -> String {
        format!("nats://{}:{}", Ipv4Addr::LOCALHOST, self.nats_port)
    }
}

/// The port that NATS has here, for who asks from outside a running `flotilla up`.
pub fn nats_port(data: &DataFolder) -> Result<Option<u16>, Failure> {
    Ok(read(data)?.nats_port)
}

/// A port that is ours while this value lives, so that the next choice is another one.
struct Taken {
    port: u16,
    _listener: TcpListener,
}

fn take(address: SocketAddr, what_for: &str) -> Result<Taken, Failure> {
    let listened = TcpListener::bind(address).and_then(|listener| {
        Ok(Taken {
            port: listener.local_addr()?.port(),
            _listener: listener,
        })
    });
    listened.map_err(|error| {
        if error.kind() == ErrorKind::AddrInUse {
            let port = address.port();
            Failure::new(
                Kind::Taken,
                format!("port {port} ({what_for}) is taken by another program"),
            )
        } else {
            Failure::because(
                format!("could not listen on {address} ({what_for})"),
                &error,
            )
        }
    })
}

fn read(data: &DataFolder) -> Result<Kept, Failure> {
    let path = data.installation();
    let unreadable = |error: &dyn std::error::Error| {
        Failure::because(format!("could not read `{}`", path.display()), error)
    };
    match private_file::read(&path).map_err(|error| unreadable(&error))? {
        Some(text) => toml::from_str(&text).map_err(|error| unreadable(&error)),
        None => Ok(Kept::default()),
    }
}

fn write(data: &DataFolder, kept: &Kept) -> Result<(), Failure> {
    let path = data.installation();
    let unwritable = |error: &dyn std::error::Error| {
        Failure::because(format!("could not write `{}`", path.display()), error)
    };
    let text = toml::to_string(kept).map_err(|error| unwritable(&error))?;
    private_file::write(&path, &text).map_err(|error| unwritable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let place = tempfile::tempdir().unwrap();
        let data = DataFolder::find(Some(place.path())).unwrap();
        (place, data)
    }

    #[test]
    fn name_and_ports_are_chosen_once_and_kept() {
        let (_place, data) = folder();
        let name: HostName = "vps-1".parse().unwrap();
        let first = Installation::open(&data, Some(name), any()).unwrap();
        assert_ne!(first.nats_port, first.listen.port());
        assert_eq!(Installation::open(&data, None, any()).unwrap(), first);
        assert_eq!(nats_port(&data).unwrap(), Some(first.nats_port));
    }

    #[test]
    fn a_port_that_another_program_has_is_named() {
        let (_place, data) = folder();
        let other = TcpListener::bind(any()).unwrap();
        let address = other.local_addr().unwrap();
        let failure = Installation::open(&data, None, address).unwrap_err();
        let failure = format!("{failure:?}");
        assert!(failure.contains(&address.port().to_string()), "{failure}");
        assert!(failure.contains("--listen"), "{failure}");
    }

    #[test]
    fn an_address_that_means_all_is_opened_on_this_machine() {
        let (_place, data) = folder();
        let everywhere = "0.0.0.0:0".parse().unwrap();
        let installation = Installation::open(&data, None, everywhere).unwrap();
        assert!(installation.url().starts_with("http://127.0.0.1:"));
    }
}
