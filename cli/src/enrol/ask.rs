//! Asks a coordinator to let this machine in, and does not believe the answer before it fits the token.

use std::time::Duration;

use ::coordinator::api::{EnrolRequest, Enrolled, ErrorBody};
use nats::credentials::{HostPublicKey, jwt};
use nats::enrolment::{EnrolmentToken, Fingerprint};
use reqwest::Url;

use crate::failure::{Failure, Kind};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A coordinator keeps at what it was given for two minutes.
const ANSWER_WITHIN: Duration = Duration::from_secs(150);

/// What the coordinator gives to the key, or its refusal in its own words.
pub async fn coordinator(
    url: &str,
    token: &EnrolmentToken,
    key: &HostPublicKey,
) -> Result<Enrolled, Failure> {
    let address = address(url)?;
    let http = reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        // The token goes where it was meant to go and nowhere else.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Failure::because("HTTP cannot be spoken", &error))?;
    let body = EnrolRequest {
        token: token.reveal(),
        public_key: key.clone(),
    };
    let unreachable = |error: reqwest::Error| {
        Failure::because(format!("cannot reach {url}"), &error.without_url()).hint(
            "see whether this machine reaches that address; the same command can be given again",
        )
    };
    let answer = http
        .post(address)
        .json(&body)
        .send()
        .await
        .map_err(unreachable)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        let Ok(ErrorBody { error }) = serde_json::from_slice(&bytes) else {
            return Err(Failure::new(
                Kind::Failed,
                format!("{url} answered {status}, and not in the words of a coordinator"),
            )
            .hint("see whether the address is the one that you were given"));
        };
        let refused = Failure::new(Kind::Failed, error.message);
        return Err(match error.hint {
            Some(hint) => refused.hint(hint),
            None => refused,
        });
    }
    let enrolled: Enrolled = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::because(
            format!("{url} answered in a way that this version does not understand"),
            &error,
        )
        .hint("the coordinator may be of another version; take the same on both machines")
    })?;
    fits(&enrolled, token, key)?;
    Ok(enrolled)
}

fn address(url: &str) -> Result<Url, Failure> {
    let mut address = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::new(Kind::Failed, format!("`{url}` is not an address"))
                .hint("it looks like https://flotilla.example.org; copy the whole command again")
        })?;
    let path = format!("{}/api/enrol", address.path().trim_end_matches('/'));
    address.set_path(&path);
    Ok(address)
}

/// Whether this is what the token promised. Whoever stands between could put in keys of their own, and command this
/// machine with them.
fn fits(enrolled: &Enrolled, token: &EnrolmentToken, key: &HostPublicKey) -> Result<(), Failure> {
    let told = Fingerprint::of(&enrolled.command_keys);
    if enrolled.command_keys.is_empty() || told != token.fingerprint {
        return Err(Failure::new(
            Kind::Failed,
            "the coordinator names other keys of commands than the token: somebody may stand in between",
        )
        .hint("nothing was written; ask for another token, and use https or a network that you trust"));
    }
    let claims = jwt::claims(&enrolled.jwt).map_err(|error| {
        Failure::because(
            "the coordinator gave something else than a token of NATS",
            &error,
        )
    })?;
    if claims["sub"] == key.to_string() && enrolled.host == token.host {
        Ok(())
    } else {
        Err(Failure::new(
            Kind::Failed,
            "what the coordinator gave is not for this machine",
        )
        .hint("nothing was written; give the same command again"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nats::Timestamp;
    use nats::credentials::{Credentials, HostAuthority, HostKey};
    use nats::seal::CommandKey;

    use super::*;

    #[test]
    fn what_does_not_fit_the_token_is_not_believed() {
        let place = tempfile::tempdir().unwrap();
        Credentials::create(place.path()).unwrap();
        let authority = HostAuthority::open(place.path()).unwrap().unwrap();
        let (ours, other) = (HostKey::generate(), HostKey::generate());
        let (commands, strange) = (CommandKey::generate(), CommandKey::generate());
        let keys = vec![commands.public().clone()];
        let token = EnrolmentToken::new("vps-1".parse().unwrap(), &keys);
        let told = |key: &HostKey, keys| Enrolled {
            host: token.host.clone(),
            jwt: authority.grant(&token.host, key.public()).unwrap().jwt,
            expires_at: Timestamp::now(),
            nats_urls: vec!["nats://127.0.0.1:4222".to_owned()],
            command_keys: keys,
            labels: BTreeMap::new(),
        };
        let fits = |enrolled: &Enrolled| fits(enrolled, &token, ours.public());
        assert!(fits(&told(&ours, keys.clone())).is_ok());
        assert!(fits(&told(&other, keys.clone())).is_err());
        let strange = vec![strange.public().clone()];
        for planted in [Vec::new(), strange.clone(), [keys, strange].concat()] {
            let failure = fits(&told(&ours, planted)).unwrap_err();
            assert!(
                failure.message().contains("stand in between"),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn an_address_may_have_a_path_and_must_be_one() {
        let of = |url: &str| address(url).map(|url| url.to_string()).ok();
        assert_eq!(
            of("https://example.org/fleet/").as_deref(),
            Some("https://example.org/fleet/api/enrol")
        );
        for wrong in ["example.org", "ftp://example.org", "flt-enrol.vps-1"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
