//! What the figures stand on: the machine, how busy it was, and which versions ran.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::{claude, flotilla, nats_server};

/// Told beside every run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    pub at: String,
    pub commit: String,
    pub kernel: String,
    pub cores: usize,
    pub processor: String,
    pub memory_gib: f64,
    /// Of the minute before the first measurement.
    pub load_before: f64,
    pub flotilla: String,
    pub nats_server: String,
    pub claude_code: String,
    /// `release` or `debug`.
    pub build: String,
}

impl Machine {
    /// Looks at this machine.
    pub fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
        let load = read("/proc/loadavg");
        let path = flotilla::path();
        let build = path.components().any(|it| it.as_os_str() == "debug");
        Self {
            at: format!("{}", jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC")),
            commit: said("git", &["describe", "--always", "--dirty", "--exclude=*"]),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            memory_gib: kib / f64::from(1 << 20),
            load_before: load
                .split(' ')
                .next()
                .and_then(|it| it.parse().ok())
                .unwrap_or(0.0),
            flotilla: said(&path.to_string_lossy(), &["--version"]),
            nats_server: said(&nats_server::binary().to_string_lossy(), &["--version"]),
            claude_code: claude::VERSION.to_owned(),
            build: if build { "debug" } else { "release" }.to_owned(),
        }
    }
}

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}
