//! How a fault is done: aimed first, so that nothing has to be looked for at the moment itself.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::time::Instant;

use super::disk::Disk;
use super::fault::Fault;
use super::ground::Ground;
use super::link::Link;
use super::power::{Machine, PowerDisk};
use super::wire::{Cut, Wire};
use crate::fleet::{Coordinator, Fleet};
use crate::processes::{self, Held};

/// Too short to recover in between.
const STORM_EVERY: Duration = Duration::from_millis(700);

/// A fault that is ready to strike.
pub(super) struct Strike<'a> {
    fault: Fault,
    ground: &'a Ground,
    nats: i32,
    coordinator: i32,
    runner: i32,
    held: Vec<Held>,
    /// Who goes dark when the power is cut, as far as can be known before.
    dark: Vec<i32>,
}

impl<'a> Strike<'a> {
    /// Looks up whom it will hit.
    pub(super) fn aim(fault: Fault, ground: &'a Ground, sessions: &[String]) -> Self {
        let ready = ground.fleet.ready();
        let held = processes::held(&ground.host_data(), sessions);
        assert!(
            held.iter()
                .all(|held| held.shim.is_some() && held.agent.is_some()),
            "every session at work has a shim and an agent: {held:?}"
        );
        let dark = ground.power.as_ref().map(PowerDisk::users);
        Self {
            fault,
            ground,
            nats: pid(&ready, "nats"),
            coordinator: pid(&ready, "coordinator"),
            runner: ground.runner_pid(),
            held,
            dark: dark.unwrap_or_default(),
        }
    }

    /// Holds the runner still until the fault has struck.
    pub(super) fn hold_runner(&self) {
        processes::signal(self.runner, Signal::STOP);
    }

    /// Lets a held runner go, unless it is what the fault holds.
    pub(super) fn release_runner(&self) {
        if self.fault != Fault::FreezeRunner {
            processes::signal(self.runner, Signal::CONT);
        }
    }

    /// Strikes. What lasts is over once [`Outage::heal`] returns.
    pub(super) fn strike(&self, silence: Duration) -> Outage<'a> {
        let (kill, freeze) = self.targets();
        for pid in kill {
            processes::signal(pid, Signal::KILL);
        }
        for pid in &freeze {
            processes::signal(*pid, Signal::STOP);
        }
        let wire = self.cut_wire();
        let disk = self.ground.disk.as_ref().inspect(|disk| disk.fill());
        let power = self.cut_power();
        if let (Fault::Clock(clock, step), Some(clocks)) = (self.fault, &self.ground.clocks) {
            clocks.step(clock, step);
        }
        let storm = (self.fault == Fault::Storm).then_some(&self.ground.fleet);
        let struck = Instant::now();
        Outage {
            frozen: freeze,
            wire,
            link: self.cut_link(),
            disk,
            power,
            storm,
            coordinator: self.kill_second(),
            one_of_two: self.fault == Fault::OneCoordinator,
            struck,
            until: struck + silence,
        }
    }

    fn cut_link(&self) -> Option<&'a Link> {
        let (_, link) = self.ground.elsewhere.as_ref()?;
        link.cut(Cut {
            out: matches!(self.fault, Fault::LinkCut | Fault::LinkOut),
            back: matches!(self.fault, Fault::LinkCut | Fault::LinkIn),
        });
        Some(link)
    }

    fn cut_wire(&self) -> Option<&'a Wire> {
        let wire = self.ground.wire.as_ref()?;
        wire.cut(Cut {
            out: matches!(self.fault, Fault::Cut | Fault::CutOut),
            back: matches!(self.fault, Fault::Cut | Fault::CutIn),
        });
        Some(wire)
    }

    /// Every other strike hits the one that `up` starts again at once.
    fn spares_the_second(&self) -> bool {
        self.ground.strikes.get() % 2 == 1
    }

    fn kill_second(&self) -> Option<&'a Coordinator> {
        let second = self.ground.second.as_ref()?;
        if self.spares_the_second() {
            return None;
        }
        second.kill();
        Some(second)
    }

    /// `up` stands still meanwhile, unless it goes dark itself: it is to start nothing on a disk that is away.
    fn cut_power(&self) -> Option<Dark<'a>> {
        let disk = self.ground.power.as_ref()?;
        let fleet = &self.ground.fleet;
        let up = fleet.up_pid();
        processes::signal(up, Signal::STOP);
        let mut known = self.dark.clone();
        known.extend(match disk.machine {
            Machine::Nats => vec![self.nats],
            Machine::Host => vec![self.runner],
            Machine::All => vec![up, self.nats, self.coordinator, self.runner],
        });
        disk.cut(&known);
        Some(Dark {
            disk,
            fleet,
            still: (disk.machine != Machine::All).then_some(up),
        })
    }

    fn targets(&self) -> (Vec<i32>, Vec<i32>) {
        let agents = || self.held.iter().filter_map(|held| held.agent);
        let shims = || self.held.iter().filter_map(|held| held.shim);
        match self.fault {
            Fault::None
            | Fault::Storm
            | Fault::Cut
            | Fault::CutOut
            | Fault::CutIn
            | Fault::LinkCut
            | Fault::LinkOut
            | Fault::LinkIn
            | Fault::DiskFull
            | Fault::Power(..)
            | Fault::Clock(..) => (vec![], vec![]),
            Fault::Agent => (agents().collect(), vec![]),
            Fault::Shim => (shims().collect(), vec![]),
            Fault::Runner => (vec![self.runner], vec![]),
            Fault::Coordinator => (vec![self.coordinator], vec![]),
            Fault::OneCoordinator if self.spares_the_second() => (vec![self.coordinator], vec![]),
            Fault::OneCoordinator => (vec![], vec![]),
            Fault::Nats => (vec![self.nats], vec![]),
            Fault::Host => (
                [self.runner]
                    .into_iter()
                    .chain(shims())
                    .chain(agents())
                    .collect(),
                vec![],
            ),
            Fault::Everything => {
                let parts = [self.nats, self.coordinator, self.runner];
                (
                    parts.into_iter().chain(shims()).chain(agents()).collect(),
                    vec![],
                )
            }
            Fault::FreezeRunner => (vec![], vec![self.runner]),
            Fault::FreezeCoordinator => (vec![], vec![self.coordinator]),
            Fault::FreezeNats => (vec![], vec![self.nats]),
        }
    }
}

