//! Ten thousand events behind: no hole and no double, for a tab and for a stream, that come back or are new.

use nats::ids::SessionId;
use serde_json::{Value, json};

use crate::support::{Fleet, Person, Stream, Tab, running, said, seqs, wait_for_seq};

const EVENTS: u64 = 10_400;
/// Where the one was who went away.
const LEFT_AT: u64 = 150;

/// Pages back from `before` as a page does, until `first` is there.
async fn page_back(person: &Person, session: SessionId, before: u64, first: u64) -> Vec<u64> {
    let mut held: Vec<u64> = Vec::new();
    let mut before = before;
    while before > first {
        let path = format!("/api/sessions/{session}/events?before={before}&limit=300");
        let page = person.get(&path).await;
        let mut older = seqs(&page["items"]);
        assert!(!older.is_empty(), "nothing before {before}");
        before = older[0];
        assert_eq!(page["next"].is_null(), before == 1);
        older.extend(held);
        held = older;
    }
    held
}

#[tokio::test]
async fn a_tab_and_a_stream_that_are_ten_thousand_events_behind_miss_none_and_get_none_twice() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let mut leaves = Tab::open(&ada).await;
    leaves.subscribe(session, None).await;
    host.tell_many(
        session,
        (0..LEFT_AT).map(|n| said(&n.to_string())).collect(),
    )
    .await;
    assert_eq!(
        leaves.read_to(LEFT_AT).await,
        (1..=LEFT_AT).collect::<Vec<_>>()
    );
    drop(leaves);
    let events = (LEFT_AT..EVENTS).map(|n| said(&n.to_string())).collect();
    host.tell_many(session, events).await;
    wait_for_seq(&ada, session, EVENTS).await;

    // A tab, back with its cursor and new: a tail it starts anew with, what is older by pages, what is new after it.
    for after in [Some(LEFT_AT), None] {
        let mut tab = Tab::open(&ada).await;
        let subscribed = tab.subscribe(session, after).await;
        let tail = seqs(&subscribed["tail"]);
        let from = EVENTS - 199;
        assert_eq!(tail, (from..=EVENTS).collect::<Vec<_>>());
        assert_eq!(
            [&subscribed["from"], &subscribed["to"], &subscribed["reset"]],
            [&json!(from), &json!(EVENTS), &json!(true)]
        );
        let older = page_back(&ada, session, from, 1).await;
        assert_eq!(older, (1..from).collect::<Vec<_>>());
    }

    // A stream with its cursor gets each of them; a new one gets the tail.
    let mut back = Stream::open(&ada, session, None, Some(LEFT_AT)).await;
    let mut fresh = Stream::open(&ada, session, None, None).await;
    let begins: Value = fresh.next().await.data;
    assert_eq!(begins["from"], EVENTS - 199);
    // It was behind while more came.
    let mut tab = Tab::open(&ada).await;
    tab.subscribe(session, Some(LEFT_AT)).await;
    host.tell(session, (0..50).map(|n| said(&n.to_string())))
        .await;
    let last = EVENTS + 50;
    assert_eq!(
        back.seqs_to(last).await,
        (LEFT_AT + 1..=last).collect::<Vec<_>>()
    );
    assert_eq!(
        fresh.seqs_to(last).await,
        (EVENTS - 199..=last).collect::<Vec<_>>()
    );
    assert_eq!(
        tab.read_to(last).await,
        (EVENTS + 1..=last).collect::<Vec<_>>()
    );
}
