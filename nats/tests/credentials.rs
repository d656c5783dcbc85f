//! What each credential can and cannot do, on a real nats-server that holds to them.
//!
//! - a runner does all of its work with its own credential: events, batches, commands, keys, objects;
//! - it can do nothing in the name of another host, read nothing of others and delete nothing;
//! - the observer reads `fleet.>` and says nothing;
//! - whoever has no key of this fleet does not get in.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a broken surrounding is a failure, and the helpers are part of the test"
)]

use std::path::Path;
use std::time::Duration;

use async_nats::{ConnectOptions, Event};
use bytes::Bytes;
use futures::StreamExt as _;
use nats::Wire;
use nats::client::{Client, EventRow, Options};
use nats::command::{Order, SessionStop};
use nats::credentials::{Credentials, CredsFile, HostAuthority, HostKey, permissions};
use nats::ids::{CommandId, HostName, SessionId};
use nats::renewal::{Refused, RenewalAnswer};
use nats::seal::{CommandKey, Commanders};
use nats::stream::Bucket;
use nats::{Timestamp, server};
use nkeys::KeyPair;
use serde_json::{Value, json};
use testkit::nats_server::NatsServer;
use tokio::sync::mpsc;

const BOUND: Duration = Duration::from_secs(10);

/// One server with the streams, keys and buckets of two hosts, and the credentials of all.
struct Fleet {
    server: NatsServer,
    credentials: Credentials,
    coordinator: Client,
    folder: tempfile::TempDir,
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

impl Fleet {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let credentials = Credentials::create(&folder.path().join("keys")).unwrap();
        let server = NatsServer::start_with(&format!(
            "{}{}",
            server::jetstream(&folder.path().join("store")),
            server::trust(credentials.trust())
        ))
        .await;
        let creds = credentials.coordinator().unwrap();
        let coordinator = connect(&server, &creds, permissions::COORDINATOR_INBOX).await;
        coordinator.ensure(1).await.unwrap();
        for name in ["h1", "h2"] {
            coordinator.ensure_host(&host(name), 1).await.unwrap();
        }
        Self {
            server,
            credentials,
            coordinator,
            folder,
        }
    }

    /// A runner as the product connects it.
    async fn runner(&self, name: &str) -> Client {
        let host = host(name);
        let creds = self.credentials.runner(&host).unwrap();
        connect(&self.server, &creds, &permissions::inbox_prefix(&host)).await
    }

    /// Somebody with a runner's credential and a plain client, who tries what the product never would.
    async fn intruder(&self, name: &str) -> Intruder {
        let host = host(name);
        let creds = self.credentials.runner(&host).unwrap();
        Intruder::connect(&self.server, &creds, &permissions::inbox_prefix(&host)).await
    }

    /// What is in a stream, asked with the rights of a coordinator.
    async fn messages(&self, stream: &str) -> u64 {
        let creds = self.credentials.coordinator().unwrap();
        let plain = ConnectOptions::with_credentials_file(creds)
            .await
            .unwrap()
            .connect(self.server.url())
            .await
            .unwrap();
        let jetstream = async_nats::jetstream::new(plain);
        let mut stream = jetstream.get_stream(stream).await.unwrap();
        stream.info().await.unwrap().state.messages
    }
}

async fn connect(server: &NatsServer, creds: &Path, inbox: &str) -> Client {
    let client = Client::connect(Options {
        url: server.url(),
        credentials: Some(creds.to_owned()),
        name: "test".to_owned(),
        inbox_prefix: inbox.to_owned(),
    })
    .await
    .unwrap();
    tokio::time::timeout(BOUND, client.connected())
        .await
        .unwrap();
    client
}

/// A plain connection, and what the server refused it.
struct Intruder {
    client: async_nats::Client,
    refusals: mpsc::UnboundedReceiver<String>,
}

impl Intruder {
    async fn connect(server: &NatsServer, creds: &Path, inbox: &str) -> Self {
        let (sender, refusals) = mpsc::unbounded_channel();
        let client = ConnectOptions::with_credentials_file(creds)
            .await
            .unwrap()
            .custom_inbox_prefix(inbox)
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    // The test may be over already.
                    let _ = sender.send(error.to_string());
                }
                std::future::ready(())
            })
            .connect(server.url())
            .await
            .unwrap();
        Self { client, refusals }
    }

    async fn may_not_publish(&mut self, subject: &str) {
        self.client
            .publish(subject.to_owned(), "{}".into())
            .await
            .unwrap();
        self.is_refused(&format!("Publish to \"{subject}\"")).await;
    }

    async fn may_not_subscribe(&mut self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused(&format!("Subscription to \"{subject}\""))
            .await;
    }

    async fn is_refused(&mut self, what: &str) {
        let refusal = tokio::time::timeout(BOUND, self.refusals.recv())
            .await
            .unwrap_or_else(|_| panic!("not refused: {what}"))
            .unwrap();
        assert!(
            refusal.to_lowercase().contains(&what.to_lowercase()),
            "expected a refusal of {what}, got: {refusal}"
        );
    }
}

