//! docs/RELIABILITY.md, written from the lines of the runs it tells of.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::fault::Fault;
use super::moment::Moment;
use super::record::Line;
use super::table::{Row, Table};

/// Writes the report of one run, or of several.
pub fn write(path: &Path, lines: &[Line]) -> io::Result<()> {
    std::fs::write(path, text(&Table::of(lines)))
}

fn text(table: &Table) -> String {
    let parts = [
        HEAD.to_owned(),
        totals(table),
        rows(table),
        COLUMNS.to_owned(),
        violations(table),
        faults(table),
        moments(table),
        LAWS.to_owned(),
        runs(table),
        not_run(table),
        AGAIN.to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn totals(table: &Table) -> String {
    let sum = |of: fn(&Row) -> usize| table.rows.values().map(of).sum::<usize>();
    let cut_short = if table.broken_off {
        " A run was ended before it had done all rounds: the column *rounds* says how many there are."
    } else {
        ""
    };
    format!(
        "{} strikes on {} sessions in {} cells: **{} violations**.{cut_short}\n\n\
         | of all calls and requests | |\n|---|---|\n\
         | allowed, and ran exactly once | {} |\n\
         | denied, and did not run | {} |\n\
         | `unknown`: their agent was killed while they may have run | {} |\n\
         | gates withdrawn, with the reason | {} |\n\
         | decisions and messages refused, and sent again | {} |\n\
         | decisions and messages in the hands of a coordinator that was killed, and sent again | {} |\n\
         | moments that did not come: nothing was struck, and the round was tried again | {} |",
        sum(|row| row.rounds),
        sum(|row| row.sessions),
        table.rows.len(),
        table.violations(),
        sum(|row| row.seen.ran),
        sum(|row| row.seen.denied),
        sum(|row| row.seen.unknown),
        sum(|row| row.seen.withdrawn),
        sum(|row| row.seen.refused),
        sum(|row| row.seen.cut_off),
        sum(|row| row.missed),
    )
}

fn rows(table: &Table) -> String {
    let rows = table.rows.iter();
    let lines: Vec<String> = rows.map(|(place, row)| row.line(&place.cell)).collect();
    format!("{}\n{}", Row::HEAD, lines.join("\n"))
}

fn violations(table: &Table) -> String {
    let mut lines = Vec::new();
    for (place, row) in &table.rows {
        let cell = &place.cell;
        for words in &row.violations {
            // A log may hang on it; its first words say what is wrong.
            let words: String = words.replace('\n', " ").chars().take(400).collect();
            lines.push(format!(
                "- {}, {}, {}: {words}",
                cell.agent, cell.fault, cell.moment
            ));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("## Violations\n\n{}", lines.join("\n"))
}

fn faults(table: &Table) -> String {
    let there: BTreeSet<&str> = table.rows.keys().map(|it| it.cell.fault.as_str()).collect();
    let lines: Vec<String> = Fault::ALL
        .iter()
        .filter(|fault| there.contains(fault.name()))
        .map(|fault| format!("| {} | {} |", fault.name(), fault.explanation()))
        .collect();
    format!(
        "## Faults\n\n| fault | what is done |\n|---|---|\n{}",
        lines.join("\n")
    )
}

fn moments(table: &Table) -> String {
    let there: BTreeSet<&str> = table
        .rows
        .keys()
        .map(|it| it.cell.moment.as_str())
        .collect();
    let lines: Vec<String> = Moment::ALL
        .iter()
        .filter(|moment| there.contains(moment.name()))
        .map(|moment| format!("| {} | {} |", moment.name(), moment.proof()))
        .collect();
    format!(
        "## Moments\n\n| moment | what is observed before the fault |\n|---|---|\n{}",
        lines.join("\n")
    )
}

fn runs(table: &Table) -> String {
    let mut text = String::from(if table.runs.len() == 1 {
        "## This run\n"
    } else {
        "## These runs\n"
    });
    for run in &table.runs {
        text += &format!("\n- {}, commit {}", run.started, run.commit);
        for line in run.versions.iter().chain(&run.settings) {
            text += &format!("\n  - {line}");
        }
    }
    let mut loads = table.loads.clone();
    loads.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (loads.first(), loads.last()) {
        let median = loads[loads.len() / 2];
        text += &format!(
            "\n- load of the machine before the strikes: {least:.1} to {most:.1}, median {median:.1}"
        );
    }
    text + &format!("\n- {} min in all", table.elapsed_s.div_ceil(60))
}

fn not_run(table: &Table) -> String {
    let faults: BTreeSet<&str> = table.rows.keys().map(|it| it.cell.fault.as_str()).collect();
    let moments: BTreeSet<&str> = table
        .rows
        .keys()
        .map(|it| it.cell.moment.as_str())
        .collect();
    // Each run says it again.
    let left = table
        .not_run
        .iter()
        .filter(|it| !faults.contains(it.fault.as_str()))
        .map(|it| format!("- {}: {}", it.fault, it.words));
    let mut lines: Vec<String> = left.collect::<BTreeSet<_>>().into_iter().collect();
    let told = |name: &str| table.not_run.iter().any(|it| it.fault == name);
    let left_out: Vec<&str> = Fault::ALL
        .iter()
        .map(|fault| fault.name())
        .filter(|name| !faults.contains(name) && !told(name))
        .chain(
            Moment::ALL
                .iter()
                .map(|moment| moment.name())
                .filter(|name| !moments.contains(name)),
        )
        .collect();
    if !left_out.is_empty() {
        lines.push(format!(
            "- not asked for, or not reached: {}",
            left_out.join(", ")
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("## Not run\n\n{}", lines.join("\n"))
}

const HEAD: &str = "# What survives\n\n\
    Faults × moments × outcomes, on a whole installation of real processes. Written by `make chaos`; do not edit.";

const COLUMNS: &str = "- *rounds*: how often the fault struck; *sessions*: how many it found at the moment\n\
    - *missed*: how often the moment did not come, so that nothing was struck; such a round is tried again\n\
    - *ran once*: allowed calls whose token is in the ledger exactly once; *denied, not run*: denied calls whose token is not\n\
    - *unknown*: calls whose agent died while they may have run; they are not run again by themselves\n\
    - *withdrawn*: gates that were taken back, each with its reason in the log\n\
    - *refused*: decisions and messages that were answered with an error or met a closed door, and were sent again\n\
    - *cut off*: decisions and messages whose answer broke off because the coordinator that held them was killed, or that found it gone and went to the other one; they were sent again\n\
    - *seconds*: from the end of the fault until everything was decided, done and at rest, which includes the work itself \
    (compare with `none`); 0 where that was so before the fault had ended";

const LAWS: &str = "## What must hold\n\n\
    What ran is counted in a file outside Flotilla, to which each command appends its token; never by Flotilla's own numbers.\n\n\
    - every allowed call ran exactly once (at most once, and called `unknown`, where its own agent was killed while it may have run)\n\
    - no denied call ran, and none before it was decided\n\
    - no call is reported as denied unless a person denied it\n\
    - a gate that was pending is pending again with the same id\n\
    - each gate is decided once, released once, and never released before it is decided\n\
    - the log is 1, 2, 3 … without a hole or a double\n\
    - each message is in the log once; it was delivered once, and streamed text is whole word for word, where its agent lived\n\
    - no decision and no message is refused because some part is restarting: only what a coordinator held when it was killed is cut off, and sent again";

const AGAIN: &str = "## To repeat it\n\n\
    ```\nmake chaos                                  # everything, 20 rounds a cell\n\
    make chaos ROUNDS=5 ONLY=runner,gate-open   # by agent, fault and moment\n\
    make chaos MINUTES=50                       # a part of it, told as such\n\
    make chaos RESUME=target/chaos/…            # the rest of it\n```\n\n\
    Rounds that went wrong leave their logs in the folder it names. `cargo test -p cli --test chaos` runs the same code with one round.";
