//! What the credentials file says of its own end.

use std::path::Path;
use std::time::Duration;

use nats::Timestamp;
use nats::credentials::{CredsFile, HostKey, jwt};

use super::keep::Error;

/// How long a token lives, and how much of that has passed by this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    pub whole: Duration,
    pub passed: Duration,
}

impl Life {
    #[must_use]
    pub fn is_over(self) -> bool {
        self.passed >= self.whole
    }
}

/// The key of this host, and the life of its token; none for a token without an end.
pub fn read(path: &Path) -> Result<(HostKey, Option<Life>), Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let file = CredsFile::parse(&text).map_err(|source| Error::Parse {
        path: path.to_owned(),
        source,
    })?;
    let life = life(&file.jwt)?;
    Ok((HostKey::from(file), life))
}

fn life(token: &str) -> Result<Option<Life>, Error> {
    let claims = jwt::claims(token).map_err(Error::Token)?;
    let second = |name: &str| claims[name].as_i64();
    let (Some(begun), Some(end)) = (second("iat"), second("exp")) else {
        return Ok(None);
    };
    let seconds = |from: i64, to: i64| Duration::from_secs(u64::try_from(to - from).unwrap_or(0));
    let now = Timestamp::now().milliseconds() / 1000;
    Ok(Some(Life {
        whole: seconds(begun, end),
        passed: seconds(begun, now),
    }))
}
