//! A session's events as they happen, in order and without a hole, whatever the connection does.

use std::collections::VecDeque;
use std::time::Duration;

use nats::ids::SessionId;
use reqwest::Response;
use serde_json::Value;

use crate::client::exit::Error;
use crate::client::server::Server;
use crate::client::sse::{Frame, Frames};

/// A connection that says nothing for so long, not even that it lives, is not one.
const SILENCE_MAX: Duration = Duration::from_secs(90);
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What comes of following.
pub(super) enum Followed {
    /// The next event, as its runner wrote it.
    Event(Value),
    /// The connection is gone; asking on connects again.
    Lost,
}

/// A place in a session's log, and the connection that reads on from it.
pub(super) struct Follow<'a> {
    server: &'a Server,
    session: SessionId,
    after: u64,
    connection: Option<(Response, Frames)>,
    waiting: VecDeque<Value>,
    retry: Duration,
}

impl<'a> Follow<'a> {
    /// Connects; a server that cannot be reached now is an error, later it is waited for.
    pub(super) async fn from(
        server: &'a Server,
        session: SessionId,
        after: u64,
    ) -> Result<Self, Error> {
        let mut follow = Self {
            server,
            session,
            after,
            connection: None,
            waiting: VecDeque::new(),
            retry: RETRY_MIN,
        };
        follow.connect().await?;
        Ok(follow)
    }

    /// Can be dropped while it waits: what was read is kept.
    pub(super) async fn next(&mut self) -> Result<Followed, Error> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Followed::Event(event));
            }
            let Some((response, frames)) = &mut self.connection else {
                tokio::time::sleep(self.retry).await;
                self.retry = (self.retry * 2).min(RETRY_MAX);
                match self.connect().await {
                    Err(Error::Unreachable { .. }) | Ok(()) => continue,
                    Err(error) => return Err(error),
                }
            };
            let chunk = tokio::time::timeout(SILENCE_MAX, response.chunk()).await;
            let Ok(Ok(Some(bytes))) = chunk else {
                self.connection = None;
                return Ok(Followed::Lost);
            };
            self.retry = RETRY_MIN;
            for frame in frames.take(&bytes) {
                self.waiting.extend(taken(&frame, &mut self.after));
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let (session, after) = (self.session.to_string(), self.after.to_string());
        let path = ["api", "sessions", &session, "events"];
        let response = self.server.stream(&path, &[("after", &after)]).await?;
        self.connection = Some((response, Frames::default()));
        Ok(())
    }
}

/// The event of a frame, once. Live frames have no number and are not kept by anybody.
fn taken(frame: &Frame, after: &mut u64) -> Option<Value> {
    let seq: u64 = frame.id.as_deref()?.parse().ok()?;
    if frame.event.as_deref() == Some("live") || seq <= *after {
        return None;
    }
    let event = serde_json::from_str(&frame.data).ok()?;
    *after = seq;
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: Option<&str>, event: Option<&str>) -> Frame {
        Frame {
            event: event.map(str::to_owned),
            id: id.map(str::to_owned),
            data: "{}".to_owned(),
        }
    }

    #[test]
    fn an_event_is_taken_once_and_a_live_frame_never() {
        let mut after = 4;
        assert!(taken(&frame(Some("4"), None), &mut after).is_none());
        assert!(taken(&frame(Some("5"), None), &mut after).is_some());
        assert!(taken(&frame(Some("5"), None), &mut after).is_none());
        assert!(taken(&frame(None, Some("live")), &mut after).is_none());
        assert_eq!(after, 5);
    }
}
