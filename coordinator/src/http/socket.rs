//! The one WebSocket of a tab: it says what it watches, and gets a tail and then everything that is new.

mod moment;

use std::collections::HashMap;
use std::ops::ControlFlow;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use futures::SinkExt as _;
use nats::ids::SessionId;
use nats::pace::{Gather, Pace};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::app::App;
use super::body::unknown_session;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{SocketDown, SocketUp};
use crate::auth::Token;
use crate::ingest::status;
use crate::live::{Frame, Watcher, events_frame, to_text};

/// A tab hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A tab that has not answered this many of them is gone.
const HEARTBEATS_MISSED: u32 = 3;
/// How long one frame may take to leave. A tab that slow comes back with its cursor.
const SEND_BOUND: Duration = Duration::from_secs(15);
const UP_BYTES_MAX: usize = 64 * 1024;
/// Cleared before every look for something to read, which is one for each frame that leaves. What a tab says is short;
/// with the library's 128 KB a sixth of a busy coordinator's time went into that.
const READ_BYTES: usize = 4 * 1024;
const WATCHED_MAX: usize = 64;

mod close {
    pub const POLICY: u16 = 1008;
    pub const RESTART: u16 = 1012;
    pub const TRY_AGAIN: u16 = 1013;
}

/// Opens the socket. The frames are `SocketUp` and `SocketDown` of the generated types.
#[utoipa::path(get, path = "/api/socket", tag = "sessions", responses(
    (status = 101, description = "One JSON frame a message"), (status = "default", body = crate::api::ErrorBody)))]
pub async fn open(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", "This address speaks WebSocket.")
            .hint("For one session without WebSocket: GET /api/sessions/{id}/events with Accept: text/event-stream.")
    })?;
    let upgrade = upgrade
        .max_message_size(UP_BYTES_MAX)
        .read_buffer_size(READ_BYTES);
    let tasks = app.tasks.clone();
    Ok(upgrade
        .on_upgrade(move |socket| tasks.track_future(Tab::new(socket, app, caller.token).serve())))
}

struct Tab {
    socket: WebSocket,
    app: App,
    token: Token,
    watcher: Watcher,
    /// The last seq that was sent of each session that is watched.
    cursors: HashMap<SessionId, u64>,
    heard: Instant,
    /// Of live text, which may wait in the socket's buffer for what is about to follow.
    pace: Pace,
}

