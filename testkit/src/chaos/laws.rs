//! What must hold after every fault. The ledger says what ran; the log says what was told of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fault::Fault;
use super::journey::{Call, Journey, calls_of};
use super::ledger::Ledger;
use super::moment::{Moment, WORDS};
use super::person::{How, Setback};
use super::record::Seen;

/// What came of one session.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub seen: Seen,
    pub violations: Vec<String>,
}

impl Verdict {
    /// It could not even be looked at.
    pub(super) fn broken(words: String) -> Self {
        Self {
            seen: Seen::default(),
            violations: vec![words],
        }
    }
}

/// Holds one session to the laws.
pub(super) fn judge(
    fault: Fault,
    journey: &Journey<'_>,
    events: &[Value],
    ledger: &Ledger,
) -> Verdict {
    let mut verdict = Verdict::default();
    let log = Log { events };
    for call in &journey.calls {
        log.judge_call(fault, call, ledger, &mut verdict);
    }
    log.contiguous(&mut verdict);
    log.denials_were_said(&mut verdict);
    log.gates_keep_their_order(&mut verdict);
    log.messages_arrive_once(fault, journey, &mut verdict);
    if journey.moment == Moment::MidDelta && !fault.ends_agents() {
        log.text_is_whole(&mut verdict);
    }
    if let Some(before) = &journey.gate_before {
        log.gate_is_the_same(before, journey, &mut verdict);
    }
    requests_are_taken(fault, &journey.setbacks, &mut verdict);
    verdict
}

/// Whatever part is restarting, what a person sends is taken and delivered later. Only what a killed coordinator held in
/// its hands is cut off, and sent again; where there is another one, a closed door is no refusal either.
fn requests_are_taken(fault: Fault, setbacks: &[Setback], verdict: &mut Verdict) {
    for setback in setbacks {
        let excused = match setback.how {
            How::Refused => false,
            How::NobodyThere => fault.closes_the_door(),
            How::CutOff => fault.kills_a_coordinator(),
        };
        if excused {
            verdict.seen.cut_off += 1;
        } else {
            verdict.seen.refused += 1;
            verdict
                .violations
                .push(format!("was refused: {}", setback.words));
        }
    }
}

struct Log<'a> {
    events: &'a [Value],
}

impl<'a> Log<'a> {
    fn of(&self, tag: &'static str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["type"] == tag)
    }

    fn judge_call(&self, fault: Fault, call: &Call, ledger: &Ledger, verdict: &mut Verdict) {
        let (token, count) = (&call.token, ledger.count(&call.token));
        let ids = calls_of(self.events, token);
        let outcomes: Vec<&Value> = self
            .of("tool.finished")
            .filter(|event| ids.iter().any(|id| event["data"]["tool_use"] == **id))
            .map(|event| &event["data"]["outcome"])
            .collect();
        let unknown = outcomes.iter().any(|outcome| *outcome == "unknown");
        let mut broken = |what: &str| verdict.violations.push(format!("{what}: {token}"));
        if call.ran_undecided {
            broken("ran before anybody had decided");
        }
        if unknown && !call.allow {
            broken("was denied, and yet is said to have run perhaps");
        }
        if unknown && !fault.ends_agents() {
            broken("is said to have run perhaps, though its agent lived");
        }
        match (call.decided.is_empty(), call.allow, count) {
            (true, _, 0) => broken("was never asked"),
            (true, _, _) | (false, false, 1..) => broken("ran though nobody allowed it"),
            (false, true, 2..) => broken("ran twice"),
            (false, true, 0) if outcomes.last().is_none_or(|last| *last != "unknown") => {
                broken("was allowed and never ran");
            }
            (false, true, 0) => {}
            (false, true, 1) => verdict.seen.ran += 1,
            (false, false, 0) => verdict.seen.denied += 1,
        }
        verdict.seen.unknown += usize::from(unknown);
    }

    fn contiguous(&self, verdict: &mut Verdict) {
        let seqs: Vec<u64> = self
            .events
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        if seqs != (1..=self.events.len() as u64).collect::<Vec<_>>() {
            verdict
                .violations
                .push(format!("the log has a hole or a double: {seqs:?}"));
        }
    }

    /// No crash of ours ever reads as a denial.
    fn denials_were_said(&self, verdict: &mut Verdict) {
        let denied: BTreeSet<&str> = self
            .of("gate.decided")
            .filter(|event| event["data"]["decision"]["verdict"] == "deny")
            .filter_map(|event| event["data"]["gate"].as_str())
            .collect();
        let calls: BTreeSet<&str> = self
            .of("gate.opened")
            .filter(|event| {
                event["data"]["gate"]
                    .as_str()
                    .is_some_and(|gate| denied.contains(gate))
            })
            .filter_map(|event| event["data"]["tool_use"].as_str())
            .collect();
        for finished in self
            .of("tool.finished")
            .filter(|event| event["data"]["outcome"] == "denied")
        {
            let call = finished["data"]["tool_use"].as_str().unwrap_or_default();
            if !calls.contains(call) {
                verdict
                    .violations
                    .push(format!("a denial that nobody took: {finished}"));
            }
        }
    }

