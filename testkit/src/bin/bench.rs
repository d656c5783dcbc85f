//! What it costs, as a program: `make bench ONLY=deltas,memory ROUNDS=20`.
//!
//! Prints each table when it is there, keeps the figures as JSON, and writes docs/PERFORMANCE.md.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use testkit::bench::{self, Figure, Machine, Settings, Topic};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = settings()?;
    let machine = Machine::look();
    say(&format!(
        "{} build, load {:.2}, {} rounds",
        machine.build, machine.load_before, settings.rounds
    ));
    let figures = bench::run(&settings, |topic, figures| {
        say(&format!("\n{}", topic.name()));
        for figure in figures {
            say(&line(figure));
        }
    })
    .await;
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder).context("could not make target/bench")?;
    let kept = folder.join(format!(
        "{}.json",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S")
    ));
    std::fs::write(&kept, bench::json(&machine, &settings, &figures))
        .context("could not keep the figures")?;
    let report =
        variable("REPORT").map_or_else(|| PathBuf::from("docs/PERFORMANCE.md"), PathBuf::from);
    let before = std::fs::read_to_string(&report).unwrap_or_default();
    let text = bench::markdown(&before, &machine, &settings, &figures);
    std::fs::write(&report, text).context("could not write the report")?;
    say(&format!(
        "\nfigures: {}\nreport:  {}",
        kept.display(),
        report.display()
    ));
    Ok(())
}

fn line(figure: &Figure) -> String {
    let beside = figure.beside.map_or_else(String::new, |beside| {
        format!("  beside {}", figure.told(beside))
    });
    let target = figure
        .target
        .as_ref()
        .map_or_else(String::new, |(words, reached)| {
            format!("  [{words}{}]", if *reached { "" } else { ": MISSED" })
        });
    format!(
        "  {}: {}{beside}{target}",
        figure.name,
        figure.told(figure.value)
    )
}

fn settings() -> anyhow::Result<Settings> {
    let only = variable("ONLY").unwrap_or_default();
    let mut topics = Vec::new();
    for name in only
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let Some(topic) = Topic::named(name) else {
            bail!(
                "there is no `{name}`; topics are {}",
                Topic::ALL.map(Topic::name).join(", ")
            );
        };
        topics.push(topic);
    }
    if topics.is_empty() {
        topics = Topic::ALL.to_vec();
    }
    Ok(Settings {
        topics,
        rounds: number("ROUNDS", 10)?,
        sessions: number("SESSIONS", 500)?,
    })
}

fn number(name: &str, usual: usize) -> anyhow::Result<usize> {
    let Some(text) = variable(name) else {
        return Ok(usual);
    };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.with_context(|| format!("{name} wants a number above 0, not `{text}`"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn say(words: &str) {
    // A reader that went away is no reason to stop.
    writeln!(io::stdout(), "{words}").ok();
}
