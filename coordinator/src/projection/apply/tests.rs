use std::collections::BTreeMap;

use nats::audit::{ActionRecord, DecisionRecord, Origin};
use nats::command::MESSAGE_SEND;
use nats::event::{
    Decision, Delivery, FileChange, FileChanged, GateDecided, GateKind, GateOpened, GateWithdrawn,
    MessageUser, SessionEnded, SessionOpened, SessionState, State, Tokens, ToolFinished,
    ToolOutcome, ToolReleased, TurnFinished, TurnOutcome, Verdict,
};
use nats::ids::{AuditId, CommandId, EventId, TurnId, UserId};
use nats::wire::Wire;
use nats::{Envelope, Timestamp, subject};
use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::projection::Writer;

const HOST: &str = "vps-1";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(1_700_000_000_000 + seconds * 1000)
}

fn event(session: SessionId, host: &str, seq: u64, event: Event) -> Input {
    let envelope = Envelope {
        v: 1,
        id: EventId::from_uuid(session.uuid()),
        session,
        host: host.parse().unwrap(),
        epoch: 1,
        seq,
        at: at(seq as i64),
        object: None,
        body: Wire::Known(event),
    };
    let subject = subject::event(&envelope.host, session, envelope.body.tag());
    let body = serde_json::to_vec(&envelope).unwrap().into();
    Input::Event {
        sequence: seq,
        arrival: Box::new(Arrival::new(subject, body)),
    }
}

fn record(session: SessionId) -> Input {
    let record = SessionRecord {
        session,
        host: HOST.parse().unwrap(),
        epoch: 1,
        project: "shop".to_owned(),
        agent: "claude".to_owned(),
        title: "a title".to_owned(),
        created_at: at(0),
        created_by: UserId::from_uuid(session.uuid()),
        base: None,
        labels: BTreeMap::new(),
        first_seq: 1,
        prompt: None,
        prompt_id: None,
        imported: None,
        placement: nats::record::Placement::default(),
    };
    Input::Session {
        revision: 1,
        record: Box::new(record),
    }
}

fn decision(session: SessionId, verdict: Verdict) -> Decision {
    Decision {
        verdict,
        reason: None,
        input: None,
        answers: None,
        input_hash: "h".to_owned(),
        by: UserId::from_uuid(session.uuid()),
        by_name: "Ada".to_owned(),
        at: at(100),
    }
}

fn recorded(sequence: u64, session: SessionId, gate: GateId) -> Input {
    let record = DecisionRecord {
        v: 1,
        id: AuditId::from_uuid(gate.uuid()),
        gate,
        session,
        host: HOST.parse().unwrap(),
        epoch: 1,
        tool: "Bash".to_owned(),
        summary: "Run a command".to_owned(),
        decision: decision(session, Verdict::Allow),
        from: Origin::default(),
    };
    Input::Audit {
        sequence,
        subject: subject::decision(gate),
        body: serde_json::to_vec(&record).unwrap().into(),
    }
}

/// Somebody sent a message.
fn sent(sequence: u64, session: SessionId, command: CommandId) -> Input {
    let record = ActionRecord {
        v: 1,
        id: AuditId::from_uuid(command.uuid()),
        action: MESSAGE_SEND.to_owned(),
        by: Some(UserId::from_uuid(session.uuid())),
        by_name: Some("Ada".to_owned()),
        session: Some(session),
        command: Some(command),
        subject: "3 bytes".to_owned(),
        at: at(50),
        from: Origin::default(),
    };
    Input::Audit {
        sequence,
        subject: subject::audit(&record.action, record.id),
        body: serde_json::to_vec(&record).unwrap().into(),
    }
}

fn opened(gate: GateId) -> Event {
    GateOpened {
        gate,
        kind: GateKind::Tool,
        tool_use: format!("use-{gate}"),
        tool: "Bash".to_owned(),
        input: json!({"command": "ls"}),
        input_hash: "h".to_owned(),
        summary: "Run a command".to_owned(),
        risks: Vec::new(),
        turn: None,
        parent: None,
        questions: Vec::new(),
        plan: None,
    }
    .into()
}

