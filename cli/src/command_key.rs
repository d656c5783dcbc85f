//! The key that the commands of one installation are sealed with.

use nats::seal::{CommandKey, CommandPublicKey};

use crate::data::DataFolder;
use crate::failure::Failure;

/// What hosts are told to believe. The key is made when there is none yet.
pub fn public(data: &DataFolder) -> Result<CommandPublicKey, Failure> {
    CommandKey::open(&data.command_key())
        .map(|key| key.public().clone())
        .map_err(|error| Failure::because("the key of commands", &error))
}
