//! Waiting until a part does its work, and no longer than makes sense.

use std::net::SocketAddr;
use std::time::Duration;

use nats::ids::HostName;
use nats::record::{HostRecord, Presence};
use nats::stream::Bucket;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::supervisor::Supervised;
use crate::failure::{Failure, Kind, chain};

/// Each is ready within a second; a machine that is busy, or a large store, takes longer.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// A look that hangs is a look that failed.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// Looks until `probe` finds nothing missing. A part that ends before that fails at once.
pub async fn wait<P>(supervised: &Supervised, mut probe: P) -> Result<(), Failure>
where
    P: AsyncFnMut() -> Result<(), String>,
{
    let part = &supervised.part;
    let deadline = Instant::now() + READY_WITHIN;
    let mut condition = supervised.condition();
    loop {
        if let Some(ended) = condition.borrow().ended.clone() {
            return Err(failed(supervised, &format!("{} {ended}", part.name)));
        }
        // A look may wait for a part that has just ended: its socket stays open without it.
        let look = tokio::select! {
            biased;
            _ = condition.wait_for(|it| it.ended.is_some()) => continue,
            look = timeout(LOOK_MAX, probe()) => look,
        };
        let missing = match look {
            Ok(Ok(())) => {
                supervised.prove();
                return Ok(());
            }
            Ok(Err(missing)) => missing,
            Err(_) => "it did not answer".to_owned(),
        };
        if Instant::now() >= deadline {
            let seconds = READY_WITHIN.as_secs();
            let what = format!("{} is not ready after {seconds} s: {missing}", part.name);
            return Err(failed(supervised, &what));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn failed(supervised: &Supervised, what: &str) -> Failure {
    let part = &supervised.part;
    let tail = part.log_tail().replace('\n', "\n    ");
    Failure::new(
        Kind::Failed,
        format!("{what}; the end of its log:\n    {tail}"),
    )
    .hint(format!("the whole log is in {}", part.log.display()))
}

/// A server greets who connects, and says whether it keeps messages.
pub async fn nats_server(address: SocketAddr) -> Result<(), String> {
    let read = async {
        let stream = TcpStream::connect(address).await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        Ok(line)
    };
    let greeting = read
        .await
        .map_err(|error: std::io::Error| error.to_string())?;
    if greeting.starts_with("INFO ") && greeting.contains("\"jetstream\":true") {
        Ok(())
    } else {
        Err("what answers there is not a nats-server with JetStream".to_owned())
    }
}

/// A coordinator says itself when it serves.
pub async fn coordinator(http: &reqwest::Client, url: &str) -> Result<(), String> {
    let answer = http
        .get(format!("{url}/readyz"))
        .send()
        .await
        .map_err(|error| chain(&error))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("it answers {}", answer.status()))
    }
}

/// A runner tells who its host is, and its heart beats for all to see.
pub async fn runner(client: &nats::Client, host: &HostName) -> Result<(), String> {
    let key = host.as_str();
    let told = |told: Result<bool, nats::client::Error>, missing: &str| match told {
        Ok(true) => Ok(()),
        Ok(false) => Err(missing.to_owned()),
        Err(error) => Err(chain(&error)),
    };
    let record = client.records::<HostRecord>(Bucket::Hosts).get(key).await;
    told(record.map(|it| it.is_some()), "it has not told of its host")?;
    let beat = client.records::<Presence>(Bucket::Presence).get(key).await;
    told(beat.map(|it| it.is_some()), "its heart does not beat")
}
