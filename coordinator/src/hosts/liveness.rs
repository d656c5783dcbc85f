//! Whether a host is heard of, judged by this process's own clock: clocks of hosts are not compared.

use std::time::Duration;

use nats::stream::PRESENCE_TTL;
use tokio::time::Instant;

use crate::api::HostState;

/// A heartbeat may be as old as its time to live, and a moment on the way.
const HEARD_WITHIN: Duration = Duration::from_secs(PRESENCE_TTL.as_secs() + 2);
/// A coordinator that was away itself hears every living host within one TTL; two are given.
const CONNECTED_FOR: Duration = Duration::from_secs(PRESENCE_TTL.as_secs() * 2);

/// `heard` is the last heartbeat, `connected_since` the moment this coordinator's own connection came up.
#[must_use]
pub fn judge(heard: Option<Instant>, connected_since: Option<Instant>, now: Instant) -> HostState {
    if heard.is_some_and(|heard| now.duration_since(heard) <= HEARD_WITHIN) {
        return HostState::Online;
    }
    let long_enough =
        connected_since.is_some_and(|since| now.duration_since(since) >= CONNECTED_FOR);
    if long_enough {
        HostState::Silent
    } else {
        HostState::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_host_is_silent_only_when_we_ourselves_could_have_heard_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(judge(Some(at(0)), Some(at(0)), at(5)), HostState::Online);
        // Its heart stopped, and we were connected all along.
        assert_eq!(judge(Some(at(0)), Some(at(0)), at(30)), HostState::Silent);
        // We have just come back: nobody knows yet.
        assert_eq!(judge(Some(at(0)), Some(at(25)), at(30)), HostState::Unknown);
        assert_eq!(judge(None, Some(at(25)), at(46)), HostState::Silent);
        // We are away: what was heard a moment ago still counts, nothing else does.
        assert_eq!(judge(Some(at(28)), None, at(30)), HostState::Online);
        assert_eq!(judge(Some(at(0)), None, at(90)), HostState::Unknown);
    }
}
