//! How a host joins.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::credentials::HostPublicKey;
use nats::ids::HostName;
use nats::seal::CommandPublicKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct EnrolmentCreate {
    /// What the machine is to be called: 1 to 40 of a-z, 0-9 and -.
    pub host: String,
    /// What placement can ask for.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub labels: BTreeMap<String, String>,
}

/// A way in for one machine, once. Shown this once; a hash of it is kept.
#[derive(Clone, Serialize, TS, ToSchema)]
pub struct EnrolmentCreated {
    #[schema(value_type = String)]
    pub host: HostName,
    pub token: String,
    /// To be pasted into a shell on that machine.
    pub command: String,
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// Why a machine elsewhere could not follow it as things stand, in a sentence.
    pub warning: Option<String>,
    /// The command, for a camera.
    pub qr: QrCode,
}

/// A QR code of `size` by `size` modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct QrCode {
    pub size: u32,
    /// The dark ones, as the `d` of an SVG path.
    pub path: String,
}

/// Sent by the machine that joins.
#[derive(Clone, Serialize, Deserialize, TS, ToSchema)]
pub struct EnrolRequest {
    pub token: String,
    /// Of the key that the machine made, and keeps to itself.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub public_key: HostPublicKey,
}

/// All that the runner of a new host needs beside its key.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
pub struct Enrolled {
    #[schema(value_type = String)]
    pub host: HostName,
    /// What it signs in to NATS with, together with its key.
    pub jwt: String,
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    pub nats_urls: Vec<String>,
    /// Whose commands it takes. To be compared with the token.
    #[ts(type = "Array<string>")]
    #[schema(value_type = Vec<String>)]
    pub command_keys: Vec<CommandPublicKey>,
    pub labels: BTreeMap<String, String>,
}

/// What a host is to sign with its key.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct RenewalNonce {
    pub nonce: String,
}

/// Sent by a host that NATS does not let in any more.
#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct RenewalProof {
    #[schema(value_type = String)]
    pub host: HostName,
    pub nonce: String,
    /// In hex, of its key, over name and nonce.
    pub signature: String,
}

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct RenewedToken {
    pub jwt: String,
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}
