//! Who may say what on NATS: keys, JWTs, permissions and the files that carry them.
//!
//! Owns the operator, the accounts and the users of one fleet. Knows nothing of what travels under those permissions,
//! nor of how a nats-server is started: `server` turns this trust into a configuration.

pub mod permissions;

mod claims;
mod creds_file;
pub mod jwt;

pub mod private_file;

pub(crate) mod authority;
mod fleet_account;
mod host_authority;
mod host_key;

pub use authority::{Credentials, Error, Trust};
pub use creds_file::CredsFile;
pub use creds_file::Error as CredsError;
pub use fleet_account::FleetAccount;
pub use host_authority::{Granted, HostAuthority};
pub use host_key::{HostKey, HostPublicKey};
pub use permissions::{COORDINATOR_INBOX, OBSERVER_INBOX, Permissions, inbox_prefix};
