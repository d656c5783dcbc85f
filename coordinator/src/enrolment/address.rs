//! Where a machine elsewhere finds this coordinator and NATS.

use std::net::IpAddr;

/// What hosts are told of NATS. An address that means all of a machine's, such as `0.0.0.0`, stands for the name under
/// which the machine found its coordinator.
#[derive(Debug, Clone)]
pub struct Addresses {
    nats: Vec<String>,
}

impl Addresses {
    #[must_use]
    pub const fn new(nats: Vec<String>) -> Self {
        Self { nats }
    }

    /// Told to a machine that calls this coordinator by `asked`: a `Host` header, or the authority of an address.
    #[must_use]
    pub fn nats_for(&self, asked: &str) -> Vec<String> {
        let name = without_port(asked);
        self.nats
            .iter()
            .map(|url| {
                ["0.0.0.0", "[::]"]
                    .into_iter()
                    .find_map(|all| {
                        let (before, after) = url.split_once(&format!("//{all}"))?;
                        Some(format!("{before}//{name}{after}"))
                    })
                    .unwrap_or_else(|| url.clone())
            })
            .collect()
    }

    /// Why a machine that finds this coordinator under `asked` would not find NATS.
    #[must_use]
    pub fn warning(&self, asked: &str) -> Option<String> {
        let nats = self.nats_for(asked);
        let unreachable = nats.iter().all(|url| is_loopback(authority(url)));
        if unreachable {
            return Some(
                "NATS listens on this machine alone. For a host elsewhere start with `[nats] listen` on an address \
                 that it reaches, or say with `[nats] public_url` where it finds NATS."
                    .to_owned(),
            );
        }
        is_loopback(asked).then(|| {
            format!(
                "The command names {asked}, which means the machine it is typed on. For a host elsewhere open this \
                 page under a name that the host reaches, or set `[coordinator] public_url`."
            )
        })
    }
}

/// The part of an address between `//` and the path.
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    }
}

fn is_loopback(authority: &str) -> bool {
    let name = without_port(authority);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &str) -> Addresses {
        Addresses::new(vec![url.to_owned()])
    }

    #[test]
    fn all_addresses_of_a_machine_stand_for_the_one_it_was_found_under() {
        let everywhere = addresses("nats://0.0.0.0:4222");
        assert_eq!(
            everywhere.nats_for("flotilla.example.org:4242"),
            ["nats://flotilla.example.org:4222"]
        );
        assert_eq!(
            addresses("tls://[::]:4222").nats_for("[2001:db8::1]"),
            ["tls://[2001:db8::1]:4222"]
        );
        let named = addresses("nats://10.0.0.1:4222");
        assert_eq!(
            named.nats_for("flotilla.example.org"),
            ["nats://10.0.0.1:4222"]
        );
    }

    #[test]
    fn a_machine_elsewhere_is_told_what_it_would_not_find() {
        let here = addresses("nats://127.0.0.1:4222");
        let warned = here.warning("flotilla.example.org").unwrap();
        assert!(warned.contains("[nats] listen"), "{warned}");
        let everywhere = addresses("nats://0.0.0.0:4222");
        assert_eq!(everywhere.warning("flotilla.example.org:4242"), None);
        let warned = addresses("nats://10.0.0.1:4222").warning("localhost:4242");
        assert!(warned.unwrap().contains("public_url"));
    }
}
