//! What is generated from the Rust types is checked in, and stays fresh.
//!
//! `FLOTILLA_WRITE_GENERATED=1 cargo nextest run -p coordinator generated` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const HOW: &str =
    "stale: run FLOTILLA_WRITE_GENERATED=1 cargo nextest run -p coordinator generated";

#[test]
fn generated_typescript_is_fresh() {
    let fresh = tempfile::tempdir().unwrap();
    coordinator::api::generate::typescript(fresh.path()).unwrap();
    let kept = root().join("web/src/api/generated");
    if writing() {
        replace(&kept, &files(fresh.path()));
    }
    let (fresh, kept) = (files(fresh.path()), files(&kept));
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&kept),
        names(&fresh),
        "web/src/api/generated is {HOW}"
    );
    for (name, text) in &fresh {
        assert_eq!(
            &kept[name],
            text,
            "web/src/api/generated/{} is {HOW}",
            name.display()
        );
    }
}

#[test]
fn generated_openapi_is_fresh() {
    let mut fresh = serde_json::to_string_pretty(&coordinator::openapi::document()).unwrap();
    fresh.push('\n');
    let path = root().join("docs/openapi.json");
    if writing() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "docs/openapi.json is {HOW}");
}

#[test]
fn every_address_of_the_router_is_described() {
    let router = fs::read_to_string(root().join("coordinator/src/http/router.rs")).unwrap();
    let described = coordinator::openapi::document().paths.paths;
    let addresses: Vec<&str> = router
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .filter(|address| *address != "/api/openapi.json")
        .collect();
    assert!(addresses.len() > 20, "{addresses:?}");
    for address in addresses {
        assert!(
            described.contains_key(address),
            "{address} is not in http/openapi.rs"
        );
    }
}

fn writing() -> bool {
    std::env::var_os("FLOTILLA_WRITE_GENERATED").is_some_and(|value| value == "1")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn replace(folder: &Path, files: &BTreeMap<PathBuf, String>) {
    let _ = fs::remove_dir_all(folder);
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}