/// The whole life of a session with three gates: one that runs, one that is withdrawn, one that is decided too late.
fn life(session: SessionId, gates: [GateId; 3]) -> Vec<Vec<Input>> {
    let [runs, withdrawn, late] = gates;
    let tool_use = format!("use-{runs}");
    let events: Vec<Event> = vec![
        SessionOpened {
            project: "shop".to_owned(),
            agent: "claude".to_owned(),
            title: "a title".to_owned(),
            branch: "flotilla/1".to_owned(),
            base: "0".repeat(40),
            worktree: "/w".to_owned(),
            isolated: true,
            started_by: None,
        }
        .into(),
        opened(runs),
        opened(withdrawn),
        opened(late),
        GateDecided {
            gate: runs,
            decision: decision(session, Verdict::Allow),
        }
        .into(),
        ToolReleased {
            tool_use: tool_use.clone(),
            gate: runs,
            allowed: true,
        }
        .into(),
        ToolFinished {
            tool_use,
            outcome: ToolOutcome::Succeeded,
            output: String::new(),
            output_bytes: 0,
        }
        .into(),
        GateWithdrawn {
            gate: withdrawn,
            reason: "interrupted".to_owned(),
            can_continue: false,
        }
        .into(),
        FileChanged {
            path: "a".to_owned(),
            old_path: None,
            change: FileChange::Created,
            added: 3,
            removed: 1,
            patch: String::new(),
            binary: false,
            truncated: false,
            tool_use: None,
        }
        .into(),
        TurnFinished {
            turn: TurnId::from_uuid(session.uuid()),
            outcome: TurnOutcome::Completed,
            error: None,
            duration_ms: 1,
            tokens: Tokens {
                input: 5,
                ..Tokens::default()
            },
            cost_usd: 0.25,
            context_tokens: None,
            context_tokens_max: None,
            can_continue: false,
        }
        .into(),
        SessionState {
            state: State::Idle,
            reason: None,
        }
        .into(),
        SessionEnded {
            reason: "stopped".to_owned(),
            clean: true,
        }
        .into(),
    ];
    let events = events
        .into_iter()
        .zip(1..)
        .map(|(body, seq)| event(session, HOST, seq, body));
    vec![
        events.collect(),
        vec![recorded(1, session, runs), recorded(2, session, late)],
        vec![record(session)],
    ]
}

/// Every table of a file, in words.
fn contents(connection: &Connection) -> String {
    let mut text = String::new();
    for table in [
        "sessions",
        "events",
        "unclaimed",
        "gates",
        "receipts",
        "sent",
        "audit",
        "hosts",
        "positions",
    ] {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> = (0..columns)
                .map(|column| cell(row.get_ref(column).unwrap()))
                .collect();
            text.push_str(&format!("{table}: {}\n", cells.join(" | ")));
        }
    }
    text
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    value
        .as_str()
        .map_or_else(|_| format!("{value:?}"), str::to_owned)
}

fn applied(batches: Vec<Vec<Input>>) -> (String, Vec<Dropped>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut writer = Writer::open(&path).unwrap();
    let mut dropped = Vec::new();
    for batch in batches {
        dropped.extend(writer.apply(batch).unwrap().dropped);
    }
    drop(writer);
    (contents(&Connection::open(&path).unwrap()), dropped)
}

#[test]
fn streams_and_records_in_any_order_and_any_batches_give_the_same_rows() {
    let session = SessionId::new();
    let gates = [GateId::new(), GateId::new(), GateId::new()];
    let sources = life(session, gates);
    let (expected, dropped) = applied(vec![sources.concat()]);
    assert_eq!(dropped, []);
    assert!(
        expected.contains("stopped") && expected.contains("withdrawn"),
        "{expected}"
    );
    // Each stream keeps its own order; how they are woven is chance: every word of a small alphabet, one input a
    // batch or several.
    for word in 0..200_u32 {
        let mut queues: Vec<std::collections::VecDeque<Input>> =
            sources.iter().cloned().map(Into::into).collect();
        let (mut chance, mut batches) = (word.wrapping_mul(2_654_435_761) | 1, vec![Vec::new()]);
        while queues.iter().any(|queue| !queue.is_empty()) {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if let Some(input) = queues[(chance >> 16) as usize % 3].pop_front() {
                batches.last_mut().unwrap().push(input);
            }
            if (chance >> 20) % 3 == 0 {
                batches.push(Vec::new());
            }
        }
        let (seen, dropped) = applied(batches);
        assert_eq!(
            (seen, dropped),
            (expected.clone(), Vec::new()),
            "order {word}"
        );
    }
}