/// Rows `from..=to` of one session's log, as the relay sends them.
fn rows(session: SessionId, from: u64, to: u64) -> Vec<EventRow> {
    (from..=to)
        .map(|seq| EventRow {
            epoch: 1,
            seq,
            event_type: "warning".to_owned(),
            body: Bytes::from(
                json!({
                    "v": 1, "id": nats::ids::EventId::new(), "session": session, "host": "h1", "epoch": 1,
                    "seq": seq, "at": Timestamp::now(), "type": "warning.test", "data": {},
                })
                .to_string(),
            ),
        })
        .collect()
}

#[tokio::test]
async fn a_runner_publishes_its_events_one_by_one_and_in_a_batch_and_reads_back_its_last() {
    let fleet = Fleet::start().await;
    let runner = fleet.runner("h1").await;
    let (h1, session) = (host("h1"), SessionId::new());

    let (stored, last, outcome) = runner
        .publish_events(&h1, session, 0, &rows(session, 1, 2), true)
        .await;
    assert_eq!((stored, outcome), (2, Ok(())));
    let (stored, _, outcome) = runner
        .publish_events(&h1, session, last, &rows(session, 3, 42), true)
        .await;
    assert_eq!((stored, outcome), (40, Ok(())));
    let newest = runner.last_event(&h1, session).await.unwrap().unwrap();
    assert_eq!(newest.seq, 42);
}

#[tokio::test]
async fn a_runner_takes_its_commands_and_acknowledges_them() {
    let fleet = Fleet::start().await;
    let runner = fleet.runner("h1").await;
    let order = Order {
        v: 1,
        id: CommandId::new(),
        session: SessionId::new(),
        host: host("h1"),
        epoch: 1,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(SessionStop {}.into()),
    };
    let key = CommandKey::generate();
    fleet.coordinator.send_command(&key, &order).await.unwrap();
    let commanders: Commanders = [key.public().clone()].into_iter().collect();
    let mut commands = runner.commands(&host("h1"));
    let delivery = tokio::time::timeout(BOUND, commands.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivery.order(&commanders).unwrap(), order);
    delivery.acknowledge().await.unwrap();
    assert_eq!(fleet.messages("COMMANDS").await, 0);
}

#[tokio::test]
async fn a_runner_writes_its_own_keys_and_reads_them() {
    let fleet = Fleet::start().await;
    let runner = fleet.runner("h1").await;
    let value = json!({ "host": "h1" });
    for bucket in [Bucket::Hosts, Bucket::Presence] {
        let records = runner.records::<Value>(bucket);
        if bucket == Bucket::Presence {
            records
                .put_for("h1", &value, Duration::from_secs(30))
                .await
                .unwrap();
        } else {
            records.put("h1", &value).await.unwrap();
        }
        assert_eq!(records.get("h1").await.unwrap().unwrap().value, value);
    }
}

#[tokio::test]
async fn a_runner_puts_objects_into_its_own_bucket_and_reads_them() {
    let fleet = Fleet::start().await;
    let runner = fleet.runner("h1").await;
    let content = vec![7_u8; 300_000];
    // Twice, because the second time removes the chunks of the first.
    for _ in 0..2 {
        let reference = runner
            .put_object(&host("h1"), "patch", &content)
            .await
            .unwrap();
        assert_eq!(runner.object(&reference).await.unwrap(), content);
        assert_eq!(fleet.coordinator.object(&reference).await.unwrap(), content);
    }
}

#[tokio::test]
async fn a_runner_can_do_nothing_in_the_name_of_another_host() {
    let fleet = Fleet::start().await;
    let mut intruder = fleet.intruder("h1").await;
    let session = SessionId::new();
    for subject in [
        format!("fleet.h2.{session}.event.session.opened"),
        format!("fleet.h2.{session}.live.message.delta"),
        format!("fleet.h2.{session}.command.session.stop.cmd_1"),
        // Not even to itself: a command comes from a coordinator.
        format!("fleet.h1.{session}.command.session.stop.cmd_1"),
        "audit.decision.gate_1".to_owned(),
        Bucket::Hosts.key("h2"),
        Bucket::Presence.key("h2"),
        Bucket::Sessions.key("ses_1"),
        Bucket::Users.key("usr_1"),
        Bucket::Tokens.key("hash"),
        "$O.objects-h2.C.chunk".to_owned(),
        "$JS.ACK.COMMANDS.h2.1.1.1.1.1".to_owned(),
        "$JS.ACK.hub.account.COMMANDS.h2.1.1.1.1.1".to_owned(),
    ] {
        intruder.may_not_publish(&subject).await;
    }
    for stream in ["EVENTS", "COMMANDS", "AUDIT", "KV_hosts", "KV_users"] {
        assert_eq!(fleet.messages(stream).await, 0, "{stream}");
    }
}

