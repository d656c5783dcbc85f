//! A nats-server that stands alone and is killed: what it kept in memory is made again.

use nats::event::BlockKind;
use nats::live::{Delta, Live};
use nats::record::Presence;
use nats::stream::Bucket;
use testkit::wait;

use crate::support::{BOUND, Fleet, Tab, running};

#[tokio::test]
async fn buckets_in_memory_are_made_again_after_every_restart_so_hosts_are_heard_and_text_flows() {
    let mut fleet = Fleet::start().await;
    let (_coordinator, ada, host, session) = running(&fleet).await;
    for round in 0..2_u64 {
        fleet.nats.kill();
        fleet.nats.restart().await;
        // A runner beats on; the server has forgotten every earlier beat.
        let beats = host.client.records::<Presence>(Bucket::Presence);
        wait::until("the bucket of heartbeats", BOUND, async || {
            beats.get("nobody").await.map_err(|error| error.to_string())
        })
        .await;
        let before = ada.get("/api/hosts").await["items"][0]["heard_at"].clone();
        host.beat().await;
        ada.wait_for("/api/hosts", "a new heartbeat", |hosts| {
            let row = &hosts["items"][0];
            row["state"] == "online" && row["heard_at"] != before
        })
        .await;
        let delta = Live::Delta(Delta {
            turn: None,
            message: format!("msg {round}"),
            block: 0,
            kind: BlockKind::Text,
            offset: 0,
            text: "Hello".to_owned(),
        });
        let mut tab = Tab::open(&ada).await;
        tab.subscribe(session, None).await;
        // Said until it is heard: the coordinator's own connection may come back a moment later.
        let heard = async {
            loop {
                let frame = tab.next_of("live").await;
                if frame["live"][0]["data"]["message"] == format!("msg {round}") {
                    return;
                }
            }
        };
        let mut heard = std::pin::pin!(heard);
        let mut again = tokio::time::interval(std::time::Duration::from_millis(200));
        tokio::time::timeout(BOUND, async {
            loop {
                tokio::select! {
                    () = &mut heard => return,
                    _ = again.tick() => host.say_live(session, delta.clone()).await,
                }
            }
        })
        .await
        .expect("live text");
    }
}
