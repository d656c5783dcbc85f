use nats::event::{Event, SessionEnded};
use nats::ids::EventId;
use nats::subject;
use nats::{Envelope, Timestamp, Wire};

use super::*;

struct Log {
    session: SessionId,
    messages: Vec<(String, Vec<u8>)>,
}

impl Log {
    fn of(count: u64) -> Self {
        let session = SessionId::new();
        let messages = (1..=count).map(|seq| message(session, "vps-1", 1, seq));
        Self {
            session,
            messages: messages.collect(),
        }
    }

    fn check(&self) -> (Option<VerifyDifference>, Vec<RowPrint>) {
        let mut check = StreamCheck::new(self.session, "vps-1".parse().unwrap(), 1);
        let prints = self
            .messages
            .iter()
            .filter_map(|(subject, body)| check.take(subject, body))
            .collect();
        (check.difference, prints)
    }
}

fn message(session: SessionId, host: &str, epoch: u64, seq: u64) -> (String, Vec<u8>) {
    let host: HostName = host.parse().unwrap();
    let ended = SessionEnded {
        reason: "done".into(),
        clean: true,
    };
    let envelope = Envelope {
        v: 1,
        id: EventId::new(),
        session,
        host: host.clone(),
        epoch,
        seq,
        at: Timestamp::now(),
        object: None,
        body: Wire::Known(Event::from(ended)),
    };
    (
        subject::event(&host, session, "session.ended"),
        serde_json::to_vec(&envelope).unwrap(),
    )
}

fn at(seq: u64) -> impl Fn(Option<VerifyDifference>) {
    move |difference| assert_eq!(difference.clone().unwrap().seq, Some(seq), "{difference:?}")
}

#[test]
fn a_stream_in_order_is_as_it_should_be() {
    let (difference, prints) = Log::of(1200).check();
    assert_eq!(difference, None);
    assert_eq!(prints.len(), 1200);
}

#[test]
fn a_row_that_is_cut_out_doubled_or_moved_is_found_in_the_stream_at_its_number() {
    let mut log = Log::of(9);
    log.messages.remove(3);
    at(4)(log.check().0);

    let mut log = Log::of(9);
    log.messages.insert(4, log.messages[3].clone());
    at(4)(log.check().0);

    let mut log = Log::of(9);
    log.messages.swap(3, 4);
    at(4)(log.check().0);

    let mut log = Log::of(9);
    log.messages.remove(0);
    at(1)(log.check().0);
}

#[test]
fn a_row_of_another_host_or_epoch_and_one_under_another_type_are_found_in_the_stream() {
    for (host, epoch) in [("vps-2", 1), ("vps-1", 2)] {
        let mut log = Log::of(9);
        log.messages[5] = message(log.session, host, epoch, 6);
        at(6)(log.check().0);
    }
    let mut log = Log::of(9);
    log.messages[5].0 = subject::event(&"vps-1".parse().unwrap(), log.session, "gate.opened");
    assert!(log.check().0.unwrap().found.ends_with("event.gate.opened`"));
}

#[test]
fn the_first_of_two_changes_is_named_with_what_was_expected_and_what_is_there() {
    let (_, expected) = Log::of(9).check();
    let differs = |found: &[RowPrint]| first_difference(PartName::Projection, &expected, found);
    assert_eq!(differs(&expected), None);

    let mut found = expected.clone();
    found[6].sha256 = "00".repeat(32);
    found[7].id = Some(EventId::new());
    let difference = differs(&found).unwrap();
    assert_eq!(difference.seq, Some(7));
    assert_eq!(difference.found, format!("sha256 {}", "00".repeat(32)));
    assert!(difference.expected.starts_with("sha256 "));

    found.remove(2);
    let difference = differs(&found).unwrap();
    assert_eq!(
        (difference.seq, difference.expected, difference.found),
        (Some(3), "event 3".to_owned(), "event 4".to_owned())
    );
    let difference = differs(&expected[..8]).unwrap();
    assert_eq!(
        (difference.seq, difference.found.as_str()),
        (Some(9), "nothing")
    );
    let difference = first_difference(PartName::HostLog, &expected[..8], &expected).unwrap();
    assert_eq!(
        (difference.seq, difference.expected.as_str()),
        (Some(9), "nothing")
    );
}

#[test]
fn a_log_that_lacks_what_the_stream_holds_or_lost_a_row_is_different() {
    let log = LogReport {
        epoch: 1,
        oldest: 3,
        newest: 9,
        rows_kept: 7,
        given_out: 9,
        ..LogReport::default()
    };
    assert_eq!(log_difference(Some(&log), 1, 9), None);
    assert_eq!(
        log_difference(Some(&log), 1, 4),
        None,
        "the rest is on its way"
    );
    at(10)(log_difference(Some(&log), 1, 12));
    assert!(log_difference(None, 1, 9).is_some());
    assert!(log_difference(Some(&log), 2, 9).is_some());
    let fewer = LogReport {
        rows_kept: 6,
        ..log.clone()
    };
    assert!(log_difference(Some(&fewer), 1, 4).is_some());
    let beyond = LogReport {
        given_out: 8,
        ..log
    };
    at(9)(log_difference(Some(&beyond), 1, 8));
}

#[test]
fn a_shim_that_forgot_what_was_not_read_is_different() {
    let shim = ShimReport {
        read_before: 10,
        read_after: 20,
        oldest: 15,
        newest: 30,
    };
    assert_eq!(shim_difference(&shim), None);
    let forgot = ShimReport { oldest: 21, ..shim };
    assert!(shim_difference(&forgot).is_some());
    let unsaid = ShimReport { newest: 9, ..shim };
    assert!(shim_difference(&unsaid).is_some());
}
