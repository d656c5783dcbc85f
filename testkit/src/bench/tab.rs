//! A browser's tab, as far as measuring needs one: the socket, and the instant at which a frame was there.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::fleet::Fleet;
use crate::stamp;

/// Nothing here takes nearly so long.
const BOUND: Duration = Duration::from_secs(120);

const READ_BYTES: usize = 8 * 1024;

pub(super) struct Tab {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A frame, and when it was read off the wire.
pub(super) struct Arrived {
    pub at_us: u64,
    pub text: String,
}

impl Tab {
    pub(super) async fn open(fleet: &Fleet) -> Self {
        let url = format!("{}/api/socket", fleet.url().replace("http://", "ws://"));
        let mut request = url.into_client_request().expect("an address");
        let token = format!("Bearer {}", fleet.token())
            .parse()
            .expect("a header");
        request.headers_mut().insert("authorization", token);
        // Cleared before every read: the reading side takes processor time from what is measured.
        let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
        let (socket, _) = connect_async_with_config(request, Some(config), true)
            .await
            .expect("the coordinator answers");
        Self { socket }
    }

    pub(super) async fn subscribe(&mut self, session: &str) {
        let frame = json!({"type": "subscribe", "session": session}).to_string();
        self.socket
            .send(Message::text(frame))
            .await
            .expect("an open socket");
    }

    /// Subscribes, and waits until the session is there to be seen.
    pub(super) async fn watch(&mut self, session: &str) {
        self.subscribe(session).await;
        self.until(|frame| frame["type"] == "subscribed" && frame["session"] == session)
            .await;
    }

    /// The next frame, unread: who measures many should not spend the processor on what is not needed.
    pub(super) async fn next(&mut self) -> Arrived {
        loop {
            let message = timeout(BOUND, self.socket.next())
                .await
                .expect("a frame in time");
            let message = message.expect("an open socket").expect("a frame");
            let at_us = stamp::now_us();
            if let Message::Text(text) = message {
                return Arrived {
                    at_us,
                    text: text.as_str().to_owned(),
                };
            }
        }
    }

    /// The next frame that `matches`, and when it came.
    pub(super) async fn until(&mut self, matches: impl Fn(&Value) -> bool) -> (u64, Value) {
        loop {
            let frame = self.next().await;
            let read: Value = serde_json::from_str(&frame.text).expect("frames are JSON");
            if matches(&read) {
                return (frame.at_us, read);
            }
        }
    }

    /// The next event of this type, and when it came.
    pub(super) async fn event(&mut self, kind: &str) -> (u64, Value) {
        let find = |frame: &Value| {
            let rows = ["events", "tail"]
                .iter()
                .filter_map(|key| frame[*key].as_array());
            rows.flatten().find(|row| row["type"] == kind).cloned()
        };
        let (at_us, frame) = self.until(|frame| find(frame).is_some()).await;
        (at_us, find(&frame).expect("it was just found"))
    }
}

impl Arrived {
    /// How long each stamp of live text was on its way, in milliseconds.
    pub(super) fn live_ages_ms(&self) -> impl Iterator<Item = f64> {
        self.live_stamps_us().map(|stamp| ms(stamp, self.at_us))
    }

    /// The stamps of live text. What is told again is not counted.
    pub(super) fn live_stamps_us(&self) -> impl Iterator<Item = u64> {
        let live = self.text.starts_with(r#"{"type":"live""#)
            && !self.text.contains(r#""type":"snapshot""#);
        let text = if live { self.text.as_str() } else { "" };
        stamp::read(text)
    }
}

/// From one instant to the other, in milliseconds.
pub(super) fn ms(from_us: u64, to_us: u64) -> f64 {
    to_us.saturating_sub(from_us) as f64 / 1000.0
}
