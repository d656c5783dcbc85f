//! A session's log on its way to those who watch: no hole, no double, from wherever they begin.

use futures::{SinkExt as _, StreamExt as _};
use nats::event::{BlockKind, Event, MessageAssistant, State};
use nats::ids::{GateId, SessionId};
use nats::live::Delta;
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{BOUND, Fleet, Host, Person, gate_opened, said, state};

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
    async fn subscribe(&mut self, session: SessionId, after: Option<u64>) -> Value {
        self.say(json!({"type": "subscribe", "session": session, "after": after}))
            .await;
        self.next_of("subscribed").await
    }

    /// Reads events until `last`, and says which came.
    async fn read_to(&mut self, last: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            seen.extend(seqs(&self.next_of("events").await["events"]));
        }
        seen
    }
}

fn seqs(rows: &Value) -> Vec<u64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect()
}

async fn running(fleet: &Fleet) -> (crate::support::Coordinator, Person, Host, SessionId) {
    let coordinator = fleet.coordinator("a").await;
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    (coordinator, ada, host, session)
}

async fn wait_for_seq(person: &Person, session: SessionId, seq: u64) {
    let path = format!("/api/sessions/{session}");
    person
        .wait_for(&path, "the events", |row| row["last_seq"] == seq)
        .await;
}

#[tokio::test]
async fn pages_of_events_go_both_ways_and_limits_are_clamped() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..30).map(|n| said(&n.to_string())))
        .await;
    wait_for_seq(&ada, session, 30).await;
    let events = |query: &str| {
        let path = format!("/api/sessions/{session}/events?{query}");
        let ada = ada.clone();
        async move { ada.get(&path).await }
    };
    let page = events("after=0&limit=10").await;
    assert_eq!(seqs(&page["items"]), (1..=10).collect::<Vec<_>>());
    assert_eq!(page["next"], "10");
    let page = events("after=25").await;
    assert_eq!(
        (seqs(&page["items"]), &page["next"]),
        ((26..=30).collect(), &Value::Null)
    );
    let page = events("before=11&limit=4").await;
    assert_eq!(
        (seqs(&page["items"]), &page["next"]),
        ((7..=10).collect(), &json!("7"))
    );
    let page = events("before=3").await;
    assert_eq!(
        (seqs(&page["items"]), &page["next"]),
        ((1..=2).collect(), &Value::Null)
    );
    for odd in ["limit=0&after=29", "limit=99999999&after=29", "after=29"] {
        assert_eq!(seqs(&events(odd).await["items"]), [30], "{odd}");
    }
    for beyond in ["after=30", "after=18446744073709551615"] {
        assert_eq!(events(beyond).await["items"], json!([]), "{beyond}");
    }
}

#[tokio::test]
async fn a_tab_that_subscribes_while_events_pour_in_gets_each_of_them_once() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..50).map(|n| said(&n.to_string())))
        .await;
    let writing = tokio::spawn(async move {
        for n in 50..400 {
            host.tell(session, [said(&n.to_string())]).await;
        }
        host
    });
    let mut readers = Vec::new();
    for after in [None, Some(0), Some(40)] {
        let ada = ada.clone();
        readers.push(tokio::spawn(async move {
            let mut tab = Tab::open(&ada).await;
            assert_eq!(tab.next().await["type"], "hello");
            let subscribed = tab.subscribe(session, after).await;
            let mut seen = seqs(&subscribed["tail"]);
            let (from, to) = (
                subscribed["from"].as_u64().unwrap(),
                subscribed["to"].as_u64().unwrap(),
            );
            assert_eq!(seen.first().copied().unwrap_or(to + 1), from);
            if let Some(after) = after {
                assert_eq!((from, &subscribed["reset"]), (after + 1, &json!(false)));
            }
            if to < 400 {
                seen.extend(tab.read_to(400).await);
            }
            assert_eq!(seen, (from..=400).collect::<Vec<_>>());
        }));
    }
    for reader in readers {
        reader.await.unwrap();
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn a_tab_without_a_cursor_or_too_far_behind_gets_the_tail_and_pages_back() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..1200).map(|n| said(&n.to_string())))
        .await;
    wait_for_seq(&ada, session, 1200).await;
    let mut tab = Tab::open(&ada).await;
    for after in [None, Some(3)] {
        let subscribed = tab.subscribe(session, after).await;
        assert_eq!(
            (&subscribed["from"], &subscribed["to"], &subscribed["reset"]),
            (&json!(1001), &json!(1200), &json!(true))
        );
        assert_eq!(subscribed["tail"].as_array().unwrap().len(), 200);
    }
    let caught_up = tab.subscribe(session, Some(1200)).await;
    assert_eq!(
        (
            &caught_up["tail"],
            &caught_up["from"],
            &caught_up["to"],
            &caught_up["reset"]
        ),
        (&json!([]), &json!(1201), &json!(1200), &json!(false))
    );
    host.tell(session, [said("more")]).await;
    assert_eq!(tab.read_to(1201).await, [1201]);
}

