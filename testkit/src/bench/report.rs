//! What was measured, for a person and for a program.

use std::fmt::Write as _;

use serde_json::json;

use super::figure::Figure;
use super::machine::Machine;
use super::run::{Settings, Topic};

/// Between these marks a report is written; what people wrote around it stays.
const BEGIN: &str = "<!-- written by make bench: begin -->";
const END: &str = "<!-- written by make bench: end -->";

/// All of it, for a program.
#[must_use]
pub fn json(machine: &Machine, settings: &Settings, figures: &[Figure]) -> String {
    let topics: Vec<&str> = settings.topics.iter().map(|topic| topic.name()).collect();
    let settings =
        json!({"topics": topics, "rounds": settings.rounds, "sessions": settings.sessions});
    let whole = json!({"machine": machine, "settings": settings, "figures": figures});
    format!("{whole:#}\n")
}

/// `before` with its tables replaced.
#[must_use]
pub fn markdown(
    before: &str,
    machine: &Machine,
    settings: &Settings,
    figures: &[Figure],
) -> String {
    let tables = format!("{BEGIN}\n\n{}{END}", tables(machine, settings, figures));
    match (before.split_once(BEGIN), before.split_once(END)) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{tables}{tail}"),
        _ => format!("{HEAD}\n{tables}\n"),
    }
}

const HEAD: &str = "# How fast it is\n\nEach figure beside the bare agent or the raw engine, measured in the same run and interleaved with it.\n";

fn tables(machine: &Machine, settings: &Settings, figures: &[Figure]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} · commit {} · {} build · {} · {} · Claude Code {}\n\n{} cores ({}), {:.0} GiB, Linux {}; load before the run {:.2} · {} rounds of each\n",
        machine.at,
        machine.commit,
        machine.build,
        machine.flotilla,
        machine.nats_server,
        machine.claude_code,
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        machine.load_before,
        settings.rounds,
    );
    for topic in &settings.topics {
        let (letter, title) = topic.title();
        let _ = writeln!(text, "## ({letter}) {title}\n\n{}", table(*topic, figures));
    }
    text
}

fn table(topic: Topic, figures: &[Figure]) -> String {
    let (letter, _) = topic.title();
    let mut text = String::from(
        "| | Flotilla | bare or raw | ratio | wanted | measurements |\n|---|---|---|---|---|---|\n",
    );
    for figure in figures.iter().filter(|figure| figure.topic == letter) {
        let beside = figure
            .beside
            .map_or_else(String::new, |value| figure.told(value));
        let ratio = figure
            .beside
            .filter(|it| *it > 0.0)
            .map(|it| format!("{:.2}", figure.value / it));
        let target = figure.target.as_ref().map(|(words, reached)| {
            let verdict = if *reached { "✓" } else { "**missed**" };
            format!("{words} {verdict}")
        });
        let _ = writeln!(
            text,
            "| {} | {} | {beside} | {} | {} | {} |",
            figure.name,
            figure.told(figure.value),
            ratio.unwrap_or_default(),
            target.unwrap_or_default(),
            figure.count
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_its_tables_and_leaves_the_words_around_them() {
        let settings = Settings {
            topics: vec![Topic::Memory],
            rounds: 3,
            sessions: 1,
        };
        let figure = Figure::new("g", "coordinator, idle", 21.0, "MB")
            .beside(42.0)
            .wanted("40 MB", true);
        let first = markdown("", &Machine::default(), &settings, &[figure.clone()]);
        assert!(
            first.contains("| coordinator, idle | 21.0 MB | 42.0 MB | 0.50 | 40 MB ✓ | 1 |"),
            "{first}"
        );
        let words = first.replace(END, &format!("{END}\n\nWhat was found: nothing."));
        let second = markdown(
            &words,
            &Machine::default(),
            &settings,
            &[Figure {
                value: 50.0,
                ..figure
            }],
        );
        assert!(
            second.contains("50.0 MB") && !second.contains("21.0 MB"),
            "{second}"
        );
        assert!(second.contains("What was found: nothing."), "{second}");
    }
}
