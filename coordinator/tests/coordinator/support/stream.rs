//! A program that reads a session's events as server-sent events.

use std::collections::VecDeque;

use nats::ids::SessionId;
use reqwest::header;
use serde_json::Value;
use tokio::time::timeout;

use super::{BOUND, Person};

/// An open stream of a session's events.
pub struct Stream {
    response: reqwest::Response,
    rest: Vec<u8>,
    frames: VecDeque<StreamFrame>,
}

/// One frame of it.
#[derive(Debug)]
pub struct StreamFrame {
    pub event: String,
    pub id: Option<u64>,
    pub data: Value,
}

impl Stream {
    pub async fn open(
        person: &Person,
        session: SessionId,
        after: Option<u64>,
        last_event_id: Option<u64>,
    ) -> Self {
        let mut url = format!("{}/api/sessions/{session}/events", person.url);
        if let Some(after) = after {
            url.push_str(&format!("?after={after}"));
        }
        let mut request = person
            .http
            .get(url)
            .bearer_auth(person.token.as_ref().unwrap())
            .header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            rest: Vec::new(),
            frames: VecDeque::new(),
        }
    }

    /// The next frame that says something.
    pub async fn next(&mut self) -> StreamFrame {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return frame;
            }
            let chunk = timeout(BOUND, self.response.chunk())
                .await
                .expect("more in time")
                .unwrap()
                .expect("an open stream");
            self.rest.extend_from_slice(&chunk);
            while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
                let text: Vec<u8> = self.rest.drain(..end + 2).collect();
                self.frames
                    .extend(frame(std::str::from_utf8(&text).unwrap()));
            }
        }
    }

    /// Reads events until `last`, and says which came.
    pub async fn seqs_to(&mut self, last: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            seen.extend(self.next().await.id);
        }
        seen
    }
}

/// A frame, unless it is a comment that keeps the connection open.
fn frame(text: &str) -> Option<StreamFrame> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    Some(StreamFrame {
        event: field("event: ").unwrap_or("message").to_owned(),
        id: field("id: ").map(|id| id.parse().unwrap()),
        data: serde_json::from_str(field("data: ")?).unwrap(),
    })
}
