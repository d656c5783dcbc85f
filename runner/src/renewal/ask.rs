//! The two ways to a new token: over NATS, and over HTTPS with a nonce that the host's key signs.

use std::time::Duration;

use nats::Client;
use nats::credentials::HostKey;
use nats::ids::HostName;
use nats::renewal::{self, Renewed};
use serde::{Deserialize, Serialize};

use super::keep::Error;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Asks whichever coordinator listens.
pub async fn over_nats(client: &Client, host: &HostName) -> Result<Renewed, Error> {
    let answer = client.ask_for_renewal(host).await.map_err(Error::Nats)?;
    match (answer.renewed, answer.refused) {
        (Some(renewed), _) => Ok(renewed),
        (None, Some(refused)) => Err(Error::Refused(refused.message)),
        (None, None) => Err(Error::Refused("The answer says nothing.".to_owned())),
    }
}

/// Proves to the coordinator at `url` to be this host.
pub async fn over_https(url: &str, host: &HostName, key: &HostKey) -> Result<Renewed, Error> {
    #[derive(Deserialize)]
    struct Nonce {
        nonce: String,
    }
    #[derive(Serialize)]
    struct Proof<'a> {
        host: &'a HostName,
        nonce: &'a str,
        signature: String,
    }
    let http = reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(Error::Https)?;
    let url = url.trim_end_matches('/');
    let asked = http.post(format!("{url}/api/renewals/nonce"));
    let Nonce { nonce } = read(asked).await?;
    let proof = Proof {
        host,
        nonce: &nonce,
        signature: renewal::prove(key, host, &nonce).map_err(Error::Prove)?,
    };
    read(http.post(format!("{url}/api/renewals")).json(&proof)).await
}

async fn read<T: for<'de> Deserialize<'de>>(request: reqwest::RequestBuilder) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    let answer = request.send().await.map_err(Error::Https)?;
    let status = answer.status();
    if status.is_success() {
        return answer.json().await.map_err(Error::Https);
    }
    match answer.json::<Refusal>().await {
        // A coordinator that cannot say now is worth another try; one that says no has said why.
        Ok(refusal) if status.is_client_error() => Err(Error::Refused(refusal.error.message)),
        _ => Err(Error::Answer(status)),
    }
}