#[tokio::test]
async fn a_runner_can_read_nothing_of_others_and_delete_nothing() {
    let fleet = Fleet::start().await;
    let mut intruder = fleet.intruder("h1").await;
    for subject in [
        "fleet.>",
        "fleet.h1.>",
        "_INBOX.>",
        "_INBOX_coordinator.>",
        "_INBOX_host_h2.>",
        "$KV.>",
    ] {
        intruder.may_not_subscribe(subject).await;
    }
    for subject in [
        "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.h2",
        "$JS.API.CONSUMER.INFO.COMMANDS.h2",
        "$JS.API.CONSUMER.CREATE.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS.spy",
        "$JS.API.CONSUMER.CREATE.OBJ_objects-h1",
        "$JS.API.CONSUMER.DELETE.COMMANDS.h1",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS.fleet.h2.ses_1.event.>",
        "$JS.API.DIRECT.GET.KV_hosts.$KV.hosts.h2",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.STREAM.MSG.GET.OBJ_objects-h2",
        "$JS.API.STREAM.INFO.KV_hosts",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.PURGE.OBJ_objects-h2",
        "$JS.API.STREAM.MSG.DELETE.EVENTS",
        "$JS.API.STREAM.UPDATE.EVENTS",
        "$SYS.REQ.SERVER.PING",
    ] {
        intruder.may_not_publish(subject).await;
    }
}

