//! The secret in the link with which the first person signs up.

use nats::credentials::private_file;

use crate::data::DataFolder;
use crate::failure::Failure;

/// 128 bits: nobody guesses it while the link is open.
const TOKEN_BYTES: usize = 16;

/// The token of this installation, made the first time. Whether it is still good is the coordinator's to say.
pub fn open(data: &DataFolder) -> Result<String, Failure> {
    let path = data.setup_token();
    let kept = private_file::read(&path).map_err(|error| {
        Failure::because(format!("could not read `{}`", path.display()), &error)
    })?;
    if let Some(token) = kept
        .map(|text| text.trim().to_owned())
        .filter(|it| !it.is_empty())
    {
        return Ok(token);
    }
    let token = hex::encode(rand::random::<[u8; TOKEN_BYTES]>());
    private_file::write(&path, &token).map_err(|error| {
        Failure::because(format!("could not write `{}`", path.display()), &error)
    })?;
    Ok(token)
}
