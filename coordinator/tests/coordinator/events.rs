//! A session's log by pages and as a stream.

use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{BOUND, Fleet, running, said, seqs, wait_for_seq};

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
