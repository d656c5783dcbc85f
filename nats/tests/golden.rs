//! Every message this build writes, as it stands on the wire. The files are kept for ever: a later build must read
//! what an earlier one wrote. `FLOTILLA_WRITE_GENERATED=1` writes files for messages that have none yet.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nats::audit::{ActionRecord, AuditKey, Chain, Checkpoint, DecisionRecord, Origin, Stored};
use nats::command::*;
use nats::credentials::HostPublicKey;
use nats::enrolment::{EnrolmentRecord, IdentityRecord, Redeemed};
use nats::event::*;
use nats::ids::*;
use nats::live::{Delta, Live, LiveMessage, Snapshot};
use nats::record::*;
use nats::renewal::{Refused, RenewalAnswer, RenewalRequest, Renewed};
use nats::report::{
    LogReport, Report, ReportMessage, RowGroup, RowPrint, ShimReport, StartRefused,
};
use nats::revocation::{Revocation, RevocationsRecord};
use nats::wire::Tagged;
use nats::{Envelope, Event, Timestamp, Wire};
use serde_json::{Value, json};
use uuid::Uuid;

const UUID: Uuid = Uuid::from_u128(0x0192_f3a4_b5c6_7d8e_9fa0_b1c2_d3e4_f506);

fn at() -> Timestamp {
    Timestamp::from_milliseconds(1_795_000_000_000)
}

fn host() -> HostName {
    "vps-1".parse().unwrap()
}

fn decision() -> Decision {
    Decision {
        verdict: Verdict::Deny,
        reason: Some("Not there, use src/ instead".into()),
        input: None,
        answers: None,
        input_hash: nats::canonical::input_hash(&json!({"command": "ls -la"})),
        by: UserId::from_uuid(UUID),
        by_name: "Ada".into(),
        at: at(),
    }
}

/// Of one record, by a key that is always the same: so its signature is too.
fn checkpoint() -> Checkpoint {
    let mut chain = Chain::default();
    let stored = Stored {
        sequence: 1,
        subject: "audit.login.aud_1".into(),
        time_nanoseconds: at().milliseconds() * 1_000_000,
        payload: "{}".into(),
    };
    chain.take(&stored).unwrap();
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::Account, [7; 32]);
    chain.sign(&AuditKey::from(pair.unwrap()), at()).unwrap()
}

fn host_key() -> HostPublicKey {
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::User, [8; 32]).unwrap();
    pair.public_key().parse().unwrap()
}

fn enrolment() -> EnrolmentRecord {
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::Cluster, [9; 32]).unwrap();
    EnrolmentRecord {
        host: host(),
        labels: BTreeMap::from([("pool".into(), "fast".into())]),
        created_at: at(),
        created_by: UserId::from_uuid(UUID),
        created_by_name: "Ada".into(),
        expires_at: at(),
        command_keys: vec![pair.public_key().parse().unwrap()],
        redeemed: Some(Redeemed {
            public_key: host_key(),
            at: at(),
        }),
    }
}

fn identity() -> IdentityRecord {
    IdentityRecord {
        host: host(),
        public_key: host_key(),
        enrolled_at: at(),
        enrolled_by: UserId::from_uuid(UUID),
        enrolled_by_name: "Ada".into(),
    }
}

fn renewed() -> RenewalAnswer {
    RenewalAnswer {
        v: 1,
        renewed: Some(Renewed {
            jwt: "a.b.c".into(),
            expires_at: at(),
        }),
        refused: None,
    }
}

fn not_renewed() -> RenewalAnswer {
    RenewalAnswer {
        v: 1,
        renewed: None,
        refused: Some(Refused {
            code: "host_revoked".into(),
            message: "Ada revoked this host.".into(),
        }),
    }
}

fn revocations() -> RevocationsRecord {
    let revocation = Revocation {
        host: host(),
        at: at(),
        by: UserId::from_uuid(UUID),
        by_name: "Ada".into(),
    };
    RevocationsRecord {
        revoked: BTreeMap::from([(host_key(), revocation)]),
    }
}

fn attachment() -> Attachment {
    Attachment {
        id: AttachmentId::from_uuid(UUID),
        name: "sketch.png".into(),
        media_type: "image/png".into(),
        bytes: 5120,
        sha256: "ab".repeat(32),
    }
}