/// Kills the parts in turn, whoever is there.
async fn rage(fleet: &Fleet, until: Instant) {
    for part in ["runner", "nats", "coordinator"].iter().cycle() {
        if Instant::now() >= until {
            return;
        }
        processes::signal(pid(&fleet.ready(), part), Signal::KILL);
        tokio::time::sleep(STORM_EVERY).await;
    }
}

pub(super) fn pid(ready: &Value, part: &str) -> i32 {
    let pid = ready["pids"][part].as_i64();
    pid.and_then(|pid| i32::try_from(pid).ok())
        .expect("the ready file names the pid")
}

/// A machine without power. Dropped, it is left so, but nobody stands still.
struct Dark<'a> {
    disk: &'a PowerDisk,
    fleet: &'a Fleet,
    /// `flotilla up`, where it stands still.
    still: Option<i32>,
}

impl Dark<'_> {
    async fn restore(mut self) {
        self.disk.restore().await;
        match self.still.take() {
            Some(up) => processes::signal(up, Signal::CONT),
            None => self.fleet.raise().await,
        }
    }
}

impl Drop for Dark<'_> {
    fn drop(&mut self) {
        if let Some(up) = self.still {
            processes::signal(up, Signal::CONT);
        }
    }
}

/// A fault that has struck. Dropped, it is over.
pub(super) struct Outage<'a> {
    frozen: Vec<i32>,
    wire: Option<&'a Wire>,
    link: Option<&'a Link>,
    disk: Option<&'a Disk>,
    power: Option<Dark<'a>>,
    storm: Option<&'a Fleet>,
    /// Who is to come back.
    coordinator: Option<&'a Coordinator>,
    /// Another of its kind was there meanwhile.
    one_of_two: bool,
    struck: Instant,
    until: Instant,
}

impl Outage<'_> {
    /// Waits for its time to be over, ends it, and says since when all is well: from the strike on, where somebody else
    /// was there all the time.
    pub(super) async fn heal(mut self) -> Instant {
        if let Some(dark) = self.power.take() {
            dark.restore().await;
        }
        if let Some(fleet) = self.storm {
            rage(fleet, self.until).await;
        }
        tokio::time::sleep_until(self.until).await;
        let well_all_along = self.one_of_two.then_some(self.struck);
        drop(self);
        well_all_along.unwrap_or_else(Instant::now)
    }
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        for pid in self.frozen.drain(..) {
            processes::signal(pid, Signal::CONT);
        }
        if let Some(wire) = self.wire {
            wire.cut(Cut::default());
        }
        if let Some(link) = self.link {
            link.cut(Cut::default());
        }
        if let Some(disk) = self.disk {
            disk.free();
        }
        if let Some(coordinator) = self.coordinator {
            coordinator.start_again();
        }
    }
}
