//! Where things lie in the data folder of one installation.
//!
//! Owns the names. Knows nothing of what is written there.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};

/// The folder that holds everything an installation keeps.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder that was asked for, else the one that the desktop's rules give a program for its data.
    pub fn find(asked: Option<&Path>) -> Result<Self, Failure> {
        let folder = match asked {
            Some(folder) => folder.to_owned(),
            None => default_folder()?,
        };
        std::path::absolute(&folder).map(Self).map_err(|error| {
            Failure::because(
                format!(
                    "the data folder `{}` has no absolute path",
                    folder.display()
                ),
                &error,
            )
        })
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Held by the one `flotilla up` that runs on this folder.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The name and the ports that were chosen once.
    pub fn installation(&self) -> PathBuf {
        self.0.join("installation.toml")
    }

    /// The processes that the running `flotilla up` started.
    pub fn children(&self) -> PathBuf {
        self.0.join("children.json")
    }

    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    pub fn nats(&self) -> PathBuf {
        self.0.join("nats")
    }

    pub fn credentials(&self) -> PathBuf {
        self.nats().join("credentials")
    }

    /// Whoever has it commands every host of the fleet.
    pub fn command_key(&self) -> PathBuf {
        self.credentials().join("command.nk")
    }

    pub fn coordinator(&self) -> PathBuf {
        self.0.join("coordinator")
    }

    pub fn setup_token(&self) -> PathBuf {
        self.coordinator().join("setup-token")
    }

    pub fn runner(&self) -> PathBuf {
        self.0.join("runner")
    }

    /// One folder for each session that this host has.
    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions")
    }

    pub fn demo_project(&self) -> PathBuf {
        self.0.join("demo")
    }
}

fn default_folder() -> Result<PathBuf, Failure> {
    let from = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    from("XDG_DATA_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("flotilla"))
        .ok_or_else(|| {
            Failure::new(Kind::Configuration, "there is no HOME to keep the data in")
                .hint("say where with --data DIR")
        })
}
