//! What a fault strikes: a fleet, with a wire or a disk of its own where the fault needs one.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::agent::{Agent, Surroundings};
use super::clock::Clocks;
use super::disk::Disk;
use super::fault::Fault;
use super::link::{Link, MIDDLE};
use super::power::PowerDisk;
use super::strike::pid;
use super::wire::Wire;
use crate::fleet::{Coordinator, Fleet, Options, Runner};
use crate::flotilla;
use crate::repository::Repository;

/// More than is ever asked for at once.
const SLOTS: usize = 1000;

/// A fleet, and what is put between its parts.
pub(super) struct Ground {
    /// A runner in a network of its own, which ends before its network does.
    pub elsewhere: Option<(Runner, Link)>,
    /// Beside the one that `up` runs. It ends before the fleet whose folder it is in.
    pub second: Option<Coordinator>,
    pub fleet: Fleet,
    pub disk: Option<Disk>,
    pub wire: Option<Wire>,
    pub power: Option<PowerDisk>,
    pub clocks: Option<Clocks>,
    /// How often it was struck.
    pub strikes: Cell<usize>,
    _repository: Repository,
    _surroundings: Surroundings,
}

impl Ground {
    pub(super) async fn new(agent: Agent, fault: Fault) -> Self {
        let power = match fault {
            Fault::Power(machine, file_system) => Some(PowerDisk::new(machine, file_system)),
            _ => None,
        };
        let clocks = matches!(fault, Fault::Clock(..)).then(Clocks::new);
        let home = power
            .as_ref()
            .filter(|disk| disk.machine.has_agents())
            .map(PowerDisk::home);
        let surroundings = Surroundings::of(agent, home.as_deref()).await;
        let repository = Repository::new("shop")
            .file("README.md", "# Shop\n")
            .commit();
        let project = repository.path().to_owned();
        let (fleet, elsewhere) = if fault.needs_link() {
            let (fleet, runner, link) = put_link_between(&project).await;
            (fleet, Some((runner, link)))
        } else {
            let options = Options {
                projects: vec![project],
                agents: format!("[runner]\nslots = {SLOTS}\n{}", surroundings.configuration),
                data: power.as_ref().map(PowerDisk::data),
                home,
                environment: clocks.as_ref().map(Clocks::environment).unwrap_or_default(),
                ..Options::default()
            };
            (Fleet::start(options).await, None)
        };
        let disk = (fault == Fault::DiskFull).then(|| Disk::over(&fleet.data().join("sessions")));
        let wire = if fault.needs_wire() {
            Some(put_wire_between(&fleet).await)
        } else {
            None
        };
        let second = if fault == Fault::OneCoordinator {
            Some(fleet.another_coordinator().await)
        } else {
            None
        };
        Self {
            elsewhere,
            fleet,
            disk,
            wire,
            second,
            strikes: Cell::new(0),
            power,
            clocks,
            _repository: repository,
            _surroundings: surroundings,
        }
    }

    /// Where a person may ask.
    pub(super) fn doors(&self) -> Vec<String> {
        let second = self.second.iter().map(|it| it.url.clone());
        std::iter::once(self.fleet.url()).chain(second).collect()
    }

    /// The data folder of the host that runs the sessions.
    pub(super) fn host_data(&self) -> PathBuf {
        match &self.elsewhere {
            Some((runner, _)) => runner.data(),
            None => self.fleet.data(),
        }
    }

    /// The process id of its runner.
    pub(super) fn runner_pid(&self) -> i32 {
        match &self.elsewhere {
            Some((runner, _)) => runner.pid(),
            None => pid(&self.fleet.ready(), "runner"),
        }
    }

    /// Folders of logs.
    pub(super) fn logs(&self) -> Vec<PathBuf> {
        let second = self.second.iter().map(|it| it.folder().to_owned());
        let runner = self.elsewhere.iter();
        let runner = runner.map(|(runner, _)| runner.folder().to_owned());
        std::iter::once(self.fleet.data().join("logs"))
            .chain(second)
            .chain(runner)
            .collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // Agents are found by what lies on the disk, and a folder that is mounted on is not removed: in this order.
        if self.disk.is_some() || self.power.is_some() {
            let mut down = Command::new(flotilla::path());
            down.arg("down").arg("--data").arg(self.fleet.data());
            down.stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .ok();
            self.disk.take();
            self.power.take();
        }
    }
}

/// NATS and coordinator in one network, the runner with its agents in another, and no way but the line between them.
async fn put_link_between(project: &Path) -> (Fleet, Runner, Link) {
    let link = Link::new().await;
    let options = Options {
        agents: format!("nats.listen = \"{MIDDLE}:0\"\nrunner.enabled = false\n"),
        listen: Some(link.door),
        network: Some(link.middle().clone()),
        ..Options::default()
    };
    let fleet = Fleet::start(options).await;
    let runner = fleet
        .runner_elsewhere_in(
            Some(link.host()),
            "away",
            &[project],
            &format!("slots = {SLOTS}"),
        )
        .await;
    (fleet, runner, link)
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
