//! Reads events on their way to the writer, beside its work on those before.

use nats::client::Followed;
use tokio::sync::mpsc;

use crate::projection::Arrival;

/// Events that are read and wait: a batch, and another while that one is written.
const READ_MAX: usize = 2048;
/// Taken from the stream in one go.
const AT_ONCE: usize = 256;

/// An event of the stream, read.
pub struct ReadEvent {
    pub sequence: u64,
    /// How many more the stream held.
    pub pending: u64,
    pub arrival: Box<Arrival>,
}

/// The same events in the same order. Ends with whoever takes them.
pub fn read(mut followed: mpsc::Receiver<Followed>) -> mpsc::Receiver<ReadEvent> {
    let (sender, receiver) = mpsc::channel(READ_MAX);
    tokio::spawn(async move {
        let mut some = Vec::with_capacity(AT_ONCE);
        loop {
            tokio::select! {
                count = followed.recv_many(&mut some, AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                }
                () = sender.closed() => return,
            }
            for message in some.drain(..) {
                let event = ReadEvent {
                    sequence: message.sequence,
                    pending: message.pending,
                    arrival: Box::new(Arrival::new(message.subject, message.payload)),
                };
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        }
    });
    receiver
}
