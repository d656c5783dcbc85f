//! A host that the fleet does not want any more, on a real nats-server that is told while it runs.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a broken surrounding is a failure, and the helpers are part of the test"
)]

use std::path::PathBuf;
use std::time::Duration;

use nats::client::{Client, Options};
use nats::credentials::{Credentials, FleetAccount, HostAuthority, HostKey, permissions};
use nats::ids::{HostName, UserId};
use nats::revocation::{Revocation, RevocationsRecord};
use nats::{Timestamp, server};
use testkit::nats_server::NatsServer;
use tokio::time::Instant;

const BOUND: Duration = Duration::from_secs(10);

struct Fleet {
    server: NatsServer,
    account: FleetAccount,
    hosts: HostAuthority,
    system: Client,
    folder: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let credentials = Credentials::create(&keys).unwrap();
        credentials.accounts().unwrap();
        let server = NatsServer::start_with(&server::trust_kept_in(
            &folder.path().join("told of accounts"),
            credentials.trust(),
        ))
        .await;
        let account = FleetAccount::open(&keys).unwrap().unwrap();
        let creds = account.system_credentials().to_owned();
        let system = connect(&server, creds, permissions::COORDINATOR_INBOX).await;
        Self {
            hosts: HostAuthority::open(&keys).unwrap().unwrap(),
            server,
            account,
            system,
            folder,
        }
    }

    fn creds(&self, name: &str, key: &HostKey) -> PathBuf {
        let granted = self.hosts.grant(&host(name), key.public()).unwrap();
        let path = self.folder.path().join(format!("{name}.creds"));
        std::fs::write(&path, key.creds(&granted.jwt).unwrap()).unwrap();
        path
    }

    async fn host(&self, name: &str, key: &HostKey) -> Client {
        let inbox = permissions::inbox_prefix(&host(name));
        connect(&self.server, self.creds(name, key), &inbox).await
    }

    async fn is_let_in(&self, name: &str, key: &HostKey) -> bool {
        async_nats::ConnectOptions::with_credentials_file(self.creds(name, key))
            .await
            .unwrap()
            .connect(self.server.url())
            .await
            .is_ok()
    }

    async fn told(&self) -> String {
        let account = self.account.account();
        self.system.account_token(account).await.unwrap().unwrap()
    }
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

async fn connect(server: &NatsServer, creds: PathBuf, inbox: &str) -> Client {
    let client = Client::connect(Options {
        url: server.url(),
        credentials: Some(creds),
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

fn revoked(name: &str, key: &HostKey) -> RevocationsRecord {
    let revocation = Revocation {
        host: host(name),
        at: Timestamp::now(),
        by: UserId::new(),
        by_name: "Ada".to_owned(),
    };
    RevocationsRecord {
        revoked: [(key.public().clone(), revocation)].into_iter().collect(),
    }
}

#[tokio::test]
async fn a_revoked_host_is_cut_within_a_second_and_the_others_stay() {
    let fleet = Fleet::start().await;
    let (key, other) = (HostKey::generate(), HostKey::generate());
    let (one, two) = (fleet.host("h1", &key).await, fleet.host("h2", &other).await);
    let record = revoked("h1", &key);
    assert!(
        fleet
            .account
            .is_told(&fleet.told().await, &RevocationsRecord::default())
    );
    let token = fleet
        .account
        .token(&record, Some(&fleet.told().await))
        .unwrap();

    let begun = Instant::now();
    fleet.system.update_account(token).await.unwrap();
    let mut connection = one.connection();
    tokio::time::timeout(BOUND, connection.wait_for(|state| !state.up))
        .await
        .unwrap()
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(fleet.account.is_told(&fleet.told().await, &record));
    assert!(
        !fleet.is_let_in("h1", &key).await,
        "a new token of the key does not help"
    );
    assert!(fleet.is_let_in("h2", &other).await);
    assert_eq!(
        two.connection().borrow().generation,
        1,
        "another host never noticed"
    );
}

#[tokio::test]
async fn a_server_that_is_started_again_from_the_old_configuration_holds_to_what_it_was_told() {
    let mut fleet = Fleet::start().await;
    let key = HostKey::generate();
    assert!(fleet.is_let_in("h1", &key).await);
    let record = revoked("h1", &key);
    let token = fleet
        .account
        .token(&record, Some(&fleet.told().await))
        .unwrap();
    fleet.system.update_account(token).await.unwrap();
    assert!(!fleet.is_let_in("h1", &key).await);

    fleet.server.kill();
    fleet.server.restart().await;
    testkit::wait::until("the server to tell", BOUND, async || {
        let account = fleet.account.account();
        let told = fleet.system.account_token(account).await;
        let told = told.map_err(|error| error.to_string())?.unwrap();
        let is_told = fleet.account.is_told(&told, &record);
        is_told.then_some(()).ok_or(told)
    })
    .await;
    assert!(!fleet.is_let_in("h1", &key).await);
}

#[tokio::test]
async fn who_tells_the_servers_of_accounts_can_do_nothing_else() {
    let fleet = Fleet::start().await;
    let creds = fleet.account.system_credentials();
    let client = async_nats::ConnectOptions::with_credentials_file(creds)
        .await
        .unwrap()
        .custom_inbox_prefix(permissions::COORDINATOR_INBOX)
        .connect(fleet.server.url())
        .await
        .unwrap();
    for subject in [
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.CLAIMS.LIST",
        "fleet.h1.x.event.y",
    ] {
        let asked = client.request(subject, "".into());
        let answered = tokio::time::timeout(Duration::from_millis(500), asked).await;
        assert!(!matches!(answered, Ok(Ok(_))), "{subject}");
    }
    let stranger = nkeys::KeyPair::new_operator();
    let claims = nats::credentials::jwt::claims(&fleet.told().await).unwrap();
    let forged = nats::credentials::jwt::sign(&claims, &stranger).unwrap();
    assert!(
        fleet.system.update_account(forged).await.is_err(),
        "of another operator"
    );
}
