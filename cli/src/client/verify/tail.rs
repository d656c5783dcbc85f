//! One session as it happens: what is recorded, in order, and how often there was text that is not.

use nats::ids::SessionId;
use reqwest::Response;
use serde_json::Value;

use crate::client::exit::Error;
use crate::client::server::Server;
use crate::client::sse::Frames;

/// A session's stream from its first event on.
pub(super) struct Tail {
    response: Response,
    frames: Frames,
    /// Every event so far, as its runner wrote it.
    pub events: Vec<Value>,
    /// Live messages so far.
    pub live: usize,
}

impl Tail {
    pub(super) async fn open(server: &Server, session: SessionId) -> Result<Self, Error> {
        let path = ["api", "sessions", &session.to_string(), "events"];
        Ok(Self {
            response: server.stream(&path, &[("after", "0")]).await?,
            frames: Frames::default(),
            events: Vec::new(),
            live: 0,
        })
    }

    /// The first event that `matches`, be it one that was seen before: what belongs to one step may come amid another's.
    pub(super) async fn until(&mut self, matches: impl Fn(&Value) -> bool) -> Result<Value, Error> {
        let mut looked_at = 0;
        loop {
            for event in &self.events[looked_at..] {
                if matches(event) {
                    return Ok(event.clone());
                }
            }
            looked_at = self.events.len();
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        let broken = |words: String| {
            Error::unproven(
                words,
                "a proxy that cuts long answers, or a coordinator that was restarted meanwhile",
            )
        };
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|error| broken(format!("the stream broke off: {error}")))?;
        let bytes = chunk.ok_or_else(|| broken("the stream was ended".to_owned()))?;
        for frame in self.frames.take(&bytes) {
            if frame.event.as_deref() == Some("live") {
                self.live += 1;
            } else if frame.id.is_some() {
                let event = serde_json::from_str(&frame.data);
                let event = event.map_err(|_| broken("an event is no JSON".to_owned()))?;
                self.events.push(event);
            }
        }
        Ok(())
    }
}