fn events() -> Vec<Event> {
    let turn = TurnId::from_uuid(UUID);
    let gate = GateId::from_uuid(UUID);
    let command = CommandId::from_uuid(UUID);
    let input = json!({"command": "ls -la", "description": "List files"});
    vec![
        SessionOpened {
            project: "shop".into(),
            agent: "claude".into(),
            title: "Mend the till".into(),
            branch: "flotilla/d3e4f506".into(),
            base: "c0ffee".repeat(6) + "c0ff",
            worktree: "/var/lib/flotilla/worktrees/shop/ses_1".into(),
            isolated: false,
            started_by: Some(UserId::from_uuid(UUID)),
        }
        .into(),
        SessionState {
            state: State::Asleep,
            reason: Some("the agent ended with exit code 1".into()),
        }
        .into(),
        SessionEnded {
            reason: "stopped by a person".into(),
            clean: true,
        }
        .into(),
        AgentReady {
            agent: "claude".into(),
            version: Some("2.1.329".into()),
            model: Some("opus".into()),
            generation: 1,
        }
        .into(),
        AgentExited {
            generation: 1,
            code: None,
            signal: Some(9),
            expected: false,
            reason: "the agent was ended by signal 9".into(),
            stderr_tail: "…".into(),
        }
        .into(),
        AgentRetrying {
            attempt: 1,
            attempts_max: 10,
            delay_ms: 595,
            status: Some(529),
            error: "overloaded".into(),
        }
        .into(),
        TurnStarted {
            turn,
            command: Some(command),
        }
        .into(),
        TurnFinished {
            turn,
            outcome: TurnOutcome::Completed,
            error: None,
            duration_ms: 1800,
            tokens: Tokens {
                input: 100,
                output: 12,
                cache_read: 0,
                cache_write: 0,
            },
            cost_usd: 0.0008,
            context_tokens: Some(4200),
            context_tokens_max: Some(200_000),
            can_continue: false,
        }
        .into(),
        MessageUser {
            command,
            text: "Mend the till".into(),
            delivery: Delivery::Queue,
            attachments: vec![attachment()],
            by: None,
        }
        .into(),
        MessageDelivered { command, turn }.into(),
        MessageAssistant {
            turn: Some(turn),
            message: "msg_1".into(),
            block: 0,
            kind: BlockKind::Text,
            text: "I look first.".into(),
            parent: None,
        }
        .into(),
        ToolRequested {
            tool_use: "toolu_1".into(),
            turn: Some(turn),
            tool: "Bash".into(),
            input: input.clone(),
            parent: None,
        }
        .into(),
        ToolReleased {
            tool_use: "toolu_1".into(),
            gate,
            allowed: true,
        }
        .into(),
        ToolFinished {
            tool_use: "toolu_1".into(),
            outcome: ToolOutcome::Succeeded,
            output: "README.md\n".into(),
            output_bytes: 10,
        }
        .into(),
        GateOpened {
            gate,
            kind: GateKind::Question,
            tool_use: "toolu_1".into(),
            tool: "AskUserQuestion".into(),
            input_hash: nats::canonical::input_hash(&input),
            input,
            summary: "Answer a question".into(),
            risks: vec!["reaches the network".into()],
            turn: Some(turn),
            parent: Some("toolu_0".into()),
            questions: vec![Choice {
                question: "Which database?".into(),
                header: "Database".into(),
                options: vec![Answer {
                    label: "SQLite".into(),
                    description: "embedded".into(),
                }],
                several: false,
            }],
            plan: None,
        }
        .into(),
        GateDecided {
            gate,
            decision: decision(),
        }
        .into(),
        GateWithdrawn {
            gate,
            reason: "the agent no longer asks".into(),
            can_continue: false,
        }
        .into(),
        FileChanged {
            path: "src/till.rs".into(),
            old_path: None,
            change: FileChange::Modified,
            added: 1,
            removed: 1,
            patch: "@@ -1 +1 @@\n-one\n+two\n".into(),
            binary: false,
            truncated: false,
            tool_use: Some("toolu_1".into()),
        }
        .into(),
        Warning {
            code: "checkout_dirty".into(),
            message: "3 uncommitted files".into(),
            hint: Some("commit them".into()),
        }
        .into(),
        GateReminded {
            gate,
            waited_minutes: 60,
            count: 2,
        }
        .into(),
        LimitReached {
            turn: Some(turn),
            message: "You've hit your session limit · resets 3pm (Europe/Berlin)".into(),
            resets_at: Some(at()),
            resumes: true,
        }
        .into(),
        LimitChanged {
            resumes: false,
            by: Some(UserId::from_uuid(UUID)),
        }
        .into(),
    ]
}

