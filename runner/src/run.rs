//! The daemon: one lock, two connections, and a few tasks that live as long as it does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nats::client::Options;
use nats::{Client, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::configuration::Configuration;
use crate::disk::{self, Room};
use crate::host::Host;
use crate::inbox::Refused;
use crate::inventory::{self, Fixed};
use crate::session::{Outlet, Parts};
use crate::sessions::Sessions;
use crate::slots::Slots;
use crate::{inbox, presence, renewal, retention};

/// What was accepted is finished within this; the rest is in the logs anyway.
const STOP_GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not make the folder `{path}`")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("another runner works in `{0}` already")]
    Locked(PathBuf),
    #[error("could not reach NATS")]
    Nats(#[from] nats::client::Error),
}

/// Runs until cancelled. Agents and their shims stay when it returns, and are found again by the next runner.
pub async fn run(configuration: Configuration, token: CancellationToken) -> Result<(), Error> {
    let folders = Folders::make(&configuration.data)?;
    let _lock = folders.lock()?;
    let (client, live_client) = (
        connect(&configuration, "").await?,
        connect(&configuration, " live").await?,
    );
    let fixed = Fixed {
        host: configuration.host.clone(),
        // A user of their own for agents comes with the service manager; without one it is the same user.
        isolated: false,
        slots: configuration.slots,
        labels: configuration.labels,
        flotilla: configuration.flotilla.clone(),
        agents: configuration.agents.clone(),
        projects: configuration.projects,
        started_at: Timestamp::now(),
    };
    let (inventory_sender, inventory) = watch::channel(fixed.look().await);
    let (room_sender, room) = watch::channel(Room::of(&configuration.data));
    let host = Arc::new(Host {
        name: configuration.host.clone(),
        isolated: fixed.isolated,
        flotilla: configuration.flotilla,
        sessions: folders.sessions,
        worktrees: folders.worktrees,
        stores: folders.stores,
        agents: configuration.agents,
        environment: configuration.environment,
        sleep_after: configuration.sleep_after,
        remind_after: configuration.remind_after,
        resume_after_limit: configuration.resume_after_limit,
        room,
        inventory,
    });
    let tasks = TaskTracker::new();
    let outlet = Outlet::open(live_client.clone(), &tasks, token.clone());
    let slots = Slots::new(configuration.slots);
    let parts = Parts {
        client: client.clone(),
        outlet,
        host,
        slots: slots.clone(),
        tasks: tasks.clone(),
        token: token.clone(),
    };
    let sessions = Sessions::new(parts);
    let found = tokio::task::block_in_place(|| sessions.find_again());
    slots.open();
    tracing::info!(runner.host = %configuration.host, sessions = found, "the runner is up");

    let refused = Refused::default();
    tasks.spawn(inventory::keep(
        fixed,
        client.clone(),
        inventory_sender,
        token.clone(),
    ));
    tasks.spawn(disk::watch(configuration.data, room_sender, token.clone()));
    tasks.spawn(presence::beat(
        configuration.host.clone(),
        client.clone(),
        slots,
        refused.clone(),
        token.clone(),
    ));
    if let Some(creds) = configuration.nats_credentials {
        tasks.spawn(renewal::keep(
            configuration.host.clone(),
            creds,
            configuration.coordinator,
            client.clone(),
            token.clone(),
        ));
    }
    tasks.spawn(retention::keep(sessions.clone(), token.clone()));
    tasks.spawn(inbox::take(
        configuration.host,
        configuration.commanders,
        client.clone(),
        sessions,
        refused,
        token.clone(),
    ));

    token.cancelled().await;
    tasks.close();
    if tokio::time::timeout(STOP_GRACE, tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            unfinished = tasks.len(),
            "some tasks did not finish in time; their logs are complete"
        );
    }
    client.close().await;
    live_client.close().await;
    Ok(())
}

async fn connect(
    configuration: &Configuration,
    purpose: &str,
) -> Result<Client, nats::client::Error> {
    Client::connect(Options {
        url: configuration.nats_url.clone(),
        credentials: configuration.nats_credentials.clone(),
        name: format!("runner {}{purpose}", configuration.host),
        inbox_prefix: nats::credentials::inbox_prefix(&configuration.host),
    })
    .await
}

struct Folders {
    runner: PathBuf,
    sessions: PathBuf,
    worktrees: PathBuf,
    stores: PathBuf,
}

impl Folders {
    fn make(data: &Path) -> Result<Self, Error> {
        let folders = Self {
            runner: data.join("runner"),
            sessions: data.join("sessions"),
            worktrees: data.join("worktrees"),
            stores: data.join("runner").join("stores"),
        };
        for path in [
            &folders.runner,
            &folders.sessions,
            &folders.worktrees,
            &folders.stores,
        ] {
            std::fs::create_dir_all(path).map_err(|source| Error::Folder {
                path: path.clone(),
                source,
            })?;
        }
        Ok(folders)
    }

    /// Held as long as the file is open, and so at the longest as long as the process.
    fn lock(&self) -> Result<File, Error> {
        let path = self.runner.join("lock");
        let file = File::create(&path).map_err(|source| Error::Folder { path, source })?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| Error::Locked(self.runner.clone()))?;
        Ok(file)
    }
}
