//! The command line of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use nats::audit::{AuditPublicKey, Kept, Wanted};

use super::super::exit::EXIT_CODES;

#[derive(Debug, Args)]
pub struct Audit {
    /// Say it in JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: AuditVerb,
}

#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Write the whole audit, one line of JSON for each record as it is stored
    Export {
        /// Into this file instead of stdout; readable by you alone
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Prove that an audit is what was signed, or name the first record that is not
    #[command(after_help = EXIT_CODES)]
    Verify(Verify),
    /// Print the public key that the coordinator signs with, to be pinned with `verify --key`
    Key,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// What `audit export` wrote; needs no server. What the server holds, when left out
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only checkpoints by this key count; may be given for each coordinator
    #[arg(long = "key", value_name = "PUBLIC")]
    pub keys: Vec<AuditPublicKey>,
    /// What an earlier `verify` gave to keep: it must be in there, unchanged
    #[arg(long = "kept", value_name = "SEQUENCE:LINK")]
    pub kept: Vec<Kept>,
    /// It must be signed up to this record at least
    #[arg(long, value_name = "SEQUENCE", default_value_t)]
    pub at_least: u64,
}

impl Verify {
    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            keys: self.keys.clone(),
            kept: self.kept.clone(),
            signed_at_least: self.at_least,
        }
    }
}
