//! The private nats-server: it is real, keeps its port and its store, and dies with the test.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's own helper fails the test"
)]

use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream;
use testkit::nats_server::NatsServer;
use testkit::wait;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const BOUND: Duration = Duration::from_secs(20);

async fn stream_on(server: &NatsServer) -> jetstream::stream::Stream {
    let client = async_nats::connect(server.url()).await.unwrap();
    let config = jetstream::stream::Config {
        name: "NOTES".into(),
        subjects: vec!["notes.>".into()],
        ..Default::default()
    };
    jetstream::new(client)
        .get_or_create_stream(config)
        .await
        .unwrap()
}

async fn publish(server: &NatsServer, text: &'static str) {
    let client = async_nats::connect(server.url()).await.unwrap();
    jetstream::new(client)
        .publish("notes.a", text.into())
        .await
        .unwrap()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_killed_server_comes_back_on_the_same_port_with_everything_it_acknowledged() {
    let mut server = NatsServer::start().await;
    let url = server.url();
    stream_on(&server).await;
    publish(&server, "before the crash").await;

    server.kill();
    assert!(
        async_nats::connect(&url).await.is_err(),
        "a killed server answers nobody"
    );
    server.restart().await;

    assert_eq!(server.url(), url);
    let message = stream_on(&server).await.get_raw_message(1).await.unwrap();
    assert_eq!(message.payload, "before the crash");
}

#[tokio::test]
async fn a_stopped_server_ends_in_good_order_and_comes_back_too() {
    let mut server = NatsServer::start().await;
    stream_on(&server).await;
    publish(&server, "kept").await;
    assert!(server.stop().await.unwrap().success());
    server.restart().await;
    assert_eq!(
        stream_on(&server)
            .await
            .get_raw_message(1)
            .await
            .unwrap()
            .payload,
        "kept"
    );
}

#[tokio::test]
async fn a_client_finds_a_restarted_server_again() {
    let mut server = NatsServer::start().await;
    let client = async_nats::connect(server.url()).await.unwrap();
    server.restart().await;
    wait::until("the client to reconnect", BOUND, async || {
        let jetstream = jetstream::new(client.clone());
        let answer = tokio::time::timeout(Duration::from_secs(1), jetstream.query_account()).await;
        answer
            .map_err(|_elapsed| "no answer".to_owned())?
            .map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
async fn two_servers_do_not_meet() {
    let (one, other) = tokio::join!(NatsServer::start(), NatsServer::start());
    assert_ne!(one.port(), other.port());
    stream_on(&one).await;
    publish(&one, "mine").await;
    assert_eq!(
        stream_on(&other)
            .await
            .get_info()
            .await
            .unwrap()
            .state
            .messages,
        0
    );
}

async fn enter(url: &str, password: &str) -> Result<(), String> {
    let options =
        async_nats::ConnectOptions::with_user_and_password("ada".to_owned(), password.to_owned());
    options
        .connect(url)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn extra_configuration_holds_and_can_be_changed_while_it_runs() {
    let mut server = NatsServer::start_with("authorization { user: ada, password: secret }").await;
    let url = server.url();
    assert!(
        async_nats::connect(&url).await.is_err(),
        "nobody gets in without the password"
    );
    enter(&url, "secret").await.unwrap();

    server.reconfigure("authorization { user: ada, password: changed }");
    server.reload();
    wait::until("the new password to hold", BOUND, async || {
        enter(&url, "changed").await
    })
    .await;
    assert!(
        enter(&url, "secret").await.is_err(),
        "the old password no longer holds"
    );
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_store() {
    let server = NatsServer::start().await;
    let (url, store) = (server.url(), server.store());
    stream_on(&server).await;
    assert!(store.is_dir());
    drop(server);
    assert!(!store.exists());
    assert!(async_nats::connect(url).await.is_err());
}

/// The test starts itself a second time, as the victim, and kills it.
#[tokio::test]
async fn a_server_does_not_outlive_a_test_that_is_killed() {
    const VICTIM: &str = "TESTKIT_VICTIM";
    if std::env::var_os(VICTIM).is_some() {
        let server = NatsServer::start().await;
        println!("\n{}", server.url());
        std::future::pending::<()>().await;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_server_does_not_outlive_a_test_that_is_killed",
            "--nocapture",
        ])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines
            .next_line()
            .await
            .unwrap()
            .expect("the victim tells its URL");
        if line.starts_with("nats://") {
            break line;
        }
    };
    async_nats::connect(&url).await.unwrap();

    victim.kill().await.unwrap();
    wait::until(
        "the victim's server to be gone",
        BOUND,
        async || match async_nats::connect(&url).await {
            Ok(_) => Err("it still answers".to_owned()),
            Err(_) => Ok(()),
        },
    )
    .await;
}
