//! Where the streams ended when reading began: one that holds nothing new never says so by itself.

use nats::client::{self, Client, StreamEnd};
use nats::stream;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant, sleep};

use crate::projection::Positions;

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);
/// A stream that is shorter than what was read of it is asked for this long before it is believed: a cluster that has
/// just started may not know yet what it holds, and the projection would be thrown away for nothing.
const DOUBTED_FOR: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub events: StreamEnd,
    pub audit: StreamEnd,
}

impl Ends {
    /// Asks until there is an answer.
    pub fn ask(client: &Client, known: &Positions) -> oneshot::Receiver<Self> {
        let (mut answer, answered) = oneshot::channel();
        let (client, known) = (client.clone(), known.clone());
        tokio::spawn(async move {
            tokio::select! {
                ends = believable(&client, &known) => {
                    // Who asked may be gone.
                    let _ = answer.send(ends);
                }
                () = answer.closed() => {}
            }
        });
        answered
    }

    /// Whether the streams hold less than what was read of them: they are others of the same name.
    pub const fn lacks(&self, known: &Positions) -> bool {
        self.events.last < known.events.sequence || self.audit.last < known.audit.sequence
    }
}

async fn believable(client: &Client, known: &Positions) -> Ends {
    let mut doubted: Option<Instant> = None;
    loop {
        client.connected().await;
        match now(client).await {
            Ok(ends) if !ends.lacks(known) => return ends,
            Ok(ends) if doubted.is_some_and(|since| since.elapsed() > DOUBTED_FOR) => return ends,
            Ok(_) => {
                doubted.get_or_insert_with(Instant::now);
            }
            Err(error) => tracing::debug!(%error, "the streams do not say yet where they end"),
        }
        sleep(PAUSE_AFTER_ERROR).await;
    }
}

async fn now(client: &Client) -> Result<Ends, client::Error> {
    let (events, audit) = tokio::try_join!(
        client.stream_end(stream::EVENTS),
        client.stream_end(stream::AUDIT),
    )?;
    Ok(Ends { events, audit })
}