    /// Opened, decided once, released after that; and each call has one gate, unless that was withdrawn.
    fn gates_keep_their_order(&self, verdict: &mut Verdict) {
        let mut decided: BTreeMap<&str, u64> = BTreeMap::new();
        for event in self.of("gate.decided") {
            let gate = event["data"]["gate"].as_str().unwrap_or_default();
            if decided
                .insert(gate, event["seq"].as_u64().unwrap_or(0))
                .is_some()
            {
                verdict.violations.push(format!("decided twice: {gate}"));
            }
        }
        let mut released = BTreeSet::new();
        for event in self.of("tool.released") {
            let gate = event["data"]["gate"].as_str().unwrap_or_default();
            let seq = event["seq"].as_u64().unwrap_or(0);
            if decided.get(gate).is_none_or(|decided| *decided > seq) {
                verdict
                    .violations
                    .push(format!("released without a decision: {gate}"));
            }
            // An answer that never reached its agent is given to the next one.
            let told_again = self.agent_died_before(seq);
            if !released.insert(gate) && !told_again {
                verdict.violations.push(format!("released twice: {gate}"));
            }
        }
        for event in self.of("gate.opened") {
            let call = &event["data"]["tool_use"];
            let before: Vec<&Value> = self
                .events
                .iter()
                .take_while(|it| it["seq"] != event["seq"])
                .filter(|it| it["data"]["tool_use"] == *call)
                .collect();
            if !before.iter().any(|it| it["type"] == "gate.opened") {
                continue;
            }
            // Once it has an outcome, a call that the next agent asks again is another question.
            let outcome = before
                .iter()
                .rfind(|it| it["type"] == "tool.finished")
                .map(|it| &it["data"]["outcome"]);
            let warns = event["data"]["risks"]
                .to_string()
                .contains("already have run");
            match outcome {
                None => verdict
                    .violations
                    .push(format!("one call has two gates: {event}")),
                Some(outcome) if outcome == "unknown" && !warns => verdict.violations.push(
                    format!("a call that may have run is asked again without saying so: {event}"),
                ),
                Some(_) => {}
            }
        }
        for event in self.of("gate.withdrawn") {
            verdict.seen.withdrawn += 1;
            if event["data"]["reason"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
            {
                verdict
                    .violations
                    .push(format!("withdrawn without a reason: {event}"));
            }
        }
    }

    fn agent_died_before(&self, seq: u64) -> bool {
        self.of("agent.exited")
            .any(|event| event["seq"].as_u64().is_some_and(|exited| exited < seq))
    }

    fn messages_arrive_once(&self, fault: Fault, journey: &Journey<'_>, verdict: &mut Verdict) {
        let count = |tag: &'static str, id: &str| {
            self.of(tag)
                .filter(|event| event["data"]["command"] == id)
                .count()
        };
        for id in &journey.messages {
            match count("message.user", id) {
                1 => {}
                times => verdict
                    .violations
                    .push(format!("a message is {times} times in the log: {id}")),
            }
        }
        for event in self.of("message.user") {
            let id = event["data"]["command"].as_str().unwrap_or_default();
            match count("message.delivered", id) {
                1 => {}
                0 if fault.ends_agents() => {}
                times => verdict
                    .violations
                    .push(format!("a message was delivered {times} times: {id}")),
            }
        }
    }

    fn text_is_whole(&self, verdict: &mut Verdict) {
        let words = self
            .of("message.assistant")
            .map(|event| {
                event["data"]["text"]
                    .as_str()
                    .unwrap_or_default()
                    .split_whitespace()
                    .count()
            })
            .max();
        if words != Some(WORDS) {
            verdict
                .violations
                .push(format!("of {WORDS} words {words:?} came"));
        }
    }

    /// What was pending is pending again, and nothing else: one call was open, so its gate is the same.
    fn gate_is_the_same(&self, before: &str, journey: &Journey<'_>, verdict: &mut Verdict) {
        let token = &journey.calls[1].token;
        let calls = calls_of(self.events, token);
        let of_call = |event: &&Value| calls.iter().any(|id| event["data"]["tool_use"] == **id);
        let others: Vec<&str> = self
            .events
            .iter()
            .filter(of_call)
            .take_while(|event| event["type"] != "tool.finished")
            .filter(|event| event["type"] == "gate.opened")
            .filter_map(|event| event["data"]["gate"].as_str())
            .filter(|gate| *gate != before)
            .collect();
        if !others.is_empty() {
            verdict
                .violations
                .push(format!("the pending gate {before} came back as {others:?}"));
        }
    }
}
