//! Another coordinator beside the one that `up` runs: a fleet may have any number of them.

use std::process::{Child, Command, Stdio};

use reqwest::Method;
use tempfile::TempDir;

use super::installation::{Fleet, UP_BOUND};
use crate::{child, flotilla, wait};

/// A coordinator of its own process, ended when dropped.
pub struct Coordinator {
    pub url: String,
    process: Child,
    folder: TempDir,
}

impl Fleet {
    /// A second coordinator beside the one that `up` runs, on the same NATS, with a projection of its own.
    pub async fn another_coordinator(&self) -> Coordinator {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        drop(listener);
        let theirs = std::fs::read_to_string(self.data().join("coordinator/coordinator.toml"))
            .expect("`up` writes its coordinator's configuration");
        let mut settings: toml::Table = theirs.parse().expect("it is TOML");
        let section = settings
            .entry("coordinator")
            .or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().expect("a section");
        section.insert("listen".to_owned(), address.to_string().into());
        section.insert(
            "data".to_owned(),
            folder.path().display().to_string().into(),
        );
        let file = folder.path().join("coordinator.toml");
        std::fs::write(&file, settings.to_string()).expect("a configuration file");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let mut command = Command::new(flotilla::path());
        command
            .arg("coordinator")
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null());
        command
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        let process = child::spawn(command).expect("a coordinator starts");
        let it = Coordinator {
            url: format!("http://{address}"),
            process,
            folder,
        };
        wait::until("the other coordinator to be ready", UP_BOUND, async || {
            let (status, body) = self.request_at(&it.url, Method::GET, "/readyz", None).await;
            let said = || std::fs::read_to_string(it.folder.path().join("log")).unwrap_or_default();
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("{status}: {body}: {}", said()))
            }
        })
        .await;
        it
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
