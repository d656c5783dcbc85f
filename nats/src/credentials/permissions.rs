//! What each kind of user may publish and subscribe, as data.
//!
//! A host can only speak for itself: its list names its own subjects, its own keys, its own consumer and its own
//! bucket, and nothing that creates or deletes anything. The same list, with the host's name as a placeholder, is what
//! a signing key for hosts is limited to, so a list must never depend on more than the name.

use serde_json::{Value, json};

use crate::ids::HostName;
use crate::stream::{self, Bucket, COMMANDS, EVENTS};
use crate::subject;

/// What one user may publish and subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    pub publish: Allowed,
    pub subscribe: Allowed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    Everything,
    /// These subjects and no other. An empty list allows nothing.
    Only(Vec<String>),
}

impl Allowed {
    /// In the words of a user JWT, where an empty list would allow everything.
    pub(super) fn claims(&self) -> Value {
        match self {
            Self::Everything => json!({}),
            Self::Only(subjects) if subjects.is_empty() => json!({ "deny": [">"] }),
            Self::Only(subjects) => json!({ "allow": subjects }),
        }
    }
}

/// A coordinator makes the streams and speaks to every host: it may do everything inside the fleet's account.
#[must_use]
pub const fn coordinator() -> Permissions {
    Permissions {
        publish: Allowed::Everything,
        subscribe: Allowed::Everything,
    }
}

/// Somebody who watches with a plain NATS client: reads what is going on and says nothing.
#[must_use]
pub fn observer() -> Permissions {
    Permissions {
        publish: Allowed::Only(Vec::new()),
        subscribe: Allowed::Only(vec![
            subject::EVERYTHING.to_owned(),
            format!("{OBSERVER_INBOX}.>"),
        ]),
    }
}

/// The runner of one host.
#[must_use]
pub fn runner(host: &HostName) -> Permissions {
    host_named(host.as_str())
}

/// The same for every host that a signing key makes: nats-server puts the user's name where the placeholder stands.
pub(super) fn host_template() -> Permissions {
    host_named("{{name()}}")
}

fn host_named(host: &str) -> Permissions {
    let mut publish = vec![
        format!("fleet.{host}.*.event.>"),
        format!("fleet.{host}.*.live.>"),
        // What EVENTS holds last of its own sessions: after a lost ack this tells "it arrived" from "I am replaced".
        format!("$JS.API.DIRECT.GET.{EVENTS}.fleet.{host}.*.event.>"),
        // Its own commands. Acknowledgements in the old form and in the one that names domain and account.
        format!("$JS.API.CONSUMER.INFO.{COMMANDS}.{host}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{COMMANDS}.{host}"),
        format!("$JS.ACK.{COMMANDS}.{host}.>"),
        format!("$JS.ACK.*.*.{COMMANDS}.{host}.>"),
        subject::renewal_of(host),
    ];
    // Its own key in two buckets. It may not ask about a bucket as a whole: that would list the names of all hosts.
    for bucket in [Bucket::Hosts, Bucket::Presence] {
        let key = bucket.key(host);
        publish.push(format!("$JS.API.DIRECT.GET.{}.{key}", bucket.stream()));
        publish.push(key);
    }
    // Its own bucket of objects, without creating consumers: their deliver subject is not checked against this list.
    let bucket = stream::object_bucket_named(host);
    publish.extend([
        format!("$O.{bucket}.>"),
        format!("$JS.API.STREAM.INFO.OBJ_{bucket}"),
        format!("$JS.API.STREAM.PURGE.OBJ_{bucket}"),
        format!("$JS.API.STREAM.MSG.GET.OBJ_{bucket}"),
        format!("$JS.API.DIRECT.GET.OBJ_{bucket}"),
        format!("$JS.API.DIRECT.GET.OBJ_{bucket}.>"),
    ]);
    Permissions {
        publish: Allowed::Only(publish),
        subscribe: Allowed::Only(vec![format!("{INBOX_OF_HOST}{host}.>")]),
    }
}

/// Who tells the servers of the account of the fleet, and asks them what they believe of it. In the system account.
pub(super) fn accounts(fleet: &str) -> Permissions {
    Permissions {
        publish: Allowed::Only(vec![CLAIMS_UPDATE.to_owned(), claims_lookup(fleet)]),
        subscribe: Allowed::Only(vec![format!("{COORDINATOR_INBOX}.>")]),
    }
}

/// Where a server takes the JWT of an account.
pub(crate) const CLAIMS_UPDATE: &str = "$SYS.REQ.CLAIMS.UPDATE";

/// Where a server tells the JWT that it has of an account.
pub(crate) fn claims_lookup(account: &str) -> String {
    format!("$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP")
}

/// The inbox prefix that a coordinator must connect with. Nobody else may listen there.
pub const COORDINATOR_INBOX: &str = "_INBOX_coordinator";

/// The inbox prefix of the read-only credential.
pub const OBSERVER_INBOX: &str = "_INBOX_observer";

/// The inbox prefix that a host's runner must connect with. The word in front keeps a host that is called
/// `coordinator` out of the coordinator's answers.
#[must_use]
pub fn inbox_prefix(host: &HostName) -> String {
    format!("{INBOX_OF_HOST}{host}")
}

const INBOX_OF_HOST: &str = "_INBOX_host_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_runners_list_names_its_host() {
        let host: HostName = "vps-1".parse().unwrap();
        let permissions = runner(&host);
        for allowed in [permissions.publish, permissions.subscribe] {
            let Allowed::Only(subjects) = allowed else {
                panic!("a runner may not do everything")
            };
            for subject in subjects {
                assert!(subject.contains("vps-1"), "{subject}");
            }
        }
    }

    #[test]
    fn nothing_allowed_is_not_written_as_an_empty_list() {
        assert_eq!(
            observer().publish.claims(),
            serde_json::json!({ "deny": [">"] })
        );
    }

    #[test]
    fn no_host_can_be_named_into_the_coordinators_inbox() {
        let host: HostName = "coordinator".parse().unwrap();
        assert_ne!(inbox_prefix(&host), COORDINATOR_INBOX);
    }
}
