//! A terminal of one person: a home of its own, and the fleet it talks to.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::fleet::{Fleet, Options};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Far more than any verb takes that does not wait for something.
const BOUND: Duration = Duration::from_secs(60);

pub struct Terminal {
    pub fleet: Fleet,
    home: TempDir,
}

/// What a verb left behind.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Terminal {
    pub async fn new() -> Self {
        Self {
            fleet: Fleet::start(Options::default()).await,
            home: tempfile::tempdir().expect("a home"),
        }
    }

    pub fn credentials(&self) -> PathBuf {
        self.home.path().join(".config/flotilla/credentials.toml")
    }

    /// Runs a verb with the fleet's own token.
    pub async fn run(&self, line: &[&str]) -> Said {
        let (url, token) = (self.fleet.url(), self.fleet.token().to_owned());
        self.run_with(
            line,
            &[("FLOTILLA_URL", &url), ("FLOTILLA_TOKEN", &token)],
            "",
        )
        .await
    }

    /// Runs a verb that has to succeed, and gives its stdout.
    pub async fn ok(&self, line: &[&str]) -> String {
        let said = self.run(line).await;
        assert_eq!(said.code, 0, "{line:?}: {said:#?}");
        said.out.trim_end().to_owned()
    }

    pub async fn json(&self, line: &[&str]) -> Value {
        let out = self.ok(&[line, &["--json"]].concat()).await;
        serde_json::from_str(&out).expect("JSON on stdout")
    }

    pub async fn run_with(&self, line: &[&str], environment: &[(&str, &str)], stdin: &str) -> Said {
        let mut child = self
            .command(line, environment)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("piped");
        // A verb that does not read its stdin has closed it, which is its right.
        let _ = input.write_all(stdin.as_bytes()).await;
        drop(input);
        let output = tokio::time::timeout(BOUND, child.wait_with_output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("{line:?} does not end"))
            .expect("it is our child");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// A verb that is not started yet, with nothing of this test's own environment.
    pub fn command(&self, line: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(testkit::flotilla::path());
        command
            .args(line)
            .env_clear()
            .env("HOME", self.home.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts a session of the rehearsal and gives its id.
    pub async fn start(&self, script: &str) -> String {
        let project = self.fleet.project().await;
        self.ok(&[
            "session",
            "start",
            "--project",
            &project,
            "--agent",
            "rehearsal",
            script,
        ])
        .await
    }
}
