//! Faults × moments × outcomes as a program: `make chaos ROUNDS=20 ONLY=runner,gate-open`.
//!
//! Prints the table as it goes, writes the report, and fails when any law was broken.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};
use testkit::chaos::{self, Agent, Fault, Moment, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let only = variable("ONLY").unwrap_or_default();
    let names: Vec<&str> = only
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    for name in &names {
        let known = Fault::ALL.iter().any(|fault| fault.name() == *name)
            || Agent::ALL.iter().any(|agent| agent.name() == *name)
            || Moment::ALL.iter().any(|moment| moment.name() == *name);
        if !known {
            let faults = Fault::ALL.map(Fault::name).join(", ");
            let moments = Moment::ALL.map(Moment::name).join(", ");
            bail!(
                "there is no `{name}`; agents are rehearsal, claude; faults are {faults}; moments are {moments}"
            );
        }
    }
    let settings = Settings {
        agents: chosen(&Agent::ALL, &names, Agent::name),
        faults: chosen(&Fault::ALL, &names, Fault::name),
        moments: chosen(&Moment::ALL, &names, Moment::name),
        rounds: number("ROUNDS", 20)?,
        sessions: number("SESSIONS", 4)?,
        jobs: number("JOBS", 1)?,
        silence: Duration::from_secs(number("SILENCE", 15)?),
        logs: PathBuf::from("target/chaos")
            .join(jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string()),
    };
    let table = chaos::run(&settings, |line| {
        // A reader that went away is no reason to stop.
        writeln!(io::stdout(), "{line}").ok();
    })
    .await;
    let report =
        variable("REPORT").map_or_else(|| PathBuf::from("docs/RELIABILITY.md"), PathBuf::from);
    if let Some(parent) = report
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent).context("could not make the report's folder")?;
    }
    chaos::write_report(&report, &table, &settings, &versions())
        .with_context(|| format!("could not write {}", report.display()))?;
    if table.violations() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        io::stdout(),
        "{} violations; logs are in {}",
        table.violations(),
        settings.logs.display()
    )?;
    Ok(ExitCode::FAILURE)
}

/// Those that are named; all when none of their kind is.
fn chosen<T: Copy>(all: &[T], names: &[&str], name: fn(T) -> &'static str) -> Vec<T> {
    let named: Vec<T> = all
        .iter()
        .copied()
        .filter(|it| names.contains(&name(*it)))
        .collect();
    if named.is_empty() {
        all.to_vec()
    } else {
        named
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> anyhow::Result<T> {
    match variable(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .with_context(|| format!("{name} wants a number, not `{text}`")),
    }
}

/// What the run stands on, for the report.
fn versions() -> Vec<String> {
    let said = |program: &Path, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut lines = vec![
        format!("{}", jiff::Timestamp::now().strftime("%Y-%m-%d")),
        format!(
            "Linux {}, {cores} cores, {}",
            kernel.trim(),
            std::env::consts::ARCH
        ),
    ];
    lines.extend(said(&testkit::flotilla::path(), "--version"));
    lines.extend(said(testkit::nats_server::binary(), "--version"));
    lines.push(format!("Claude Code {}", testkit::claude::VERSION));
    lines
}
