//! Whatever is done to an export between its checkpoints is found, and at the record where it was done.

use bytes::Bytes;
use nkeys::{KeyPair, KeyPairType};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::subject;
use crate::timestamp::Timestamp;

const MINUTE_NS: i64 = 60_000_000_000;
const BEGAN_NS: i64 = 1_795_000_000_123_456_789;

fn key(seed: u8) -> AuditKey {
    KeyPair::new_from_raw(KeyPairType::Account, [seed; 32])
        .unwrap()
        .into()
}

/// An audit as it grows: spans of records, each signed by one of the keys.
struct Audit {
    chain: Chain,
    records: Vec<Stored>,
}

impl Audit {
    fn new() -> Self {
        Self {
            chain: Chain::default(),
            records: Vec::new(),
        }
    }

    fn of(spans: &[(usize, u8)]) -> Self {
        let mut audit = Self::new();
        for (records, signer) in spans {
            for _ in 0..*records {
                audit.record();
            }
            audit.checkpoint(&key(*signer));
        }
        audit
    }

    fn record(&mut self) {
        let sequence = self.chain.sequence() + 1;
        // What people write: quotes, other scripts, and line ends that a file must not be taken apart at.
        let payload =
            format!("{{\"v\":1,\"subject\":\"größer „{sequence}“\\n\",\"x\":\"\u{1}\"}}\n");
        self.store("audit.session.start.aud_1".to_owned(), payload.into());
    }

    fn checkpoint(&mut self, key: &AuditKey) {
        let at = Timestamp::from_milliseconds(1_795_000_000_000);
        let checkpoint = self.chain.sign(key, at).unwrap();
        let payload = serde_json::to_vec(&checkpoint).unwrap();
        self.store(checkpoint.subject(), payload.into());
    }

    fn store(&mut self, subject: String, payload: Bytes) {
        let sequence = self.chain.sequence() + 1;
        let stored = Stored {
            sequence,
            subject,
            time_nanoseconds: BEGAN_NS + i64::try_from(sequence).unwrap() * MINUTE_NS,
            payload,
        };
        self.chain.take(&stored).unwrap();
        self.records.push(stored);
    }
}

fn export(records: &[Stored]) -> String {
    records.iter().map(line).collect()
}

fn verify(text: &[u8], wanted: Wanted) -> Result<Report, Wrong> {
    let mut verifier = Verifier::new(wanted);
    // Pieces that know nothing of lines.
    for piece in text.chunks(97) {
        verifier.push(piece)?;
    }
    verifier.finish()?;
    Ok(verifier.report().clone())
}

fn found(records: &[Stored]) -> Option<Wrong> {
    verify(export(records).as_bytes(), Wanted::default()).err()
}

/// Gives the records the numbers of their places, as one would who means to hide what was done.
fn numbered(records: &mut [Stored]) {
    for (index, stored) in records.iter_mut().enumerate() {
        stored.sequence = index as u64 + 1;
    }
}

#[test]
fn an_export_that_nobody_touched_says_what_is_signed_and_by_whom() {
    let mut audit = Audit::of(&[(3, 1), (5, 2)]);
    audit.record();
    let report = verify(export(&audit.records).as_bytes(), Wanted::default()).unwrap();
    assert_eq!(
        (report.records, report.checkpoints, report.unsigned),
        (11, 2, 1)
    );
    assert_eq!(report.signed.unwrap().sequence, 9);
    let signer = |seed| report.signers[key(seed).public()];
    assert_eq!((signer(1).through, signer(2).through), (3, 9));
}

#[test]
fn what_is_not_signed_or_not_by_a_known_key_does_not_hold() {
    let audit = Audit::of(&[(3, 1), (5, 2)]);
    let text = export(&audit.records);
    let by = |keys: &[u8]| Wanted {
        keys: keys
            .iter()
            .map(|seed| key(*seed).public().clone())
            .collect(),
        ..Wanted::default()
    };
    assert!(verify(text.as_bytes(), by(&[1, 2])).is_ok());
    let wrong = verify(text.as_bytes(), by(&[1])).unwrap_err();
    assert_eq!((wrong.kind(), wrong.sequence()), ("unknown_key", 10));
    assert_eq!(found(&audit.records[..3]), Some(Wrong::NothingSigned));
    assert_eq!(found(&[]), Some(Wrong::NothingSigned));
}

