//! Which nats-server the tests run.
//!
//! The one named in `FLOTILLA_NATS_SERVER`, else one on PATH that is new enough, else the one that
//! `tools/fetch-nats-server.sh` put into the checkout.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Per-message TTL with compare-and-set over a subject filter, which the relay needs, came with 2.12.
const OLDEST: (u32, u32) = (2, 12);

/// The path of the binary, looked for once in a process.
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(find);
    &PATH
}

fn find() -> PathBuf {
    if let Some(named) = env::var_os("FLOTILLA_NATS_SERVER") {
        let named = PathBuf::from(named);
        assert!(
            version(&named).is_some(),
            "FLOTILLA_NATS_SERVER names {}, which does not answer `--version` as nats-server does",
            named.display()
        );
        return named;
    }
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/nats-server");
    let on_path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&on_path)
        .map(|folder| folder.join("nats-server"))
        .chain([fetched])
        .filter(|candidate| candidate.is_file())
        .find(|candidate| version(candidate).is_some_and(|found| found >= OLDEST))
        .unwrap_or_else(|| {
            panic!(
                "these tests run a real nats-server of version {}.{} or newer, and there is none: `make tools` fetches one",
                OLDEST.0, OLDEST.1
            )
        })
}

fn version(binary: &Path) -> Option<(u32, u32)> {
    let output = Command::new(binary).arg("--version").output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `nats-server: v2.15.1`.
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("nats-server: v")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_server_says() {
        assert_eq!(parse("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse("nats-server: v2.9.0-beta.1\n"), Some((2, 9)));
        assert_eq!(parse("something else"), None);
    }
}