fn commands() -> Vec<Command> {
    let send = MessageSend {
        text: "Mend the till".into(),
        delivery: Delivery::Steer,
        attachments: vec![attachment()],
    };
    vec![
        SessionStart {
            project: "shop".into(),
            agent: "claude".into(),
            title: "Mend the till".into(),
            base: Some("main".into()),
            prompt: Some(send.clone()),
            prompt_id: Some(CommandId::from_uuid(UUID)),
        }
        .into(),
        SessionResume {}.into(),
        SessionStop {}.into(),
        send.into(),
        GateDecide {
            gate: GateId::from_uuid(UUID),
            decision: decision(),
        }
        .into(),
        TurnInterrupt {}.into(),
        LimitResume { enabled: false }.into(),
        SessionReport {
            after: 500,
            up_to: 1000,
            rows: true,
        }
        .into(),
    ]
}

fn live() -> Vec<Live> {
    let (turn, message) = (Some(TurnId::from_uuid(UUID)), "msg_1".to_owned());
    vec![
        Delta {
            turn,
            message: message.clone(),
            block: 0,
            kind: BlockKind::Text,
            offset: 7,
            text: "first.".into(),
        }
        .into(),
        Snapshot {
            turn,
            message,
            block: 0,
            kind: BlockKind::Thinking,
            text: "I look first.".into(),
        }
        .into(),
    ]
}

/// Name of the golden file → the message as it travels.
fn samples() -> BTreeMap<String, Value> {
    let session = SessionId::from_uuid(UUID);
    let mut samples = BTreeMap::new();
    for (index, event) in events().into_iter().enumerate() {
        let envelope = Envelope {
            v: 1,
            id: EventId::from_uuid(UUID),
            session,
            host: host(),
            epoch: 1,
            seq: index as u64 + 1,
            at: at(),
            object: None,
            body: Wire::Known(event),
        };
        samples.insert(
            format!("event.{}", envelope.body.tag()),
            serde_json::to_value(&envelope).unwrap(),
        );
    }
    for command in commands() {
        let order = Order {
            v: 1,
            id: CommandId::from_uuid(UUID),
            session,
            host: host(),
            epoch: 1,
            at: at(),
            by: Some(UserId::from_uuid(UUID)),
            body: Wire::Known(command),
        };
        samples.insert(
            format!("command.{}", order.body.tag()),
            serde_json::to_value(&order).unwrap(),
        );
    }
    for live in live() {
        let message = LiveMessage {
            v: 1,
            session,
            host: host(),
            epoch: 1,
            at: at(),
            body: Wire::Known(live),
        };
        samples.insert(
            format!("live.{}", message.body.tag()),
            serde_json::to_value(&message).unwrap(),
        );
    }
    let message = ReportMessage {
        v: 1,
        session,
        host: host(),
        epoch: 1,
        at: at(),
        body: Wire::Known(report().into()),
    };
    let refused = ReportMessage {
        body: Wire::Known(
            StartRefused {
                reason: "all 4 slots are taken by agents at work".into(),
            }
            .into(),
        ),
        ..message.clone()
    };
    for message in [message, refused] {
        samples.insert(
            format!("live.{}", message.body.tag()),
            serde_json::to_value(&message).unwrap(),
        );
    }
    samples.extend(records());
    samples
}

fn report() -> Report {
    let hash = "ab".repeat(32);
    Report {
        ask: Some(CommandId::from_uuid(UUID)),
        trouble: None,
        log: Some(LogReport {
            epoch: 1,
            oldest: 1,
            newest: 1,
            rows_kept: 1,
            given_out: 1,
            groups: vec![RowGroup {
                first: 1,
                last: 1,
                sha256: hash.clone(),
            }],
            rows: vec![RowPrint {
                seq: 1,
                id: Some(EventId::from_uuid(UUID)),
                sha256: hash,
            }],
        }),
        shim: Some(ShimReport {
            read_before: 4096,
            read_after: 4096,
            oldest: 4096,
            newest: 5120,
        }),
    }
}

