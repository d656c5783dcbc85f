//! The model says what the real nats-server says, over random publishes.

use nats::client::{Client, EventRow, LastEvent, PublishError};
use nats::ids::{EventId, HostName, SessionId};
use nats::{Envelope, Timestamp, Wire};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use testkit::nats_server::NatsServer;

use super::*;
use crate::relay::tests::connect;

const SCHEDULES: usize = 300;

#[derive(Debug, Clone)]
enum Step {
    Publish {
        expect: Expected,
        rows: u64,
        batch: bool,
        epoch: u64,
    },
    /// Another session of the same host writes.
    OthersWrite,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    TheLast,
    Nothing,
    TooHigh(u64),
    TooLow(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let expect = prop_oneof![
        5 => Just(Expected::TheLast),
        1 => Just(Expected::Nothing),
        1 => (1..3_u64).prop_map(Expected::TooHigh),
        1 => (1..3_u64).prop_map(Expected::TooLow),
    ];
    let rows = prop_oneof![4 => 1..4_u64, 2 => 7..12_u64, 1 => 30..60_u64];
    prop_oneof![
        6 => (expect, rows, any::<bool>(), 1..3_u64).prop_map(|(expect, rows, batch, epoch)| Step::Publish { expect, rows, batch, epoch }),
        1 => Just(Step::OthersWrite),
    ]
}

struct Real {
    client: Client,
    host: HostName,
    session: SessionId,
}

impl Real {
    async fn publish(&self, publish: &Publish) -> (usize, u64, Result<(), PublishError>) {
        let rows: Vec<EventRow> = publish
            .seqs
            .iter()
            .map(|seq| self.row(publish.epoch, *seq))
            .collect();
        self.client
            .publish_events(
                &self.host,
                self.session,
                publish.expected,
                &rows,
                publish.batch,
            )
            .await
    }

    fn row(&self, epoch: u64, seq: u64) -> EventRow {
        let warning = nats::event::Warning {
            code: "test".into(),
            message: "m".into(),
            hint: None,
        };
        let envelope = Envelope {
            v: 1,
            id: EventId::new(),
            session: self.session,
            host: self.host.clone(),
            epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(warning.into()),
        };
        EventRow {
            epoch,
            seq,
            event_type: "warning".into(),
            body: serde_json::to_vec(&envelope).unwrap().into(),
        }
    }

    async fn last(&self) -> Option<(u64, u64, u64)> {
        let last = self.client.last_event(&self.host, self.session).await;
        last.unwrap().map(
            |LastEvent {
                 stream_sequence,
                 epoch,
                 seq,
                 ..
             }| (stream_sequence, epoch, seq),
        )
    }
}

/// Refusals are the same when they are of the same kind; the server's words are its own.
fn kind(result: &Result<(), PublishError>) -> Option<std::mem::Discriminant<PublishError>> {
    result.as_ref().err().map(std::mem::discriminant)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_answers_as_the_real_server_does() {
    let server = NatsServer::start().await;
    let client = connect(&server).await;
    client.ensure(1).await.unwrap();
    let host: HostName = "vps-1".parse().unwrap();
    let mut runner = TestRunner::default();
    let schedule = prop::collection::vec(step(), 1..5);
    let mut written = 0;
    for _ in 0..SCHEDULES {
        let steps = schedule.new_tree(&mut runner).unwrap().current();
        let real = Real {
            client: client.clone(),
            host: host.clone(),
            session: SessionId::new(),
        };
        let mut model = Server {
            stream_sequence: written,
            ..Server::default()
        };
        for step in &steps {
            match *step {
                Step::OthersWrite => {
                    let other = Real {
                        session: SessionId::new(),
                        client: client.clone(),
                        host: host.clone(),
                    };
                    let (_, sequence, result) = other.publish(&one_row_of_another_session()).await;
                    result.unwrap();
                    model.stream_sequence += 1;
                    assert_eq!(sequence, model.stream_sequence, "{steps:?}");
                }
                Step::Publish {
                    expect,
                    rows,
                    batch,
                    epoch,
                } => {
                    let publish = publish(&model, expect, rows, batch, epoch);
                    let expected = model.publish(&publish);
                    let seen = real.publish(&publish).await;
                    assert_eq!(
                        (seen.0, seen.1, kind(&seen.2)),
                        (expected.0, expected.1, kind(&expected.2)),
                        "{step:?} of {steps:?}: {:?}",
                        seen.2
                    );
                }
            }
            let last = model
                .last()
                .map(|it| (it.stream_sequence, it.epoch, it.seq));
            assert_eq!(real.last().await, last, "after {step:?} of {steps:?}");
        }
        written = model.stream_sequence;
    }
}

fn publish(model: &Server, expect: Expected, rows: u64, batch: bool, epoch: u64) -> Publish {
    let last = model.last().map_or(0, |it| it.stream_sequence);
    let seq = model.last().map_or(0, |it| it.seq);
    let expected = match expect {
        Expected::TheLast => last,
        Expected::Nothing => 0,
        Expected::TooHigh(by) => last + by,
        Expected::TooLow(by) => last.saturating_sub(by),
    };
    Publish {
        expected,
        epoch,
        seqs: (seq + 1..=seq + rows).collect(),
        batch: batch && rows > 8,
    }
}

fn one_row_of_another_session() -> Publish {
    Publish {
        expected: 0,
        epoch: 1,
        seqs: vec![1],
        batch: false,
    }
}