/// Whether to go on, or with which words to end.
type Flow = ControlFlow<Option<(u16, &'static str)>>;

impl Tab {
    fn new(socket: WebSocket, app: App, token: Token) -> Self {
        let watcher = app.hub.watcher();
        Self {
            socket,
            app,
            token,
            watcher,
            cursors: HashMap::new(),
            heard: Instant::now(),
            pace: Pace::new(Gather::FOR_A_READER),
        }
    }

    async fn serve(mut self) {
        let hello = SocketDown::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat_ms: HEARTBEAT.as_millis() as u64,
            status: status(*self.app.gauges.progress.borrow()),
        };
        let mut flow = self.send(to_text(&hello)).await;
        let mut beat = interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        while flow.is_continue() {
            let due = self.pace.due();
            flow = tokio::select! {
                () = self.app.shutdown.cancelled() => Flow::Break(Some((close::RESTART, "the coordinator restarts"))),
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) | None => Flow::Break(None),
                },
                frame = self.watcher.next() => match frame {
                    Some(frame) => self.forward(&frame).await,
                    None => Flow::Break(Some((close::TRY_AGAIN, "this tab does not keep up; it may come back with its cursor"))),
                },
                () = at(due) => self.flush().await,
                _ = beat.tick() => self.beat().await,
            };
        }
        if let Flow::Break(Some((code, reason))) = flow {
            self.end(code, reason).await;
        }
    }

    async fn hear(&mut self, message: Message) -> Flow {
        self.heard = Instant::now();
        match message {
            Message::Text(text) => match serde_json::from_str::<SocketUp>(&text) {
                Ok(up) => self.act(up).await,
                Err(error) => {
                    let refused =
                        ApiError::invalid(format!("This frame is not known here: {error}."));
                    self.refuse(None, refused).await
                }
            },
            Message::Binary(_) => {
                self.refuse(None, ApiError::invalid("Frames are text."))
                    .await
            }
            Message::Ping(_) | Message::Pong(_) => Flow::Continue(()),
            Message::Close(_) => Flow::Break(None),
        }
    }

    async fn act(&mut self, up: SocketUp) -> Flow {
        match up {
            SocketUp::Subscribe { session, after } => match self.subscribe(session, after).await {
                Ok(flow) => flow,
                Err(error) => {
                    self.unsubscribe(session);
                    self.refuse(Some(session), error).await
                }
            },
            SocketUp::Unsubscribe { session } => {
                self.unsubscribe(session);
                Flow::Continue(())
            }
            SocketUp::SubscribeFleet => match self.subscribe_fleet().await {
                Ok(flow) => flow,
                Err(error) => self.refuse(None, error).await,
            },
            SocketUp::UnsubscribeFleet => {
                self.watcher.unwatch_fleet();
                Flow::Continue(())
            }
            SocketUp::Ping => self.send(to_text(&SocketDown::Pong)).await,
        }
    }

    /// Registers first and reads then: what is new in between waits in the queue and is cut at the cursor.
    async fn subscribe(
        &mut self,
        session: SessionId,
        after: Option<u64>,
    ) -> Result<Flow, ApiError> {
        if self.cursors.len() >= WATCHED_MAX && !self.cursors.contains_key(&session) {
            return Err(ApiError::conflict(
                "too_many_sessions",
                "A tab watches at most 64 sessions.",
            )
            .hint("Unsubscribe from some."));
        }
        self.watcher.watch(session);
        let tail = self
            .app
            .find(move |connection| moment::tail(connection, session, after))
            .await?
            .ok_or_else(|| unknown_session(&session))?;
        let to = tail
            .events
            .last()
            .unwrap_or_else(|| after.unwrap_or(0).max(tail.session.last_seq()));
        let from = tail.events.first().unwrap_or(to + 1);
        self.cursors.insert(session, to);
        let subscribed = SocketDown::Subscribed {
            session,
            row: Box::new(self.app.show.session(&tail.session)),
            from,
            to,
            reset: tail.reset,
            live: self.app.written.snapshots(session),
            gates: tail
                .gates
                .iter()
                .filter_map(|gate| self.app.show.gate(gate))
                .collect(),
            tail: tail.events.into_rows(),
        };
        Ok(self.send(to_text(&subscribed)).await)
    }

    fn unsubscribe(&mut self, session: SessionId) {
        self.watcher.unwatch(session);
        self.cursors.remove(&session);
    }

    async fn subscribe_fleet(&mut self) -> Result<Flow, ApiError> {
        self.watcher.watch_fleet();
        let (sessions, gates) = self.app.reader.read(moment::fleet).await?;
        let snapshot = SocketDown::Fleet {
            snapshot: true,
            sessions: sessions
                .iter()
                .map(|stored| self.app.show.session(stored))
                .collect(),
            gates: gates
                .iter()
                .filter_map(|stored| self.app.show.gate(stored))
                .collect(),
            hosts: self.app.show.hosts().view().rows(),
        };
        Ok(self.send(to_text(&snapshot)).await)
    }

    async fn forward(&mut self, frame: &Frame) -> Flow {
        let text = match frame {
            Frame::Events(batch) => {
                let Some(cursor) = self.cursors.get_mut(&batch.session) else {
                    return Flow::Continue(());
                };
                let news = batch.after(*cursor);
                let Some((last, _)) = news.last() else {
                    return Flow::Continue(());
                };
                *cursor = *last;
                if news.len() == batch.rows.len() {
                    batch.text()
                } else {
                    to_text(&events_frame(batch.session, news))
                }
            }
            Frame::Live(batch) if self.cursors.contains_key(&batch.session) => {
                return self.send_gathered(batch.text()).await;
            }
            Frame::Live(_) => return Flow::Continue(()),
            Frame::Fleet(change) => change.text(),
            Frame::Status(status) => to_text(&SocketDown::Status { status: *status }),
        };
        self.send(text).await
    }

    /// Says that we live, asks whether the tab does, and whether it still may listen.
    async fn beat(&mut self) -> Flow {
        if self.heard.elapsed() > HEARTBEAT * HEARTBEATS_MISSED {
            return Flow::Break(Some((
                close::TRY_AGAIN,
                "this tab has not answered for a while",
            )));
        }
        if !self.app.people.still_valid(&self.token).await {
            return Flow::Break(Some((close::POLICY, "you are signed out")));
        }
        // A browser answers a ping by itself; its page sees only the text.
        if self
            .deliver(Message::Ping(bytes::Bytes::new()))
            .await
            .is_break()
        {
            return Flow::Break(None);
        }
        self.send(to_text(&SocketDown::Pong)).await
    }

    async fn refuse(&mut self, session: Option<SessionId>, error: ApiError) -> Flow {
        let frame = SocketDown::Error {
            session,
            error: error.detail(),
        };
        self.send(to_text(&frame)).await
    }

    async fn send(&mut self, text: Utf8Bytes) -> Flow {
        self.deliver(Message::Text(text)).await
    }

    /// Sends with what is about to follow, when much follows: each write wakes both ends, whatever is in it.
    async fn send_gathered(&mut self, text: Utf8Bytes) -> Flow {
        if self.pace.came(Instant::now()) {
            return self.send(text).await;
        }
        within_bound(self.socket.feed(Message::Text(text))).await
    }

    async fn deliver(&mut self, message: Message) -> Flow {
        self.pace.sent(Instant::now());
        within_bound(self.socket.send(message)).await
    }

    async fn flush(&mut self) -> Flow {
        self.pace.sent(Instant::now());
        within_bound(self.socket.flush()).await
    }

    async fn end(&mut self, code: u16, reason: &'static str) {
        let closing = SocketDown::Closing {
            reason: reason.to_owned(),
        };
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        if self.send(to_text(&closing)).await.is_continue() {
            let _ = self.deliver(Message::Close(Some(frame))).await;
        }
    }
}

/// Breaks when nothing more can be said to the tab.
async fn within_bound(sending: impl Future<Output = Result<(), axum::Error>>) -> Flow {
    match timeout(SEND_BOUND, sending).await {
        Ok(Ok(())) => Flow::Continue(()),
        Ok(Err(_)) | Err(_) => Flow::Break(None),
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
