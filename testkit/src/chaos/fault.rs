//! What befalls the fleet. Knows the names and what each may excuse; not how it is done.

use super::clock::{Clock, Step};
use super::power::{FileSystem, Machine};

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing at all: the control, and what a journey takes by itself.
    None,
    Agent,
    Shim,
    Runner,
    Coordinator,
    /// One of two coordinators, while people use both.
    OneCoordinator,
    Nats,
    /// Runner, shims and agents at the same instant: a reboot, as far as processes go.
    Host,
    /// Every process but `flotilla up`.
    Everything,
    /// One part after the other, again and again, while they recover.
    Storm,
    FreezeRunner,
    FreezeCoordinator,
    FreezeNats,
    /// Nothing passes between the runner and nats-server.
    Cut,
    /// What the runner sends does not arrive; it still hears.
    CutOut,
    /// The runner hears nothing; what it sends arrives.
    CutIn,
    /// No packet passes between the host's network and that of nats-server.
    LinkCut,
    /// None from the host.
    LinkOut,
    /// None to the host.
    LinkIn,
    /// The file system of the host's sessions has no byte left.
    DiskFull,
    /// A machine loses its power: what was not forced out to its disk is gone.
    Power(Machine, FileSystem),
    /// The wall clock of one part jumps, and stays there.
    Clock(Clock, Step),
}

impl Fault {
    pub const ALL: [Self; 30] = [
        Self::None,
        Self::Agent,
        Self::Shim,
        Self::Runner,
        Self::Coordinator,
        Self::OneCoordinator,
        Self::Nats,
        Self::Host,
        Self::Everything,
        Self::Storm,
        Self::FreezeRunner,
        Self::FreezeCoordinator,
        Self::FreezeNats,
        Self::Cut,
        Self::CutOut,
        Self::CutIn,
        Self::LinkCut,
        Self::LinkOut,
        Self::LinkIn,
        Self::DiskFull,
        Self::Power(Machine::Nats, FileSystem::Ext4),
        Self::Power(Machine::Nats, FileSystem::Xfs),
        Self::Power(Machine::Host, FileSystem::Ext4),
        Self::Power(Machine::Host, FileSystem::Xfs),
        Self::Power(Machine::All, FileSystem::Ext4),
        Self::Power(Machine::All, FileSystem::Xfs),
        Self::Clock(Clock::Runner, Step::Forward),
        Self::Clock(Clock::Runner, Step::Back),
        Self::Clock(Clock::Coordinator, Step::Forward),
        Self::Clock(Clock::Coordinator, Step::Back),
    ];

    /// What a person types after `ONLY=`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Agent => "agent",
            Self::Shim => "shim",
            Self::Runner => "runner",
            Self::Coordinator => "coordinator",
            Self::OneCoordinator => "one-coordinator",
            Self::Nats => "nats",
            Self::Host => "host",
            Self::Everything => "everything",
            Self::Storm => "storm",
            Self::FreezeRunner => "freeze-runner",
            Self::FreezeCoordinator => "freeze-coordinator",
            Self::FreezeNats => "freeze-nats",
            Self::Cut => "cut",
            Self::CutOut => "cut-out",
            Self::CutIn => "cut-in",
            Self::LinkCut => "link-cut",
            Self::LinkOut => "link-out",
            Self::LinkIn => "link-in",
            Self::DiskFull => "disk-full",
            Self::Power(machine, file_system) => machine.fault_name(file_system),
            Self::Clock(clock, step) => clock.fault_name(step),
        }
    }

    /// For readers of the report.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::None => "nothing: the control",
            Self::Agent => "SIGKILL of the agent",
            Self::Shim => "SIGKILL of the shim, which takes its agent with it",
            Self::Runner => "SIGKILL of the runner",
            Self::Coordinator => "SIGKILL of the coordinator",
            Self::OneCoordinator => {
                "people use two coordinators in turn, and one of them gets SIGKILL: the one that is started again at once, or, in every other round, one that comes back after 5 s"
            }
            Self::Nats => "SIGKILL of nats-server",
            Self::Host => "SIGKILL of runner, shims and agents together",
            Self::Everything => {
                "SIGKILL of nats-server, coordinator, runner, shims and agents together"
            }
            Self::Storm => {
                "SIGKILL of runner, nats-server and coordinator in turn, one every 0.7 s, recovered or not"
            }
            Self::FreezeRunner => {
                "SIGSTOP of the runner for longer than every heartbeat, then SIGCONT"
            }
            Self::FreezeCoordinator => "the same of the coordinator",
            Self::FreezeNats => "the same of nats-server",
            Self::Cut => {
                "a proxy between runner and nats-server passes no byte on; connections stay open"
            }
            Self::CutOut => "the same, but only from the runner to nats-server",
            Self::CutIn => "the same, but only from nats-server to the runner",
            Self::LinkCut => {
                "the kernel drops every packet between the host's network and that of nats-server and coordinator (namespaces, nftables); neither side is told"
            }
            Self::LinkOut => "the same, but only packets from the host",
            Self::LinkIn => "the same, but only packets to the host",
            Self::DiskFull => "the file system of the host's sessions is filled to the last byte",
            Self::Power(machine, _) => machine.explanation(),
            Self::Clock(_, step) => step.explanation(),
        }
    }

    /// The agent's own process does not survive it: only then may a call be `unknown`, and text be cut off.
    #[must_use]
    pub const fn ends_agents(self) -> bool {
        matches!(
            self,
            Self::Agent
                | Self::Shim
                | Self::Host
                | Self::Everything
                | Self::Power(Machine::Host | Machine::All, _)
        )
    }

    /// The runner reaches its server through a wire that can be cut.
    pub(super) const fn needs_wire(self) -> bool {
        matches!(self, Self::Cut | Self::CutOut | Self::CutIn)
    }

    /// Host and middle live in networks of their own.
    pub(super) const fn needs_link(self) -> bool {
        matches!(self, Self::LinkCut | Self::LinkOut | Self::LinkIn)
    }

    /// The coordinator that holds a request may be killed, so that its answer is cut off.
    #[must_use]
    pub const fn kills_a_coordinator(self) -> bool {
        matches!(
            self,
            Self::Coordinator
                | Self::OneCoordinator
                | Self::Everything
                | Self::Storm
                | Self::Power(Machine::All, _)
        )
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Nobody listens where a coordinator did: there is another one, or `flotilla up` itself is without power.
    #[must_use]
    pub const fn closes_the_door(self) -> bool {
        matches!(self, Self::OneCoordinator | Self::Power(Machine::All, _))
    }
}