fn records() -> BTreeMap<String, Value> {
    let session = SessionId::from_uuid(UUID);
    let user = UserId::from_uuid(UUID);
    let from = Origin {
        address: Some("192.0.2.1".into()),
        client: Some("Firefox".into()),
    };
    let decision = DecisionRecord {
        v: 1,
        id: AuditId::from_uuid(UUID),
        gate: GateId::from_uuid(UUID),
        session,
        host: host(),
        epoch: 1,
        tool: "Bash".into(),
        summary: "Run `ls -la`".into(),
        decision: decision(),
        from: from.clone(),
    };
    let action = ActionRecord {
        v: 1,
        id: AuditId::from_uuid(UUID),
        action: "session.start".into(),
        by: Some(user),
        by_name: Some("Ada".into()),
        session: Some(session),
        command: None,
        subject: "Mend the till".into(),
        at: at(),
        from,
    };
    let presence = Presence {
        host: host(),
        at: at(),
        load: 0.5,
        memory_free_bytes: 1 << 30,
        sessions: 2,
        commands_refused: 0,
        slots: None,
        memory_pressure: None,
    };
    let refusing = Presence {
        commands_refused: 3,
        ..presence.clone()
    };
    let pressed = Presence {
        slots: Some(SlotReport {
            resting: 1,
            waiting: 2,
        }),
        memory_pressure: Some(12.5),
        ..presence.clone()
    };
    let token = TokenRecord {
        token: TokenId::from_uuid(UUID),
        user,
        name: "laptop".into(),
        kind: TokenKind::Api,
        created_at: at(),
        expires_at: None,
    };
    let person = UserRecord {
        user,
        email: "ada@example.org".into(),
        name: "Ada".into(),
        role: Role::Admin,
        password_hash: "$argon2id$…".into(),
        created_at: at(),
    };
    let on_record = SessionRecord {
        session,
        host: host(),
        epoch: 1,
        project: "shop".into(),
        agent: "claude".into(),
        title: "Mend the till".into(),
        created_at: at(),
        created_by: user,
        base: None,
        labels: BTreeMap::from([("team".into(), "till".into())]),
        first_seq: 12,
        prompt: None,
        prompt_id: None,
        imported: None,
        placement: Placement::default(),
    };
    let queued = SessionRecord {
        host: HostName::queued(),
        placement: Placement {
            queued_since: Some(at()),
            only_on: Some(host()),
            host_labels: BTreeMap::from([("gpu".into(), "a100".into())]),
            reason: Some("asked for".into()),
            waiting: vec![EarlyMessage {
                id: CommandId::from_uuid(UUID),
                by: user,
                at: at(),
                message: MessageSend {
                    text: "and the receipts".into(),
                    ..MessageSend::default()
                },
            }],
            stopped: Some(Stopped {
                by: user,
                at: at(),
                command: CommandId::from_uuid(UUID),
            }),
        },
        ..on_record.clone()
    };
    let drain = DrainRecord {
        host: host(),
        since: at(),
        by: user,
        by_name: "Ada".into(),
    };
    let imported = SessionRecord {
        host: HostName::imported(),
        imported: Some(Imported {
            host: host(),
            at: at(),
            by: user,
            last_seq: 57,
            ended_here: true,
            sha256: "ab".repeat(32),
        }),
        ..on_record.clone()
    };
    let host_record = HostRecord {
        host: host(),
        version: "0.1.0".into(),
        operating_system: "Debian GNU/Linux 12".into(),
        started_at: at(),
        isolated: false,
        agents: vec![AgentReport {
            name: "claude".into(),
            title: "Claude Code".into(),
            version: None,
            command: None,
            available: false,
            hint: Some("npm install -g @anthropic-ai/claude-code".into()),
        }],
        projects: vec![ProjectReport {
            id: "shop".into(),
            name: "shop".into(),
            path: "/srv/shop".into(),
            remote: None,
            branch: Some("main".into()),
            head: Some("c0ffee".into()),
            uncommitted: 3,
            problem: None,
        }],
        slots: 8,
        labels: BTreeMap::new(),
        memory_bytes: 1 << 33,
    };
    BTreeMap::from([
        (
            "audit.decision".into(),
            serde_json::to_value(decision).unwrap(),
        ),
        ("audit.action".into(), serde_json::to_value(action).unwrap()),
        (
            "audit.checkpoint".into(),
            serde_json::to_value(checkpoint()).unwrap(),
        ),
        (
            "record.presence".into(),
            serde_json::to_value(presence).unwrap(),
        ),
        (
            "record.presence.refused".into(),
            serde_json::to_value(refusing).unwrap(),
        ),
        (
            "record.presence.pressed".into(),
            serde_json::to_value(pressed).unwrap(),
        ),
        (
            "record.session.queued".into(),
            serde_json::to_value(queued).unwrap(),
        ),
        ("record.drain".into(), serde_json::to_value(drain).unwrap()),
        (
            "record.enrolment".into(),
            serde_json::to_value(enrolment()).unwrap(),
        ),
        (
            "record.identity".into(),
            serde_json::to_value(identity()).unwrap(),
        ),
        (
            "renewal.request".into(),
            serde_json::to_value(RenewalRequest { v: 1 }).unwrap(),
        ),
        (
            "renewal.answer".into(),
            serde_json::to_value(renewed()).unwrap(),
        ),
        (
            "renewal.answer.refused".into(),
            serde_json::to_value(not_renewed()).unwrap(),
        ),
        (
            "record.revocations".into(),
            serde_json::to_value(revocations()).unwrap(),
        ),
        ("record.token".into(), serde_json::to_value(token).unwrap()),
        ("record.user".into(), serde_json::to_value(person).unwrap()),
        (
            "record.session".into(),
            serde_json::to_value(on_record).unwrap(),
        ),
        (
            "record.session.imported".into(),
            serde_json::to_value(imported).unwrap(),
        ),
        (
            "record.host".into(),
            serde_json::to_value(host_record).unwrap(),
        ),
    ])
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Reads and writes a golden message with the types of this build.
fn round_trip(name: &str, text: &str) -> Value {
    fn through<T: serde::de::DeserializeOwned + serde::Serialize>(text: &str) -> Value {
        serde_json::to_value(serde_json::from_str::<T>(text).unwrap()).unwrap()
    }
    match name {
        "audit.decision" => through::<DecisionRecord>(text),
        "audit.action" => through::<ActionRecord>(text),
        "audit.checkpoint" => through::<Checkpoint>(text),
        "record.presence" | "record.presence.refused" | "record.presence.pressed" => {
            through::<Presence>(text)
        }
        "record.enrolment" => through::<EnrolmentRecord>(text),
        "record.identity" => through::<IdentityRecord>(text),
        "renewal.request" => through::<RenewalRequest>(text),
        "renewal.answer" | "renewal.answer.refused" => through::<RenewalAnswer>(text),
        "record.revocations" => through::<RevocationsRecord>(text),
        "record.token" => through::<TokenRecord>(text),
        "record.user" => through::<UserRecord>(text),
        "record.session" | "record.session.imported" | "record.session.queued" => {
            through::<SessionRecord>(text)
        }
        "record.drain" => through::<DrainRecord>(text),
        "record.host" => through::<HostRecord>(text),
        _ if name.starts_with("event.") => {
            let envelope: Envelope = serde_json::from_str(text).unwrap();
            assert!(envelope.event().is_some(), "{name} is no longer known");
            serde_json::to_value(envelope).unwrap()
        }
        _ if name.starts_with("command.") => {
            let order: Order = serde_json::from_str(text).unwrap();
            assert!(order.body.known().is_some(), "{name} is no longer known");
            serde_json::to_value(order).unwrap()
        }
        "live.report" | "live.start.refused" => through::<ReportMessage>(text),
        _ if name.starts_with("live.") => through::<LiveMessage>(text),
        _ => panic!("no type for the golden file {name}"),
    }
}

#[test]
fn every_message_has_a_golden_file_that_this_build_still_writes() {
    for (name, sample) in samples() {
        let path = folder().join(format!("{name}.json"));
        if std::env::var_os("FLOTILLA_WRITE_GENERATED").is_some() && !path.exists() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&sample).unwrap() + "\n").unwrap();
        }
        let kept: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|_| {
                panic!("{name} has no golden file: run with FLOTILLA_WRITE_GENERATED=1")
            }))
            .unwrap();
        assert_eq!(
            sample, kept,
            "{name} is written otherwise now: old peers would not understand it"
        );
    }
}

#[test]
fn every_golden_file_is_read_whole_by_this_build() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let kept: Value = serde_json::from_str(&text).unwrap();
        let again = round_trip(&name, &text);
        for (field, value) in kept.as_object().unwrap() {
            assert_eq!(again.get(field), Some(value), "{name} loses `{field}`");
        }
    }
}

#[test]
fn the_lists_of_types_are_the_enums() {
    let tags = |samples: Vec<&'static str>| samples.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(
        tags(events().iter().map(Tagged::tag).collect()),
        tags(Event::TAGS.to_vec())
    );
    assert_eq!(
        tags(commands().iter().map(Tagged::tag).collect()),
        tags(Command::TAGS.to_vec())
    );
    assert_eq!(
        tags(live().iter().map(Tagged::tag).collect()),
        tags(Live::TAGS.to_vec())
    );
}
