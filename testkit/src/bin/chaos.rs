//! Faults × moments × outcomes as a program: `make chaos ROUNDS=20 ONLY=runner,gate-open`.
//!
//! Prints how far it is, keeps a line for each round, writes the report, and fails when any law was broken.
//! `chaos report FOLDER…` writes one report of several runs.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};
use testkit::chaos::{
    self, Agent, End, Fault, Journal, Line, Moment, Premises, Progress, Run, Settings, Silences,
    Table, Told,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        None => strike().await,
        Some((first, folders)) if first == "report" && !folders.is_empty() => {
            let mut lines = Vec::new();
            for folder in folders {
                lines.extend(read(Path::new(folder))?);
            }
            report(&lines)
        }
        Some(_) => bail!("usage: chaos, or chaos report FOLDER…"),
    }
}

async fn strike() -> anyhow::Result<ExitCode> {
    let resumed = variable("RESUME").map(PathBuf::from);
    let folder = resumed.clone().unwrap_or_else(|| {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S");
        PathBuf::from("target/chaos").join(now.to_string())
    });
    let settings = settings(folder.clone())?;
    let mut lines = match &resumed {
        Some(folder) => read(folder)?,
        None => Vec::new(),
    };
    let run = Run {
        started: format!("{}", jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC")),
        commit: commit(),
        versions: versions(),
        settings: told(&settings),
    };
    let of_another_build = lines.iter().find_map(|line| match line {
        Line::Run(before) if before.commit != run.commit => Some(before.commit.clone()),
        _ => None,
    });
    if let Some(other) = of_another_build {
        bail!(
            "{} was made by commit {other}, and this is {}: what they saw does not add up",
            folder.display(),
            run.commit
        );
    }
    let _premises = Premises::take().context("could not make a folder for temporary files")?;
    let mut journal = Journal::open(&folder).context("could not keep what is seen")?;
    let mut keep = |line: Line, lines: &mut Vec<Line>| {
        journal
            .write(&line)
            .context("could not keep what is seen")?;
        lines.push(line);
        anyhow::Ok(())
    };
    keep(Line::Run(run), &mut lines)?;
    let (stop, started) = (CancellationToken::new(), Instant::now());
    let ending = end_in_time(stop.clone(), variable_number("MINUTES")?);
    let mut broken = 0;
    let done = lines.clone();
    let mut failed = Ok(());
    let mut fresh: Vec<Line> = Vec::new();
    let whole = chaos::run(&settings, &done, &stop, |told| match told {
        Told::Line(line) => {
            tell_line(&line);
            if let Err(error) = keep(line, &mut fresh) {
                failed = Err(error);
                stop.cancel();
            }
        }
        Told::Progress(progress) => tell_progress(&progress),
        Told::Broken(words) => {
            broken += 1;
            say(&format!("a piece of the run broke: {words}"));
        }
    });
    tokio::select! {
        () = whole => {}
        () = ending => say("what is under way is given up"),
    }
    failed?;
    lines.append(&mut fresh);
    let end = End {
        elapsed_s: started.elapsed().as_secs(),
        broken_off: stop.is_cancelled(),
    };
    keep(Line::End(end), &mut lines)?;
    say(&format!("what was seen is in {}", folder.display()));
    let code = report(&lines)?;
    Ok(if broken == 0 { code } else { ExitCode::FAILURE })
}

/// Says stop when time is up or a person wants it to, and returns when they want it at once.
async fn end_in_time(stop: CancellationToken, minutes: Option<u64>) {
    let bound = async {
        match minutes {
            Some(minutes) => tokio::time::sleep(Duration::from_secs(minutes * 60)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = bound => say("time is up: rounds under way are finished, no other is begun"),
        _ = tokio::signal::ctrl_c() => {
            say("rounds under way are finished, no other is begun; once more to give them up");
        }
    }
    stop.cancel();
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn settings(folder: PathBuf) -> anyhow::Result<Settings> {
    let only = variable("ONLY").unwrap_or_default();
    let names = only.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    for name in &names {
        let known = Fault::named(name).is_some()
            || Agent::named(name).is_some()
            || Moment::named(name).is_some();
        if !known {
            let faults = Fault::ALL.map(Fault::name).join(", ");
            let moments = Moment::ALL.map(Moment::name).join(", ");
            bail!(
                "there is no `{name}`; agents are rehearsal, claude; faults are {faults}; moments are {moments}"
            );
        }
    }
    let usual = Silences::default();
    let seconds = |name: &str, usual: Duration| {
        variable_number(name).map(|it| it.map_or(usual, Duration::from_secs))
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = number("JOBS", 2 * cores)?;
    Ok(Settings {
        agents: chosen(&Agent::ALL, &names, Agent::name),
        faults: chosen(&Fault::ALL, &names, Fault::name),
        moments: chosen(&Moment::ALL, &names, Moment::name),
        rounds: number("ROUNDS", 20)?,
        sessions: number("SESSIONS", 4)?,
        jobs,
        waiting: number("WAITING", 4 * jobs)?,
        silences: Silences {
            cut: seconds("SILENCE", usual.cut)?,
            freeze: seconds("FREEZE", usual.freeze)?,
            storm: seconds("STORM", usual.storm)?,
            disk: seconds("DISK", usual.disk)?,
        },
        folder,
    })
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

fn told(settings: &Settings) -> Vec<String> {
    let silences = &settings.silences;
    vec![
        format!(
            "{} rounds a cell asked for, {} sessions at the moment in each",
            settings.rounds, settings.sessions
        ),
        format!(
            "a cut lasts {} s, a freeze {} s, a storm {} s, a full disk {} s",
            silences.cut.as_secs(),
            silences.freeze.as_secs(),
            silences.storm.as_secs(),
            silences.disk.as_secs()
        ),
        format!(
            "{} fleets side by side, and up to {} beside them whose fault lasts",
            settings.jobs, settings.waiting
        ),
    ]
}

fn read(folder: &Path) -> anyhow::Result<Vec<Line>> {
    chaos::read(folder).with_context(|| format!("could not read what {} saw", folder.display()))
}

/// Writes the report, and says in which way all of it ended.
fn report(lines: &[Line]) -> anyhow::Result<ExitCode> {
    let path =
        variable("REPORT").map_or_else(|| PathBuf::from("docs/RELIABILITY.md"), PathBuf::from);
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(parent) = parent {
        std::fs::create_dir_all(parent).context("could not make the report's folder")?;
    }
    chaos::write_report(&path, lines)
        .with_context(|| format!("could not write {}", path.display()))?;
    let table = Table::of(lines);
    let strikes: usize = table.rows.values().map(|row| row.rounds).sum();
    say(&format!(
        "{strikes} strikes, {} violations; the report is {}",
        table.violations(),
        path.display()
    ));
    Ok(if table.violations() == 0 && strikes > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell_line(line: &Line) {
    match line {
        Line::Round(round) => {
            let cell = &round.cell;
            for words in &round.violations {
                say(&format!(
                    "VIOLATION {} {} {} round {}: {words}",
                    cell.agent, cell.fault, cell.moment, round.round
                ));
            }
        }
        Line::Missed(missed) => {
            let words: String = missed.words.chars().take(200).collect();
            let cell = &missed.cell;
            say(&format!(
                "missed {} {} {} round {}: {words}",
                cell.agent, cell.fault, cell.moment, missed.round
            ));
        }
        Line::NotRun(not_run) => {
            say(&format!("{} is not run: {}", not_run.fault, not_run.words));
        }
        Line::Run(_) | Line::End(_) => {}
    }
}

fn tell_progress(progress: &Progress) {
    let minutes = |time: Duration| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
    say(&format!(
        "{} {}/{} pieces, about {} left",
        minutes(progress.elapsed),
        progress.done,
        progress.all,
        minutes(progress.left)
    ));
}

fn say(words: &str) {
    // A reader that went away is no reason to stop.
    writeln!(io::stdout(), "{words}").ok();
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn variable_number<T: std::str::FromStr>(name: &str) -> anyhow::Result<Option<T>> {
    let Some(text) = variable(name) else {
        return Ok(None);
    };
    let number = text.parse().ok();
    number
        .map(Some)
        .with_context(|| format!("{name} wants a number, not `{text}`"))
}

fn number<T: std::str::FromStr>(name: &str, usual: T) -> anyhow::Result<T> {
    Ok(variable_number(name)?.unwrap_or(usual))
}

/// What was built, as far as git knows; with a mark when files differ from it.
fn commit() -> String {
    let said = said(
        Path::new("git"),
        &["describe", "--always", "--dirty", "--exclude=*"],
    );
    said.unwrap_or_else(|| "unknown".to_owned())
}

/// What the run stands on, for the report.
fn versions() -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut lines = vec![format!(
        "Linux {}, {cores} cores, {}",
        kernel.trim(),
        std::env::consts::ARCH
    )];
    lines.extend(said(&testkit::flotilla::path(), &["--version"]));
    lines.extend(said(testkit::nats_server::binary(), &["--version"]));
    lines.push(format!("Claude Code {}", testkit::claude::VERSION));
    lines
}

fn said(program: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