#[tokio::test]
async fn the_observer_sees_the_fleet_and_says_nothing() {
    let fleet = Fleet::start().await;
    let creds = fleet.credentials.observer().unwrap();
    let mut observer = Intruder::connect(&fleet.server, &creds, permissions::OBSERVER_INBOX).await;
    let mut seen = observer
        .client
        .subscribe(nats::subject::EVERYTHING)
        .await
        .unwrap();
    // The first refusal also says that the subscription before it has arrived.
    for subject in [
        "fleet.h1.ses_1.event.session.opened",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "audit.login.aud_1",
        "anything",
    ] {
        observer.may_not_publish(subject).await;
    }
    for subject in ["$KV.>", "audit.>", "_INBOX_coordinator.>"] {
        observer.may_not_subscribe(subject).await;
    }

    let runner = fleet.runner("h1").await;
    let session = SessionId::new();
    let rows = rows(session, 1, 1);
    let (_, _, outcome) = runner
        .publish_events(&host("h1"), session, 0, &rows, true)
        .await;
    assert_eq!(outcome, Ok(()));
    let message = tokio::time::timeout(BOUND, seen.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(message.payload, rows[0].body);
}

#[tokio::test]
async fn a_credential_of_another_fleet_does_not_get_in() {
    let fleet = Fleet::start().await;
    let folder = tempfile::tempdir().unwrap();
    let stranger = Credentials::create(folder.path()).unwrap();
    let refused = ConnectOptions::with_credentials_file(stranger.coordinator().unwrap())
        .await
        .unwrap()
        .connect(fleet.server.url())
        .await;
    assert!(refused.is_err(), "a stranger got in");

    // The right token without its key is no better: the server makes the client sign.
    let own = std::fs::read_to_string(fleet.credentials.coordinator().unwrap()).unwrap();
    let stolen = CredsFile {
        jwt: CredsFile::parse(&own).unwrap().jwt,
        key: KeyPair::new_user(),
    };
    let refused = ConnectOptions::with_credentials(&stolen.render().unwrap())
        .unwrap()
        .connect(fleet.server.url())
        .await;
    assert!(refused.is_err(), "a copied token got in");
}

#[tokio::test]
async fn a_host_that_was_let_in_by_its_key_alone_has_the_same_rights_and_no_more() {
    let fleet = Fleet::start().await;
    let authority = HostAuthority::open(&fleet.folder.path().join("keys"))
        .unwrap()
        .unwrap();
    let key = HostKey::generate();
    let granted = authority.grant(&host("h1"), key.public()).unwrap();
    let creds = fleet.folder.path().join("h1.creds");
    std::fs::write(&creds, key.creds(&granted.jwt).unwrap()).unwrap();
    let inbox = permissions::inbox_prefix(&host("h1"));
    let runner = connect(&fleet.server, &creds, &inbox).await;
    let (h1, session) = (host("h1"), SessionId::new());
    let (stored, _, outcome) = runner
        .publish_events(&h1, session, 0, &rows(session, 1, 20), true)
        .await;
    assert_eq!((stored, outcome), (20, Ok(())));

    let mut intruder = Intruder::connect(&fleet.server, &creds, &inbox).await;
    intruder
        .may_not_publish(&format!("fleet.h2.{session}.event.warning"))
        .await;
    intruder.may_not_subscribe("_INBOX_host_h2.>").await;
    intruder.may_not_subscribe("fleet.>").await;
}

#[tokio::test]
async fn a_token_made_with_the_hosts_key_cannot_widen_what_hosts_may_do() {
    let fleet = Fleet::start().await;
    let folder = fleet.folder.path().join("keys");
    let seed = std::fs::read_to_string(folder.join("hosts.nk")).unwrap();
    let hosts = KeyPair::from_seed(seed.trim()).unwrap();
    let account = fleet.credentials.trust().accounts[1].0.clone();
    let key = KeyPair::new_user();
    let wide = json!({
        "iat": 1, "iss": hosts.public_key(), "jti": "wide", "name": "h1", "sub": key.public_key(),
        "nats": {"type": "user", "version": 2, "issuer_account": account, "subs": -1, "data": -1, "payload": -1,
            "pub": {"allow": [">"]}, "sub": {"allow": [">"]}},
    });
    let jwt = nats::credentials::jwt::sign(&wide, &hosts).unwrap();
    let creds = fleet.folder.path().join("wide.creds");
    std::fs::write(&creds, CredsFile { jwt, key }.render().unwrap()).unwrap();
    let refused = ConnectOptions::with_credentials_file(&creds)
        .await
        .unwrap()
        .connect(fleet.server.url())
        .await;
    assert!(refused.is_err(), "a token that widens itself got in");
}

/// The credentials file of a host whose token ends after so many seconds.
fn ending(fleet: &Fleet, key: &HostKey, seconds: i64) -> std::path::PathBuf {
    let authority = HostAuthority::open(&fleet.folder.path().join("keys"))
        .unwrap()
        .unwrap();
    let granted = authority
        .grant_for(&host("h1"), key.public(), seconds)
        .unwrap();
    let creds = fleet.folder.path().join("ending.creds");
    std::fs::write(&creds, key.creds(&granted.jwt).unwrap()).unwrap();
    creds
}

#[tokio::test]
async fn an_expired_token_does_not_spin_and_a_renewed_one_is_taken_from_the_file() {
    let fleet = Fleet::start().await;
    let key = HostKey::generate();
    let creds = ending(&fleet, &key, 2);
    let inbox = permissions::inbox_prefix(&host("h1"));
    let client = connect(&fleet.server, &creds, &inbox).await;
    let mut connection = client.connection();
    tokio::time::timeout(BOUND, connection.wait_for(|state| !state.up))
        .await
        .unwrap()
        .unwrap();
    let before = connection.borrow().generation;
    // Nothing to wait for: that little happens is what is looked at.
    let calm = tokio::time::timeout(
        Duration::from_secs(4),
        connection.wait_for(|state| state.generation > before + 8),
    );
    assert!(calm.await.is_err(), "it spins: {:?}", *connection.borrow());

    ending(&fleet, &key, 3600);
    let up = connection.wait_for(|state| state.up);
    tokio::time::timeout(2 * BOUND, up).await.unwrap().unwrap();
    let session = SessionId::new();
    let (.., outcome) = client
        .publish_events(&host("h1"), session, 0, &rows(session, 1, 2), true)
        .await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn a_host_asks_for_itself_alone_and_its_answer_goes_nowhere_else() {
    let fleet = Fleet::start().await;
    let mut asking = std::pin::pin!(fleet.coordinator.renewals().await.unwrap());
    let answer = RenewalAnswer {
        v: 1,
        renewed: None,
        refused: Some(Refused {
            code: "test".to_owned(),
            message: "Tried.".to_owned(),
        }),
    };
    // The deputy: what is answered would become a record of another host.
    let mut intruder = fleet.intruder("h1").await;
    for reply in [
        "$KV.hosts.h2",
        "fleet.h2.ses_1.command.session.stop.cmd_1",
        "_INBOX_host_h2.x",
    ] {
        intruder
            .client
            .publish_with_reply("credential.h1.renew", reply, "{}".into())
            .await
            .unwrap();
    }
    intruder.may_not_publish("credential.h2.renew").await;

    let runner = fleet.runner("h1").await;
    let h1 = host("h1");
    let (told, ()) = tokio::join!(runner.ask_for_renewal(&h1), async {
        // The first that is heard of is the one that asks as the product does.
        let first = tokio::time::timeout(BOUND, asking.next()).await.unwrap();
        let first = first.unwrap();
        assert_eq!(first.host, h1);
        first.answer(&answer).await.unwrap();
    });
    assert_eq!(told.unwrap(), answer);
    assert_eq!(fleet.messages("KV_hosts").await, 0);
    assert_eq!(fleet.messages("COMMANDS").await, 0);
}
