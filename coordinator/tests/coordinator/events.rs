//! A session's log by pages and as a stream.

use serde_json::{Value, json};

use crate::support::{Fleet, Stream, running, said, seqs, wait_for_seq};

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
    let mut stream = Stream::open(&ada, session, Some(1), None).await;
    assert_eq!(stream.seqs_to(5).await, [2, 3, 4, 5]);
    host.tell(session, (5..8).map(|n| said(&n.to_string())))
        .await;
    assert_eq!(stream.seqs_to(8).await, [6, 7, 8]);
    let mut resumed = Stream::open(&ada, session, Some(1), Some(7)).await;
    assert_eq!(resumed.seqs_to(8).await, [8]);
}

#[tokio::test]
async fn a_stream_without_a_cursor_begins_with_the_tail_and_says_where_it_begins() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let mut fresh = Stream::open(&ada, session, None, None).await;
    let begins = fresh.next().await;
    assert_eq!(
        (begins.event.as_str(), begins.data),
        (
            "subscribed",
            json!({"session": session, "from": 1, "to": 0})
        )
    );
    host.tell_many(session, (0..450).map(|n| said(&n.to_string())).collect())
        .await;
    // It was there from the beginning, so it misses nothing.
    assert_eq!(fresh.seqs_to(450).await, (1..=450).collect::<Vec<_>>());
    let mut late = Stream::open(&ada, session, None, None).await;
    let begins = late.next().await;
    assert_eq!(
        begins.data,
        json!({"session": session, "from": 251, "to": 450})
    );
    assert_eq!(late.seqs_to(450).await, (251..=450).collect::<Vec<_>>());
    host.tell(session, [said("more")]).await;
    assert_eq!(late.seqs_to(451).await, [451]);
    let mut whole = Stream::open(&ada, session, Some(0), None).await;
    assert_eq!(whole.seqs_to(451).await, (1..=451).collect::<Vec<_>>());
}
