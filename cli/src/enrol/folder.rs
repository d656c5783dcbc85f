//! What an enrolled host keeps: its key, what it signs in with, and the configuration of its runner.

use std::path::{Path, PathBuf};

use ::coordinator::api::Enrolled;
use nats::credentials::{HostKey, private_file};

use crate::configuration::{Configuration, Nats, Runner, Servers};
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};

/// The runner's part of a data folder.
pub struct Folder {
    data: DataFolder,
}

impl Folder {
    /// Opens it, unless this machine is in a fleet already under another name.
    pub fn open(data: DataFolder) -> Result<Self, Failure> {
        if data.installation().exists() {
            return Err(Failure::new(
                Kind::Taken,
                format!(
                    "`{}` is the folder of `flotilla up`, whose machine is a host already",
                    data.path().display()
                ),
            )
            .hint("to join another fleet give this one a folder of its own with --data DIR"));
        }
        let runner = data.runner();
        private_file::folder(&runner).map_err(|error| {
            Failure::because(format!("could not make `{}`", runner.display()), &error)
        })?;
        Ok(Self { data })
    }

    /// The key of this host, made if there is none: the same when the command is given again.
    pub fn key(&self) -> Result<HostKey, Failure> {
        HostKey::open(&self.data.runner().join("host.nk"))
            .map_err(|error| Failure::because("the key of this host", &error))
    }

    /// Writes what it was given, and gives the configuration of its runner. One that is there stays as it is.
    pub fn keep(
        &self,
        key: &HostKey,
        enrolled: &Enrolled,
        coordinator: &str,
        projects: Vec<PathBuf>,
    ) -> Result<PathBuf, Failure> {
        let creds = self.data.runner().join("host.creds");
        let text = key
            .creds(&enrolled.jwt)
            .map_err(|error| Failure::because("the key of this host", &error))?;
        let file = self.data.runner().join("runner.toml");
        self.belongs_to(&file, enrolled)?;
        write(&creds, &text)?;
        if !file.exists() {
            let runner = Configuration {
                nats: Nats {
                    url: Some(servers(&enrolled.nats_urls)?),
                    credentials: Some(creds),
                    ..Nats::default()
                },
                runner: Runner {
                    host: Some(enrolled.host.clone()),
                    data: Some(self.data.path().to_owned()),
                    coordinator: Some(coordinator.trim_end_matches('/').to_owned()),
                    command_keys: enrolled.command_keys.clone(),
                    projects,
                    labels: enrolled.labels.clone(),
                    ..Runner::default()
                },
                ..Configuration::default()
            };
            write(&file, &runner.render()?)?;
        }
        Ok(file)
    }

    fn belongs_to(&self, file: &Path, enrolled: &Enrolled) -> Result<(), Failure> {
        if !file.exists() {
            return Ok(());
        }
        let there = Configuration::read(file)?.runner;
        if there.host.as_ref() == Some(&enrolled.host)
            && there.command_keys == enrolled.command_keys
        {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Taken,
            format!(
                "`{}` is the configuration of another host, or of another fleet",
                file.display()
            ),
        )
        .hint("give this one a folder of its own with --data DIR, or take that file away"))
    }
}

fn servers(urls: &[String]) -> Result<Servers, Failure> {
    Servers::several(urls)
        .map_err(|error| Failure::because("the coordinator told no usable address of NATS", &error))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    private_file::write(path, text)
        .map_err(|error| Failure::because(format!("could not write `{}`", path.display()), &error))
}
