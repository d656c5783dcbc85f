//! What is kept, for how long, and that its room comes back.

use std::path::PathBuf;

use nats::command::{Order, SessionStart, SessionStop};
use nats::ids::{CommandId, EventId, SessionId};
use nats::{Timestamp, Wire};
use rusqlite::Connection;

use super::*;
use crate::agent::{Adapter, Dialect};
use crate::session::machine::Machine;

const DAY_MS: i64 = 24 * 3600 * 1000;

struct Station {
    folder: tempfile::TempDir,
    identity: Identity,
    saved: Saved,
    log: Log,
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity {
            session: SessionId::new(),
            host: "vps-1".parse().unwrap(),
            epoch: 1,
        };
        let saved = saved();
        let path = folder.path().join("session.db");
        let log = Log::create(&path, &identity, &order(&identity), &saved).unwrap();
        Self {
            folder,
            identity,
            saved,
            log,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("session.db")
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    fn append(&mut self, seqs: std::ops::RangeInclusive<u64>, bytes: usize) {
        let rows: Vec<Row> = seqs.map(|seq| row(seq, bytes)).collect();
        self.log.append(&rows, &self.saved, None).unwrap();
    }

    fn append_with_object(&mut self, seq: u64, bytes: usize) {
        std::fs::create_dir_all(self.objects()).unwrap();
        std::fs::write(self.objects().join(format!("{seq}.json")), vec![0; bytes]).unwrap();
        let row = Row {
            object: Some("whole".into()),
            ..row(seq, 10)
        };
        self.log.append(&[row], &self.saved, None).unwrap();
    }

    fn prune(&mut self, acknowledged: u64, now_ms: i64, kept: &Kept) -> Pruned {
        let objects = self.objects();
        self.log
            .prune(
                acknowledged,
                &objects,
                Timestamp::from_milliseconds(now_ms),
                kept,
            )
            .unwrap()
    }

    fn read_after(&self, seq: u64) -> Result<Vec<u64>, Error> {
        let reader = self.log.reader().unwrap();
        let rows = reader.rows_after(&self.identity, seq, 1000, usize::MAX)?;
        Ok(rows.into_iter().map(|(row, _)| row.seq).collect())
    }
}

fn saved() -> Saved {
    let start = SessionStart {
        project: "shop".into(),
        agent: "rehearsal".into(),
        title: "t".into(),
        base: None,
        prompt: None,
        prompt_id: None,
    };
    Saved {
        machine: Machine::new(start, None, false),
        adapter: Adapter::new(Dialect::Claude),
        blocks: Default::default(),
        position: 0,
        snapshot: None,
    }
}

fn order(identity: &Identity) -> Order {
    Order {
        v: 1,
        id: CommandId::new(),
        session: identity.session,
        host: identity.host.clone(),
        epoch: 1,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(SessionStop {}.into()),
    }
}

fn row(seq: u64, bytes: usize) -> Row {
    let body = serde_json::json!({"id": EventId::new(), "text": "x".repeat(bytes)});
    Row {
        seq,
        event_type: "warning".into(),
        body: serde_json::to_vec(&body).unwrap(),
        object: None,
    }
}

#[test]
fn acknowledged_rows_stay_for_a_week_after_that_and_others_for_as_long_as_it_takes() {
    let mut station = Station::new();
    station.append(1..=10, 100);
    let kept = Kept::STANDARD;
    let start = 1_000 * DAY_MS;
    assert_eq!(station.prune(4, start, &kept).up_to, 0);
    assert_eq!(station.prune(6, start + DAY_MS, &kept).up_to, 0);
    assert_eq!(station.prune(6, start + 6 * DAY_MS, &kept).up_to, 0);
    assert_eq!(station.prune(6, start + 7 * DAY_MS, &kept).up_to, 4);
    assert_eq!(station.read_after(4).unwrap(), [5, 6, 7, 8, 9, 10]);
    assert_eq!(station.prune(6, start + 100 * DAY_MS, &kept).up_to, 6);
    assert_eq!(
        station.prune(6, start + 900 * DAY_MS, &kept).up_to,
        6,
        "what was not acknowledged stays"
    );
    assert_eq!(station.read_after(6).unwrap(), [7, 8, 9, 10]);
}

#[test]
fn rows_that_are_gone_are_an_error_that_says_so_and_never_a_gap() {
    let mut station = Station::new();
    station.append(1..=10, 100);
    let kept = Kept {
        bytes_max: 0,
        ..Kept::STANDARD
    };
    assert_eq!(station.prune(10, DAY_MS, &kept).up_to, 10);
    for after in [0, 5, 9] {
        let error = station.read_after(after).unwrap_err();
        assert!(
            matches!(error, Error::RowsGone { oldest: 11, .. }),
            "{error}"
        );
    }
    let said = station.read_after(4).unwrap_err().to_string();
    assert_eq!(
        said,
        "event 5 is no longer kept on this host, which has those from 11 on"
    );
    assert_eq!(station.read_after(10).unwrap(), [0; 0]);
    station.append(11..=12, 100);
    assert_eq!(station.read_after(10).unwrap(), [11, 12]);
    assert!(station.read_after(9).is_err());
}

#[test]
fn a_session_keeps_so_many_bytes_with_its_objects_and_gives_the_room_back() {
    let mut station = Station::new();
    for first in [1, 101, 201, 301] {
        station.append(first..=first + 99, 10_000);
    }
    station.append_with_object(401, 1_000_000);
    station.append_with_object(402, 1_000_000);
    let kept = Kept {
        bytes_max: 1_600_000,
        ..Kept::STANDARD
    };
    let before = std::fs::metadata(station.database()).unwrap().len();
    assert!(station.prune(402, DAY_MS, &kept).up_to == 401);
    assert!(!station.objects().join("401.json").exists());
    assert!(station.objects().join("402.json").exists());
    let after = std::fs::metadata(station.database()).unwrap().len();
    assert!(after < before / 10, "{before} bytes became {after}");
    let wal = std::fs::metadata(station.folder.path().join("session.db-wal"));
    assert!(wal.map_or(0, |file| file.len()) <= 4 * 1024 * 1024);
}

#[test]
fn what_a_server_that_was_put_back_lost_counts_as_acknowledged_only_when_it_is_again() {
    let mut station = Station::new();
    station.append(1..=10, 100);
    let kept = Kept::STANDARD;
    station.prune(10, DAY_MS, &kept);
    station.prune(3, 2 * DAY_MS, &kept);
    assert_eq!(station.prune(10, 9 * DAY_MS, &kept).up_to, 3);
    assert_eq!(station.prune(10, 16 * DAY_MS, &kept).up_to, 10);
}

#[test]
fn commands_are_known_for_a_month_and_never_more_than_so_many() {
    let mut station = Station::new();
    let taken: Vec<Order> = (0..5).map(|_| order(&station.identity)).collect();
    for order in &taken {
        station
            .log
            .append(&[], &station.saved, Some(order))
            .unwrap();
    }
    let now = Timestamp::now().milliseconds();
    let kept = Kept::STANDARD;
    assert_eq!(station.prune(0, now + 29 * DAY_MS, &kept).commands, 0);
    assert!(taken.iter().all(|it| station.log.knows(it.id).unwrap()));
    let few = Kept {
        commands_max: 3,
        ..kept
    };
    assert_eq!(
        station.prune(0, now, &few).commands,
        3,
        "of six with the start"
    );
    assert!(station.log.knows(taken[4].id).unwrap());
    assert!(!station.log.knows(taken[0].id).unwrap());
    assert_eq!(station.prune(0, now + 31 * DAY_MS, &kept).commands, 3);
}

#[test]
fn a_step_that_did_not_fit_on_the_disk_left_nothing_behind_and_may_be_tried_again() {
    let mut station = Station::new();
    station.append(1..=3, 100);
    let limit = |station: &Station, pages: i64| {
        let connection = station.log.connection();
        let set = format!("PRAGMA max_page_count = {pages}");
        let _: i64 = connection.query_row(&set, [], |row| row.get(0)).unwrap();
    };
    let pages: i64 = station
        .log
        .connection()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    limit(&station, pages);
    let command = order(&station.identity);
    let rows: Vec<Row> = (4..=50).map(|seq| row(seq, 4_000)).collect();
    for _ in 0..2 {
        let error = station
            .log
            .append(&rows, &station.saved, Some(&command))
            .unwrap_err();
        assert!(crate::chain(&error).contains("full"), "{error:?}");
        assert_eq!(station.read_after(0).unwrap(), [1, 2, 3]);
        assert!(!station.log.knows(command.id).unwrap());
    }
    limit(&station, i64::from(i32::MAX));
    station
        .log
        .append(&rows, &station.saved, Some(&command))
        .unwrap();
    assert_eq!(station.read_after(40).unwrap().len(), 10);
    assert!(station.log.knows(command.id).unwrap());
}

#[test]
fn a_log_of_an_older_runner_is_taken_over_with_what_it_holds() {
    let mut station = Station::new();
    station.append(1..=3, 100);
    let command = order(&station.identity);
    station
        .log
        .append(&[], &station.saved, Some(&command))
        .unwrap();
    let path = station.database();
    let Station {
        folder: _folder,
        identity,
        log,
        ..
    } = station;
    drop(log);
    // As schema 1 had it.
    let older = Connection::open(&path).unwrap();
    older
        .execute_batch(
            "DROP TABLE acknowledged; ALTER TABLE inbox DROP COLUMN taken_at;
             PRAGMA auto_vacuum = NONE; PRAGMA user_version = 1; VACUUM;",
        )
        .unwrap();
    drop(older);
    let (mut log, read, _) = Log::open(&path).unwrap();
    assert_eq!(read, identity);
    assert!(log.knows(command.id).unwrap());
    let kept = Kept::STANDARD;
    let pruned = log.prune(3, &path, Timestamp::now(), &kept).unwrap();
    assert_eq!(
        pruned,
        Pruned::default(),
        "its commands were taken just now"
    );
    let incremental: i64 = log
        .connection()
        .query_row("PRAGMA auto_vacuum", [], |row| row.get(0))
        .unwrap();
    assert_eq!(incremental, 2);
}
