//! What the JWTs of a fleet say: the claims of its operator, its accounts and its users.
//!
//! Only the `nats` part, which is what decides; `issue` adds who, for whom and when.

use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::permissions::Permissions;

/// No limit, in the words of nats-server.
const UNLIMITED: i64 = -1;

/// The root of trust: every account must be signed by it.
pub fn operator(system_account: &str) -> Value {
    json!({
        "type": "operator",
        "version": 2,
        "system_account": system_account,
    })
}

/// An account with JetStream, or (the system account) without.
pub fn account(jetstream: bool) -> Value {
    let storage = if jetstream { UNLIMITED } else { 0 };
    json!({
        "type": "account",
        "version": 2,
        "limits": {
            "subs": UNLIMITED,
            "data": UNLIMITED,
            "payload": UNLIMITED,
            "imports": UNLIMITED,
            "exports": UNLIMITED,
            "wildcards": true,
            "conn": UNLIMITED,
            "leaf": UNLIMITED,
            "mem_storage": storage,
            "disk_storage": storage,
            "streams": storage,
            "consumer": storage,
        },
        "default_permissions": { "pub": {}, "sub": {} },
    })
}

/// One user of an account and all it may do.
pub fn user(permissions: &Permissions) -> Value {
    json!({
        "type": "user",
        "version": 2,
        "subs": UNLIMITED,
        "data": UNLIMITED,
        "payload": UNLIMITED,
        "pub": permissions.publish.claims(),
        "sub": permissions.subscribe.claims(),
    })
}

/// The whole claims of a JWT for `subject`, made now.
pub fn issue(name: &str, subject: &KeyPair, issuer: &KeyPair, nats: &Value) -> Value {
    let subject = subject.public_key();
    let issued_at = jiff::Timestamp::now().as_second();
    let identity = Sha256::digest(format!("{subject} {issued_at} {nats}"));
    json!({
        "iat": issued_at,
        "iss": issuer.public_key(),
        "jti": hex::encode(identity),
        "name": name,
        "sub": subject,
        "nats": nats,
    })
}
