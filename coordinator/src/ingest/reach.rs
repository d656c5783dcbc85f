//! Whether the projection holds all that NATS held at some moment.
//!
//! Coordinators stand side by side, and one may have shown what another has not read yet. Before anybody is told that
//! something does not exist, this one reads up to where the streams were when it was asked.

use nats::client::{self, Client};
use nats::stream::{self, Bucket};
use tokio::sync::watch;
use tokio::time::{Duration, timeout};

/// How long an answer waits for what is on its way. Longer than a busy coordinator is behind, shorter than a person
/// waits for a page.
const BOUND: Duration = Duration::from_secs(5);

/// The last message of each source that is in the projection, by its number there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    pub events: u64,
    pub sessions: u64,
}

impl Reached {
    const fn covers(self, other: Self) -> bool {
        self.events >= other.events && self.sessions >= other.sessions
    }
}

/// Asks how far the streams are, and waits for the projection. Cheap to clone.
#[derive(Clone)]
pub struct Reach {
    client: Client,
    reached: watch::Receiver<Reached>,
}

impl Reach {
    #[must_use]
    pub fn new(client: &Client, reached: watch::Receiver<Reached>) -> Self {
        Self {
            client: client.clone(),
            reached,
        }
    }

    /// Waits until everything that was stored when this was called is in the projection. False when that takes
    /// too long.
    pub async fn catch_up(&self) -> Result<bool, client::Error> {
        let waiting = async {
            let wanted = self.stored().await?;
            let mut reached = self.reached.clone();
            // The sender goes away with the process only.
            let covered = reached.wait_for(|reached| reached.covers(wanted)).await;
            Ok(covered.is_ok())
        };
        timeout(BOUND, waiting).await.unwrap_or(Ok(false))
    }

    async fn stored(&self) -> Result<Reached, client::Error> {
        let records = Bucket::Sessions.stream();
        let (events, sessions) = tokio::try_join!(
            self.client.last_sequence(stream::EVENTS),
            self.client.last_sequence(&records),
        )?;
        Ok(Reached { events, sessions })
    }
}
