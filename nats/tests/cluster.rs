//! The typed client on a cluster of three real nats-servers. Contracts pinned here: what was made for a lone server gets
//! its copies, consumers included; and commands, events, records and followers go on when the node that leads them dies.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use nats::client::{From, Options};
use nats::command::{Order, TurnInterrupt};
use nats::ids::{CommandId, HostName, SessionId};
use nats::seal::{CommandKey, Commanders};
use nats::stream::{self, Bucket};
use nats::{Client, Timestamp, Wire};
use testkit::nats_server::NatsCluster;
use testkit::wait;

/// Another leader is there within ten seconds, on a machine that has time for it.
const BOUND: Duration = Duration::from_secs(90);

async fn connect(cluster: &NatsCluster) -> (Client, jetstream::Context) {
    let options = Options {
        url: cluster.urls().join(","),
        credentials: None,
        name: "test".into(),
        inbox_prefix: "_INBOX_test".into(),
    };
    let client = Client::connect(options).await.unwrap();
    let plain = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .connect(cluster.urls())
        .await
        .unwrap();
    let jetstream = jetstream::new(plain);
    cluster.settled(&jetstream).await;
    (client, jetstream)
}

async fn ensure(client: &Client, host: &HostName, replicas: usize) {
    wait::until("streams and buckets", BOUND, async || {
        client
            .ensure(replicas)
            .await
            .map_err(|error| error.to_string())?;
        client
            .ensure_host(host, replicas)
            .await
            .map_err(|error| error.to_string())
    })
    .await;
}

fn order(host: &HostName) -> Order {
    Order {
        v: 1,
        id: CommandId::new(),
        session: SessionId::new(),
        host: host.clone(),
        epoch: 1,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(TurnInterrupt {}.into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_made_of_all_that_was_alone_and_the_loss_of_a_leader_loses_nothing() {
    let mut cluster = NatsCluster::start("").await;
    let (client, jetstream) = connect(&cluster).await;
    let host: HostName = "vps-1".parse().unwrap();
    ensure(&client, &host, 1).await;
    ensure(&client, &host, 3).await;
    let consumer: jetstream::consumer::Consumer<pull::Config> = jetstream
        .get_consumer_from_stream(host.as_str(), stream::COMMANDS)
        .await
        .unwrap();
    assert_eq!(consumer.cached_info().config.num_replicas, 3);
    let objects = format!("OBJ_{}", stream::object_bucket(&host));
    let presence = Bucket::Presence.stream();
    for name in [stream::EVENTS, stream::COMMANDS, &objects, &presence] {
        cluster.whole(&jetstream, name).await;
    }

    let key = CommandKey::generate();
    let commanders: Commanders = [key.public().clone()].into_iter().collect();
    let mut feed = client.commands(&host);
    let mut follower = client.follow(Bucket::Hosts.stream(), "$KV.hosts.>", From::Sequence(1));
    let records = client.records::<String>(Bucket::Hosts);
    records.create("vps-1", &"before".to_owned()).await.unwrap();
    let mut told = async |expected: &str| {
        let followed = tokio::time::timeout(BOUND, follower.recv()).await;
        let written: String = serde_json::from_slice(&followed.unwrap().unwrap().payload).unwrap();
        assert_eq!(written, expected);
    };
    told("before").await;
    for round in ["first", "second"] {
        // Something has been delivered, so everybody listens when the leader dies.
        let before = order(&host);
        let deliver = async |order: &Order| {
            wait::until("the command to be stored", BOUND, async || {
                let sent = client.send_command(&key, order).await;
                sent.map_err(|error| error.to_string())
            })
            .await
        };
        deliver(&before).await;
        let next = async |feed: &mut nats::client::CommandFeed, id| {
            wait::until("the command", BOUND, async || {
                let delivery = feed.next().await.map_err(|error| error.to_string())?;
                delivery
                    .acknowledge()
                    .await
                    .map_err(|error| error.to_string())?;
                let found = delivery.order(&commanders).unwrap().id;
                // One whose acknowledgement died with its leader comes again.
                if found == id {
                    Ok(())
                } else {
                    Err(found.to_string())
                }
            })
            .await;
        };
        next(&mut feed, before.id).await;
        let node = cluster.leader_of(&jetstream, stream::COMMANDS).await;
        cluster.kill(node);
        let after = order(&host);
        deliver(&after).await;
        next(&mut feed, after.id).await;
        wait::until("the record to be changed", BOUND, async || {
            let entry = records
                .get("vps-1")
                .await
                .map_err(|error| error.to_string())?;
            let entry = entry.ok_or("it is gone")?;
            if entry.value == round {
                return Ok(());
            }
            // What is read may be a moment old, and is then refused.
            let written = records
                .update("vps-1", &round.to_owned(), entry.revision)
                .await;
            written.map(|_| ()).map_err(|error| error.to_string())
        })
        .await;
        cluster.restart(node).await;
        for name in [stream::COMMANDS, &Bucket::Hosts.stream()] {
            cluster.whole(&jetstream, name).await;
        }
        told(round).await;
    }
}
