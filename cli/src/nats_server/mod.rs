//! Which nats-server runs beneath the fleet.
//!
//! The one that was named; else the one on PATH when it is new enough; else the one that came with this program: beside
//! the binary, or fetched into the checkout that it was built in. Knows nothing of how it is configured or started.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Kind};

mod version;

use version::Version;

/// Atomic batches and compare-and-set over a subject filter came with it.
const OLDEST: Version = Version {
    major: 2,
    minor: 12,
};

const HINT: &str = "install nats-server 2.12 or newer (https://nats.io/download), or name one with --nats-server PATH or \
                    FLOTILLA_NATS_SERVER; in a checkout, `make tools` fetches one";

/// The nats-server to start. `named` is what the person asked for; nothing else is tried then.
pub fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return check_named(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    find_among(&candidates(&path, &program))
}

fn check_named(named: &Path) -> Result<PathBuf, Failure> {
    match version_of(named) {
        Ok(version) if version >= OLDEST => Ok(named.to_owned()),
        Ok(version) => Err(too_old(named, version)),
        Err(problem) => Err(Failure::new(
            Kind::Missing,
            format!("`{}` is not a nats-server: {problem}", named.display()),
        )
        .hint(HINT)),
    }
}

/// The first that is new enough. One that is too old is only told when there is no other.
fn find_among(candidates: &[PathBuf]) -> Result<PathBuf, Failure> {
    let mut oldest = None;
    for candidate in candidates.iter().filter(|path| path.is_file()) {
        match version_of(candidate) {
            Ok(version) if version >= OLDEST => return Ok(candidate.clone()),
            Ok(version) => oldest = oldest.or(Some(too_old(candidate, version))),
            Err(problem) => {
                tracing::debug!(path = %candidate.display(), problem, "not a nats-server");
            }
        }
    }
    Err(oldest.unwrap_or_else(|| {
        Failure::new(
            Kind::Missing,
            "there is no nats-server on this machine, and nothing works without one",
        )
        .hint(HINT)
    }))
}

/// Where a nats-server may be: on PATH, beside this program, or in `.tools` of a folder above it.
fn candidates(path: &OsStr, program: &Path) -> Vec<PathBuf> {
    let on_path = std::env::split_paths(path).map(|folder| folder.join("nats-server"));
    let beside = program.parent().map(|folder| folder.join("nats-server"));
    // `target/release/flotilla` is three below its checkout.
    let of_checkout = program
        .ancestors()
        .skip(1)
        .take(4)
        .map(|folder| folder.join(".tools/nats-server"));
    on_path.chain(beside).chain(of_checkout).collect()
}

fn version_of(program: &Path) -> Result<Version, String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    Version::read(&said).ok_or_else(|| {
        let first: String = said
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        format!("it answers `{first}` to --version")
    })
}

fn too_old(program: &Path, version: Version) -> Failure {
    Failure::new(
        Kind::Missing,
        format!(
            "`{}` is nats-server {version}, and Flotilla needs {OLDEST} or newer",
            program.display()
        ),
    )
    .hint(HINT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn program(folder: &Path, name: &str, says: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn one_on_path_that_is_too_old_gives_way_to_the_one_that_was_fetched() {
        let place = tempfile::tempdir().unwrap();
        let old = program(place.path(), "bin/nats-server", "nats-server: v2.9.1");
        let fetched = program(
            place.path(),
            "checkout/.tools/nats-server",
            "nats-server: v2.15.1",
        );
        let flotilla = place.path().join("checkout/target/release/flotilla");
        let found = find_among(&candidates(old.parent().unwrap().as_os_str(), &flotilla)).unwrap();
        assert_eq!(found, fetched);
    }

    #[test]
    fn a_machine_with_only_an_old_one_is_told_its_version() {
        let place = tempfile::tempdir().unwrap();
        let old = program(place.path(), "nats-server", "nats-server: v2.9.1");
        let failure = format!("{:?}", find_among(&[old]).unwrap_err());
        assert!(
            failure.contains("2.9") && failure.contains("2.12"),
            "{failure}"
        );
    }
}
