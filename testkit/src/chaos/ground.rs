//! What a fault strikes: a fleet, with a wire or a disk of its own where the fault needs one.

use std::process::{Command, Stdio};

use super::agent::{Agent, Surroundings};
use super::disk::Disk;
use super::fault::Fault;
use super::wire::Wire;
use crate::fleet::{Fleet, Options};
use crate::flotilla;
use crate::repository::Repository;

/// A part that dies again and again is started ever more slowly; after so many strikes a fleet is replaced.
const STRIKES_MAX: usize = 2;

/// A fleet and how often it was struck.
pub(super) struct Ground {
    pub fleet: Fleet,
    pub disk: Option<Disk>,
    pub wire: Option<Wire>,
    _repository: Repository,
    _surroundings: Surroundings,
    strikes: usize,
}

impl Ground {
    /// A fleet with room for so many sessions at once.
    pub(super) async fn new(agent: Agent, fault: Fault, sessions: usize) -> Self {
        let surroundings = Surroundings::of(agent).await;
        let repository = Repository::new("shop")
            .file("README.md", "# Shop\n")
            .commit();
        let options = Options {
            projects: vec![repository.path().to_owned()],
            agents: format!(
                "[runner]
slots = {}
{}",
                sessions * (STRIKES_MAX + 1),
                surroundings.configuration
            ),
            ..Options::default()
        };
        let fleet = Fleet::start(options).await;
        let disk = (fault == Fault::DiskFull).then(|| Disk::over(&fleet.data().join("sessions")));
        let wire = if fault.needs_wire() {
            Some(put_wire_between(&fleet).await)
        } else {
            None
        };
        Self {
            fleet,
            disk,
            wire,
            _repository: repository,
            _surroundings: surroundings,
            strikes: 0,
        }
    }

    /// Counts a strike.
    pub(super) const fn strike(&mut self) {
        self.strikes += 1;
    }

    pub(super) const fn is_worn_out(&self) -> bool {
        self.strikes >= STRIKES_MAX
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // Agents are found by what lies on the disk, and a folder that is mounted on is not removed: in this order.
        if let Some(disk) = self.disk.take() {
            let mut down = Command::new(flotilla::path());
            down.arg("down").arg("--data").arg(self.fleet.data());
            down.stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .ok();
            drop(disk);
        }
    }
}

/// The runner is told of the wire instead of its server, and started again.
async fn put_wire_between(fleet: &Fleet) -> Wire {
    let path = fleet.data().join("runner/runner.toml");
    let text = std::fs::read_to_string(&path).expect("`up` writes its runner's configuration");
    let mut settings: toml::Table = text.parse().expect("it is TOML");
    let url = settings["nats"]["url"]
        .as_str()
        .expect("it names the server")
        .to_owned();
    let server = url
        .trim_start_matches("nats://")
        .parse()
        .expect("a port of loopback");
    let wire = Wire::to(server).await;
    settings["nats"]["url"] = format!("nats://{}", wire.address).into();
    std::fs::write(&path, settings.to_string()).expect("the configuration can be written");
    fleet.kill("runner").await;
    wire
}
