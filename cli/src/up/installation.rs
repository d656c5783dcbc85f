//! What is chosen once for a data folder and kept: the name of this host and the ports.
//!
//! A name that followed the machine's would leave the sessions of the old name behind; ports that changed would leave
//! bookmarks and scripts behind.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use nats::credentials::private_file;
use nats::ids::HostName;
use serde::{Deserialize, Serialize};

use crate::configuration::name_of_this_machine;
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};

/// Connections that may wait for a coordinator that is being started: every browser of a large fleet at once.
const BACKLOG: i32 = 1024;

/// What this installation is called and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub host: HostName,
    /// Where nats-server takes clients.
    pub nats: SocketAddr,
    pub listen: SocketAddr,
}

/// As the file in the data folder holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    host: Option<HostName>,
    nats_port: Option<u16>,
    /// Only when the person said where, so that `flotilla nats creds` can tell.
    nats_listen: Option<SocketAddr>,
    /// Only when the person left the choice to us.
    listen_port: Option<u16>,
}

impl Installation {
    /// Finds what was chosen, and chooses what was not. Port 0 stands for "any, but the same next time"; without
    /// `nats_listen` that is a port of this machine alone.
    ///
    /// Browsers are listened for from here on: whoever lets go of the socket before its end would have them refused.
    pub fn open(
        data: &DataFolder,
        host: Option<HostName>,
        nats_listen: Option<SocketAddr>,
        listen: SocketAddr,
    ) -> Result<(Self, TcpListener), Failure> {
        let before = read(data)?;
        let mut kept = before.clone();

        let host = host.or(kept.host).unwrap_or_else(name_of_this_machine);
        kept.host = Some(host.clone());

        let mut nats = nats_listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let chosen_by_us = nats.port() == 0;
        if chosen_by_us {
            nats.set_port(kept.nats_port.unwrap_or(0));
        }
        let taken = take(nats, "for NATS").map_err(|failure| {
            failure.hint(if chosen_by_us && kept.nats_port.is_some() {
                format!(
                    "it was chosen earlier: end what listens there, or take `nats_port` out of `{}` to have another chosen",
                    data.installation().display()
                )
            } else {
                "end what listens there, or name another address of this machine with `listen` in [nats]".to_owned()
            })
        })?;
        nats.set_port(port(&taken)?);
        if chosen_by_us {
            kept.nats_port = Some(nats.port());
        }
        kept.nats_listen = nats_listen.is_some().then_some(nats);

        let mut wanted = listen;
        if listen.port() == 0 {
            wanted.set_port(kept.listen_port.unwrap_or(0));
        }
        let browsers = take(wanted, "for browsers").map_err(|failure| {
            failure.hint(
                "end what listens there, or choose another with --listen ADDRESS:PORT (port 0 takes any)",
            )
        })?;
        wanted.set_port(port(&browsers)?);
        if listen.port() == 0 {
            kept.listen_port = Some(wanted.port());
        }

        if kept != before {
            write(data, &kept)?;
        }
        let installation = Self {
            host,
            nats,
            listen: wanted,
        };
        Ok((installation, browsers))
    }

    /// What a browser on this machine opens.
    pub fn url(&self) -> String {
        format!("http://{}", from_here(self.listen))
    }

    pub fn nats_url(&self) -> String {
        nats_url(self.nats)
    }
}

/// Where NATS takes clients, for who asks from outside a running `flotilla up`; none when there is no installation.
pub fn nats_address(data: &DataFolder) -> Result<Option<SocketAddr>, Failure> {
    let kept = read(data)?;
    let chosen = kept
        .nats_port
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    Ok(kept.nats_listen.or(chosen))
}

/// What a NATS client on this machine is told.
pub fn nats_url(address: SocketAddr) -> String {
    format!("nats://{}", from_here(address))
}

/// An address that means all of a machine's is reached at the one that every machine has.
pub fn from_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// A port that is ours while the value lives, so that the next choice is another one.
fn take(address: SocketAddr, what_for: &str) -> Result<TcpListener, Failure> {
    let listened = TcpListener::bind(address).and_then(|listener| {
        rustix::net::listen(&listener, BACKLOG)?;
        Ok(listener)
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

fn port(listener: &TcpListener) -> Result<u16, Failure> {
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| Failure::because("a socket does not know its own port", &error))
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
        let (first, browsers) = Installation::open(&data, Some(name), None, any()).unwrap();
        assert_eq!(browsers.local_addr().unwrap(), first.listen);
        drop(browsers);
        assert_ne!(first.nats.port(), first.listen.port());
        assert!(first.nats.ip().is_loopback());
        assert_eq!(
            Installation::open(&data, None, None, any()).unwrap().0,
            first
        );
        assert_eq!(nats_address(&data).unwrap(), Some(first.nats));
    }

    #[test]
    fn nats_listens_where_it_is_told_and_goes_back_when_it_is_not() {
        let (_place, data) = folder();
        assert_eq!(nats_address(&data).unwrap(), None);
        let (before, _) = Installation::open(&data, None, None, any()).unwrap();
        let asked = Some("127.0.0.2:0".parse().unwrap());
        let (told, _) = Installation::open(&data, None, asked, any()).unwrap();
        assert_eq!(
            told.nats.to_string(),
            format!("127.0.0.2:{}", before.nats.port())
        );
        assert_eq!(nats_address(&data).unwrap(), Some(told.nats));
        let (after, _) = Installation::open(&data, None, None, any()).unwrap();
        assert_eq!(after.nats, before.nats);
        assert_eq!(nats_address(&data).unwrap(), Some(before.nats));
    }

    #[test]
    fn a_port_that_another_program_has_is_named() {
        let (_place, data) = folder();
        let other = TcpListener::bind(any()).unwrap();
        let address = other.local_addr().unwrap();
        let failure = Installation::open(&data, None, None, address).unwrap_err();
        let failure = format!("{failure:?}");
        assert!(failure.contains(&address.port().to_string()), "{failure}");
        assert!(failure.contains("--listen"), "{failure}");
    }

    #[test]
    fn an_address_that_means_all_is_opened_on_this_machine() {
        let (_place, data) = folder();
        let everywhere = "0.0.0.0:0".parse().unwrap();
        let (installation, _) =
            Installation::open(&data, None, Some(everywhere), everywhere).unwrap();
        assert!(installation.url().starts_with("http://127.0.0.1:"));
        assert!(installation.nats_url().starts_with("nats://127.0.0.1:"));
        assert_eq!(nats_url("[::]:4222".parse().unwrap()), "nats://[::1]:4222");
    }
}
