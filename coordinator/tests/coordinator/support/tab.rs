//! A browser's tab: the socket and nothing else.

use futures::{SinkExt as _, StreamExt as _};
use nats::ids::SessionId;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{BOUND, Person};

/// A browser's tab.
pub struct Tab {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Tab {
    pub async fn open(person: &Person) -> Self {
        let url = format!("{}/api/socket", person.url.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {}", person.token.as_ref().unwrap());
        request
            .headers_mut()
            .insert("authorization", token.parse().unwrap());
        let (socket, _) = connect_async(request).await.unwrap();
        Self { socket }
    }

    pub async fn say(&mut self, frame: Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    /// The next frame that says something.
    pub async fn next(&mut self) -> Value {
        loop {
            let message = timeout(BOUND, self.socket.next())
                .await
                .expect("a frame in time")
                .expect("an open socket")
                .unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next frame of this type; others are passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Subscribes and gives the `subscribed` frame.
    pub async fn subscribe(&mut self, session: SessionId, after: Option<u64>) -> Value {
        self.say(json!({"type": "subscribe", "session": session, "after": after}))
            .await;
        self.next_of("subscribed").await
    }

    /// Reads events until `last`, and says which came.
    pub async fn read_to(&mut self, last: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            seen.extend(seqs(&self.next_of("events").await["events"]));
        }
        seen
    }
}

/// The numbers of some events.
pub fn seqs(rows: &Value) -> Vec<u64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect()
}
