//! Whom the fleet does not want any more.
//!
//! One record, changed by compare-and-set, so that no coordinator can forget what another one has revoked. What the servers
//! hold to, the token of the fleet's account, is made from it whenever it changes, and never the other way round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::credentials::HostPublicKey;
use crate::ids::{HostName, UserId};
use crate::timestamp::Timestamp;

/// The key of the one record.
pub const FLEET: &str = "fleet";

/// Every key that was revoked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RevocationsRecord {
    pub revoked: BTreeMap<HostPublicKey, Revocation>,
}

/// Which host had the key, and who took it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revocation {
    pub host: HostName,
    pub at: Timestamp,
    pub by: UserId,
    pub by_name: String,
}