/// A record of a later revision: people change a title.
fn renamed(session: SessionId) -> Input {
    let Input::Session { mut record, .. } = record(session) else {
        unreachable!()
    };
    record.title = "a better title".to_owned();
    Input::Session {
        revision: 2,
        record,
    }
}

fn host_report() -> Input {
    Input::Host {
        record: Box::new(HostRecord {
            host: HOST.parse().unwrap(),
            version: "0".to_owned(),
            operating_system: "Linux".to_owned(),
            started_at: at(0),
            isolated: false,
            agents: Vec::new(),
            projects: Vec::new(),
            slots: 4,
            labels: BTreeMap::new(),
            memory_bytes: 0,
        }),
    }
}

/// Every order there is, by the places one can be at: how many inputs of each source were taken. All ways to a place
/// end in one of its last steps, so when each of them gives the same rows, at every place, then all orders do.
#[test]
fn every_order_of_events_decisions_records_and_reports_gives_the_same_rows_at_every_place() {
    let session = SessionId::new();
    let gates = [GateId::new(), GateId::new(), GateId::new()];
    let mut whole = life(session, gates);
    // Without what only adds up in the order of one source.
    let kept = [
        "gate.opened",
        "gate.decided",
        "tool.released",
        "tool.finished",
        "gate.withdrawn",
        "session.ended",
    ];
    let events = whole[0].drain(..).filter_map(|input| match input {
        Input::Event { arrival, .. } => arrival.read.envelope.ok(),
        Input::Audit { .. } | Input::Session { .. } | Input::Host { .. } => None,
    });
    let events = events
        .filter(|envelope| kept.contains(&envelope.body.tag()))
        .filter_map(|envelope| envelope.event().cloned())
        .zip(1..)
        .map(|(body, seq)| event(session, HOST, seq, body))
        .collect::<Vec<_>>();
    assert_eq!(events.len(), 8);
    let sources = [
        events,
        whole.remove(1),
        vec![record(session), renamed(session)],
        vec![host_report()],
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = |place: [usize; 4]| folder.path().join(format!("{place:?}.db"));
    let mut rows: BTreeMap<[usize; 4], String> = BTreeMap::new();
    let mut orders = BTreeMap::from([([0; 4], 1_u64)]);
    drop(Writer::open(&file([0; 4])).unwrap());
    let step = folder.path().join("step.db");
    for place in places(&sources) {
        for source in 0..sources.len() {
            let Some(taken) = place[source].checked_sub(1) else {
                continue;
            };
            let mut before = place;
            before[source] = taken;
            *orders.entry(place).or_default() += orders[&before];
            // The last connection to a file leaves nothing beside it.
            std::fs::copy(file(before), &step).unwrap();
            let mut writer = Writer::open(&step).unwrap();
            let applied = writer.apply(vec![sources[source][taken].clone()]).unwrap();
            drop(writer);
            assert_eq!(applied.dropped, [], "{before:?} and then {source}");
            let seen = contents(&Connection::open(&step).unwrap());
            if let Some(expected) = rows.get(&place) {
                assert_eq!(&seen, expected, "{before:?} and then {source}");
            } else {
                std::fs::copy(&step, file(place)).unwrap();
                rows.insert(place, seen);
            }
        }
    }
    let end = sources.each_ref().map(Vec::len);
    assert_eq!(orders[&end], 38_610, "not every order was tried");
    let last = &rows[&end];
    let states = ["decided", "withdrawn", "withdrawn"];
    for (gate, state) in gates.iter().zip(states) {
        let line = last
            .lines()
            .find(|line| line.starts_with(&format!("gates: {gate} ")))
            .unwrap();
        assert!(line.contains(&format!(" | {state} | ")), "{line}");
    }
    // A watch tells the newest record of a session only.
    let newest = [
        sources[0].clone(),
        sources[1].clone(),
        vec![renamed(session), host_report()],
    ];
    assert_eq!(&applied(vec![newest.concat()]).0, last);
}

/// Every place, those that come before another first.
fn places(sources: &[Vec<Input>; 4]) -> Vec<[usize; 4]> {
    let mut all = vec![[0; 4]];
    for (source, inputs) in sources.iter().enumerate() {
        all = all
            .iter()
            .flat_map(|place| {
                (0..=inputs.len()).map(move |taken| {
                    let mut next = *place;
                    next[source] = taken;
                    next
                })
            })
            .collect();
    }
    all.sort_unstable();
    all
}

#[test]
fn a_message_is_on_its_way_until_its_session_has_it_in_whichever_order_the_two_are_told() {
    let session = SessionId::new();
    let (taken, waits) = (CommandId::new(), CommandId::new());
    let received = MessageUser {
        command: taken,
        text: "now".to_owned(),
        delivery: Delivery::Queue,
        attachments: Vec::new(),
        by: None,
    };
    let inputs = [
        record(session),
        sent(1, session, taken),
        sent(2, session, waits),
        event(session, HOST, 1, received.into()),
    ];
    let mut seen = BTreeSet::new();
    for order in [
        [0, 1, 2, 3],
        [0, 1, 3, 2],
        [0, 3, 1, 2],
        [3, 0, 1, 2],
        [3, 1, 2, 0],
        [1, 2, 3, 0],
        [1, 3, 0, 2],
    ] {
        let batches = order.map(|index| vec![inputs[index].clone()]).to_vec();
        let (rows, dropped) = applied(batches);
        assert_eq!(dropped, [], "{order:?}");
        let on_the_way: Vec<&str> = rows
            .lines()
            .filter(|line| line.starts_with("sent: "))
            .collect();
        assert_eq!(on_the_way.len(), 1, "{order:?}: {rows}");
        assert!(on_the_way[0].contains(&waits.to_string()), "{order:?}");
        seen.insert(rows);
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn what_was_applied_before_changes_nothing_when_it_comes_again() {
    let session = SessionId::new();
    let sources = life(session, [GateId::new(), GateId::new(), GateId::new()]).concat();
    let (once, _) = applied(vec![sources.clone()]);
    let (twice, dropped) = applied(vec![sources.clone(), sources]);
    assert_eq!(twice, once);
    assert!(
        dropped.iter().all(|why| *why == Dropped::Double),
        "{dropped:?}"
    );
}

#[test]
fn a_session_cannot_speak_of_another_sessions_gate() {
    let (mine, theirs, gate) = (SessionId::new(), SessionId::new(), GateId::new());
    let honest = vec![
        record(mine),
        record(theirs),
        event(theirs, HOST, 1, opened(gate)),
    ];
    let Input::Event { arrival, .. } = event(
        mine,
        HOST,
        1,
        GateDecided {
            gate,
            decision: decision(mine, Verdict::Allow),
        }
        .into(),
    ) else {
        unreachable!()
    };
    let lie = Input::Event {
        sequence: 2,
        arrival,
    };
    for batches in [
        vec![honest.clone(), vec![lie.clone()]],
        vec![[honest, vec![lie]].concat()],
    ] {
        let (rows, dropped) = applied(batches);
        assert_eq!(dropped, [Dropped::Foreign]);
        assert!(rows.contains(" | pending | "), "{rows}");
    }
}

#[test]
fn an_event_that_leaves_a_number_out_is_not_let_in() {
    let session = SessionId::new();
    let state = || {
        Event::from(SessionState {
            state: State::Idle,
            reason: None,
        })
    };
    let (_, dropped) = applied(vec![vec![
        record(session),
        event(session, HOST, 1, state()),
        event(session, HOST, 3, state()),
    ]]);
    assert_eq!(dropped, [Dropped::Gap]);
}

#[test]
fn a_gate_that_is_asked_again_waits_again_and_keeps_its_first_moment() {
    let gate = GateId::new();
    let Event::GateOpened(asked) = opened(gate) else {
        unreachable!()
    };
    let mut facts = GateFacts::default();
    facts.open(asked.clone(), None, 1, at(1));
    facts.withdraw("the agent is gone".to_owned(), 2);
    assert_eq!(facts.state(), Some(crate::api::GateState::Withdrawn));
    facts.open(asked, None, 3, at(3));
    assert_eq!(facts.state(), Some(crate::api::GateState::Pending));
    assert_eq!(facts.opened.unwrap().at, at(1));
}