#[test]
fn a_file_that_is_cut_short_is_found_by_who_knows_more() {
    let audit = Audit::of(&[(3, 1), (5, 2)]);
    let whole = export(&audit.records);
    let kept = verify(whole.as_bytes(), Wanted::default())
        .unwrap()
        .signed
        .unwrap();
    let kept: Kept = kept.to_string().parse().unwrap();
    let knows = || Wanted {
        kept: vec![kept],
        signed_at_least: 9,
        ..Wanted::default()
    };
    assert!(verify(whole.as_bytes(), knows()).is_ok());
    // Short as it is, it is whole in itself.
    let short = export(&audit.records[..6]);
    assert!(verify(short.as_bytes(), Wanted::default()).is_ok());
    let wrong = verify(short.as_bytes(), knows()).unwrap_err();
    assert_eq!((wrong.kind(), wrong.sequence()), ("cut_short", 7));
    let wanted = Wanted {
        kept: Vec::new(),
        ..knows()
    };
    let wrong = verify(short.as_bytes(), wanted).unwrap_err();
    assert_eq!((wrong.kind(), wrong.sequence()), ("signed_too_little", 4));
    // In the middle of a line.
    let wrong = verify(&whole.as_bytes()[..whole.len() - 9], Wanted::default()).unwrap_err();
    assert_eq!((wrong.kind(), wrong.sequence()), ("unreadable", 10));
}

#[test]
fn whoever_holds_the_key_can_sign_anew_and_is_found_by_what_was_kept() {
    let audit = Audit::of(&[(3, 1), (5, 1)]);
    let kept = verify(export(&audit.records).as_bytes(), Wanted::default())
        .unwrap()
        .signed
        .unwrap();
    let mut forged = Audit::new();
    for stored in &audit.records {
        match subject::is_checkpoint(&stored.subject) {
            true => forged.checkpoint(&key(1)),
            false if stored.sequence == 2 => forged.store(stored.subject.clone(), "{}".into()),
            false => forged.record(),
        }
    }
    assert_eq!(found(&forged.records), None, "the chain alone cannot tell");
    let wanted = Wanted {
        kept: vec![kept],
        ..Wanted::default()
    };
    let wrong = verify(export(&forged.records).as_bytes(), wanted).unwrap_err();
    assert_eq!((wrong.kind(), wrong.sequence()), ("not_as_kept", 9));
}

#[test]
fn a_checkpoint_that_somebody_put_in_is_found_where_it_stands() {
    let audit = Audit::of(&[(3, 1), (5, 1)]);
    let mut forged = Audit::new();
    for stored in &audit.records {
        if stored.sequence == 7 {
            forged.checkpoint(&key(9));
        }
        forged.records.push(stored.clone());
        if stored.sequence < 7 {
            forged.chain.take(stored).unwrap();
        }
    }
    numbered(&mut forged.records);
    let wrong = found(&forged.records).unwrap();
    assert_eq!((wrong.kind(), wrong.sequence()), ("changed", 7));
}

#[test]
fn a_long_span_is_told_apart_in_groups() {
    let audit = Audit::of(&[(2, 1), (3000, 1)]);
    let checkpoint = Checkpoint::read(audit.records.last().unwrap()).unwrap();
    assert!(
        checkpoint.marks.len() < 256 * 16,
        "{}",
        checkpoint.marks.len()
    );
    for at in [3, 4, 700, 2999, 3003] {
        let mut records = audit.records.clone();
        records[at - 1].payload = "{}".into();
        let Some(Wrong::Changed { first, last }) = found(&records).filter(|_| at != 3) else {
            assert_eq!(at, 3, "the checkpoint itself says so");
            continue;
        };
        assert!(
            (first..=last).contains(&(at as u64)),
            "{at}: {first} to {last}"
        );
        assert!(last - first < 32, "{at}: {first} to {last}");
    }
}

#[test]
fn a_walk_goes_on_behind_its_own_checkpoint_as_if_it_had_begun_at_the_start() {
    let mut audit = Audit::of(&[(3, 1), (5, 2)]);
    let own = key(2);
    let mut resumed = Chain::resume(audit.records.last().unwrap(), own.public()).unwrap();
    assert!(Chain::resume(audit.records.last().unwrap(), key(1).public()).is_none());
    assert!(Chain::resume(&audit.records[0], own.public()).is_none());
    audit.record();
    resumed.take(audit.records.last().unwrap()).unwrap();
    let at = Timestamp::from_milliseconds(0);
    assert_eq!(
        resumed.sign(&own, at).unwrap(),
        audit.chain.sign(&own, at).unwrap()
    );
    assert_eq!(resumed.unsigned(), 1);
}

