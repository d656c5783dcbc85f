use std::collections::BTreeMap;

use nats::event::{Attachment, Delivery, MessageUser, SessionEnded, Warning};
use nats::ids::{AttachmentId, CommandId, EventId, SessionId, UserId};
use nats::{Timestamp, Wire};

use super::super::line::{Missing, PART_BYTES};
use super::*;

/// A session with a file in two parts, as lines without the end.
fn session() -> Vec<String> {
    let head = Head {
        v: VERSION,
        session: SessionId::new(),
        host: "vps-1".parse().unwrap(),
        epoch: 1,
        project: "shop".into(),
        agent: "claude".into(),
        title: "Mend it".into(),
        created_at: Timestamp::now(),
        created_by: UserId::new(),
        base: None,
        labels: BTreeMap::new(),
        prompt: None,
        prompt_id: None,
    };
    let bytes = vec![7; PART_BYTES + 10];
    let attachment = Attachment {
        id: AttachmentId::new(),
        name: "a.bin".into(),
        media_type: "application/octet-stream".into(),
        bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(&bytes)),
    };
    let part = |at: usize, end: usize| {
        Line::Part(Part {
            object: attachment.object_name(),
            bytes: bytes.len() as u64,
            at: at as u64,
            data: STANDARD.encode(&bytes[at..end]),
        })
    };
    let warning = Warning {
        code: "x".into(),
        message: "y".into(),
        hint: None,
    };
    let message = MessageUser {
        command: CommandId::new(),
        text: "look".into(),
        delivery: Delivery::Queue,
        attachments: vec![attachment.clone()],
        by: None,
    };
    let ended = SessionEnded {
        reason: "done".into(),
        clean: true,
    };
    let lines = [
        Line::Session(Box::new(head.clone())),
        event(&head, 1, warning.clone()),
        part(0, PART_BYTES),
        part(PART_BYTES, bytes.len()),
        event(&head, 2, message),
        event(&head, 3, warning),
        event(&head, 4, ended),
    ];
    lines.iter().map(text).collect()
}

fn text(line: &Line) -> String {
    serde_json::to_string(line).unwrap()
}

fn event(head: &Head, seq: u64, event: impl Into<Event>) -> Line {
    let envelope = Envelope {
        v: 1,
        id: EventId::new(),
        session: head.session,
        host: head.host.clone(),
        epoch: 1,
        seq,
        at: Timestamp::now(),
        object: None,
        body: Wire::Known(event.into()),
    };
    Line::Event(serde_json::value::to_raw_value(&envelope).unwrap())
}

/// With the end that whoever changed the lines would write.
fn sealed(mut lines: Vec<String>, events: u64) -> Vec<String> {
    let mut hash = Sha256::new();
    for line in &lines {
        hash.update(line);
        hash.update("\n");
    }
    lines.push(text(&Line::End(End {
        events,
        objects: 1,
        sha256: hex::encode(hash.finalize()),
    })));
    lines
}

fn check(lines: &[String]) -> Result<Checked, Bad> {
    let mut check = Check::default();
    for line in lines {
        check.take(line.as_bytes())?;
    }
    check.finish()
}

fn refused(lines: &[String], line: u64, words: &str) {
    let bad = check(lines).unwrap_err();
    assert_eq!(bad.line, line, "{bad}");
    assert!(bad.what.contains(words), "{bad}");
}

#[test]
fn a_whole_file_passes() {
    let checked = check(&sealed(session(), 4)).unwrap();
    assert!(checked.over);
    assert_eq!((checked.end.events, checked.end.objects), (4, 1));
}

#[test]
fn a_file_that_breaks_off_anywhere_is_refused() {
    let whole = sealed(session(), 4);
    for kept in 0..whole.len() {
        assert!(check(&whole[..kept]).is_err(), "{kept}");
    }
    refused(&whole[..6], 6, "breaks off");
    let mut half = whole.clone();
    half[5].truncate(40);
    refused(&half, 6, "no line of an exported session");
}

#[test]
fn lines_that_are_moved_doubled_or_left_out_are_refused_at_their_place() {
    let whole = sealed(session(), 4);
    let mut moved = whole.clone();
    moved.swap(4, 5);
    refused(&moved, 5, "event 3 follows event 1");

    let mut doubled = whole.clone();
    doubled.insert(2, whole[1].clone());
    refused(&doubled, 3, "event 1 follows event 1");

    let mut fewer = whole.clone();
    fewer.remove(3);
    refused(&fewer, 4, "an object breaks off");

    let mut without = whole.clone();
    without.drain(2..4);
    refused(&without, 3, "is not in the file");

    let mut twice = whole.clone();
    twice.extend(whole.clone());
    refused(&twice, 9, "follows the end");
}

#[test]
fn a_changed_byte_is_found_also_where_it_makes_sense() {
    let mut changed = sealed(session(), 4);
    changed[5] = changed[5].replace("\"y\"", "\"z\"");
    refused(&changed, 8, "not the ones that were exported");
    let mut data = sealed(session(), 4);
    data[2] = data[2].replacen("BwcH", "CAgI", 1);
    refused(&data, 5, "is not the one that event 2 names");
}

#[test]
fn nonsense_is_refused_with_its_line() {
    refused(&["hello".to_owned()], 1, "no line of an exported session");
    refused(&session()[1..], 1, "begins with its head");
    let mut lines = session();
    lines[1] = lines[1].replace("\"type\":\"warning\"", "\"type\":\"a.*\"");
    refused(&lines, 2, "a type that is none");
    let mut lines = session();
    lines[1] = lines[1].replace("\"code\":\"x\"", "\"code\":1");
    refused(&lines, 2, "no event that can be read");
    let mut lines = session();
    lines[0] = lines[0].replace("\"v\":1", "\"v\":9");
    refused(&lines, 1, "version 9");
    let long = vec!["x".repeat(LINE_BYTES_MAX + 1)];
    refused(&long, 1, "longer than");
    let mut more = session();
    more.insert(
        1,
        text(&Line::Missing(Missing {
            object: "attachments/x".into(),
        })),
    );
    refused(&sealed(more, 4), 9, "no event names");
}
