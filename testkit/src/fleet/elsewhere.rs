//! A runner that `up` did not start: on another machine as far as it knows, with a data folder and a credential of its
//! own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::installation::{Fleet, UP_BOUND};
use crate::namespace::Network;
use crate::{child, flotilla, wait};

/// A runner in a process of its own. Dropped, it is ended with every agent it left.
pub struct Runner {
    pub host: String,
    process: Child,
    data: PathBuf,
    folder: TempDir,
}

impl Fleet {
    /// Gives a new host its credentials, starts its runner, and waits until the fleet knows it.
    pub async fn runner_elsewhere(&self, host: &str, projects: &[&Path]) -> Runner {
        self.runner_elsewhere_in(None, host, projects, "").await
    }

    /// The same in a network of its own, from which it reaches nats-server, with these lines of `[runner]` besides.
    pub async fn runner_elsewhere_in(
        &self,
        network: Option<&Network>,
        host: &str,
        projects: &[&Path],
        besides: &str,
    ) -> Runner {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let creds = folder.path().join("its.creds");
        let given = self.nats_creds(&["--host", host, "--out", &creds.display().to_string()]);
        assert!(given.status.success(), "{given:?}");
        // What is printed is what a person puts into the file.
        let printed = String::from_utf8(given.stdout).expect("a configuration is text");
        let mut settings: toml::Table = printed.parse().expect("it is TOML");
        let runner = settings["runner"].as_table_mut().expect("a section");
        let besides: toml::Table = besides.parse().expect("it is TOML");
        runner.extend(besides);
        let text = |path: &Path| toml::Value::from(path.display().to_string());
        runner.insert("data".to_owned(), text(&data(folder.path())));
        let projects: Vec<_> = projects.iter().map(|path| text(path)).collect();
        runner.insert("projects".to_owned(), projects.into());
        let file = folder.path().join("runner.toml");
        std::fs::write(&file, settings.to_string()).expect("a configuration file");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let mut command = Network::command(network, &flotilla::path());
        command
            .arg("runner")
            .arg("--config")
            .arg(&file)
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        let it = Runner {
            host: host.to_owned(),
            process: child::spawn(command).expect("a runner starts"),
            data: data(folder.path()),
            folder,
        };
        self.hears(&it).await;
        it
    }

    /// Asks for the command that makes a machine the host of this name, types exactly that on a machine with nothing on
    /// it but `flotilla`, and waits until the fleet knows the host.
    pub async fn enrolled_elsewhere(&self, host: &str) -> Runner {
        let made = self.post("/api/enrolments", json!({"host": host})).await;
        let typed = made["command"].as_str().expect("a command");
        let runner = self.types_elsewhere(host, typed);
        self.hears(&runner).await;
        runner
    }

    /// Types a command on a machine with nothing on it but `flotilla`.
    pub fn types_elsewhere(&self, host: &str, typed: &str) -> Runner {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        Runner {
            host: host.to_owned(),
            process: typed_in(folder.path(), typed),
            data: folder.path().join("flotilla"),
            folder,
        }
    }

    /// Waits until the host is online.
    pub async fn hears(&self, runner: &Runner) {
        let host = &runner.host;
        wait::until(&format!("the host {host}"), UP_BOUND, async || {
            let seen = self.try_get(&format!("/api/hosts/{host}")).await;
            match seen {
                Ok(host) if host["state"] == "online" => Ok(()),
                other => Err(format!("{other:?}, having said: {}", runner.log())),
            }
        })
        .await;
    }

    /// `flotilla nats creds` for this fleet, with these words besides.
    pub fn nats_creds(&self, words: &[&str]) -> Output {
        Command::new(flotilla::path())
            .args(["nats", "creds", "--data"])
            .arg(self.data())
            .args(words)
            .output()
            .expect("`flotilla` can be run")
    }
}

/// A shell on a machine that is a folder.
fn typed_in(folder: &Path, typed: &str) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log file");
    let program = flotilla::path();
    let beside = program.parent().expect("a program lies in a folder");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("exec {typed}")])
        .env("PATH", beside)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log file"))
        .stderr(log);
    child::spawn(command).expect("a shell starts")
}

impl Runner {
    /// Types another command on the same machine, once the one before has ended or been ended.
    pub fn types(&mut self, typed: &str) {
        self.process.kill().ok();
        self.process.wait().ok();
        self.process = typed_in(self.folder.path(), typed);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Waits for the command itself to end, and gives its exit code.
    pub async fn ends(&mut self) -> Option<i32> {
        wait::until("the command to end", UP_BOUND, async || {
            let ended = self.process.try_wait().map_err(|error| error.to_string())?;
            let status = ended.ok_or_else(|| "it runs".to_owned())?;
            Ok(status.code())
        })
        .await
    }

    /// Where its configuration, its log and its data lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).expect("a process id")
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        // Its shims are not its children, and outlive it.
        Command::new(flotilla::path())
            .arg("down")
            .arg("--data")
            .arg(self.data())
            .output()
            .ok();
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}
