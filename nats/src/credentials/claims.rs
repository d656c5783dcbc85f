//! What the JWTs of a fleet say: the claims of its operator, its accounts and its users.
//!
//! Only the `nats` part, which is what decides; `issue` adds who, for whom and when.

use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::permissions::{self, Permissions};

/// No limit, in the words of nats-server.
const UNLIMITED: i64 = -1;

/// The root of trust: every account must be signed by it, or by the key it lends for that.
pub fn operator(system_account: &str, signing_key: &str) -> Value {
    json!({
        "type": "operator",
        "version": 2,
        "system_account": system_account,
        "signing_keys": [signing_key],
    })
}

/// The account of the fleet. `host_key` may make users of it that are hosts, and nothing else: what such a user may do
/// is in the account, with the user's own name in it.
pub fn fleet(host_key: &str) -> Value {
    let mut account = account(true);
    let mut template = user(&permissions::host_template());
    if let Some(template) = template.as_object_mut() {
        template.remove("type");
        template.remove("version");
    }
    account["signing_keys"] = json!([{
        "kind": "user_scope",
        "key": host_key,
        "role": "host",
        "template": template,
    }]);
    account
}

/// A host of the account. Anything said here of what it may do would make the token void.
pub fn host(account: &str) -> Value {
    json!({
        "type": "user",
        "version": 2,
        "issuer_account": account,
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

/// The whole claims of a JWT for the public key `subject`, made now.
pub fn issue(name: &str, subject: &str, issuer: &KeyPair, nats: &Value) -> Value {
    issue_at(
        jiff::Timestamp::now().as_second(),
        name,
        subject,
        issuer,
        nats,
    )
}

/// The same, made at a second of our choice.
pub fn issue_at(
    issued_at: i64,
    name: &str,
    subject: &str,
    issuer: &KeyPair,
    nats: &Value,
) -> Value {
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
