//! What the adapter makes of everything that was recorded. The result lies beside each transcript, to be read.

use nats::event::{GateKind, ToolOutcome, TurnOutcome};
use runner::agent::{Adapter, AgentEvent, Ask, Dialect};

use crate::telling::tell;
use crate::transcript::{self, Transcript};

#[test]
fn every_transcript_reads_as_it_was_checked() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(transcript::folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for transcript in transcript::all() {
            let told = tell(&transcript.play(|_, adapter| adapter));
            insta::assert_snapshot!(transcript.name.as_str(), told);
        }
    });
}

fn play(name: &str) -> Vec<AgentEvent> {
    Transcript::read(name).play(|_, adapter| adapter)
}

fn outcomes(events: &[AgentEvent]) -> Vec<ToolOutcome> {
    let finished = events.iter().filter_map(|event| match event {
        AgentEvent::ToolFinished { outcome, .. } => Some(*outcome),
        _ => None,
    });
    finished.collect()
}

fn endings(events: &[AgentEvent]) -> Vec<(TurnOutcome, Option<&str>)> {
    let ended = events.iter().filter_map(|event| match event {
        AgentEvent::TurnFinished { outcome, error, .. } => Some((*outcome, error.as_deref())),
        _ => None,
    });
    ended.collect()
}

#[test]
fn every_block_that_was_shown_becomes_final_once() {
    for transcript in transcript::all() {
        let mut shown = std::collections::BTreeSet::new();
        let mut finished = std::collections::BTreeSet::new();
        for event in transcript.play(|_, adapter| adapter) {
            match event {
                AgentEvent::Delta { message, block, .. } => {
                    assert!(
                        !finished.contains(&(message.clone(), block)),
                        "{}: a delta after the end",
                        transcript.name
                    );
                    shown.insert((message, block));
                }
                AgentEvent::Block { message, block, .. } => {
                    assert!(
                        finished.insert((message, block)),
                        "{}: a block twice",
                        transcript.name
                    );
                }
                _ => {}
            }
        }
        assert!(
            shown.is_subset(&finished),
            "{}: stale text stays",
            transcript.name
        );
    }
}

#[test]
fn a_turn_ends_as_often_as_it_begins() {
    for transcript in transcript::all() {
        let mut running = 0;
        for event in transcript.play(|_, adapter| adapter) {
            match event {
                AgentEvent::TurnBegan => running += 1,
                AgentEvent::TurnFinished { .. } => running -= 1,
                _ => {}
            }
            assert!(
                (0..=1).contains(&running),
                "{}: turns overlap",
                transcript.name
            );
        }
    }
}

#[test]
fn a_no_is_told_from_a_failure_and_from_an_interruption() {
    assert_eq!(
        outcomes(&play("03-deny-with-message")),
        [ToolOutcome::Denied]
    );
    assert_eq!(
        outcomes(&play("06-interrupt-while-permission-pending")),
        [ToolOutcome::Interrupted]
    );
    assert_eq!(
        outcomes(&play("15-interrupt-while-a-tool-runs")),
        [ToolOutcome::Interrupted]
    );
    assert_eq!(
        outcomes(&play("16-interrupt-while-a-tool-is-asked-for")),
        [ToolOutcome::Interrupted]
    );
}

#[test]
fn an_interruption_is_no_failure_and_the_next_turn_is_a_turn_like_any_other() {
    let endings_of = |name: &str| {
        let events = play(name);
        endings(&events)
            .into_iter()
            .map(|(outcome, _)| outcome)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        endings_of("05-interrupt-midstream"),
        [TurnOutcome::Interrupted, TurnOutcome::Completed]
    );
    assert_eq!(
        endings_of("16-interrupt-while-a-tool-is-asked-for")[0],
        TurnOutcome::Interrupted
    );
}

#[test]
fn a_failed_endpoint_is_told_once() {
    let events = play("09-error-401");
    assert_eq!(
        endings(&events),
        [(
            TurnOutcome::Failed,
            Some("Invalid API key · Fix external API key")
        )]
    );
    let blocks = events
        .iter()
        .filter(|event| matches!(event, AgentEvent::Block { .. }))
        .count();
    assert_eq!(
        blocks, 0,
        "the agent's own words on its endpoint are no message"
    );
    let cut = play("14-cut-while-a-tool-is-asked-for");
    let notices = cut
        .iter()
        .filter(|event| matches!(event, AgentEvent::Notice { .. }))
        .count();
    assert_eq!(
        (notices, endings(&cut)),
        (1, vec![(TurnOutcome::Completed, None)])
    );
}

#[test]
fn a_subagent_asks_under_its_call_also_after_the_turn() {
    let events = play("11-subagent-in-the-background");
    let asked = events.iter().filter_map(|event| match event {
        AgentEvent::Asked(ask) => Some((ask.tool.as_str(), ask.parent.as_deref())),
        _ => None,
    });
    assert_eq!(
        asked.collect::<Vec<_>>(),
        [("Agent", None), ("Bash", Some("toolu_ag1"))]
    );
    assert_eq!(
        endings(&events).len(),
        2,
        "the turn that was asked for, and the one it began by itself"
    );
}

#[test]
fn a_plan_is_shown_as_it_stands_after_its_revision() {
    let events = play("18-plan");
    let plans = events.iter().filter_map(|event| match event {
        AgentEvent::Asked(ask) if ask.kind == GateKind::Plan => ask.plan.as_deref(),
        _ => None,
    });
    assert_eq!(
        plans.collect::<Vec<_>>(),
        [
            "# The plan\n\n1. Read\n",
            "# The plan\n\n1. Read\n2. Write\n"
        ]
    );
}

#[test]
fn a_call_that_another_process_asks_for_again_is_the_same_call() {
    let before = Transcript::read("10a-killed-while-permission-pending");
    let after = Transcript::read("10b-resume-after-marker-reasks-same-tool");
    let mut adapter = Adapter::new(Dialect::Claude);
    let mut told = Vec::new();
    for (generation, transcript) in [(1, &before), (2, &after)] {
        adapter.handshake(generation);
        told.extend(transcript.lines.iter().flat_map(|line| adapter.line(line)));
    }
    let wanted = told
        .iter()
        .filter(|event| matches!(event, AgentEvent::ToolRequested { .. }))
        .count();
    let asked: Vec<&Ask> = told
        .iter()
        .filter_map(|event| match event {
            AgentEvent::Asked(ask) => Some(ask),
            _ => None,
        })
        .collect();
    assert_eq!((wanted, asked.len()), (1, 2));
    assert_eq!(asked[0].tool_use, asked[1].tool_use);
    assert_eq!(
        (&asked[0].summary, &asked[0].risks),
        (&asked[1].summary, &asked[1].risks)
    );
    assert_eq!(outcomes(&told), [ToolOutcome::Succeeded]);
}
