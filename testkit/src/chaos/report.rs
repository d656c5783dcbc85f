//! docs/RELIABILITY.md, written by the run it tells of.

use std::io;
use std::path::Path;

use super::cell::Settings;
use super::fault::Fault;
use super::moment::Moment;
use super::table::{Row, Table};

/// Writes the report of one run.
pub fn write(
    path: &Path,
    table: &Table,
    settings: &Settings,
    versions: &[String],
) -> io::Result<()> {
    let lines: Vec<String> = table.rows.iter().map(Row::line).collect();
    let faults: Vec<String> = settings
        .faults
        .iter()
        .map(|fault| format!("| {} | {} |", fault.name(), fault.explanation()))
        .collect();
    let moments: Vec<String> = settings
        .moments
        .iter()
        .map(|moment| format!("| {} | {} |", moment.name(), moment.proof()))
        .collect();
    let sessions: usize = table.rows.iter().map(|row| row.sessions).sum();
    let strikes: usize = table.rows.iter().map(|row| row.rounds).sum();
    let text = format!(
        "{HEAD}\n\
         {strikes} strikes on {sessions} sessions: **{} violations**.\n\n\
         {}\n{}\n\n{COLUMNS}\n\
         ## Faults\n\n| fault | what is done |\n|---|---|\n{}\n\n\
         ## Moments\n\n| moment | what is observed before the fault |\n|---|---|\n{}\n\n\
         {LAWS}\n\
         ## This run\n\n{}\n- {} rounds a cell, {} sessions at the moment in each, {} cells side by side; a freeze, a cut or a storm lasts {} s\n\n{AGAIN}",
        table.violations(),
        Row::HEAD,
        lines.join("\n"),
        faults.join("\n"),
        moments.join("\n"),
        versions
            .iter()
            .map(|line| format!("- {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
        settings.rounds,
        settings.sessions,
        settings.jobs,
        settings.silence.as_secs(),
    );
    std::fs::write(path, text + &not_run(table, settings))
}

fn not_run(table: &Table, settings: &Settings) -> String {
    let faults = Fault::ALL
        .iter()
        .filter(|fault| !settings.faults.contains(fault) || table.not_run.contains(fault))
        .map(|fault| fault.name());
    let moments = Moment::ALL
        .iter()
        .filter(|moment| !settings.moments.contains(moment))
        .map(|moment| moment.name());
    let names: Vec<&str> = faults.chain(moments).collect();
    let left_out = if names.is_empty() {
        String::new()
    } else {
        format!("\nLeft out of this run: {}.\n", names.join(", "))
    };
    format!("{left_out}\n{BEYOND}")
}

const HEAD: &str = "# What survives\n\n\
    Faults × moments × outcomes, on a whole installation of real processes. Written by `make chaos`; do not edit.\n";

const COLUMNS: &str = "*Rounds*: how often the fault struck. *Sessions*: how many it found at the moment. *Ran once*: allowed calls whose \
    token is in the ledger exactly once. *Unknown*: calls whose agent died while they may have run; they are not run again by \
    themselves. *Sent again*: sessions to which a decision or a message had to be sent more than once, because coordinator or \
    nats-server was away and said so. *Seconds*: from the end of the fault until everything was decided, done and at rest, which includes the work \
    itself: compare with `none`.\n";

const LAWS: &str = "## What must hold\n\n\
    What ran is counted in a file outside Flotilla, to which each command appends its token; never by Flotilla's own numbers.\n\n\
    - every allowed call ran exactly once (at most once, and called `unknown`, where its own agent was killed while it may have run)\n\
    - no denied call ran, and none before it was decided\n\
    - no call is reported as denied unless a person denied it\n\
    - a gate that was pending is pending again with the same id\n\
    - each gate is decided once, released once, and never released before it is decided\n\
    - the log is 1, 2, 3 … without a hole or a double\n\
    - each message is in the log once; it was delivered once, and streamed text is whole word for word, where its agent lived\n\
    - no decision and no message is refused while coordinator and nats-server are there, whatever becomes of the host\n";

const AGAIN: &str = "## To repeat it\n\n\
    ```\nmake chaos ROUNDS=20                        # everything\n\
    make chaos ROUNDS=5 ONLY=runner,gate-open   # by agent, fault and moment\nmake chaos SILENCE=60                       # longer freezes and cuts\n```\n\n\
    Logs of failed rounds are kept in the folder it names. `cargo test -p cli --test chaos` runs the same code with one round.\n";

const BEYOND: &str = "Not in this table: power cuts (a kill keeps the page cache, so it never tests fsync) and steps of the clock.\n";
