//! The running endpoint, and what a test may ask it afterwards.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::http::{self, Book};
use super::json::{self, blocks, role};

/// A scripted model on loopback. Dropping it ends it.
pub struct ModelEndpoint {
    address: SocketAddr,
    book: Arc<Book>,
    server: AbortOnDropHandle<io::Result<()>>,
}

impl ModelEndpoint {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("loopback has a free port")
    }

    /// Listens on `port` of loopback; 0 takes a free one.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let book = Arc::new(Book::default());
        let router = http::router(Arc::clone(&book));
        let server =
            AbortOnDropHandle::new(tokio::spawn(async { axum::serve(listener, router).await }));
        Ok(Self {
            address,
            book,
            server,
        })
    }

    /// The base URL that an agent is given.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The body of every call so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Value> {
        self.book.requests().clone()
    }

    /// What the tools answered in the newest call that carries such an answer last: a denial's
    /// reason, a question's answer, a command's output. Several when they were called together.
    pub fn last_tool_results(&self) -> Vec<String> {
        let requests = self.book.requests();
        let newest = requests
            .iter()
            .rev()
            .map(newest_results)
            .find(|results| !results.is_empty());
        newest.unwrap_or_default()
    }

    /// Whether any call so far held `text` in its messages.
    pub fn saw_text(&self, text: &str) -> bool {
        self.book.requests().iter().any(|request| {
            let mut seen = false;
            json::each_text(&request["messages"], &mut |found| {
                seen |= found.contains(text)
            });
            seen
        })
    }

    /// Breaks the stream that has come to its `cut` or `cutafter`, now that the agent has been seen to
    /// have read it so far. Without this it breaks by itself after two seconds.
    pub fn break_stream(&self) {
        self.book.break_stream();
    }

    /// Runs until the server ends by itself, which it does only when something is broken.
    pub async fn serve(self) -> io::Result<()> {
        self.server.await.map_err(io::Error::other)?
    }
}

/// The tool results after the last thing that the model said.
fn newest_results(request: &Value) -> Vec<String> {
    let messages = json::array(&request["messages"]);
    let spoken = messages
        .iter()
        .rposition(|message| role(message) == "assistant");
    let since = &messages[spoken.map_or(0, |position| position + 1)..];
    let results = since
        .iter()
        .flat_map(blocks)
        .filter(|block| block["type"] == "tool_result");
    results
        .map(|block| json::flat_text(&block["content"]))
        .collect()
}