#[test]
fn an_export_of_an_earlier_build_is_still_verified() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden-audit/export.jsonl");
    let fresh = export(&Audit::of(&[(3, 1), (5, 2)]).records);
    if std::env::var_os("FLOTILLA_WRITE_GENERATED").is_some() && !std::fs::exists(path).unwrap() {
        std::fs::write(path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    let report = verify(kept.as_bytes(), Wanted::default()).unwrap();
    assert_eq!((report.records, report.checkpoints), (10, 2));
    assert_eq!(kept, fresh, "written otherwise now");
}

#[derive(Debug, Clone)]
enum Tampering {
    /// Of a record: its body, its subject or its time.
    Change(Index, u8, Index),
    Cut(Index),
    Swap(Index),
    /// A copy of the first, before the second.
    Insert(Index, Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (any::<Index>(), 0..5_u8, any::<Index>())
            .prop_map(|(at, what, byte)| Tampering::Change(at, what, byte)),
        any::<Index>().prop_map(Tampering::Cut),
        any::<Index>().prop_map(Tampering::Swap),
        (any::<Index>(), any::<Index>()).prop_map(|(what, at)| Tampering::Insert(what, at)),
    ]
}

/// Does it to records that a checkpoint covers, and says at which record.
fn tamper(records: &mut Vec<Stored>, tampering: &Tampering) -> u64 {
    let covered = records.len() - 1;
    match tampering {
        Tampering::Change(at, what, byte) => {
            let at = at.index(covered);
            let stored = &mut records[at];
            match what {
                0 => {
                    let mut payload = stored.payload.to_vec();
                    let byte = byte.index(payload.len());
                    payload[byte] ^= 1;
                    stored.payload = payload.into();
                }
                // Says the same, and is not the same.
                1 => stored.payload = [b" ", &*stored.payload].concat().into(),
                2 => stored.subject.push('0'),
                3 => stored.subject.insert(2, '.'),
                _ => stored.time_nanoseconds += 1,
            }
            at as u64 + 1
        }
        Tampering::Cut(at) => {
            let at = at.index(covered);
            records.remove(at);
            at as u64 + 1
        }
        Tampering::Swap(at) => {
            let at = at.index(covered - 1);
            records.swap(at, at + 1);
            at as u64 + 1
        }
        Tampering::Insert(what, at) => {
            let (what, at) = (what.index(covered), at.index(covered));
            records.insert(at, records[what].clone());
            // Of two that are the same, the second is too much.
            at as u64 + 1 + u64::from(what == at)
        }
    }
}

fn spans() -> impl Strategy<Value = Vec<(usize, u8)>> {
    // Two at least: what is swapped needs a neighbour that is signed as well.
    prop::collection::vec((1..12_usize, 1..4_u8), 2..6)
}

proptest! {
    #[test]
    fn whatever_is_done_between_checkpoints_is_found_at_its_record(
        spans in spans(), tampering in tampering(), hidden in any::<bool>()
    ) {
        let mut records = Audit::of(&spans).records;
        prop_assert_eq!(found(&records), None);
        let at = tamper(&mut records, &tampering);
        if hidden {
            numbered(&mut records);
        }
        let wrong = found(&records);
        prop_assert_eq!(wrong.as_ref().map(Wrong::sequence), Some(at), "{:?}", wrong);
    }

    #[test]
    fn a_changed_byte_of_the_file_is_found_in_its_line(
        spans in spans(), at in any::<Index>(), bit in 0..8_u32
    ) {
        let records = Audit::of(&spans).records;
        let signed = export(&records[..records.len() - 1]).len();
        let mut bytes = export(&records).into_bytes();
        let at = at.index(signed);
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        bytes[at] ^= 1 << bit;
        let wrong = verify(&bytes, Wanted::default()).err();
        prop_assert_eq!(wrong.as_ref().map(Wrong::sequence), Some(line), "{:?}", wrong);
    }
}