#[tokio::test]
async fn a_late_tab_sees_the_block_that_is_being_written_from_its_beginning() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.open(session).await;
    let delta = |offset: u64, text: &str| {
        nats::live::Live::Delta(Delta {
            turn: None,
            message: "msg".to_owned(),
            block: 0,
            kind: BlockKind::Text,
            offset,
            text: text.to_owned(),
        })
    };
    let mut early = Tab::open(&ada).await;
    early.subscribe(session, None).await;
    host.say_live(session, delta(0, "Hello")).await;
    host.say_live(session, delta(5, ", wor")).await;
    assert_eq!(
        early.next_of("live").await["live"][0]["data"]["text"],
        "Hello"
    );
    assert_eq!(
        early.next_of("live").await["live"][0]["data"]["text"],
        ", wor"
    );

    let mut late = Tab::open(&ada).await;
    let subscribed = late.subscribe(session, None).await;
    assert_eq!(subscribed["live"][0]["type"], "snapshot");
    assert_eq!(subscribed["live"][0]["data"]["text"], "Hello, wor");
    host.say_live(session, delta(10, "ld")).await;
    assert_eq!(late.next_of("live").await["live"][0]["data"]["offset"], 10);

    let whole = MessageAssistant {
        turn: None,
        message: "msg".to_owned(),
        block: 0,
        kind: BlockKind::Text,
        text: "Hello, world".to_owned(),
        parent: None,
    };
    host.tell(session, [Event::from(whole)]).await;
    late.next_of("events").await;
    let mut last = Tab::open(&ada).await;
    assert_eq!(last.subscribe(session, None).await["live"], json!([]));
}

#[tokio::test]
async fn the_lists_of_a_tab_follow_sessions_gates_and_hosts() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let mut tab = Tab::open(&ada).await;
    tab.say(json!({"type": "subscribe_fleet"})).await;
    let snapshot = tab.next_of("fleet").await;
    assert_eq!(
        (&snapshot["snapshot"], &snapshot["sessions"][0]["id"]),
        (&json!(true), &json!(session))
    );
    assert_eq!(snapshot["hosts"][0]["host"], "vps-1");

    let gate = GateId::new();
    host.open(session).await;
    host.tell(session, [gate_opened(gate), state(State::Waiting)])
        .await;
    let mut row = Value::Null;
    while row["state"] != "waiting" {
        let change = tab.next_of("fleet").await;
        assert_eq!(change["snapshot"], false);
        row = change["sessions"][0].clone();
    }
    assert_eq!(
        (&row["pending_gates"], &row["oldest_gate"]),
        (&json!(1), &json!(gate))
    );
    assert!(row["waiting_since"].is_string());
    let (status, _) = ada
        .post(
            &format!("/api/gates/{gate}/decision"),
            json!({"decision": "allow"}),
        )
        .await;
    assert_eq!(status, 200);
    let mut decided = Value::Null;
    while decided["state"] != "decided" {
        decided = tab.next_of("fleet").await["gates"][0].clone();
    }
    assert_eq!(decided["id"], json!(gate));
}

#[tokio::test]
async fn a_frame_that_makes_no_sense_is_answered_and_the_tab_goes_on() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, _host, session) = running(&fleet).await;
    let mut tab = Tab::open(&ada).await;
    for odd in [
        json!({"type": "dance"}),
        json!([]),
        json!({"type": "subscribe"}),
    ] {
        tab.say(odd.clone()).await;
        assert_eq!(
            tab.next_of("error").await["error"]["code"],
            "invalid_body",
            "{odd}"
        );
    }
    let nowhere = SessionId::new();
    tab.say(json!({"type": "subscribe", "session": nowhere}))
        .await;
    let error = tab.next_of("error").await;
    assert_eq!(
        (&error["error"]["code"], &error["session"]),
        (&json!("unknown_session"), &json!(nowhere))
    );
    tab.say(json!({"type": "ping"})).await;
    tab.next_of("pong").await;
    assert_eq!(
        tab.subscribe(session, None).await["session"],
        json!(session)
    );
}

#[tokio::test]
async fn a_stream_replays_and_goes_on_live_and_resumes_after_the_last_id() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..5).map(|n| said(&n.to_string())))
        .await;
    wait_for_seq(&ada, session, 5).await;
    let open = |last: Option<&str>| {
        let mut request = ada
            .http
            .request(
                Method::GET,
                format!("{}/api/sessions/{session}/events?after=1", ada.url),
            )
            .bearer_auth(ada.token.as_ref().unwrap())
            .header(header::ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_owned());
        }
        request.send()
    };
    let mut lines = Lines::new(open(None).await.unwrap());
    assert_eq!(lines.ids(4).await, ["2", "3", "4", "5"]);
    host.tell(session, (5..8).map(|n| said(&n.to_string())))
        .await;
    assert_eq!(lines.ids(3).await, ["6", "7", "8"]);
    let mut resumed = Lines::new(open(Some("7")).await.unwrap());
    assert_eq!(resumed.ids(1).await, ["8"]);
}

/// The lines of a stream of events.
struct Lines {
    response: reqwest::Response,
    rest: String,
}

impl Lines {
    fn new(response: reqwest::Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            rest: String::new(),
        }
    }

    /// The next ids.
    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.rest = rest;
                if let Some(id) = line.strip_prefix("id: ") {
                    ids.push(id.to_owned());
                }
                if ids.len() == count {
                    return ids;
                }
            }
            let chunk = timeout(BOUND, self.response.chunk())
                .await
                .expect("more in time")
                .unwrap()
                .expect("an open stream");
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        ids
    }
}
